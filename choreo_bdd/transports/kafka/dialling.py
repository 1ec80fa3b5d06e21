"""Which of several bootstrap servers answers: the clients are started with that one. Imported by ``connect`` only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from choreo_bdd.transports.shared.dialling import first_to_answer


async def answering(servers: Sequence[str], options: Mapping[str, Any], *, patience_s: float) -> str:
    """The first server that answers; raises why none does.

    Each client asks them one after the other, in an order of its own, and waits for a silent one as long as for any
    request: four clients may meet it four times.
    """
    if len(servers) == 1:
        return servers[0]
    return await first_to_answer(
        [partial(ask, server, options) for server in servers], patience_s=patience_s, release=_nothing
    )


async def ask(server: str, options: Mapping[str, Any]) -> str:
    """The server, once it has answered; raises why it does not, which a client that is started keeps to itself."""
    host, port, _ = collect_hosts([server])[0]
    connection = AIOKafkaConnection(host, port, **options)
    try:
        await connection.connect()
        await connection.send(MetadataRequest([]))
    except OSError as error:
        raise KafkaConnectionError(f"{server}: {error}") from error
    finally:
        connection.close()
    return server


async def _nothing(_: str) -> None:
    """A server that has answered too late keeps nothing of ours."""

"""Which of several bootstrap servers answers: the clients are started with that one. Imported by ``connect`` only."""

from __future__ import annotations

import asyncio
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
        [partial(_ask, server, options) for server in servers], patience_s=patience_s, release=_nothing
    )


async def why_refused(server: str, options: Mapping[str, Any], *, patience_s: float) -> Exception | None:
    """What a server says to us, or its certificate, that the clients keep to themselves; ``None`` if it answers now."""
    try:
        async with asyncio.timeout(patience_s):
            await _ask(server, options)
    except Exception as error:  # noqa: BLE001 - it is to be told
        return None if isinstance(error, TimeoutError) else error
    return None


async def _ask(server: str, options: Mapping[str, Any]) -> str:
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

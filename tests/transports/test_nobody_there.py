"""A server that is not there is told as that: nobody is sent to look for a wrong password."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.kafka import KafkaTransport
from choreo_bdd.transports.nats import NatsTransport
from choreo_bdd.transports.rabbitmq import RabbitTransport
from choreo_bdd.transports.redis import RedisTransport

_TRANSPORTS: dict[str, Callable[[str], Any]] = {
    "NATS server": lambda place: NatsTransport(servers=f"nats://{place}"),
    "Kafka broker": lambda place: KafkaTransport(bootstrap_servers=place),
    "RabbitMQ server": lambda place: RabbitTransport(url=f"amqp://{place}"),
    "Redis server": lambda place: RedisTransport(url=f"redis://{place}"),
}


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _refusal(server: str, place: str) -> str:
    with pytest.raises(TransportError) as caught:
        asyncio.run(_TRANSPORTS[server](place).connect())
    return str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("server", _TRANSPORTS)
def test_where_nothing_listens_the_question_is_not_for_credentials(server: str, host: str) -> None:
    told = _refusal(server, f"{host}:{_closed_port()}")
    assert told.endswith(f"Is a {server} running there?")
    assert "credentials" not in told


@pytest.mark.parametrize("server", _TRANSPORTS)
def test_each_address_of_a_host_that_refuses_counts_as_nobody(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any, **__: Any) -> Any:
        raise OSError("Multiple exceptions: [Errno 111] ('::1', 1, 0, 0), [Errno 111] ('127.0.0.1', 1)")

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse)
    assert _refusal(server, "localhost:4999").endswith(f"Is a {server} running there?")


@pytest.mark.parametrize("server", _TRANSPORTS)
def test_a_host_that_is_not_known_is_told_as_that(server: str) -> None:
    told = _refusal(server, "nosuch.invalid:4999")
    assert told.endswith("nosuch.invalid:4999: no host of that name is known here. Is it written right?")


@pytest.mark.parametrize("server", _TRANSPORTS)
def test_who_is_turned_away_is_told_what_else_may_be_the_reason(server: str) -> None:
    """A Redis server that has all the clients it takes does so, and one that wants TLS."""

    async def turned_away() -> str:
        def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            at_once = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            writer.close()

        async with await asyncio.start_server(close, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            with pytest.raises(TransportError) as caught:
                await _TRANSPORTS[server](f"127.0.0.1:{port}").connect()
            return str(caught.value)

    told = asyncio.run(turned_away())
    assert f"took the connection and closed it: is it a {server}, does it want TLS, has it as many clients" in told

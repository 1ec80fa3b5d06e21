"""Nobody connects to an address that is not on the list: neither to one that is given, nor to one a broker names."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd import Harness
from choreo_bdd.brokers import Broker
from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ChoreoError, HostNotInAllowlist
from choreo_bdd.matchers import field_equals
from choreo_bdd.transports import KafkaTransport, NatsTransport, RabbitTransport, RedisTransport
from choreo_bdd.transports.shared.advertised import AddressGuard
from choreo_bdd_steps.starting.scaffold import template

LISTED, FOREIGN = "127.0.0.1", "127.0.0.2"  # of one length, so that bytes on the wire can be exchanged
CATEGORIES = ("nats_servers", "kafka_brokers", "amqp_brokers", "redis_servers")
PAYLOAD = "canary-payload"


@dataclass
class Foreign:
    """An address that is not on the list, and what came to it."""

    port: int = 0
    connections: int = 0

    async def accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@contextlib.asynccontextmanager
async def foreign(port: int = 0) -> AsyncIterator[Foreign]:
    counted = Foreign()
    server = await asyncio.start_server(counted.accept, FOREIGN, port)
    counted.port = server.sockets[0].getsockname()[1]
    try:
        yield counted
    finally:
        server.close()


def allowing(folder: Path, *ports: int) -> Path:
    urls = [f"{scheme}{LISTED}:{port}" for port in ports for scheme in ("", "nats://", "redis://", "amqp://")]
    path = folder / "allow.yaml"
    path.write_text("".join(f"{category}: {[*urls, *(f'{url}/' for url in urls)]}\n" for category in CATEGORIES))
    return path


TO: dict[str, Callable[[str, Path | None], Any]] = {
    "nats": lambda place, allowed: NatsTransport(
        servers=[f"nats://{place}"], allowlist_path=allowed, connect_timeout_s=1
    ),
    "kafka": lambda place, allowed: KafkaTransport(
        bootstrap_servers=place, allowlist_path=allowed, connect_timeout_s=3
    ),
    "rabbitmq": lambda place, allowed: RabbitTransport(
        url=f"amqp://{place}/", allowlist_path=allowed, connect_timeout_s=1
    ),
    "redis": lambda place, allowed: RedisTransport(
        url=f"redis://{place}", allowlist_path=allowed, connect_timeout_s=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TO)
async def test_an_unlisted_address_sees_no_connection(kind: str, tmp_path: Path) -> None:
    async with foreign() as other:
        transport = TO[kind](f"{FOREIGN}:{other.port}", allowing(tmp_path, 1))
        with pytest.raises(HostNotInAllowlist, match=f"{FOREIGN}:{other.port}"):
            await transport.connect()
        await transport.disconnect()
    assert other.connections == 0


@pytest.mark.broker
@pytest.mark.parametrize("kind", TO)
def test_the_list_of_a_new_project_lets_brokers_of_ours_be_reached_at_any_port(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    broker: Broker = request.getfixturevalue(f"{kind}_broker")
    (tmp_path / "list.yaml").write_text(template("allowlist.yaml"), "utf-8")
    allowlist = load_allowlist(tmp_path / "list.yaml")
    category = dict(zip(TO, CATEGORIES, strict=True))[kind]
    allowlist.enforce(category, [broker.url], label="broker")
    assert kind != "kafka" or AddressGuard(category, [broker.url], allowlist).permits("127.0.0.1", 4)


@contextlib.asynccontextmanager
async def serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A server on the listed address: its port, and its end of every connection; all end with the block."""
    met: list[asyncio.StreamWriter] = []
    working: list[asyncio.Task[Any]] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)
        task = asyncio.current_task()
        assert task is not None
        working.append(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, LISTED, 0)
    try:
        yield server.sockets[0].getsockname()[1], met
    finally:
        server.close()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for writer in met:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def relay(port: int) -> AsyncIterator[tuple[int, list[bool]]]:
    """A way to a broker on which, once asked to, every listed address in an answer becomes the foreign one."""
    lies = [False]

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data.replace(LISTED.encode(), FOREIGN.encode()) if answers and lies[0] else data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LISTED, port)
        try:
            await asyncio.gather(pump(reader, back, answers=False), pump(there, writer, answers=True))
        finally:
            back.close()

    async with serving(serve) as (own, _):
        yield own, lies


async def test_a_kafka_broker_that_advertises_an_unlisted_address_is_refused(
    kafka_broker: Broker, tmp_path: Path
) -> None:
    async with relay(kafka_broker.port) as (port, lies), foreign(kafka_broker.port) as other:
        lies[0] = True
        transport = TO["kafka"](f"{LISTED}:{port}", allowing(tmp_path, port))
        with pytest.raises(HostNotInAllowlist) as refused:
            await transport.connect()
        await transport.disconnect()
    for told in (f"{FOREIGN}:{kafka_broker.port}", "allow.yaml", "'kafka_brokers'", "advertised.listeners"):
        assert told in str(refused.value)
    assert other.connections == 0


async def test_a_kafka_broker_that_does_so_later_gets_nothing_either(kafka_broker: Broker, tmp_path: Path) -> None:
    async with relay(kafka_broker.port) as (port, lies), foreign(kafka_broker.port) as other:
        transport = TO["kafka"](f"{LISTED}:{port}", allowing(tmp_path, port, kafka_broker.port))
        harness = Harness(transport)
        await harness.connect()
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        transport.on_lost(lambda reason: None if lost.done() else lost.set_result(reason))
        clients = transport._life.require()._clients
        lies[0] = True
        for client in clients._connecting():  # as when an idle connection was closed, and metadata have grown old
            with contextlib.suppress(Exception):
                await client.bootstrap()
            for connection in list(client._conns.values()):
                connection.close()
        with contextlib.suppress(ChoreoError):
            async with harness.scenario("s") as scenario:
                scenario.expect("t.unlisted", field_equals("n", 1))
                scenario.publish("t.unlisted", {"n": 1, "v": PAYLOAD})
                assert not (await scenario.await_all(timeout_ms=1500)).passed
        told = transport.lost or await asyncio.wait_for(lost, 5)
        assert f"{FOREIGN}:{kafka_broker.port}" in told
        await harness.disconnect()
    assert other.connections == 0


async def test_a_redis_node_that_says_moved_is_not_followed(tmp_path: Path) -> None:
    async with foreign() as other:

        async def node(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                writer.write(f"-MOVED 3999 {FOREIGN}:{other.port}\r\n".encode() * 4)
                await writer.drain()

        async with serving(node) as (port, _):
            transport = TO["redis"](f"{LISTED}:{port}", allowing(tmp_path, port))
            with contextlib.suppress(ChoreoError):
                await transport.connect()
                await transport.publish("a", PAYLOAD.encode())
            await transport.disconnect()
    assert other.connections == 0


async def test_a_nats_server_that_names_others_is_not_left_for_them(tmp_path: Path) -> None:
    async with foreign() as other:

        async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            named = f'"connect_urls": ["{FOREIGN}:{other.port}"], "max_payload": 1000, "headers": true'
            writer.write(f'INFO {{"server_id": "x", "version": "2.11.0", "proto": 1, {named}}}\r\n'.encode())
            while data := await reader.read(65536):
                writer.write(b"PONG\r\n" * data.count(b"PING"))
                await writer.drain()

        async with serving(server) as (port, met):
            transport = TO["nats"](f"{LISTED}:{port}", allowing(tmp_path, port))
            await transport.connect()
            connected = len(met)
            for writer in met:  # and names others while it runs, before it goes
                writer.write(f'INFO {{"connect_urls": ["{FOREIGN}:{other.port}"], "ldm": true}}\r\n'.encode())
            await transport.publish("t.still", b"{}")
            for writer in met:
                writer.close()
            await asyncio.sleep(0.5)
            await transport.disconnect()
    assert (connected, other.connections) == (1, 0)


@pytest.mark.parametrize(
    ("given", "host", "port", "permitted"),
    [
        ("127.0.0.1:9092", "localhost", 9092, True),
        ("127.0.0.1:9092", "10.0.0.7", 9092, False),
        ("localhost:9092", "kafka.example", 9092, False),
        ("[::1]:9092", "::1", 9093, True),
        ("kafka.example:9092", "10.0.0.7", 9092, True),  # whose code has named another machine
    ],
)
def test_without_a_list_who_is_on_this_machine_stays_there(given: str, host: str, port: int, permitted: bool) -> None:
    guard = AddressGuard("kafka_brokers", [given])
    assert guard.permits(host, port) is permitted
    assert ("only loopback addresses" in "".join(guard.refused)) is not permitted

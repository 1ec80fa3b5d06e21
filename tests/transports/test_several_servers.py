"""One server of several that never answers holds nobody up, and what a client would drop of headers is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest
import redis.asyncio
from aiokafka import AIOKafkaProducer

from choreo_bdd import Harness, HeaderPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import TransportError
from choreo_bdd.matchers import anything
from choreo_bdd.message import HeaderValues, headers_from
from choreo_bdd.transports import KafkaTransport, NatsTransport, RedisTransport
from choreo_bdd.transports.shared.dialling import first_to_answer
from tests.support.subscribers import PATIENCE_S, Sink, new_topic


@asynccontextmanager
async def hung_server() -> AsyncIterator[str]:
    """Accepts, and never says a word."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("hung_first", [True, False])
async def test_nats_connects_past_a_server_that_hangs(nats_broker: Broker, hung_first: bool) -> None:
    async with hung_server() as hung:
        servers = [hung, nats_broker.url] if hung_first else [nats_broker.url, hung]
        transport, topic, sink = NatsTransport(servers=servers, connect_timeout_s=PATIENCE_S), new_topic(), Sink()
        began = asyncio.get_running_loop().time()
        await transport.connect()
        assert asyncio.get_running_loop().time() - began < PATIENCE_S / 2  # not a server's whole share
        await transport.subscribe(topic, sink)
        await transport.publish(topic, b"{}")
        await sink.wait_for(1)
        assert transport.lost is None
        await transport.disconnect()


async def test_kafka_connects_past_servers_that_hang(kafka_broker: Broker) -> None:
    async with hung_server() as one, hung_server() as other:
        servers = [one, other, kafka_broker.url]
        transport = KafkaTransport(bootstrap_servers=servers, request_timeout_ms=round(PATIENCE_S * 1000))
        began = asyncio.get_running_loop().time()
        await transport.connect()
        assert asyncio.get_running_loop().time() - began < PATIENCE_S  # for none of them as long as for a request
        await transport.disconnect()


async def test_kafka_servers_that_all_hang_or_refuse_are_named() -> None:
    async with hung_server() as one, hung_server() as other:
        hanging = KafkaTransport(bootstrap_servers=[one, other], connect_timeout_s=0.4)
        with pytest.raises(TransportError, match=r"no answer within 0\.4 s"):
            await asyncio.wait_for(hanging.connect(), PATIENCE_S)
    refusing = KafkaTransport(bootstrap_servers=[one, other])  # nobody is there by now
    with pytest.raises(TransportError, match="ConnectionRefusedError"):
        await asyncio.wait_for(refusing.connect(), PATIENCE_S)


async def test_servers_that_all_hang_are_given_up_on_and_leave_nothing() -> None:
    before = asyncio.all_tasks()
    async with hung_server() as one, hung_server() as other:
        transport = NatsTransport(servers=[one, other], connect_timeout_s=0.4)
        with pytest.raises(TransportError, match=rf"{one}, {other}: no answer within 0\.4 s"):
            await asyncio.wait_for(transport.connect(), PATIENCE_S)
    await asyncio.sleep(0.05)
    assert not {task for task in asyncio.all_tasks() - before if not task.done() and "hang" not in repr(task)}


@pytest.mark.thorough
async def test_what_connects_too_late_is_released_and_what_an_answer_says_is_told() -> None:
    released: list[str] = []
    at_once = asyncio.Event()

    async def release(name: str) -> None:
        released.append(name)

    async def connected(name: str) -> str:
        await at_once.wait()
        return name

    async def refused() -> str:
        raise ValueError("wrong password")

    async def silent() -> str:
        await asyncio.Event().wait()
        return "never"

    asyncio.get_running_loop().call_later(0.6, at_once.set)
    attempts = [lambda: connected("a"), lambda: connected("b")]
    first = await first_to_answer(attempts, patience_s=PATIENCE_S, release=release)
    assert sorted([first, *released]) == ["a", "b"]
    with pytest.raises(ValueError, match="wrong password"):
        await first_to_answer([refused, silent], patience_s=0.5, release=release)


@pytest.mark.parametrize("patience_s", [0.05, PATIENCE_S], ids=["none is in time", "another is first"])
async def test_what_connects_while_it_is_given_up_is_released_too(patience_s: float) -> None:
    released: list[str] = []

    async def release(name: str) -> None:
        released.append(name)
        raise OSError("it does not even close")

    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"
        raise AssertionError

    async def quick() -> str:
        return "first"

    attempts = [stubborn, quick]
    if patience_s == PATIENCE_S:
        assert await first_to_answer(attempts, patience_s=patience_s, release=release) == "first"
    else:
        with pytest.raises(TimeoutError):
            await first_to_answer(attempts, patience_s=patience_s, release=release)
    assert released == ["late"]


# --- headers of one name ----------------------------------------------------------------------------------------------


def test_headers_of_one_name_keep_all_their_values() -> None:
    headers = headers_from([("id", "a"), ("tenant", "acme"), ("id", "b")])
    assert headers == {"id": "a, b", "tenant": "acme"}
    assert isinstance(headers["id"], HeaderValues)
    assert headers["id"].values == ("a", "b")


async def _kafka(broker: Broker, topic: str, headers: list[tuple[str, str]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.url) as producer:
        await producer.send_and_wait(topic, b"{}", headers=[(name, value.encode()) for name, value in headers])


async def _nats(broker: Broker, topic: str, headers: list[tuple[str, str]]) -> None:
    block = "NATS/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    client = await nats.connect(broker.url)
    message = f"HPUB {topic} {len(block)} {len(block) + 2}\r\n{block}{{}}\r\n"
    await client._send_command(message.encode())  # the client's own way takes one value a name
    await client._flush_pending()
    await client.flush()
    await client.close()


async def _streams(broker: Broker, topic: str, headers: list[tuple[str, str]]) -> None:
    client: Any = redis.asyncio.from_url(broker.url)
    fields = [part for pair in [("payload", "{}"), *headers] for part in pair]
    await client.execute_command("XADD", topic, "*", *fields)
    await client.aclose()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "make", "send"),
    [
        pytest.param("kafka", lambda b: KafkaTransport(bootstrap_servers=b.url), _kafka, id="kafka"),
        pytest.param("nats", lambda b: NatsTransport(servers=[b.url]), _nats, id="nats"),
        pytest.param("redis", lambda b: RedisTransport(url=b.url, streams=True), _streams, id="streams"),
    ],
)
async def test_an_id_that_a_proxy_adds_behind_ours_takes_no_message_away(
    request: pytest.FixtureRequest, kind: str, make: Any, send: Any
) -> None:
    broker = request.getfixturevalue(f"{kind}_broker")
    harness, topic = Harness(make(broker), correlation=HeaderPolicy(strict=True)), new_topic()
    await harness.connect()
    async with harness.scenario("a proxy adds its own id") as scenario:
        handle = scenario.expect(topic, anything())
        await scenario.ready()
        ids = [("correlation-id", str(scenario.correlation_id)), ("correlation-id", "proxy-7")]
        await send(broker, topic, ids)
        scenario.publish(new_topic(), {})
        await scenario.await_all(timeout_ms=1000 * PATIENCE_S)
    assert handle.outcome is Outcome.PASS
    assert handle.messages[0].headers["correlation-id"] == f"{scenario.correlation_id}, proxy-7"
    await harness.disconnect()

"""What a Redis server keeps to itself: it is no absence of anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.scenario import Cause, Handle
from choreo_bdd.transports import RedisTransport
from choreo_bdd.transports.redis.messages import ListEnd
from choreo_bdd.transports.redis.words import why_silent
from tests.support.brokers import start_or_skip
from tests.support.subscribers import PATIENCE_S, new_topic

FLAGS = "notify-keyspace-events"
SET = "__keyevent@0__:set"


@pytest.mark.parametrize(
    ("topic", "flags", "is_silent"),
    [
        (SET, "", True),
        (SET, "KA", True),
        (SET, "Eg", True),
        (SET, "E", True),
        (SET, "E$", False),
        (SET, "AE", False),
        ("__keyevent@0__:keymiss", "KEA", True),
        ("__keyevent@0__:keymiss", "KEAm", False),
        ("__keyevent@3__:what-comes-with-a-module", "Ex", False),
        ("__keyspace@0__:k", "EA", True),
        ("__keyspace@0__:k", "Kx", False),
        ("__keyspace@0__.>", "", True),
    ],
)
def test_a_server_that_does_not_speak_of_such_events_is_known_by_its_flags(
    topic: str, flags: str, *, is_silent: bool
) -> None:
    assert (why_silent(topic, flags) is not None) is is_silent


@pytest.fixture
def server() -> Iterator[Broker]:
    """A server of the test's own, that may be told to be silent."""
    with start_or_skip("redis") as broker:
        yield broker


@asynccontextmanager
async def client_of(server: Broker) -> AsyncIterator[Any]:
    client: Any = redis.asyncio.from_url(server.url)
    yield client
    await client.aclose()


@asynccontextmanager
async def harness_of(server: Broker) -> AsyncIterator[Harness]:
    harness = Harness(RedisTransport(url=server.url), correlation=NoCorrelationPolicy(is_meant=True))
    await harness.connect()
    yield harness
    await harness.disconnect()


async def absence(harness: Harness, topic: str, meanwhile: Callable[[], Awaitable[Any]]) -> Handle:
    """Of any message on a topic, after something has happened in its window."""
    async with harness.scenario("silent") as s:
        handle = s.expect_none(topic)
        await s.ready()
        s.publish(new_topic(), {})
        await meanwhile()
        await s.await_all(timeout_ms=200)
    return handle


def assert_transport_failed(handle: Handle, words: str) -> None:
    assert handle.outcome is not Outcome.PASS
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
    assert words in handle.diagnosis.text


@pytest.mark.broker
async def test_key_events_that_the_server_is_told_not_to_send_are_no_absence(server: Broker) -> None:
    async with client_of(server) as outsider, harness_of(server) as harness:

        async def silenced() -> None:
            await outsider.config_set(FLAGS, "Kg")
            await outsider.set("k", "1")

        await outsider.config_set(FLAGS, "KEA")
        assert_transport_failed(await absence(harness, SET, silenced), "sends no keyspace events of this kind")
        with pytest.raises(SubscriptionFailed, match=r"notify-keyspace-events is '[gK]{2}'"):
            await absence(harness, SET, silenced)
        await outsider.config_set(FLAGS, "E$")
        passed = await absence(harness, SET, lambda: asyncio.sleep(0))
        assert passed.outcome is Outcome.PASS


@pytest.mark.broker
async def test_a_replica_that_has_lost_its_master_knows_of_no_absence(server: Broker) -> None:
    with start_or_skip("redis") as other:
        async with client_of(server) as replica, client_of(other) as master, harness_of(server) as harness:

            async def is_linked(*, wanted: bool) -> None:
                async with asyncio.timeout(PATIENCE_S * 4):
                    while ((await replica.info("replication"))["master_link_status"] == "up") is not wanted:  # noqa: ASYNC110 - it tells only when it is asked
                        await asyncio.sleep(0.02)

            async def cut() -> None:
                await master.config_set("requirepass", "changed")
                await replica.execute_command("REPLICAOF", "NO", "ONE")
                await replica.execute_command("REPLICAOF", other.host, other.port)
                await is_linked(wanted=False)

            await replica.execute_command("REPLICAOF", other.host, other.port)
            await is_linked(wanted=True)
            whole = await absence(harness, new_topic(), lambda: asyncio.sleep(0))
            assert whole.outcome is Outcome.PASS
            assert_transport_failed(await absence(harness, new_topic(), cut), "a replica that has lost its master")


@pytest.mark.broker
@pytest.mark.thorough
@pytest.mark.parametrize(
    "options", [{}, {"streams": True}, {"topics": [(">", ListEnd())]}], ids=["pubsub", "streams", "lists"]
)
async def test_a_server_that_hangs_up_on_idle_clients_is_listened_to_however_quiet_it_is(
    options: dict[str, Any],
) -> None:
    with start_or_skip("redis", config="timeout 1") as server:
        harness = Harness(RedisTransport(url=server.url, **options), correlation=NoCorrelationPolicy(is_meant=True))
        await harness.connect()
        for _ in range(2):
            quiet = await absence(harness, new_topic(), lambda: asyncio.sleep(3.5))
            assert quiet.outcome is Outcome.PASS, quiet.diagnosis
        await harness.disconnect()

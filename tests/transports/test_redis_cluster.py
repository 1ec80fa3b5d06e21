"""A node of a Redis Cluster: what others keep is named, never followed, and never taken for nothing that came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
import redis.asyncio

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.matchers import anything
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import RedisTransport
from tests.support.brokers import start_or_skip
from tests.support.subscribers import PATIENCE_S, new_topic

pytestmark = pytest.mark.broker

SLOTS = 16384


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Broker]]:
    """Two servers that are made one cluster."""
    buses = [free_port(), free_port()]
    with ExitStack() as stack:
        started = [
            stack.enter_context(start_or_skip("redis", config=f"cluster-enabled yes\ncluster-port {bus}"))
            for bus in buses
        ]
        asyncio.run(joined(started, buses[1]))
        yield started


async def joined(nodes: list[Broker], bus: int) -> None:
    """Half of the slots each."""
    async with client_of(nodes[0]) as first, client_of(nodes[1]) as second:
        await first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS // 2)
        await second.execute_command("CLUSTER", "ADDSLOTSRANGE", SLOTS // 2 + 1, SLOTS - 1)
        await first.execute_command("CLUSTER", "MEET", nodes[1].host, nodes[1].port, bus)
        async with asyncio.timeout(PATIENCE_S * 2):
            for client in (first, second):
                while not await is_whole(client):  # noqa: ASYNC110 - it tells only when it is asked
                    await asyncio.sleep(0.05)


async def is_whole(node: Any) -> bool:
    """Whether a node has heard of whoever keeps the other slots."""
    return "cluster_state:ok" in str(await node.execute_command("CLUSTER", "INFO"))


@asynccontextmanager
async def client_of(node: Broker) -> AsyncIterator[Any]:
    client: Any = redis.asyncio.from_url(node.url)
    yield client
    await client.aclose()


async def topic_of(node: Any, *, own: bool) -> str:
    """A topic whose slot is this node's, or the other's."""
    while True:
        topic = new_topic()
        if (await node.execute_command("CLUSTER", "KEYSLOT", topic) <= SLOTS // 2) is own:
            return topic


@pytest.fixture
async def harness(nodes: list[Broker]) -> AsyncIterator[Harness]:
    harness = Harness(RedisTransport(url=nodes[0].url, streams=True), correlation=NoCorrelationPolicy())
    await harness.connect()
    yield harness
    await harness.disconnect()


async def test_a_stream_of_another_node_is_named_with_it(nodes: list[Broker], harness: Harness) -> None:
    async with client_of(nodes[0]) as first:
        topic = await topic_of(first, own=False)
    async with harness.scenario("another's") as s:
        s.expect(topic, anything())
        with pytest.raises(SubscriptionFailed, match=rf"another node .*:{nodes[1].port}, and nobody is sent there"):
            await s.ready()


async def test_a_slot_that_moves_away_within_a_window_is_no_absence(nodes: list[Broker], harness: Harness) -> None:
    async with client_of(nodes[0]) as first, client_of(nodes[1]) as second:
        topic = await topic_of(first, own=True)
        slot = await first.execute_command("CLUSTER", "KEYSLOT", topic)
        here, there = [await each.execute_command("CLUSTER", "MYID") for each in (first, second)]
        async with harness.scenario("moves") as s:
            absence, wait = s.expect_none(topic), s.expect(topic, anything())
            await s.ready()
            await second.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", here)
            await first.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", there)
            async with second.pipeline(transaction=False) as asking:
                await asking.execute_command("ASKING").xadd(topic, {"payload": "{}"}).execute()
            s.publish(topic, {})
            await s.await_all(timeout_ms=300)
    for handle in (absence, wait):
        assert handle.outcome is not Outcome.PASS
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert f"the Redis Cluster moves slot {slot}: {nodes[1].host}:{nodes[1].port}" in handle.diagnosis.text

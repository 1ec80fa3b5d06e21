"""Brokers that have no room left for a message."""

from __future__ import annotations

import pytest

from choreo_bdd import Harness, Outcome
from choreo_bdd.scenario import Cause
from tests.support.brokers import start_or_skip
from tests.support.fault_sites import Site, Watched, assert_works, disconnect_in_time
from tests.support.leftovers import nothing_left
from tests.support.subscribers import new_topic

pytestmark = pytest.mark.broker


async def message_refused(harness: Harness, *, why: str) -> None:
    """A message that found no room is the cause of what it should have brought about, and the sentence says so."""
    async with harness.scenario("no room") as s:
        watched = Watched(s)
        s.publish(watched.topic, {"n": 1, "padding": "x" * 100_000})
        result = await s.await_all(timeout_ms=1500)
        assert not result.passed
    assert watched.wanted.outcome is Outcome.TIMEOUT
    assert watched.wanted.diagnosis is not None
    assert watched.wanted.diagnosis.cause is Cause.TRANSPORT_FAILED, watched.wanted.diagnosis.text
    assert why in watched.wanted.diagnosis.text


async def test_redis_with_no_memory_left_for_a_stream() -> None:
    config = "maxmemory 3mb\nmaxmemory-policy noeviction"
    with start_or_skip("redis", config=config) as broker:
        async with nothing_left():
            harness = Site("redis-streams", broker).harness_at(broker.port)
            await harness.connect()
            await assert_works(harness)
            for _ in range(60):
                harness.publish(new_topic(), {"padding": "x" * 100_000})
            await message_refused(harness, why="maxmemory")
            await disconnect_in_time(harness)


async def test_rabbitmq_with_no_disk_left() -> None:
    with start_or_skip("rabbitmq", config="disk_free_limit.absolute = 900000GB") as broker:
        async with nothing_left():
            harness = Site("rabbitmq", broker).harness_at(broker.port)
            await harness.connect()
            await message_refused(harness, why="takes no messages for the moment: low on disk")
            await disconnect_in_time(harness)

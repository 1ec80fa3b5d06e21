"""Entries of a Redis stream that are gone before anybody could read them: they came all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis.asyncio

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import RedisTransport
from choreo_bdd.transports.redis.tally import End, Tally
from tests.support.subscribers import new_topic

pytestmark = pytest.mark.broker

OTHER, FORBIDDEN = {"payload": '{"n": 0}'}, {"payload": '{"n": 1}'}


@pytest.fixture
async def outsider(redis_broker: Broker) -> AsyncIterator[Any]:
    client: Any = redis.asyncio.from_url(redis_broker.url)
    yield client
    await client.aclose()


@pytest.fixture
async def harness(redis_broker: Broker) -> AsyncIterator[Harness]:
    harness = Harness(RedisTransport(url=redis_broker.url, streams=True), correlation=NoCorrelationPolicy())
    await harness.connect()
    yield harness
    await harness.disconnect()


def trim(pipeline: Any, topic: str) -> None:
    pipeline.xadd(topic, FORBIDDEN).xtrim(topic, maxlen=0, approximate=False)


def push_out(pipeline: Any, topic: str) -> None:
    pipeline.xadd(topic, FORBIDDEN).xadd(topic, OTHER, maxlen=1, approximate=False)


def delete(pipeline: Any, topic: str) -> None:
    pipeline.xadd(topic, FORBIDDEN, id="99999999999999-1").xdel(topic, "99999999999999-1")


GONE = [trim, push_out, delete]


@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("make_gone", GONE)
async def test_what_was_gone_before_it_was_read_is_no_absence(
    harness: Harness, outsider: Any, make_gone: Callable[[Any, str], None], *, is_new: bool
) -> None:
    topic = new_topic()
    for _ in range(0 if is_new else 3):
        await outsider.xadd(topic, OTHER)
    async with harness.scenario("gone at once") as s:
        absence = s.expect_none(topic, field_equals("n", 1))
        s.publish(topic, {"n": 2})
        await asyncio.sleep(0.05)
        async with outsider.pipeline(transaction=True) as pipeline:
            make_gone(pipeline, topic)
            await pipeline.execute()
        await s.await_all(timeout_ms=300)
    assert absence.outcome is not Outcome.PASS
    assert absence.diagnosis is not None
    assert absence.diagnosis.cause is Cause.TRANSPORT_FAILED
    assert f"an entry of the stream '{topic}' had been deleted, or trimmed away" in absence.diagnosis.text


async def test_what_is_trimmed_once_it_was_read_or_before_anybody_listened_is_not_missed(
    harness: Harness, outsider: Any
) -> None:
    topic = new_topic()
    for _ in range(5):
        await outsider.xadd(topic, FORBIDDEN, maxlen=2, approximate=False)
    async with harness.scenario("trimmed in time") as s:
        absence = s.expect_none(topic, field_equals("n", 1))
        counted = s.expect_count(topic, field_equals("n", 0), at_least=4)
        s.publish(topic, {"n": 2})
        await s.ready()
        for _ in range(4):
            await outsider.xadd(topic, OTHER)
            await asyncio.sleep(0.1)
            await outsider.xtrim(topic, maxlen=0, approximate=False)
        result = await s.await_all(timeout_ms=600)
    assert result.passed, str(result)
    assert (absence.outcome, counted.outcome) == (Outcome.PASS, Outcome.PASS)


def test_answers_that_come_in_another_order_make_nothing_missing() -> None:
    tally = Tally(End(last_ever=(1, 0), added=1))
    for number in (2, 3, 4):
        tally.note((number, 0))
    assert tally.missing(End(last_ever=(4, 0), added=4)) == 0
    assert tally.missing(End(last_ever=(2, 0), added=2)) == 0
    tally.note((6, 0))
    assert tally.missing(End(last_ever=(6, 0), added=6)) == 1  # 5 was gone before it was read
    assert tally.missing(End(last_ever=(6, 0), added=6)) == 0


async def test_the_next_scenario_has_missed_nothing(harness: Harness, outsider: Any) -> None:
    topic = new_topic()
    outcomes = []
    for is_gone in (True, False):
        async with harness.scenario("one after the other") as s:
            absence = s.expect_none(topic)
            s.publish(new_topic(), {})
            await asyncio.sleep(0.05)
            if is_gone:
                async with outsider.pipeline(transaction=True) as pipeline:
                    trim(pipeline, topic)
                    await pipeline.execute()
            await s.await_all(timeout_ms=100)
        outcomes.append(absence.outcome)
    assert outcomes == [Outcome.TIMEOUT, Outcome.PASS]

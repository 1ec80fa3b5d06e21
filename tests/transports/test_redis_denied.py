"""Streams that a user may not read beside those it may: they are no loss of what it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis.asyncio

from choreo_bdd import DictFieldPolicy, Harness, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, ScopeOptions
from choreo_bdd.transports import RedisTransport
from tests.support.brokers import start_or_skip
from tests.support.fault_sites import ABSENT

pytestmark = pytest.mark.broker

USER = "user ann on >pw +@all %RW~in.orders %RW~in.settled %W~in.audit"
WATCHING = ScopeOptions(watch_similar_topics=True)


@pytest.fixture
def server() -> Iterator[Broker]:
    """A server whose user ``ann`` may read two streams, and write one more."""
    with start_or_skip("redis", config=f"user default on nopass ~* &* +@all\n{USER}") as broker:
        yield broker


@pytest.fixture
async def harness(server: Broker) -> AsyncIterator[Harness]:
    transport = RedisTransport(url=server.url.replace("//", "//ann:pw@"), streams=True)
    harness = Harness(transport, correlation=DictFieldPolicy())
    await harness.connect()
    yield harness
    await harness.disconnect()


async def test_a_stream_that_may_only_be_written_harms_no_check_on_another(harness: Harness) -> None:
    async with harness.scenario("audited", options=WATCHING) as s:
        settled = s.expect("in.settled", field_equals("n", 1))
        s.scope.expect("in.orders", field_equals("n", 2), occurs=ABSENT)
        for _ in range(2):
            s.publish("in.audit", {"n": 0})
        s.publish("in.settled", {"n": 1})
        (await s.await_all(timeout_ms=400)).assert_passed()
    assert settled.was_fulfilled()
    assert harness.is_healthy()


async def test_somebody_elses_stream_harms_no_check_on_another(harness: Harness, server: Broker) -> None:
    outsider: Any = redis.asyncio.from_url(server.url)
    async with harness.scenario("beside", options=WATCHING) as s:
        s.expect("in.orders", field_equals("n", 1))
        s.scope.expect("in.settled", field_equals("n", 2), occurs=ABSENT)
        await s.ready()
        s.publish("in.orders", {"n": 1})
        await outsider.xadd("in.secret", {"payload": b"{}"})
        (await s.await_all(timeout_ms=500)).assert_passed()
    assert harness.is_healthy()
    await outsider.aclose()


async def test_a_pattern_that_hides_a_stream_names_it(harness: Harness, server: Broker) -> None:
    outsider: Any = redis.asyncio.from_url(server.url)
    async with harness.scenario("hidden", options=WATCHING) as s:
        handle = s.scope.expect("in.*.*", field_equals("n", 2), occurs=ABSENT)
        beside = s.expect("in.settled", field_equals("n", 3))
        await s.ready()
        await outsider.xadd("in.deep.secret", {"payload": b"{}"})
        s.publish("in.settled", {"n": 3})
        await s.await_all(timeout_ms=500)
    assert beside.was_fulfilled()
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
    assert "'in.deep.secret'" in handle.diagnosis.sentence
    assert "the server denies it to this user" in handle.diagnosis.sentence
    assert harness.is_healthy()
    await outsider.aclose()

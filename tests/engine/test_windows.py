"""Expectations that hold, that close, and that watch beside their topic."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from choreo_bdd import Handle, Harness, HeaderPolicy, Outcome, Scenario, ScopeOptions
from choreo_bdd.matchers import eq, exists, field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.scenario.judging.expectation import Expectation
from tests.support.engine_doubles import FaultyTransport

WATCHING = ScopeOptions(watch_similar_topics=True)


@asynccontextmanager
async def holding(harness: Harness) -> AsyncIterator[tuple[Scenario, Handle]]:
    """A scenario whose one expectation does not know its matcher yet."""
    async with harness.scenario("holding") as s:
        handle = s.scope.expect("t", None)
        s.on("start").publish("x", {})
        s.publish("start", {})
        yield s, handle
        await s.await_all(timeout_ms=0)


class TestHeldExpectations:
    """An expectation may wait for its matcher: what arrives is kept with its time of arrival."""

    async def test_what_arrived_is_judged_in_order_with_its_own_latency(self, harness: Harness) -> None:
        async with holding(harness) as (s, handle):
            await asyncio.sleep(0.1)
            harness.publish("t", {"n": 1})
            await asyncio.sleep(0.1)
            harness.publish("t", {"n": 2})
            await asyncio.sleep(5)
            assert (handle.outcome, handle.attempts) == (Outcome.PENDING, 0)
            s.scope.supply(handle, field_equals("n", 2))
            assert handle.was_fulfilled()
            assert handle.attempts == 1
            assert handle.latency_ms == pytest.approx(200.0)
            assert handle.message == {"n": 2}
            assert "n" in handle.matcher_description
            assert handle.matcher_expected == {"n": 2}

    async def test_what_comes_later_is_judged_as_usual(self, harness: Harness) -> None:
        async with holding(harness) as (s, handle):
            s.scope.supply(handle, eq(7))
            harness.publish("t", 7)
            assert handle.was_fulfilled()

    async def test_the_first_match_wins(self, harness: Harness) -> None:
        async with holding(harness) as (s, handle):
            for number in (1, 2):
                await asyncio.sleep(1)
                harness.publish("t", {"n": number})
            s.scope.supply(handle, exists())
            assert handle.message == {"n": 1}

    async def test_what_arrived_after_its_end_does_not_count_but_is_the_cause(self, harness: Harness) -> None:
        async with holding(harness) as (s, handle):
            s.scope.close_at(handle, s.scope.clock() + 1)
            await asyncio.sleep(2)
            harness.publish("t", 7)
            s.scope.supply(handle, eq(7))
            await s.scope.decide([s.scope.expectation_of(handle)])
            assert handle.outcome is Outcome.TIMEOUT
            assert handle.diagnosis is not None
            assert handle.diagnosis.cause is Cause.TOO_LATE

    async def test_more_than_can_be_held_is_a_finding(self, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules[Expectation.__module__], "_HELD_KEPT", 1000)
        async with holding(harness) as (s, handle):
            for number in range(1001):
                harness.publish("t", number)
            s.scope.supply(handle, eq("never"))
            assert handle.attempts == 1000
            result = await s.await_all(timeout_ms=1)
        assert "too many messages to hold" in result.transport_failures[0].reason


class TestCloseAt:
    async def test_what_arrives_after_the_moment_is_too_late_although_somebody_still_waits(
        self, harness: Harness
    ) -> None:
        async with harness.scenario("closed") as s:
            closed = s.expect("t", eq(1))
            open_ended = s.expect("t", eq(1))
            s.publish("start", {})
            s.scope.close_at(closed, s.scope.clock() + 0.5)
            await asyncio.sleep(0.75)
            harness.publish("t", 1)
            await s.await_all(timeout_ms=5000)
        assert (closed.outcome, open_ended.outcome) == (Outcome.TIMEOUT, Outcome.PASS)
        assert closed.latency_ms == pytest.approx(500.0)
        assert closed.diagnosis is not None
        assert closed.diagnosis.cause is Cause.TOO_LATE
        assert "250.0 ms" in closed.diagnosis.sentence

    async def test_what_arrives_at_that_very_moment_counts(self, harness: Harness) -> None:
        async with harness.scenario("just in time") as s:
            handle = s.expect("t", eq(1))
            s.publish("start", {})
            s.scope.close_at(handle, s.scope.clock() + 0.5)
            asyncio.get_running_loop().call_at(s.scope.clock() + 0.5, harness.publish, "t", 1)
            await s.await_all(timeout_ms=5000)
        assert handle.was_fulfilled()


class TestWatching:
    async def test_watching_leaves_no_subscription_and_is_shared(self, strict: Harness) -> None:
        async with (
            strict.scenario("one", options=WATCHING) as one,
            strict.scenario("two", options=WATCHING) as two,
        ):
            for s in (one, two):
                s.expect("orders.settled", exists())
                s.expect("orders.placed", exists())
            assert strict.active_subscription_count() == 5  # two topics, orders.*, *.settled and *.placed
            for s in (one, two):
                s.publish("orders.settled", {}).publish("orders.placed", {})
                assert (await s.await_all(timeout_ms=10)).passed
        assert strict.active_subscription_count() == 0

    async def test_a_watch_that_cannot_be_subscribed_arms_nothing_and_leaves_nothing(self) -> None:
        class NoPatterns(FaultyTransport):
            def subscribe(self, topic: str, callback: Any) -> Any:
                if "*" in topic and self.faults:
                    raise RuntimeError("patterns are not supported")
                return super().subscribe(topic, callback)

        transport = NoPatterns("patterns")
        harness = Harness(transport, correlation=HeaderPolicy())
        await harness.connect()
        async with harness.scenario("no patterns", options=WATCHING) as s:
            with pytest.raises(RuntimeError, match="patterns"):
                s.expect("orders.settled", exists())
            transport.faults.clear()
            s.expect("orders.settled", exists())
            s.publish("orders.settled", {})
            result = await s.await_all(timeout_ms=10)
        assert len(result.handles) == 1
        assert result.passed
        assert harness.active_subscription_count() == 0

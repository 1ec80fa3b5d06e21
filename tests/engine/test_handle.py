"""Handles and outcomes."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from choreo_bdd import Handle, Harness, Outcome, ScopeOptions
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.scenario import Cause, Occurs
from choreo_bdd.scenario.judging.handle import _FAILURES_MAX
from tests.support.engine_doubles import BrokerLike, RaisingMatcher


async def settled(harness: Harness, *, arrives: Any, after_s: float = 0.0, budget_ms: float | None = None) -> Handle:
    """One expectation of ``{"a": 1}`` on ``t``, and what becomes of it within ten seconds."""
    async with harness.scenario("one") as s:
        handle = s.expect("t", field_equals("a", 1))
        if budget_ms is not None:
            handle.within_ms(budget_ms)
        s.publish("start", {})
        await asyncio.sleep(after_s)
        if arrives is not None:
            harness.publish("t", arrives)
        await s.await_all(timeout_ms=10_000 - after_s * 1000)
    return handle


class TestPending:
    def test_a_new_handle_is_pending_and_has_nothing(self) -> None:
        handle = Handle("t", "anything", "id-1")
        assert handle.outcome is Outcome.PENDING
        assert not handle.was_fulfilled()
        assert (handle.attempts, handle.failures, handle.failures_dropped) == (0, (), 0)
        assert handle.reason == ""
        assert handle.last_mismatch_reason is None
        assert handle.last_mismatch_payload is None
        assert handle.transport is None
        assert handle.diagnosis is None
        for name in ("message", "latency_ms"):
            with pytest.raises(RuntimeError, match="'t'"):
                getattr(handle, name)

    async def test_it_knows_what_it_was_registered_with(self, routed: Harness) -> None:
        async with routed.scenario("facts") as s:
            handle = s.expect("order.placed", field_equals("qty", 3))
            assert handle.topic == "order.placed"
            assert handle.correlation_id == s.correlation_id
            assert "qty" in handle.matcher_description
            assert handle.matcher_expected == {"qty": 3}
            s.publish("order.placed", {"qty": 3})
            assert handle.outcome is Outcome.PASS  # decided on arrival, not by await_all
            assert handle.message["qty"] == 3
            await s.await_all(timeout_ms=10)

    async def test_the_expected_shape_is_none_where_the_matcher_has_none(self, harness: Harness) -> None:
        async with harness.scenario("shapeless") as s:
            assert s.expect("t", RaisingMatcher()).matcher_expected is None
            s.publish("u", 1)
            await s.await_all(timeout_ms=1)

    def test_the_transport_cannot_be_reassigned(self) -> None:
        with pytest.raises(AttributeError):
            Handle("t", "x", transport="kafka").transport = "nats"  # type: ignore[misc] # the mistake under test


class TestRepr:
    async def test_it_shows_topic_outcome_and_matcher_but_no_payload(self, harness: Harness) -> None:
        handle = await settled(harness, arrives={"a": 1, "card": "4111-s3cr3t"})
        text = repr(handle)
        assert all(part in text for part in ("'t'", "pass", handle.matcher_description))
        assert "4111" not in text
        assert "transport" not in text

    def test_it_shows_the_transport_where_there_is_one(self) -> None:
        assert "kafka" in repr(Handle("t", "x", transport="kafka"))

    def test_it_cannot_be_pickled(self) -> None:
        with pytest.raises(TypeError, match="Handle"):
            pickle.dumps(Handle("t", "x"))


class TestBudget:
    @pytest.mark.parametrize("budget", [1, 0.5, 10**6])
    def test_a_positive_number_is_taken_and_the_handle_returned(self, budget: float) -> None:
        handle = Handle("t", "x")
        assert handle.within_ms(budget) is handle
        assert handle.budget_ms == budget
        assert isinstance(handle.budget_ms, float)

    @pytest.mark.parametrize("budget", [True, "50", None, 1j, [50]])
    def test_what_is_no_number_is_a_type_error(self, budget: Any) -> None:
        with pytest.raises(TypeError):
            Handle("t", "x").within_ms(budget)

    @pytest.mark.parametrize("budget", [0, 0.0, -1, float("nan"), float("inf"), float("-inf")])
    def test_a_number_that_is_no_budget_is_a_value_error(self, budget: float) -> None:
        with pytest.raises(ValueError, match="budget"):
            Handle("t", "x").within_ms(budget)

    async def test_a_settled_handle_refuses_and_names_its_outcome(self, harness: Harness) -> None:
        handle = await settled(harness, arrives={"a": 1})
        with pytest.raises(RuntimeError, match="pass"):
            handle.within_ms(50)

    async def test_the_value_is_checked_before_the_state(self, harness: Harness) -> None:
        handle = await settled(harness, arrives={"a": 1})
        with pytest.raises(ValueError, match="budget"):
            handle.within_ms(-1)
        with pytest.raises(TypeError):
            handle.within_ms("50")  # type: ignore[arg-type] # the mistake under test

    def test_a_second_budget_replaces_the_first_with_a_warning(self) -> None:
        handle = Handle("t", "x").within_ms(50)
        with pytest.warns(UserWarning, match="overrides"):
            handle.within_ms(80)
        assert handle.budget_ms == 80.0


class TestOutcomes:
    def test_they_are_strings(self) -> None:
        assert [str(each) for each in Outcome] == ["pending", "pass", "fail", "timeout", "slow"]
        assert Outcome("slow") is Outcome.SLOW

    async def test_a_match_passes_with_the_matchers_reason(self, harness: Harness) -> None:
        handle = await settled(harness, arrives={"a": 1}, after_s=0.25)
        assert handle.outcome is Outcome.PASS
        assert handle.reason == field_equals("a", 1).match({"a": 1}).reason
        assert handle.latency_ms == pytest.approx(250.0)
        assert handle.message == {"a": 1}

    @pytest.mark.parametrize(("after_s", "outcome"), [(0.25, Outcome.PASS), (0.251, Outcome.SLOW)])
    async def test_the_budget_includes_its_own_length(self, harness: Harness, after_s: float, outcome: Outcome) -> None:
        handle = await settled(harness, arrives={"a": 1}, after_s=after_s, budget_ms=250)
        assert handle.outcome is outcome

    async def test_slow_names_latency_budget_excess_and_the_matchers_reason(self, harness: Harness) -> None:
        handle = await settled(harness, arrives={"a": 1}, after_s=0.08, budget_ms=50)
        assert handle.outcome is Outcome.SLOW
        assert not handle.was_fulfilled()
        assert handle.message == {"a": 1}
        matched = field_equals("a", 1).match({"a": 1}).reason
        assert all(part in handle.reason for part in ("80.0", "50.0", "30.0", matched))
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.OVER_BUDGET

    async def test_near_misses_only_are_a_fail(self, harness: Harness) -> None:
        async with harness.scenario("near") as s:
            handle = s.expect("t", field_equals("a", 1))
            s.publish("t", {"a": 2}).publish("t", {"a": 3})
            await s.await_all(timeout_ms=400)
        assert handle.outcome is Outcome.FAIL
        latest = field_equals("a", 1).match({"a": 3}).reason
        assert all(part in handle.reason for part in ("2 near-misses", "timeout_ms=400", latest))
        assert (handle.attempts, handle.last_mismatch_reason) == (2, latest)
        assert handle.last_mismatch_payload == {"a": 3}
        assert handle.message is None
        assert [failure.actual for failure in handle.failures] == [2, 3]
        assert handle.latency_ms == pytest.approx(400.0)

    async def test_silence_is_a_timeout(self, harness: Harness) -> None:
        handle = await settled(harness, arrives=None)
        assert handle.outcome is Outcome.TIMEOUT
        assert "no matching message arrived" in handle.reason.lower()
        assert "'t'" in handle.reason
        assert "timeout_ms=10000" in handle.reason
        assert handle.message is None
        assert handle.latency_ms == pytest.approx(10_000.0)

    async def test_failures_are_capped_oldest_first_with_the_latest_and_the_rest_counted(
        self, harness: Harness
    ) -> None:
        async with harness.scenario("many near-misses") as s:
            handle = s.expect("t", field_equals("a", -1))
            for number in range(_FAILURES_MAX + 5):
                s.publish("t", {"a": number})
            await s.await_all(timeout_ms=1)
        assert [failure.actual for failure in handle.failures] == [*range(_FAILURES_MAX - 1), _FAILURES_MAX + 4]
        assert handle.failures_dropped == 5
        assert handle.attempts == _FAILURES_MAX + 5
        assert handle.last_mismatch_payload == {"a": _FAILURES_MAX + 4}

    async def test_a_slow_handle_fails_the_scenario(self, harness: Harness) -> None:
        async with harness.scenario("slow") as s:
            slow = s.expect("t", eq(1)).within_ms(5)
            fast = s.expect("t", eq(1)).within_ms(50)
            await asyncio.sleep(0.02)
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=100)
        assert not result.passed
        assert result.failing_handles == (slow,)
        assert fast.was_fulfilled()


class TestLatencyAnchor:
    """Budgets count from ``expect()`` by default, from the publish on request; both numbers are always there."""

    async def test_arming_time_counts_by_default(self, harness: Harness) -> None:
        async with harness.scenario("from expect") as s:
            handle = s.expect("t", eq(1)).within_ms(5)
            await asyncio.sleep(0.02)
            s.publish("t", 1)
            await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.SLOW
        assert handle.latency_ms == pytest.approx(20.0)
        assert handle.since_registration_ms == pytest.approx(20.0)
        assert handle.since_publish_ms == pytest.approx(0.0)

    async def test_only_the_way_of_the_message_counts_on_request(self, harness: Harness) -> None:
        async with harness.scenario("from publish", options=ScopeOptions(latency_from="publish")) as s:
            handle = s.expect("t", eq(1)).within_ms(5)
            await asyncio.sleep(7)
            s.publish("start", {})
            await asyncio.sleep(0.003)
            harness.publish("t", 1)
            await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.PASS
        assert handle.latency_ms == pytest.approx(3.0)
        assert handle.since_registration_ms == pytest.approx(7003.0)

    async def test_the_anchor_is_the_moment_the_message_left_not_the_call(self) -> None:
        transport = BrokerLike()
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("queued", options=ScopeOptions(latency_from="publish")) as s:
            handle = s.expect("t", eq({})).within_ms(5)
            transport.confirm_after("t", 2)
            s.publish("t", {})
            await asyncio.sleep(3)
            transport.let_go("t")
            await s.await_all(timeout_ms=100)
        assert handle.was_fulfilled()
        assert handle.since_publish_ms == pytest.approx(0.0)

    async def test_a_budget_may_count_from_a_named_topic(self, harness: Harness) -> None:
        async with harness.scenario("hop") as s:
            near = s.expect("t", eq(1)).within_ms(50, of="second")
            far = s.expect("t", eq(1)).within_ms(50, of="first")
            s.publish("first", {})
            await asyncio.sleep(0.1)
            s.publish("second", {})
            await asyncio.sleep(0.04)
            harness.publish("t", 1)
            await s.await_all(timeout_ms=100)
        assert (near.outcome, far.outcome) == (Outcome.PASS, Outcome.SLOW)
        assert near.latency_ms == pytest.approx(40.0)
        assert far.latency_ms == pytest.approx(140.0)

    async def test_without_any_publish_registration_is_the_anchor(self, harness: Harness) -> None:
        async with harness.scenario("unprompted", options=ScopeOptions(latency_from="publish")) as s:
            handle = s.expect("t", eq(1))
            await asyncio.sleep(0.5)
            harness.publish("t", 1)
            assert handle.latency_ms == pytest.approx(500.0)
            assert handle.since_publish_ms is None
            s.publish("t", 1)
            await s.await_all(timeout_ms=1)


class TestCounts:
    async def play(self, harness: Harness, occurs: Occurs, arrivals: int, *, budget_ms: float | None = None) -> Handle:
        """Matching messages one second apart, in a window of ten seconds."""
        async with harness.scenario("count") as s:
            handle = s.scope.expect("t", contains_fields({"a": 1}), occurs=occurs)
            if budget_ms is not None:
                handle.within_ms(budget_ms)
            s.on("start").publish("never mind", {})
            s.publish("start", {})
            for number in range(arrivals):
                await asyncio.sleep(1)
                harness.publish("t", {"a": 1, "n": number})
            await s.await_all(timeout_ms=(10 - arrivals) * 1000)
        return handle

    @pytest.mark.parametrize(
        ("occurs", "arrivals", "outcome"),
        [
            (Occurs(3), 2, Outcome.FAIL),
            (Occurs(3), 3, Outcome.PASS),
            (Occurs(3), 4, Outcome.PASS),
            (Occurs(2, 2), 1, Outcome.FAIL),
            (Occurs(2, 2), 2, Outcome.PASS),
            (Occurs(2, 2), 3, Outcome.FAIL),
            (Occurs(0, 2), 0, Outcome.PASS),
            (Occurs(0, 2), 3, Outcome.FAIL),
            (Occurs(0, 0), 0, Outcome.PASS),
            (Occurs(0, 0), 1, Outcome.FAIL),
            (Occurs(2, 2), 0, Outcome.TIMEOUT),
        ],
        ids=str,
    )
    async def test_the_count_decides(self, harness: Harness, occurs: Occurs, arrivals: int, outcome: Outcome) -> None:
        assert (await self.play(harness, occurs, arrivals)).outcome is outcome

    async def test_at_least_is_decided_by_the_last_message_needed(self, harness: Harness) -> None:
        handle = await self.play(harness, Occurs(3), 4)
        assert handle.latency_ms == pytest.approx(3000.0)
        assert [record.payload["n"] for record in handle.messages] == [0, 1, 2]

    async def test_one_too_many_is_decided_at_once_and_named(self, harness: Harness) -> None:
        handle = await self.play(harness, Occurs(0, 0), 1)
        assert handle.latency_ms == pytest.approx(1000.0)
        assert handle.message is None
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNEXPECTED
        assert "wanted none" in handle.reason

    async def test_absence_waits_the_window_out(self, harness: Harness) -> None:
        handle = await self.play(harness, Occurs(0, 0), 0)
        assert handle.latency_ms == pytest.approx(10_000.0)
        assert handle.message is None

    async def test_too_few_are_counted_without_inventing_near_misses(self, harness: Harness) -> None:
        handle = await self.play(harness, Occurs(3), 2)
        assert handle.attempts == 0
        assert "2 matching" in handle.reason
        assert "at least 3" in handle.reason
        assert "near-miss" not in handle.reason
        assert "timeout_ms" in handle.reason
        assert handle.message is None
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TOO_FEW
        assert handle.failures[0].expected == {"min_count": 3}
        assert handle.failures[0].actual == 2

    async def test_a_budget_holds_for_counts_too(self, harness: Harness) -> None:
        within = await self.play(harness, Occurs(2, 2), 2, budget_ms=2001)
        beyond = await self.play(harness, Occurs(2, 2), 2, budget_ms=1999)
        assert (within.outcome, beyond.outcome) == (Outcome.PASS, Outcome.SLOW)
        assert beyond.latency_ms == pytest.approx(2000.0)

    async def test_near_misses_do_not_break_absence(self, harness: Harness) -> None:
        async with harness.scenario("absence") as s:
            handle = s.scope.expect("t", eq("bad"), occurs=Occurs(0, 0))
            s.expect("t", eq("good"))
            s.publish("t", "good")
            result = await s.await_all(timeout_ms=100)
        assert result.passed
        assert handle.attempts == 1

    @pytest.mark.parametrize(
        ("occurs", "text"),
        [(Occurs(), "at least 1"), (Occurs(0, 0), "none"), (Occurs(2, 2), "exactly 2"), (Occurs(0, 5), "at most 5")],
    )
    def test_a_count_reads_as_its_phrase(self, occurs: Occurs, text: str) -> None:
        assert str(occurs) == text

"""Entering and leaving a scenario: partial results, warnings, clean-up."""

from __future__ import annotations

import asyncio
import logging

import pytest

from choreo_bdd import CorrelationPolicyError, Harness, Outcome
from choreo_bdd.matchers import eq
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import FaultyTransport, Reported, ScriptedPolicy, breaking


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "choreo_bdd.scenario" and record.levelno == logging.WARNING
    ]


async def test_a_policy_that_cannot_make_an_id_stops_the_entry() -> None:
    harness = Harness(MockTransport(), correlation=ScriptedPolicy({"new_id"}))
    with pytest.raises(CorrelationPolicyError) as caught:
        async with harness.scenario("never begins"):
            pytest.fail("the body must not run")
    assert (caught.value.policy_class, caught.value.method) == ("ScriptedPolicy", "new_id")
    assert isinstance(caught.value.original, ArithmeticError)
    assert isinstance(caught.value, RuntimeError)
    assert all(part in str(caught.value) for part in ("ScriptedPolicy", "new_id", "ArithmeticError"))


async def test_the_timeline_starts_at_entry(harness: Harness) -> None:
    async with harness.scenario("anchor") as s:
        await asyncio.sleep(0.5)
        s.expect("t", eq(1))
        s.publish("other", 1)
        result = await s.await_all(timeout_ms=250)
    assert [entry.offset_ms for entry in result.timeline] == [pytest.approx(500.0), pytest.approx(750.0)]


async def test_awaited_and_clean_leaves_no_trace(
    harness: Harness, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with harness.scenario("clean") as s:
        s.expect("t", eq(1))
        s.publish("t", 1)
        await s.await_all(timeout_ms=10)
    assert [each.completed_normally for each in reported] == [True]
    assert caplog.records == []
    assert harness.active_subscription_count() == 0


async def test_raising_after_await_all_warns_and_reports_no_second_time(
    harness: Harness, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with breaking(harness.scenario("asserting later")) as s:
        s.expect("t", eq(1))
        s.publish("t", 1)
        await s.await_all(timeout_ms=10)
    (warning,) = warnings_of(caplog)
    assert all(part in warning for part in ("asserting later", "LookupError", "AFTER await_all"))
    assert "s3cr3t" not in warning
    assert [each.completed_normally for each in reported] == [True]
    assert harness.active_subscription_count() == 0


async def test_raising_before_await_all_reports_a_partial_result(
    harness: Harness, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with breaking(harness.scenario("broken body")) as s:
        done = s.expect("t", eq(1))
        pending = s.expect("u", eq(1))
        s.publish("t", 1)
    assert warnings_of(caplog) == []
    (report,) = reported
    assert not report.completed_normally
    result = report.result
    assert not result.passed
    assert (done.outcome, pending.outcome) == (Outcome.PASS, Outcome.TIMEOUT)
    assert "aborted" in pending.reason
    assert "LookupError" in pending.reason
    assert "s3cr3t" not in pending.reason
    assert pending.latency_ms == 0.0
    assert pending.diagnosis is not None
    assert pending.diagnosis.cause is Cause.ABORTED
    assert "published" in [entry.action.value for entry in result.timeline]
    assert harness.active_subscription_count() == 0


async def test_a_partial_result_has_not_passed_although_everything_matched(
    harness: Harness, reported: list[Reported]
) -> None:
    async with breaking(harness.scenario("all matched")) as s:
        handle = s.expect("t", eq(1))
        s.publish("t", 1)
    assert handle.was_fulfilled()
    assert not reported[0].result.passed
    assert reported[0].result.timeline
    with pytest.raises(AssertionError, match="all matched"):
        reported[0].result.assert_passed()


async def test_forgetting_await_all_warns_and_reports_a_partial_result(
    harness: Harness, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with harness.scenario("forgetful") as s:
        handle = s.expect("t", eq(1))
        s.publish("elsewhere", 1)
    (warning,) = warnings_of(caplog)
    assert "without calling await_all" in warning
    assert "forgetful" in warning
    assert [each.completed_normally for each in reported] == [False]
    assert handle.outcome is Outcome.TIMEOUT
    assert "aborted" in handle.reason
    assert "await_all" in handle.reason


async def test_an_interrupted_await_all_counts_as_an_exception(harness: Harness, reported: list[Reported]) -> None:
    async def wait_long() -> None:
        async with harness.scenario("cancelled") as s:
            s.expect("t", eq(1))
            s.publish("elsewhere", 1)
            await s.await_all(timeout_ms=60_000)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait_long(), timeout=1)
    assert [each.completed_normally for each in reported] == [False]
    (handle,) = reported[0].result.handles
    assert handle.outcome is Outcome.TIMEOUT
    assert "CancelledError" in handle.reason
    assert harness.active_subscription_count() == 0


async def test_an_empty_body_is_forgetful_too(
    harness: Harness, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with harness.scenario("empty"):
        pass
    assert "without calling await_all" in warnings_of(caplog)[0]
    assert reported[0].result.handles == ()
    assert not reported[0].result.passed


async def test_a_failing_unsubscribe_is_logged_by_class_and_topic_and_the_rest_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport = FaultyTransport()
    harness = Harness(transport)
    await harness.connect()
    async with harness.scenario("stuck") as s:
        s.expect("t", eq(1))
        s.expect("u", eq(1))
        s.publish("t", 1).publish("u", 1)
        result = await s.await_all(timeout_ms=10)
        transport.faults.add("unsubscribe")
    assert result.passed
    texts = warnings_of(caplog)
    assert len(texts) == 2
    for text, topic in zip(texts, ("t", "u"), strict=True):
        assert "unsubscribe raised" in text
        assert "RuntimeError" in text
        assert repr(topic) in text
        assert "s3cr3t" not in text


async def test_the_partial_result_knows_the_surprises(strict: Harness, reported: list[Reported]) -> None:
    async with strict.scenario("partial") as s:
        s.expect("t", eq(1))
        strict.publish("t", {"correlation_id": "a stranger's"})
        s.publish("elsewhere", {})
    assert [entry.correlation_id for entry in reported[0].result.surprises] == ["a stranger's"]

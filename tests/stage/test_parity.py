"""What a scenario over one harness can do, a Stage can do as well."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Outcome, Stage, StageScenarioResult
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike, RaisingMatcher, Reported
from tests.support.stage_doubles import Bus, Scripted, solo


async def test_json_null_is_a_message_like_any_other() -> None:
    stage = solo(MockTransport())
    await stage.connect()
    async with stage.scenario("null") as s:
        handle = s.expect("t", eq(None), on="only")
        s.publish("t", None, on="only")
        result = await s.await_all(50)
    assert result.passed
    assert handle.message is None
    await stage.disconnect()


async def test_a_message_over_its_budget_is_slow_and_fails_the_scenario(stage: Stage) -> None:
    async with stage.scenario("slow") as s:
        handle = s.expect("t", contains_fields({"n": 1}), on="left").within_ms(100)
        await asyncio.sleep(0.15)
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(1000)
    assert handle.outcome is Outcome.SLOW
    assert handle.latency_ms == pytest.approx(150)
    assert "50.0 ms over the budget of 100.0 ms" in handle.reason
    assert not result.passed
    assert "[SLOW]" in result.failure_summary()


async def test_near_misses_are_kept_with_structure(stage: Stage) -> None:
    async with stage.scenario("near") as s:
        handle = s.expect("t", field_equals("n", 1), on="left")
        for number in range(2, 27):
            s.publish("t", {"n": number}, on="left")
        await s.await_all(50)
    assert handle.outcome is Outcome.FAIL
    assert handle.matcher_expected is not None
    assert (handle.attempts, len(handle.failures), handle.failures_dropped) == (25, 20, 5)
    assert [failure.actual for failure in handle.failures[:3]] == [2, 3, 4]
    assert handle.last_mismatch_payload["n"] == 26
    assert "25 near-misses" in handle.reason
    assert "timeout_ms=50" in handle.reason


async def test_a_matcher_that_raises_is_a_finding_about_the_matcher(stage: Stage) -> None:
    async with stage.scenario("matcher") as s:
        handle = s.expect("t", RaisingMatcher(), on="left")
        s.publish("t", {}, on="left")
        await s.await_all(50)
    assert handle.outcome is Outcome.FAIL
    assert "ZeroDivisionError" in handle.reason
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.WRONG_SHAPE


async def test_a_body_that_raises_leaves_a_partial_result(stage: Stage, reported: list[Reported]) -> None:
    with pytest.raises(LookupError):
        async with stage.scenario("raises") as s:
            matched = s.expect("t", contains_fields({"n": 1}), on="left")
            pending = s.expect("t", eq(1), on="right")
            s.publish("t", {"n": 1}, on="left")
            raise LookupError("s3cr3t-detail")
    [report] = reported
    assert not report.completed_normally
    assert isinstance(report.result, StageScenarioResult)
    assert not report.result.passed
    assert (matched.outcome, pending.outcome) == (Outcome.PASS, Outcome.TIMEOUT)
    assert "aborted" in pending.reason
    assert "LookupError" in pending.reason
    assert "s3cr3t" not in pending.reason
    assert report.result.timeline != ()


async def test_a_forgotten_await_all_is_named_and_reported(
    stage: Stage, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.scenario("forgetful") as s:
        handle = s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("t", {"n": 1}, on="left")
    assert handle.was_fulfilled()
    assert "'forgetful' was left without calling await_all" in caplog.text
    assert [(each.result.passed, each.completed_normally) for each in reported] == [(False, False)]


async def test_a_cancelled_body_leaves_no_handle_pending(stage: Stage, reported: list[Reported]) -> None:
    handles: list[Any] = []

    async def body() -> None:
        async with stage.scenario("cancelled") as s:
            handles.append(s.expect("t", eq(1), on="left"))
            await s.await_all(60_000)

    task = asyncio.create_task(body())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert handles[0].outcome is Outcome.TIMEOUT
    assert "CancelledError" in handles[0].reason
    assert [each.completed_normally for each in reported] == [False]


async def test_raising_after_await_all_reports_no_second_time(
    stage: Stage, reported: list[Reported], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LookupError):
        async with stage.scenario("late fault") as s:
            await s.await_all(1)
            raise LookupError
    assert [each.completed_normally for each in reported] == [True]
    assert "'late fault' raised LookupError AFTER await_all" in caplog.text


async def test_await_all_again_gives_the_first_result_and_reports_once(stage: Stage, reported: list[Reported]) -> None:
    async with stage.scenario("again") as s:
        s.expect("t", eq(1), on="left")
        first = await s.await_all(10)
        assert await s.await_all(10) is first
    assert len(reported) == 1


async def test_two_await_alls_at_once_give_one_result_and_one_report(stage: Stage, reported: list[Reported]) -> None:
    async with stage.scenario("at once") as s:
        s.expect("t", eq(1), on="left")
        first, second = await asyncio.gather(s.await_all(10), s.await_all(10))
    assert first is second
    assert len(reported) == 1


@pytest.mark.filterwarnings("error")
async def test_an_observer_that_raises_harms_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    from choreo_bdd._reporting import register_observer, unregister_observer

    def broken(result: Any, nodeid: str | None, completed_normally: bool) -> None:
        raise ArithmeticError

    register_observer(broken)
    try:
        async with stage.scenario("observer") as s:
            assert (await s.await_all(1)).passed
    finally:
        unregister_observer(broken)
    assert "stage_scope_reporter_emit_failed" in caplog.text


async def test_a_message_that_came_too_late_is_the_diagnosis(stage: Stage) -> None:
    async with stage.scenario("late") as s:
        handle = s.expect("t", contains_fields({"n": 1}), on="left")
        await s.await_all(50)
        await asyncio.sleep(0.03)
        s.publish("t", {"n": 1}, on="left")
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TOO_LATE


async def test_publishing_waits_until_what_the_scope_listens_to_is_live() -> None:
    broker = BrokerLike()
    stage = Stage({"only": Harness(broker, correlation=DictFieldPolicy())}, Scripted())
    await stage.connect()
    async with stage.scenario("arming") as s:
        s.expect("t", eq(1), on="only")
        s.publish("t", {"n": 1}, on="only")
        await asyncio.sleep(0.1)
        assert broker.leaving == {}
        broker.confirm("t")
        await s.ready()
        await asyncio.sleep(0.1)
        assert list(broker.leaving) == ["t"]
        broker.let_go("t")
        await s.await_all(1)
    await stage.disconnect()


async def test_the_result_says_all_there_is_to_say(stage: Stage, left: Bus) -> None:
    async with stage.scenario("result") as s:
        first = s.expect("t", contains_fields({"n": 1}), on="right")
        second = s.expect("u", eq(1), on="left")
        third = s.expect("v", eq(1), on="right")
        logical = s.correlation_id
        s.publish("t", {"n": 1}, on="right")
        result = await s.await_all(20)
    assert (result.name, result.correlation_id, result.kind) == ("result", logical, "stage")
    assert (result.bridge_class, result.registered_transports) == ("MappedBridge", ("left", "right"))
    assert result.by_transport == {"right": (first, third), "left": (second,)}
    assert result.failing_handles == (second, third)
    assert not result.passed
    with pytest.raises(AssertionError) as caught:
        result.assert_passed()
    said = str(caught.value)
    assert all(part in said for part in ("u on left: timeout", "v on right: timeout"))
    assert "t on right" not in said
    assert "no matching message" not in said
    summary = result.failure_summary()
    assert all(part in summary for part in ("'result'", str(logical), "failed 2 of 3", "[PASS] t", "[TIMEOUT] u"))


async def test_a_passing_result_asserts_in_silence_and_groups_only_what_is_there(stage: Stage) -> None:
    async with stage.scenario("fine") as s:
        handle = s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(20)
    result.assert_passed()
    assert result.by_transport == {"left": (handle,)}
    assert "passed (1 of 1)" in result.failure_summary()


def test_a_result_can_be_made_of_handles_and_verdict_alone() -> None:
    result = StageScenarioResult((), True)
    assert (result.correlation_id, result.name, result.bridge_class) == (None, "", None)
    assert (result.registered_transports, result.timeline, result.timeline_dropped) == ((), (), 0)
    assert (result.replies, result.kind) == ((), "stage")
    with pytest.raises(TypeError):
        StageScenarioResult((), True, kind="other")  # type: ignore[call-arg] # the kind is fixed
    with pytest.raises(AttributeError):
        result.passed = False  # type: ignore[misc] # it is frozen


async def test_neither_result_nor_handle_can_be_pickled(stage: Stage) -> None:
    async with stage.scenario("pickle") as s:
        handle = s.expect("t", eq(1), on="left")
        result = await s.await_all(1)
    with pytest.raises(TypeError, match="StageScenarioResult"):
        pickle.dumps(result)
    with pytest.raises(TypeError, match="Handle"):
        pickle.dumps(handle)


async def test_a_quiet_scope_logs_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with stage.scenario("quiet") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.on("t", on="left").publish("r", on="right", build={})
        s.publish("t", {"n": 1}, on="left")
        (await s.await_all(20)).assert_passed()
    assert caplog.records == []

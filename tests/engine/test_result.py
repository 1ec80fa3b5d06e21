"""Awaiting, the result and its texts."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from choreo_bdd import Harness, ScenarioResult, ScopeOptions
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.scenario import TimelineEntry
from choreo_bdd.scenario.timeline import TimelineAction
from tests.support.engine_doubles import Reported, breaking


class TestAwaitAll:
    async def test_one_deadline_holds_for_all_and_starts_with_the_call(self, harness: Harness) -> None:
        loop = asyncio.get_running_loop()
        async with harness.scenario("deadline") as s:
            handles = [s.expect(topic, eq(1)) for topic in ("a", "b", "c")]
            s.publish("start", {})
            await asyncio.sleep(5)
            began = loop.time()
            await s.await_all(timeout_ms=2000)
            assert loop.time() - began == pytest.approx(2.0)
        assert [handle.latency_ms for handle in handles] == [pytest.approx(7000.0)] * 3

    async def test_it_ends_as_soon_as_everything_is_resolved(self, harness: Harness) -> None:
        loop = asyncio.get_running_loop()
        async with harness.scenario("early") as s:
            s.expect("a", eq(1))
            s.expect("b", eq(1))
            s.publish("a", 1)
            began = loop.time()
            loop.call_later(3, harness.publish, "b", 1)
            result = await s.await_all(timeout_ms=60_000)
            assert loop.time() - began == pytest.approx(3.0)
        assert result.passed

    async def test_without_expectations_it_returns_at_once_and_passes(self, harness: Harness) -> None:
        loop = asyncio.get_running_loop()
        async with harness.scenario("replies only") as s:
            s.on("ask").publish("answer", {})
            s.publish("something", {})
            began = loop.time()
            result = await s.await_all(timeout_ms=60_000)
            assert loop.time() == began
        assert result.passed
        assert result.handles == ()

    @pytest.mark.parametrize("timeout_ms", [0, -5])
    async def test_no_time_at_all_judges_what_is_there(self, harness: Harness, timeout_ms: float) -> None:
        async with harness.scenario("now") as s:
            there = s.expect("a", eq(1))
            s.expect("b", eq(1))
            s.publish("a", 1)
            result = await s.await_all(timeout_ms=timeout_ms)
        assert there.was_fulfilled()
        assert not result.passed

    async def test_each_unresolved_handle_leaves_a_deadline_with_its_count(self, harness: Harness) -> None:
        async with harness.scenario("deadlines") as s:
            s.expect("silent", eq(1))
            s.expect("near", eq(1))
            s.expect("ok", eq(1))
            s.publish("ok", 1).publish("near", 2).publish("near", 3)
            result = await s.await_all(timeout_ms=100)
        deadlines = {entry.topic: entry.detail for entry in result.timeline if entry.action.value == "deadline"}
        assert set(deadlines) == {"silent", "near"}
        assert "no message" in deadlines["silent"]
        assert "2" in deadlines["near"]

    async def test_what_comes_afterwards_changes_neither_timeline_nor_counters(self, harness: Harness) -> None:
        async with harness.scenario("sealed") as s:
            s.expect("t", eq(1))
            s.on("ask").publish("answer", {})
            s.publish("t", 2)
            result = await s.await_all(timeout_ms=10)
            before = result.timeline, result.reply_at("ask")
            harness.publish("t", 1)
            harness.publish("ask", {})
            assert (result.timeline, result.reply_at("ask")) == before


class TestResult:
    async def test_handles_stand_in_registration_order(self, harness: Harness) -> None:
        async with harness.scenario("order") as s:
            handles = tuple(s.expect(topic, eq(1)) for topic in ("c", "a", "b"))
            s.publish("a", 1)
            result = await s.await_all(timeout_ms=10)
        assert result.handles == handles
        assert result.failing_handles == (handles[0], handles[2])
        assert result.name == "order"
        assert result.correlation_id is None
        assert result.kind == "single_harness"
        assert result.duration_ms == pytest.approx(10.0)

    async def test_a_passing_result_has_no_timeline(self, harness: Harness) -> None:
        async with harness.scenario("quiet") as s:
            s.expect("t", eq(1))
            for number in range(400):
                s.publish("t", number)
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert result.timeline == ()
        assert result.timeline_dropped == 0

    async def test_it_is_kept_on_request_on_failure_and_with_replies(self, harness: Harness) -> None:
        async with harness.scenario("kept", options=ScopeOptions(keep_timeline=True)) as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            kept = await s.await_all(timeout_ms=10)
        async with harness.scenario("failed") as s:
            s.expect("t", eq(1))
            s.publish("t", 2)
            failed = await s.await_all(timeout_ms=10)
        async with harness.scenario("with an idle reply") as s:
            s.on("never").publish("answer", {})
            s.publish("t", 2)
            replied = await s.await_all(timeout_ms=10)
        assert [entry.action.value for entry in kept.timeline] == ["published", "received", "matched"]
        assert [entry.action.value for entry in failed.timeline] == ["published", "received", "mismatched", "deadline"]
        assert [entry.action.value for entry in replied.timeline] == ["published"]

    async def test_reply_at_finds_the_first_of_a_trigger(self, harness: Harness) -> None:
        async with harness.scenario("replies") as s:
            s.on("ask", eq(1)).publish("first", {})
            s.on("ask", eq(2)).publish("second", {})
            s.publish("ask", 2)
            result = await s.await_all(timeout_ms=10)
        assert [report.reply_topic for report in result.replies] == ["first", "second"]
        assert result.reply_at("ask").reply_topic == "first"
        with pytest.raises(KeyError, match="nowhere"):
            result.reply_at("nowhere")

    def test_it_is_a_plain_data_class_with_four_required_fields(self) -> None:
        result = ScenarioResult(name="n", correlation_id=None, handles=(), passed=True)
        assert (result.timeline, result.replies, result.timeline_dropped) == ((), (), 0)
        result.passed = False
        assert result.failing_handles == ()
        with pytest.raises(TypeError, match="kind"):
            ScenarioResult(name="n", correlation_id=None, handles=(), passed=True, kind="x")  # type: ignore[call-arg] # the mistake under test

    def test_it_cannot_be_pickled(self) -> None:
        with pytest.raises(TypeError, match="ScenarioResult"):
            pickle.dumps(ScenarioResult(name="n", correlation_id=None, handles=(), passed=True))


async def mixed(harness: Harness) -> ScenarioResult:
    """One of each outcome, on topics named after it."""
    async with harness.scenario("mixed bag") as s:
        s.expect("t.pass", field_equals("a", 1))
        s.expect("t.fail", field_equals("a", 2))
        s.expect("t.timeout", field_equals("a", 3))
        s.expect("t.slow", field_equals("a", 4)).within_ms(50)
        s.publish("t.pass", {"a": 1}).publish("t.fail", {"a": 77})
        await asyncio.sleep(0.08)
        s.publish("t.slow", {"a": 4})
        return await s.await_all(timeout_ms=300)


class TestFailureSummary:
    async def test_it_tells_everything_about_every_handle(self, routed: Harness) -> None:
        result = await mixed(routed)
        text = result.failure_summary()
        assert str(result) == text
        assert "mixed bag" in text
        assert "failed 3 of 4" in text
        assert str(result.correlation_id) in text
        for handle, label in zip(result.handles, ("PASS", "FAIL", "TIMEOUT", "SLOW"), strict=True):
            (line,) = [each for each in text.splitlines() if f"[{label}]" in each]
            assert handle.topic in line
            assert handle.matcher_description in line
            assert f"{handle.latency_ms:.1f}" in line

    async def test_each_outcome_has_its_diagnosis(self, harness: Harness) -> None:
        text = (await mixed(harness)).failure_summary()
        assert field_equals("a", 1).match({"a": 1}).reason in text
        assert "no matching message arrived" in text.lower()
        assert "380" in text  # ms waited in vain since registration
        assert "1 near-miss" in text
        assert field_equals("a", 2).match({"a": 77}).reason in text
        assert "budget" in text
        assert "80.0" in text
        assert "30.0" in text

    async def test_assert_passed_raises_exactly_that(self, harness: Harness) -> None:
        result = await mixed(harness)
        with pytest.raises(AssertionError) as caught:
            result.assert_passed()
        assert str(caught.value) == result.failure_summary()

    async def test_assert_passed_is_silent_when_passed(self, harness: Harness) -> None:
        async with harness.scenario("fine") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=10)
        result.assert_passed()

    async def test_a_passing_result_does_not_say_failed(self, harness: Harness) -> None:
        async with harness.scenario("fine") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=10)
        assert "passed" in str(result)
        assert "fail" not in str(result)

    async def test_a_result_that_was_left_early_says_so(self, harness: Harness, reported: list[Reported]) -> None:
        async with breaking(harness.scenario("left")) as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
        assert "left before its verdict" in reported[0].result.failure_summary()

    async def test_the_timeline_shows_its_last_twenty_and_counts_the_rest(self, harness: Harness) -> None:
        async with harness.scenario("long") as s:
            s.expect("t", eq(-1))
            for number in range(30):
                s.publish("t", number)
            result = await s.await_all(timeout_ms=1)
        text = result.failure_summary()
        block = text[text.index("Timeline") :].splitlines()
        assert "91 events" in block[0]  # published, received, mismatched thirty times, and the deadline
        assert "last 20" in block[0]
        assert len(block) == 21
        assert all(
            any(word in line for word in ("published", "received", "mismatched", "deadline")) for line in block[1:]
        )
        assert "deadline" in block[-1]

    async def test_events_the_buffer_dropped_are_counted(self, harness: Harness) -> None:
        async with harness.scenario("longer") as s:
            s.expect("t", eq(-1))
            for number in range(200):
                s.publish("t", number)
            result = await s.await_all(timeout_ms=1)
        assert result.timeline_dropped == 601 - 256
        assert f"{601 - 256} dropped" in result.failure_summary()

    async def test_a_short_timeline_is_not_called_elided(self, harness: Harness) -> None:
        text = (await mixed(harness)).failure_summary()
        assert "Timeline" in text
        assert "shown" not in text
        assert "dropped" not in text

    async def test_secrets_in_payloads_are_not_printed(self, harness: Harness) -> None:
        async with harness.scenario("secrets") as s:
            s.expect("t", contains_fields({"login": {"password": "right-horse"}, "a": 1}))
            s.publish("t", {"login": {"password": "battery-staple"}, "a": 1})
            result = await s.await_all(timeout_ms=1)
        handle = result.handles[0]
        assert "battery-staple" in handle.reason  # the author may look, the log may not
        assert "battery-staple" not in result.failure_summary()
        assert handle.diagnosis is not None
        assert "battery-staple" not in handle.diagnosis.text
        assert "password" in handle.diagnosis.text


class TestSummary:
    async def test_one_line_for_the_scenario_and_one_for_each_handle(self, harness: Harness) -> None:
        result = await mixed(harness)
        header, *lines = result.summary().splitlines()
        assert "mixed bag" in header
        assert "failed" in header
        assert len(lines) == 4
        for handle, line in zip(result.handles, lines, strict=True):
            parts = (handle.outcome.value, handle.topic, handle.matcher_description, f"{handle.latency_ms:.1f}")
            assert all(part in line for part in parts)

    async def test_replies_have_a_block_of_their_own(self, harness: Harness) -> None:
        def broken(trigger: object) -> object:
            raise LookupError("s3cr3t-detail")

        async with harness.scenario("replies") as s:
            s.on("ask").publish("answer", {})
            s.on("ask", eq("never")).publish("nothing", {})
            s.on("ask").publish("broken", broken)
            s.publish("ask", 1).publish("ask", 2)
            result = await s.await_all(timeout_ms=10)
        text = result.summary()
        assert "passed" in text.splitlines()[0]
        assert "replies" in text
        lines = {
            topic: next(each for each in text.splitlines() if topic in each)
            for topic in ("answer", "nothing", "broken")
        }
        assert "replied" in lines["answer"]
        assert "1 matched of 2" in lines["answer"]
        assert "armed_matcher_mismatched" in lines["nothing"]
        assert "0 matched of 2" in lines["nothing"]
        assert "reply_failed" in lines["broken"]
        assert "LookupError" in lines["broken"]
        assert all("ask" in line for line in lines.values())
        assert "s3cr3t" not in text

    async def test_without_replies_there_is_no_such_block(self, harness: Harness) -> None:
        assert "replies" not in (await mixed(harness)).summary()


def test_a_handmade_timeline_is_shown_too() -> None:
    entries = tuple(TimelineEntry(float(n), "t", TimelineAction.RECEIVED, f"event {n}") for n in range(3))
    result = ScenarioResult("handmade", "id-1", (), False, timeline=entries, timeline_dropped=7)
    text = result.failure_summary()
    assert "10 events" in text
    assert "event 2" in text

"""Stand-in replies across transports."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from typing import Any

import pytest

from choreo_bdd import Stage, StageReplyReport, StageReplyState
from choreo_bdd.exceptions import ReplyAlreadyBoundError
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.stage import StageScenario
from tests.support.engine_doubles import RaisingMatcher, sent_as
from tests.support.stage_doubles import Bus, events


async def settled(s: StageScenario) -> StageReplyReport:
    """The only reply's report."""
    [report] = (await s.await_all(50)).replies
    return report


@pytest.mark.parametrize("to", ["left", "right"])
async def test_a_reply_goes_out_on_the_transport_it_names(stage: Stage, left: Bus, right: Bus, to: str) -> None:
    async with stage.scenario("reply") as s:
        answer = s.expect("answer", contains_fields({"echo": 1}), on=to)
        s.on("ask", on="left").publish("answer", on=to, build=lambda asked: {"echo": asked["n"]})
        s.publish("ask", {"n": 1}, on="left")
        report = await settled(s)
    assert answer.was_fulfilled()
    assert report == StageReplyReport(
        "ask", "left", "(any)", "answer", to, StageReplyState.FIRED, 1, 1, reply_published=True
    )
    assert len(sent_as({"left": left, "right": right}[to], "answer")) == 1


async def test_a_reply_carries_the_id_of_the_side_it_goes_to(stage: Stage, right: Bus) -> None:
    async with stage.scenario("stamp") as s:
        s.on("ask", on="left").publish("answer", on="right", build={"ok": True})
        s.publish("ask", {}, on="left")
        assert sent_as(right, "answer") == [{"ok": True, "correlation_id": f"R-{s.correlation_id}"}]
        await s.await_all(1)


@pytest.mark.parametrize(
    "build",
    [{"n": 1}, b'{"n": 1}', lambda asked: {"n": asked["n"]}],
    ids=["dict", "bytes", "callable"],
)
async def test_static_payloads_will_do_as_well_as_builders(stage: Stage, right: Bus, build: Any) -> None:
    async with stage.scenario("forms") as s:
        s.on("ask", on="left").publish("answer", on="right", build=build)
        s.publish("ask", {"n": 1}, on="left")
        assert (await settled(s)).state is StageReplyState.FIRED
    assert sent_as(right, "answer")[0]["n"] == 1


async def test_async_builders_delays_and_repeats(stage: Stage, right: Bus) -> None:
    async def build(asked: Any) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"n": asked["n"]}

    async with stage.scenario("later") as s:
        last = s.expect("answer", field_equals("n", 2), on="right")
        s.on("ask", on="left").publish("answer", on="right", build=build, times=2, delay_ms=200)
        for number in (1, 2, 3):
            s.publish("ask", {"n": number}, on="left")
        result = await s.await_all(1000)
    assert last.since_publish_ms == pytest.approx(300)
    assert [each["n"] for each in sent_as(right, "answer")] == [1, 2]
    assert (result.replies[0].candidate_count, result.replies[0].match_count) == (3, 2)


async def test_a_second_trigger_is_counted_and_not_answered(stage: Stage, left: Bus) -> None:
    async with stage.scenario("twice") as s:
        s.on("ask", on="left").publish("answer", on="left", build={"ok": True})
        s.publish("ask", {}, on="left").publish("ask", {}, on="left")
        report = await settled(s)
    assert (report.state, report.candidate_count, report.match_count) == (StageReplyState.FIRED, 2, 1)
    assert len(sent_as(left, "answer")) == 1


async def test_what_has_come_but_is_not_judged_yet_is_counted_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreo_bdd.scenario.backlog._SLICE_S", 1e-9)  # each message waits for a turn of its own
    async with stage.scenario("busy") as s:
        s.on("ask", on="left").publish("answer", on="left", build={"ok": True})
        s.publish("ask", {}, on="left").publish("ask", {}, on="left")
        report = await settled(s)
    assert (report.state, report.candidate_count, report.match_count) == (StageReplyState.FIRED, 2, 1)


async def test_a_builder_that_raises_is_reported_by_class(
    stage: Stage, left: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    def build(asked: Any) -> Any:
        raise ArithmeticError("s3cr3t-detail")

    async with stage.scenario("builder") as s:
        s.on("ask", on="left").publish("answer", on="right", build=build)
        s.publish("ask", {}, on="left")
        result = await s.await_all(10)
    [report] = result.replies
    assert (report.state, report.builder_error, report.match_count, report.reply_published) == (
        StageReplyState.FIRED_BUILDER_ERROR,
        "ArithmeticError",
        1,
        False,
    )
    assert result.passed
    [event] = events(caplog, "stage_reply_failed")
    assert {name: event[name] for name in (
        "trigger_topic", "response_topic", "trigger_transport", "response_transport", "error_class"
    )} == {
        "trigger_topic": "ask",
        "response_topic": "answer",
        "trigger_transport": "left",
        "response_transport": "right",
        "error_class": "ArithmeticError",
    }  # fmt: skip
    assert event["levelno"] == logging.WARNING
    assert event["exc_info"] is None
    assert "s3cr3t" not in caplog.text + repr(report) + result.failure_summary()


async def test_a_response_that_cannot_be_published_is_a_builder_error_too(stage: Stage, right: Bus) -> None:
    async with stage.scenario("publish") as s:
        s.on("ask", on="left").publish("answer", on="right", build={})
        right.faults.add("publish")
        s.publish("ask", {}, on="left")
        report = await settled(s)
    assert (report.state, report.builder_error, report.match_count, report.reply_published) == (
        StageReplyState.FIRED_BUILDER_ERROR,
        "RuntimeError",
        1,
        False,
    )


async def test_no_trigger_leaves_it_armed(stage: Stage) -> None:
    async with stage.scenario("silent") as s:
        s.on("ask", on="left").publish("answer", on="right", build={})
        report = await settled(s)
    assert (report.state, report.candidate_count) == (StageReplyState.ARMED_NO_MATCH, 0)


async def test_a_dropped_trigger_transport_leaves_it_armed(stage: Stage, left: Bus) -> None:
    async with stage.scenario("dropped") as s:
        s.on("ask", on="left").publish("answer", on="right", build={})
        left.drop()
        assert (await settled(s)).state is StageReplyState.ARMED_NO_MATCH


@pytest.mark.parametrize("matcher", [eq("never"), RaisingMatcher()], ids=["says no", "raises"])
async def test_triggers_none_accepted(stage: Stage, matcher: Any) -> None:
    async with stage.scenario("mismatch") as s:
        s.on("ask", matcher, on="left").publish("answer", on="right", build={})
        s.publish("ask", {}, on="left").publish("ask", {}, on="left")
        report = await settled(s)
    assert (report.state, report.candidate_count, report.match_count) == (
        StageReplyState.ARMED_MATCHER_MISMATCHED,
        2,
        0,
    )


async def test_foreign_messages_are_no_candidates(stage: Stage, left: Bus) -> None:
    async with stage.scenario("foreign") as s:
        s.on("ask", on="left").publish("answer", on="left", build={})
        left.publish("ask", json.dumps({"correlation_id": "somebody-else"}).encode())
        assert (await settled(s)).candidate_count == 0


async def test_each_registration_has_its_own_report(stage: Stage) -> None:
    async with stage.scenario("several") as s:
        s.on("ask", on="left").publish("one", on="left", build={}).on("ask", on="left").publish(
            "two", on="right", build={}
        )
        s.publish("ask", {}, on="left")
        result = await s.await_all(1)
    assert [(report.response_topic, report.state) for report in result.replies] == [
        ("one", StageReplyState.FIRED),
        ("two", StageReplyState.FIRED),
    ]
    assert result.reply_at("ask") is result.replies[0]
    with pytest.raises(KeyError):
        result.reply_at("never")


async def test_replies_chain_over_several_hops(stage: Stage) -> None:
    async with stage.scenario("hops") as s:
        done = s.expect("done", contains_fields({"hops": 2}), on="left")
        s.on("first", on="left").publish("second", on="right", build=lambda got: {"hops": got["hops"] + 1})
        s.on("second", on="right").publish("done", on="left", build=lambda got: {"hops": got["hops"] + 1})
        s.publish("first", {"hops": 0}, on="left")
        await s.await_all(50)
    assert done.was_fulfilled()


async def test_a_chain_is_completed_once(stage: Stage) -> None:
    async with stage.scenario("chain") as s:
        chain = s.on("ask", on="left")
        chain.publish("answer", on="left", build={})
        with pytest.raises(ReplyAlreadyBoundError, match="'ask'"):
            chain.publish("answer", on="left", build={})
        assert len((await s.await_all(1)).replies) == 1


async def test_a_chain_that_was_never_completed_is_named(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    async with stage.scenario("dangling") as s:
        s.on("ask", on="left")
        assert (await s.await_all(1)).replies == ()
    assert "'ask'" in caplog.text
    assert "never completed" in caplog.text


async def test_a_reply_that_never_fired_is_named_without_its_literals(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.scenario("never") as s:
        s.on("ask", field_equals("account", "ACME-123"), on="left").publish("answer", on="right", build={})
        await s.await_all(1)
    [warning] = [record.getMessage() for record in caplog.records if "never fired" in record.getMessage()]
    assert all(part in warning for part in ("'ask'", "'answer'", "account", "armed_no_match"))
    assert "ACME-123" not in warning


async def test_an_id_the_builder_chose_is_flagged_and_sent(stage: Stage, right: Bus) -> None:
    async with stage.scenario("override") as s:
        s.on("ask", on="left").publish("answer", on="right", build={"correlation_id": "R-mine"})
        s.publish("ask", {}, on="left")
        report = await settled(s)
    assert report.correlation_overridden
    assert report.state is StageReplyState.FIRED
    assert sent_as(right, "answer") == [{"correlation_id": "R-mine"}]


async def test_reports_show_no_payload_and_are_not_pickled(stage: Stage) -> None:
    async with stage.scenario("report") as s:
        s.on("ask", on="left").publish("answer", on="right", build={"pin": "s3cr3t"})
        s.publish("ask", {"pin": "s3cr3t"}, on="left")
        report = await settled(s)
    assert "s3cr3t" not in repr(report)
    assert all(part in repr(report) for part in ("ask", "answer", "left", "right", "fired"))
    with pytest.raises(TypeError, match="StageReplyReport"):
        pickle.dumps(report)
    with pytest.raises(AttributeError):
        report.match_count = 7  # type: ignore[misc] # it is frozen

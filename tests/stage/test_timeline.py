"""The timeline of a Stage scope, row by row."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import Any

import pytest

from choreo_bdd import Harness, Stage
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.redaction import REDACTION_VERSION, redact_correlation_id
from choreo_bdd.scenario import TimelineAction, TimelineEntry
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import CountingCodec, ScriptedPolicy
from tests.support.stage_doubles import Bus, events, solo

Row = tuple[TimelineAction, str | None, str | None, str | None]


def rows(timeline: tuple[TimelineEntry, ...]) -> list[Row]:
    """Action, transport, topic and source of each entry."""
    return [(entry.action, entry.transport, entry.topic, entry.source) for entry in timeline]


def only(timeline: tuple[TimelineEntry, ...], action: TimelineAction) -> TimelineEntry:
    [entry] = [each for each in timeline if each.action is action]
    return entry


async def test_a_message_is_published_received_and_matched_in_this_order(stage: Stage) -> None:
    async with stage.scenario("order") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(50)
    assert result.passed
    assert rows(result.timeline) == [
        (TimelineAction.PUBLISHED, "left", "t", "publish"),
        (TimelineAction.RECEIVED, "left", "t", "expect"),
        (TimelineAction.MATCHED, "left", "t", "expect"),
    ]
    assert [entry.detail for entry in result.timeline] == ["", "", ""]


async def test_a_mismatch_tells_the_matchers_reason(stage: Stage) -> None:
    async with stage.scenario("mismatch") as s:
        handle = s.expect("t", field_equals("n", 1), on="right")
        s.publish("t", {"n": 2}, on="right")
        result = await s.await_all(50)
    entry = only(result.timeline, TimelineAction.MISMATCHED)
    assert (entry.transport, entry.topic, entry.source) == ("right", "t", "expect")
    assert entry.detail == handle.last_mismatch_reason


async def test_a_foreign_message_is_skipped_by_hash_once_a_role(stage: Stage, left: Bus) -> None:
    async with stage.scenario("skipped") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.on("t", on="left").publish("r", on="left", build={})
        left.publish("t", json.dumps({"n": 1, "correlation_id": "somebody-else"}).encode())
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(50)
    skipped = [entry for entry in result.timeline if entry.action is TimelineAction.CORRELATION_SKIPPED]
    assert [(entry.transport, entry.topic, entry.source) for entry in skipped] == [
        ("left", "t", "expect"),
        ("left", "t", "reply"),
    ]
    hashed = f"sha256:{hashlib.sha256(b'somebody-else').hexdigest()[:16]}"
    assert {entry.detail for entry in skipped} == {hashed}
    assert "somebody-else" not in repr(result.timeline)


async def test_a_foreign_message_stands_at_the_time_it_came(stage: Stage, left: Bus) -> None:
    async with stage.scenario("when") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("elsewhere", {}, on="left")
        await asyncio.sleep(0.1)
        left.publish("t", json.dumps({"correlation_id": "somebody-else"}).encode())
        await asyncio.sleep(0.1)
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(50)
    offsets = [entry.offset_ms for entry in result.timeline]
    assert offsets == sorted(offsets)
    assert only(result.timeline, TimelineAction.CORRELATION_SKIPPED).offset_ms == pytest.approx(100)


async def test_an_id_that_is_no_text_is_skipped_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    bus = MockTransport()
    stage = solo(bus, correlation=ScriptedPolicy())
    await stage.connect()
    async with stage.scenario("numbers") as s:
        s.expect("t", eq(1), on="only")
        bus.publish("t", b'{"cid": 7}')
        result = await s.await_all(50)
    entry = only(result.timeline, TimelineAction.CORRELATION_SKIPPED)
    assert "7" not in entry.detail
    [event] = events(caplog, "stage_correlation_redact_failed")
    assert (event["transport"], event["topic"], event["error_class"]) == ("only", "t", "AttributeError")
    await stage.disconnect()


async def test_one_deadline_for_the_scope_however_many_handles_time_out(stage: Stage) -> None:
    async with stage.scenario("deadline") as s:
        for name in ("left", "right"):
            s.expect("t", eq(1), on=name)
        result = await s.await_all(250)
    assert rows(result.timeline) == [(TimelineAction.DEADLINE, None, None, "scope")]
    assert result.timeline[0].detail == "timeout_ms=250"


async def test_no_deadline_when_all_is_resolved_or_nothing_expected(stage: Stage) -> None:
    async with stage.scenario("resolved") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("t", {"n": 1}, on="left")
        resolved = await s.await_all(50)
    async with stage.scenario("idle") as s:
        idle = await s.await_all(50)
    assert TimelineAction.DEADLINE not in [entry.action for entry in resolved.timeline]
    assert idle.timeline == ()


async def test_a_reply_names_its_trigger_and_comes_after_it(stage: Stage) -> None:
    async with stage.scenario("reply") as s:
        s.on("ask", on="left").publish("answer", on="right", build={})
        s.publish("ask", {}, on="left")
        result = await s.await_all(50)
    assert rows(result.timeline) == [
        (TimelineAction.PUBLISHED, "left", "ask", "publish"),
        (TimelineAction.RECEIVED, "left", "ask", "reply"),
        (TimelineAction.REPLIED, "right", "answer", "reply"),
    ]
    assert "ask" in result.timeline[-1].detail


async def test_a_failed_reply_names_the_class_and_no_text(stage: Stage) -> None:
    def build(asked: Any) -> Any:
        raise ArithmeticError("s3cr3t-detail")

    async with stage.scenario("failed") as s:
        s.on("ask", on="left").publish("answer", on="right", build=build)
        s.publish("ask", {}, on="left")
        result = await s.await_all(50)
    entry = only(result.timeline, TimelineAction.REPLY_FAILED)
    assert (entry.transport, entry.topic, entry.source) == ("right", "answer", "reply")
    assert "ArithmeticError" in entry.detail
    assert "s3cr3t" not in repr(result.timeline)


async def test_time_starts_at_the_first_event(stage: Stage) -> None:
    async with stage.scenario("anchor") as s:
        await asyncio.sleep(3)
        s.expect("t", eq(1), on="left")
        s.publish("t", {}, on="left")
        result = await s.await_all(250)
    assert [entry.offset_ms for entry in result.timeline] == [0, 0, 0, pytest.approx(250)]


async def test_what_comes_after_the_result_changes_nothing(stage: Stage, left: Bus) -> None:
    async with stage.scenario("sealed") as s:
        s.expect("t", contains_fields({"n": 1}), on="left")
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(50)
        s.publish("t", {"n": 1}, on="left")
    assert len(result.timeline) == 3
    assert result.timeline_dropped == 0


async def test_messages_of_both_transports_stand_on_one_timeline(stage: Stage) -> None:
    async with stage.scenario("both") as s:
        s.expect("t", contains_fields({"n": 1}), on="right")
        s.publish("t", {"n": 1}, on="left").publish("t", {"n": 1}, on="right")
        result = await s.await_all(50)
    assert [(entry.action, entry.transport) for entry in result.timeline] == [
        (TimelineAction.PUBLISHED, "left"),
        (TimelineAction.PUBLISHED, "right"),
        (TimelineAction.RECEIVED, "right"),
        (TimelineAction.MATCHED, "right"),
    ]


async def test_undecodable_messages_are_seen_on_the_timeline(left: Bus) -> None:
    stage = solo(left, codec=CountingCodec(unreadable=b"garbage"))
    await stage.connect()
    async with stage.scenario("garbage") as s:
        s.expect("t", eq(1), on="only")
        s.publish("t", b"garbage", on="only")
        result = await s.await_all(50)
    entry = only(result.timeline, TimelineAction.RECEIVED)
    assert (entry.transport, entry.topic, entry.source) == ("only", "t", "expect")
    assert "undecodable" in entry.detail
    await stage.disconnect()


def test_ids_are_redacted_the_same_way_every_time() -> None:
    assert redact_correlation_id("abc") == "sha256:ba7816bf8f01cfea"
    assert redact_correlation_id("abc") == redact_correlation_id("abc")
    assert REDACTION_VERSION == "v1"
    assert re.fullmatch(r"v[0-9]+", REDACTION_VERSION)


async def test_a_plain_harness_still_has_a_deadline_per_handle(harness: Harness) -> None:
    async with harness.scenario("plain") as s:
        s.expect("a", eq(1))
        s.expect("b", eq(1))
        s.publish("c", {})
        result = await s.await_all(timeout_ms=50)
    assert [entry.topic for entry in result.timeline if entry.action is TimelineAction.DEADLINE] == ["a", "b"]

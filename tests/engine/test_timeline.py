"""The timeline: entries, recorder, caps."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from choreo_bdd import Harness
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import eq
from choreo_bdd.message import Message
from choreo_bdd.scenario import TimelineAction, TimelineEntry, _Timeline

ACTIONS = [
    "published",
    "received",
    "matched",
    "mismatched",
    "correlation_skipped",
    "deadline",
    "replied",
    "reply_failed",
]


class Clock:
    """Seconds, set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_actions_are_strings_named_in_lower_case() -> None:
    assert [str(each) for each in TimelineAction] == ACTIONS
    assert [each.name.lower() for each in TimelineAction] == ACTIONS


class TestEntry:
    def test_it_carries_what_it_is_given(self) -> None:
        entry = TimelineEntry(
            12.5, "t", TimelineAction.PUBLISHED, "d", transport="kafka", logical_topic="orders", source="publish"
        )
        assert dataclasses.astuple(entry)[:7] == (12.5, "t", "published", "d", "kafka", "orders", "publish")

    def test_what_is_optional_is_empty(self) -> None:
        entry = TimelineEntry(0.0, None, TimelineAction.DEADLINE)
        assert (entry.topic, entry.detail) == (None, "")
        assert (entry.transport, entry.logical_topic, entry.source) == (None, None, None)

    def test_it_is_frozen(self) -> None:
        entry = TimelineEntry(0.0, "t", TimelineAction.RECEIVED)
        with pytest.raises(dataclasses.FrozenInstanceError):
            entry.detail = "changed"  # type: ignore[misc] # the mistake under test

    def test_the_wall_clock_is_iso_8601_in_utc(self) -> None:
        moment = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
        entry = TimelineEntry(0.0, "t", TimelineAction.RECEIVED, _wall_clock_epoch=moment.timestamp())
        assert datetime.fromisoformat(entry.wall_clock) == moment
        assert entry.wall_clock.endswith("+00:00")

    @pytest.mark.parametrize("epoch", [0.0, 1.7e9, 1.7e9 + 0.5, 1.7e9 + 4e-7, 1.7e9 + 0.9999996, 1.7e9 + 0.9999994])
    def test_the_wall_clock_is_that_of_the_standard_library(self, epoch: float) -> None:
        entry = TimelineEntry(0.0, "t", TimelineAction.RECEIVED, _wall_clock_epoch=epoch)
        assert entry.wall_clock == datetime.fromtimestamp(epoch, UTC).isoformat()

    @pytest.mark.parametrize(("length", "shown"), [(119, 119), (120, 120), (121, 120), (5000, 120)])
    def test_a_long_detail_is_cut(self, length: int, shown: int) -> None:
        detail = TimelineEntry(0.0, "t", TimelineAction.RECEIVED, "x" * length).detail
        assert len(detail) == shown
        assert detail == ("x" * length if length <= 120 else "x" * 117 + "...")

    def test_its_repr_shows_no_payload(self, harness_entry: TimelineEntry) -> None:
        assert "s3cr3t" not in repr(harness_entry)


@pytest.fixture
async def harness_entry(harness: Harness) -> TimelineEntry:
    async with harness.scenario("one") as s:
        s.expect("t", eq(1))
        s.publish("t", {"pin": "s3cr3t"})
        result = await s.await_all(timeout_ms=1)
    return next(entry for entry in result.timeline if entry.action is TimelineAction.RECEIVED)


class TestRecorder:
    def test_offsets_count_from_its_creation_and_are_never_negative(self) -> None:
        clock = Clock()
        timeline = _Timeline(clock=clock)
        clock.now = 100.25
        timeline.record(action=TimelineAction.RECEIVED, topic="later")
        clock.now = 90.0
        timeline.record(action=TimelineAction.RECEIVED, topic="clamped")
        assert {entry.topic: entry.offset_ms for entry in timeline.entries()} == {"later": 250.0, "clamped": 0.0}

    def test_an_event_may_be_dated_back_to_when_it_happened(self) -> None:
        clock = Clock()
        timeline = _Timeline(clock=clock)
        clock.now = 101.0
        timeline.record(action=TimelineAction.MATCHED, topic="second")
        timeline.record(action=TimelineAction.RECEIVED, topic="first", at=100.5)
        assert [entry.topic for entry in timeline.entries()] == ["first", "second"]

    def test_arguments_are_keyword_only(self) -> None:
        with pytest.raises(TypeError):
            _Timeline(clock=Clock()).record(TimelineAction.RECEIVED, "t")  # type: ignore[call-arg] # the mistake under test

    def test_details_are_cut_here_too(self) -> None:
        timeline = _Timeline(clock=Clock())
        timeline.record(action=TimelineAction.RECEIVED, topic="t", detail="y" * 500)
        assert timeline.entries()[0].detail == "y" * 117 + "..."

    def test_a_defect_is_swallowed_counted_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        timeline = _Timeline(clock=Clock())
        defect: Any = 7  # no text
        timeline.record(action=TimelineAction.MATCHED, topic="t", detail=defect, transport="kafka")
        timeline.record(action=TimelineAction.RECEIVED, topic="t")
        assert timeline.record_errors == 1
        assert len(timeline.entries()) == 1
        (record,) = caplog.records
        assert (record.name, record.levelno, record.getMessage()) == (
            "choreo_bdd.scenario",
            logging.WARNING,
            "timeline_record_failed",
        )
        data = record.__dict__
        assert (data["action"], data["topic"], data["transport"]) == ("matched", "t", "kafka")

    def test_after_sealing_it_does_nothing_at_all(self) -> None:
        timeline = _Timeline(clock=Clock(), max_entries=1)
        timeline.record(action=TimelineAction.RECEIVED, topic="t")
        timeline.seal()
        broken: Any = object()
        timeline.record(action=TimelineAction.RECEIVED, topic="u")
        timeline.record(action=TimelineAction.RECEIVED, topic="u", detail=broken)
        assert (len(timeline.entries()), timeline.dropped, timeline.record_errors) == (1, 0, 0)


class TestCapacity:
    def fill(self, count: int, *, max_entries: int = 256) -> _Timeline:
        """A publish, then so much noise, then a deadline, one event a millisecond."""
        clock = Clock()
        timeline = _Timeline(clock=clock, max_entries=max_entries)
        events = [TimelineAction.PUBLISHED, *[TimelineAction.MISMATCHED] * count, TimelineAction.DEADLINE]
        for number, action in enumerate(events):
            clock.now = 100.0 + number / 1000
            timeline.record(action=action, topic=str(number))
        return timeline

    def test_up_to_the_cap_everything_is_kept(self) -> None:
        timeline = self.fill(254)
        assert (len(timeline.entries()), timeline.dropped) == (256, 0)

    def test_beyond_it_beginning_and_end_are_kept_and_the_rest_counted(self) -> None:
        timeline = self.fill(10_000)
        entries = timeline.entries()
        assert (len(entries), timeline.dropped) == (256, 10_002 - 256)
        assert entries[0].action is TimelineAction.PUBLISHED
        assert entries[-1].action is TimelineAction.DEADLINE
        assert entries[-2].topic == "10000"

    def test_publishes_replies_and_deadlines_outlive_the_noise_around_them(self) -> None:
        clock = Clock()
        timeline = _Timeline(clock=clock)
        precious = [
            TimelineAction.PUBLISHED,
            TimelineAction.REPLIED,
            TimelineAction.REPLY_FAILED,
            TimelineAction.DEADLINE,
        ]
        for number in range(2000):
            clock.now += 0.001
            action = precious[number // 100 % 4] if number % 100 == 50 else TimelineAction.RECEIVED
            timeline.record(action=action, topic=str(number))
        kept = [entry.topic for entry in timeline.entries() if entry.action is not TimelineAction.RECEIVED]
        assert kept == [str(number) for number in range(50, 2000, 100)]
        assert len(timeline.entries()) == 256

    def test_too_many_precious_events_do_not_crowd_out_the_latest(self) -> None:
        clock = Clock()
        timeline = _Timeline(clock=clock)
        for number in range(1000):
            clock.now += 0.001
            timeline.record(action=TimelineAction.PUBLISHED, topic=str(number))
        topics = [entry.topic for entry in timeline.entries()]
        assert (len(topics), timeline.dropped, timeline.record_errors) == (256, 744, 0)
        assert topics[0] == "0"
        assert topics[-100:] == [str(number) for number in range(900, 1000)]

    def test_asked_to_keep_more_it_keeps_more_and_drops_from_the_middle(self) -> None:
        timeline = self.fill(10_000, max_entries=1000)
        topics = [int(entry.topic or "") for entry in timeline.entries()]
        assert (len(topics), timeline.dropped) == (1000, 10_002 - 1000)
        assert topics == [*range(64), *range(10_002 - 936, 10_002)]

    @pytest.mark.parametrize(("size", "kept"), [(1_000, 5_000), (100_000, 256)])
    def test_large_messages_leave_fewer_places_and_never_fewer_than_256(self, size: int, kept: int) -> None:
        timeline = _Timeline(clock=Clock(), max_entries=5_000)
        delivery = Delivery(Message("t", b"x" * size), None)
        for _ in range(6_000):
            timeline.record(action=TimelineAction.RECEIVED, topic="t", message=delivery)
        assert (len(timeline.entries()), timeline.dropped) == (kept, 6_000 - kept)

    @pytest.mark.parametrize("max_entries", [1, 2, 3, 8, 20])
    def test_a_small_recorder_keeps_its_bounds(self, max_entries: int) -> None:
        clock = Clock()
        timeline = _Timeline(clock=clock, max_entries=max_entries)
        for number in range(100):
            clock.now += 0.001
            timeline.record(action=TimelineAction.PUBLISHED, topic=str(number))
        assert (len(timeline.entries()), timeline.dropped) == (max_entries, 100 - max_entries)
        assert timeline.record_errors == 0
        assert timeline.entries()[-1].topic == "99"

    async def test_a_noisy_topic_does_not_evict_the_trigger(self, harness: Harness) -> None:
        async with harness.scenario("noise") as s:
            s.expect("t", eq("never"))
            s.publish("trigger", {})
            for number in range(2000):
                harness.publish("t", number)
            await asyncio.sleep(0.01)
            s.publish("second trigger", {})
            for number in range(2000):
                harness.publish("t", number)
            result = await s.await_all(timeout_ms=10)
        published = [entry.topic for entry in result.timeline if entry.action is TimelineAction.PUBLISHED]
        assert published == ["trigger", "second trigger"]
        assert result.timeline[-1].action is TimelineAction.DEADLINE
        assert len(result.timeline) == 256
        assert result.timeline_dropped == 8003 - 256


class TestScenarioEvents:
    async def test_waits_of_one_window_end_together_however_late_the_second_is_asked_for(
        self, harness: Harness
    ) -> None:
        async with harness.scenario("one after the other") as s:
            for topic in ("t", "u"):
                s.scope.close_at(s.expect(topic, eq(1)), s.scope.clock() + 0.4)
            s.publish("trigger", {})
            for each in s.scope.expectations:
                await s.scope.decide([each])
                await asyncio.sleep(0.25)
            result = await s.await_all(timeout_ms=10)
        ends = [(each.topic, round(each.offset_ms)) for each in result.timeline if each.action == "deadline"]
        assert ends == [("t", 400), ("u", 400)]

    async def test_they_stand_in_order_with_their_topics_and_details(self, harness: Harness) -> None:
        async with harness.scenario("events") as s:
            s.expect("t", eq(1)).within_ms(50)
            s.expect("u", eq(1))
            await asyncio.sleep(0.08)
            s.publish("t", 2)
            await asyncio.sleep(0.01)
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=110)
        rows = [(round(each.offset_ms), each.action.value, each.topic) for each in result.timeline]
        assert rows == [
            (80, "published", "t"),
            (80, "received", "t"),
            (80, "mismatched", "t"),
            (90, "published", "t"),
            (90, "received", "t"),
            (90, "matched", "t"),
            (200, "deadline", "u"),
        ]
        details = {each.action.value: each.detail for each in result.timeline}
        assert details["received"] == "expect"
        assert eq(1).match(2).reason in details["mismatched"]
        assert "SLOW" in details["matched"]
        assert "90.0" in details["matched"]
        assert "50.0" in details["matched"]
        assert all(each.transport is None and each.source is None for each in result.timeline)
        assert all(each.logical_topic is None for each in result.timeline)

    async def test_a_published_and_a_received_message_are_attached(self, harness: Harness) -> None:
        async with harness.scenario("messages") as s:
            s.expect("t", eq("never"))
            s.publish("t", {"a": 1}, headers={"h": "v"}, key="K1")
            result = await s.await_all(timeout_ms=1)
        for entry in result.timeline[:2]:
            assert entry.message is not None
            assert (entry.message.payload, entry.message.size) == ({"a": 1}, len(b'{"a":1}'))
            assert (entry.message.headers, entry.message.key) == ({"h": "v"}, "K1")

    async def test_what_the_author_does_to_a_payload_later_does_not_rewrite_history(self, harness: Harness) -> None:
        body = {"n": [1]}
        async with harness.scenario("reused") as s:
            s.expect("t", eq("never"))
            s.publish("t", body)
            body["n"].append(2)
            s.publish("t", body)
            result = await s.await_all(timeout_ms=1)
        published = [entry.message for entry in result.timeline if entry.action is TimelineAction.PUBLISHED]
        assert [record.payload for record in published if record is not None] == [{"n": [1]}, {"n": [1, 2]}]

    async def test_offsets_never_run_backwards(self, routed: Harness) -> None:
        async with routed.scenario("busy") as s:
            s.on("ask").publish("answer", {})
            s.expect("answer", eq("never"))
            for number in range(50):
                await asyncio.sleep(number / 1000)
                s.publish("ask", {"n": number})
            result = await s.await_all(timeout_ms=1)
        offsets = [entry.offset_ms for entry in result.timeline]
        assert offsets == sorted(offsets)
        assert min(offsets) >= 0

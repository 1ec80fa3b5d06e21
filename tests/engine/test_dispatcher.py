"""The dispatcher and its surprise log, alone and at work (spec/harness.md 6.1; W13)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import marshal
import pickle
from typing import Any

import pytest
import yaml

from choreo_bdd import Harness
from choreo_bdd._internal import Dispatcher, LoopPoster, SurpriseEntry
from choreo_bdd.matchers import exists
from choreo_bdd.shared.minted import minted
from tests.support.engine_doubles import ELSEWHERE

Got = list[tuple[Any, bytes]]


def read_id(payload: bytes) -> str | None:
    found: str | None = json.loads(payload).get("id")
    return found


@pytest.fixture
def dispatcher() -> Dispatcher:
    dispatcher = Dispatcher()
    dispatcher.register_extractor("t", read_id)
    return dispatcher


def dispatch(dispatcher: Dispatcher, payload: bytes, *, topic: str = "t") -> Got:
    got: Got = []

    def take(scope: Any, data: bytes) -> None:
        got.append((scope, data))

    dispatcher.dispatch(topic=topic, payload=payload, source="test", resolver=take)
    return got


async def test_it_can_be_made_with_a_poster() -> None:
    dispatcher = Dispatcher(poster=LoopPoster(asyncio.get_running_loop()))
    assert dispatcher.surprise_log() == []


def test_the_owner_gets_the_message_at_once(dispatcher: Dispatcher) -> None:
    dispatcher.register_scope("scope A", "A1")
    dispatcher.register_scope("scope A", "A2")
    dispatcher.register_scope("scope B", "B1")
    assert dispatch(dispatcher, b'{"id": "A2"}') == [("scope A", b'{"id": "A2"}')]
    assert dispatch(dispatcher, b'{"id": "B1"}') == [("scope B", b'{"id": "B1"}')]
    assert dispatcher.surprise_log() == []


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("unknown.topic", b'{"id": "A1"}', ("unknown.topic", "", "no_extractor", 12)),
        ("t", b"{}", ("t", "", "no_correlation_field", 2)),
        ("t", b'{"id": "Z"}', ("t", "Z", "unknown_scope", 11)),
        ("t", b'{"id": "gone"}', ("t", "gone", "timeout_race", 14)),
    ],
)
def test_what_nobody_owns_is_one_surprise(
    dispatcher: Dispatcher, topic: str, payload: bytes, expected: tuple[str, str, str, int]
) -> None:
    dispatcher.register_scope("scope A", "A1")
    dispatcher.register_scope("scope G", "gone")
    dispatcher.deregister_scope("scope G")
    assert dispatch(dispatcher, payload, topic=topic) == []
    (entry,) = dispatcher.surprise_log()
    assert (entry.topic, entry.correlation_id, entry.classification, entry.size) == expected


def test_leaving_forgets_all_ids_of_a_scope(dispatcher: Dispatcher) -> None:
    dispatcher.register_scope("scope A", "A1")
    dispatcher.register_scope("scope A", "A2")
    dispatcher.deregister_scope("scope A")
    dispatcher.deregister_scope("scope A")
    for wire in (b'{"id": "A1"}', b'{"id": "A2"}'):
        assert dispatch(dispatcher, wire) == []
    assert {entry.classification for entry in dispatcher.surprise_log()} == {"timeout_race"}


def test_coming_back_clears_the_mark(dispatcher: Dispatcher) -> None:
    dispatcher.register_scope("scope A", "A1")
    dispatcher.deregister_scope("scope A")
    dispatcher.register_scope("scope B", "A1")
    assert dispatch(dispatcher, b'{"id": "A1"}') == [("scope B", b'{"id": "A1"}')]
    dispatcher.deregister_scope("scope A")  # long gone: the id is B's now
    assert dispatch(dispatcher, b'{"id": "A1"}') == [("scope B", b'{"id": "A1"}')]


def test_an_older_owner_does_not_take_the_id_of_a_newer_one_along(dispatcher: Dispatcher) -> None:
    dispatcher.register_scope("scope A", "same")
    dispatcher.register_scope("scope B", "same")
    dispatcher.deregister_scope("scope A")
    assert dispatch(dispatcher, b'{"id": "same"}') == [("scope B", b'{"id": "same"}')]


@pytest.mark.parametrize(
    "unsafe", [pickle.loads, pickle.load, marshal.loads, marshal.load, yaml.load, yaml.unsafe_load]
)
def test_extractors_that_may_run_code_are_refused(dispatcher: Dispatcher, unsafe: Any) -> None:
    with pytest.raises(ValueError, match=r"run code"):
        dispatcher.register_extractor("t", unsafe)


@pytest.mark.parametrize("name", ["load", "loads"])
def test_shelve_by_its_name_too(dispatcher: Dispatcher, name: str) -> None:
    def extractor(payload: bytes) -> str:
        raise AssertionError("never called")

    extractor.__module__, extractor.__name__ = "shelve", name
    with pytest.raises(ValueError, match="shelve"):
        dispatcher.register_extractor("t", extractor)


def test_a_safe_loader_is_fine(dispatcher: Dispatcher) -> None:
    dispatcher.register_extractor("t", json.loads)
    dispatcher.register_extractor("u", yaml.safe_load)
    dispatcher.register_scope("scope A", "A1")
    assert dispatch(dispatcher, b'"A1"') == [("scope A", b'"A1"')]


def test_routing_cannot_be_redefined() -> None:
    with pytest.raises(TypeError, match="dispatch"):
        type("Sub", (Dispatcher,), {"dispatch": lambda self: None})
    assert issubclass(type("Other", (Dispatcher,), {"extra": 1}), Dispatcher)


def test_the_log_is_a_copy_and_bounded(dispatcher: Dispatcher) -> None:
    for number in range(1500):
        dispatch(dispatcher, json.dumps({"id": str(number)}).encode())
    log = dispatcher.surprise_log()
    assert [log[0].correlation_id, log[-1].correlation_id, len(log)] == ["500", "1499", 1000]
    log.clear()
    assert len(dispatcher.surprise_log()) == 1000
    assert [entry.correlation_id for entry in dispatcher.surprise_log(since=1498)] == ["1498", "1499"]
    assert len(dispatcher.surprise_log(since=3)) == 1000


def test_scopes_that_left_are_forgotten_in_the_end(dispatcher: Dispatcher) -> None:
    for number in range(1001):
        scope = f"scope {number}"
        dispatcher.register_scope(scope, f"id {number}")
        dispatcher.deregister_scope(scope)
    dispatch(dispatcher, b'{"id": "id 0"}')
    dispatch(dispatcher, b'{"id": "id 1"}')
    assert [entry.classification for entry in dispatcher.surprise_log()] == ["unknown_scope", "timeout_race"]


def test_an_entry_is_frozen_and_has_no_payload() -> None:
    entry = SurpriseEntry("t", "A1", "unknown_scope", 12)
    assert not hasattr(entry, "payload")
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.topic = "u"  # type: ignore[misc] # the mistake under test


class TestOnTheResult:
    """Users see the surprises of their own topics and time (W13)."""

    async def test_foreign_and_late_messages_are_classified(self, routed: Harness) -> None:
        async with routed.scenario("earlier") as earlier:
            earlier.expect("t", exists())
            earlier.publish("start", {})
            await earlier.await_all(timeout_ms=1)
        async with routed.scenario("now") as now:
            now.expect("t", exists())
            routed.publish("t", {"correlation_id": earlier.correlation_id})
            routed.publish("t", {"correlation_id": "never heard of"})
            routed.publish("not mine", {"correlation_id": "whoever"})
            now.publish("t", {})
            result = await now.await_all(timeout_ms=1)
        assert result.passed
        assert [(each.topic, each.correlation_id, each.classification) for each in result.surprises] == [
            ("t", earlier.correlation_id, "timeout_race"),
            ("t", "never heard of", "unknown_scope"),
        ]
        assert routed.surprise_log() == list(result.surprises)

    async def test_who_has_left_owns_nothing_of_a_topic_that_others_still_hear(self, routed: Harness) -> None:
        async with routed.scenario("stays") as stays:
            stays.expect("t", exists())
            async with routed.scenario("leaves") as leaves:
                leaves.expect("t", exists())
                leaves.publish("t", {})
                await leaves.await_all(timeout_ms=1)
            routed.publish("t", {"correlation_id": leaves.correlation_id})
            stays.publish("t", {})
            result = await stays.await_all(timeout_ms=1)
        assert [(each.topic, each.classification) for each in result.surprises] == [("t", "timeout_race")]

    async def test_who_has_left_owns_nothing_of_an_id_that_it_had_adopted(self, routed: Harness) -> None:
        async with routed.scenario("stays") as stays:
            stays.expect("t", exists())
            async with routed.scenario("leaves") as leaves:
                leaves.expect("t", exists())
                leaves.scope.adopt(None, "ORDER-7")
                leaves.publish("t", {})
                await leaves.await_all(timeout_ms=1)
            routed.publish("t", {"correlation_id": "ORDER-7"})
            stays.publish("t", {})
            result = await stays.await_all(timeout_ms=1)
        assert [(each.topic, each.correlation_id) for each in result.surprises] == [("t", "ORDER-7")]

    async def test_surprises_before_its_time_are_not_its_own(self, routed: Harness) -> None:
        async def one(stranger: str) -> list[str]:
            async with routed.scenario("one") as s:
                s.expect("t", exists())
                routed.publish("t", {"correlation_id": stranger})
                s.publish("t", {})
                return [each.correlation_id for each in (await s.await_all(timeout_ms=1)).surprises]

        assert await one("first") == ["first"]
        assert await one("second") == ["second"]

    async def test_a_message_of_another_live_scenario_is_no_surprise(self, routed: Harness) -> None:
        async with routed.scenario("deaf to t") as other, routed.scenario("listens") as s:
            s.expect("t", exists())
            routed.publish("t", {"correlation_id": other.correlation_id})
            s.publish("t", {})
            result = await s.await_all(timeout_ms=1)
            other.on("x")
            other.publish("x", {})
            await other.await_all(timeout_ms=1)
        assert result.surprises == ()
        assert result.passed

    async def test_a_pattern_has_its_surprises_too(self, strict: Harness) -> None:
        async with strict.scenario("pattern") as s:
            s.expect("orders.*", exists())
            strict.publish("orders.eu", {})
            s.publish("orders.us", {})
            result = await s.await_all(timeout_ms=1)
        assert [(each.topic, each.classification) for each in result.surprises] == [
            ("orders.eu", "no_correlation_field")
        ]

    async def test_without_correlation_nothing_is_a_surprise(self, harness: Harness) -> None:
        async with harness.scenario("open") as s:
            s.expect("t", exists())
            harness.publish("t", {"correlation_id": "whoever"})
            s.publish("t", {})
            assert (await s.await_all(timeout_ms=1)).surprises == ()


def test_of_surprises_the_ids_of_scopes_before_are_told_those_of_other_transports_too() -> None:
    dispatcher, scope = Dispatcher(), object()
    here, own, left = minted(), minted(), minted()
    dispatcher.register_scope(scope, left)
    dispatcher.deregister_scope(scope, missed=("orders",))
    for each in (f"KAFKA-{here}", f"KAFKA-{own}", own.upper(), left, ELSEWHERE, "other-7", ""):
        dispatcher.surprise("orders", each, 2)
    assert dispatcher.former_since(0, [own]) == {left: ("orders",), f"KAFKA-{here}": ()}
    assert dispatcher.former_since(dispatcher.surprised, [own]) == {}

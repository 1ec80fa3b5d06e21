"""Scopes: wire ids, the ``on=`` rules, isolation, exits, a transport that drops."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from choreo_bdd import (
    BridgeAmbiguityError,
    BridgeTranslationError,
    CorrelationPolicyError,
    DictFieldPolicy,
    Harness,
    MissingTransportError,
    Outcome,
    Stage,
    StageStateError,
    UnknownTransportError,
)
from choreo_bdd.matchers import contains_fields, eq, exists, field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.stage import _SMOKE_INPUT
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike, CountingCodec, ScriptedPolicy, sent_as
from tests.support.stage_doubles import Bus, Scripted, events, make_stage, mapped, solo


async def test_each_transport_carries_its_own_id(stage: Stage, left: Bus, right: Bus) -> None:
    async with stage.scenario("ids") as s:
        s.publish("t", {"n": 1}, on="left").publish("t", {"n": 1}, on="right")
        assert sent_as(left, "t") == [{"n": 1, "correlation_id": f"L-{s.correlation_id}"}]
        assert sent_as(right, "t") == [{"n": 1, "correlation_id": f"R-{s.correlation_id}"}]
        result = await s.await_all(10)
    assert result.correlation_id is not None
    assert dict(result.wire_ids) == {"left": f"L-{result.correlation_id}", "right": f"R-{result.correlation_id}"}


async def test_wire_ids_are_made_once_a_scope_and_never_a_message() -> None:
    bridge = Scripted()
    stage = make_stage(Bus(), Bus(), bridge)
    await stage.connect()
    bridge.to_wire_calls.clear()
    async with stage.scenario("once") as s:
        handle = s.expect("t", field_equals("n", 9), on="left")
        for number in range(10):
            s.publish("t", {"n": number}, on="left")
        await s.await_all(100)
    assert handle.was_fulfilled()
    assert bridge.to_wire_calls == [("scenario-1", "left"), ("scenario-1", "right")]
    assert bridge.fresh_calls == 1
    await stage.disconnect()


async def test_a_bridge_without_fresh_ids_stops_the_entry_and_the_stage_goes_on() -> None:
    bridge = Scripted(fault="fresh")
    stage = make_stage(Bus(), Bus(), bridge)
    await stage.connect()
    with pytest.raises(BridgeTranslationError) as caught:
        async with stage.scenario("never begins"):
            pytest.fail("the body must not run")
    assert (caught.value.method, caught.value.transport) == ("fresh", None)
    assert "s3cr3t" not in str(caught.value)
    bridge.fault = None
    async with stage.scenario("next") as s:
        assert s.correlation_id == "scenario-1"
        await s.await_all(1)
    await stage.disconnect()


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (lambda logical, transport: f"{transport}:x" if logical == _SMOKE_INPUT else "same", BridgeAmbiguityError),
        (lambda logical, transport: f"{transport}:x" if logical == _SMOKE_INPUT else None, BridgeTranslationError),
        (lambda logical, transport: f"{transport}:{logical}" * (1 if logical == _SMOKE_INPUT else 999),
         BridgeTranslationError),
    ],
    ids=["the same id twice", "no text", "too long"],
)  # fmt: skip
async def test_a_bridge_that_only_passes_the_smoke_test_is_caught_at_entry(wire: Any, error: type[Exception]) -> None:
    bridge = Scripted(wire=wire)
    stage = make_stage(Bus(), Bus(), bridge)
    await stage.connect()
    with pytest.raises(error):
        async with stage.scenario("never begins"):
            pytest.fail("the body must not run")
    bridge.wire = lambda logical, transport: f"{transport}:{logical}"
    async with stage.scenario("next") as s:
        assert (await s.await_all(1)).passed
    await stage.disconnect()


async def test_a_scope_is_entered_once(stage: Stage) -> None:
    scenario = stage.scenario("once")
    async with scenario as s:
        await s.await_all(1)
    with pytest.raises(StageStateError, match="not re-entrant"):
        async with scenario:
            pytest.fail("the body must not run")


async def test_outside_its_block_a_scope_says_so(stage: Stage) -> None:
    scenario = stage.scenario("outside")
    with pytest.raises(StageStateError, match="async with"):
        scenario.expect("t", eq(1), on="left")
    async with scenario as s:
        await s.await_all(1)
    for call in (
        lambda: s.expect("t", eq(1), on="left"),
        lambda: s.publish("t", {}, on="left"),
        lambda: s.on("t", on="left"),
    ):
        with pytest.raises(StageStateError, match="async with"):
            call()


CALLS: list[Any] = [
    pytest.param(lambda s, **on: s.expect("t", eq(1), **on), id="expect"),
    pytest.param(lambda s, **on: s.publish("t", {}, **on), id="publish"),
    pytest.param(lambda s, **on: s.on("t", **on), id="on"),
    pytest.param(lambda s, **on: s.on("t", on="left").publish("r", build={}, **on), id="reply"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("on", [{}, {"on": None}], ids=["left out", "None"])
async def test_on_must_be_given(stage: Stage, call: Any, on: dict[str, None]) -> None:
    async with stage.scenario("on") as s:
        with pytest.raises(MissingTransportError, match="on=None"):
            call(s, **on)
        await s.await_all(1)


@pytest.mark.parametrize("call", CALLS)
async def test_on_must_name_a_transport(stage: Stage, call: Any) -> None:
    async with stage.scenario("on") as s:
        with pytest.raises(UnknownTransportError) as caught:
            call(s, on="middle")
        assert all(name in str(caught.value) for name in ("'middle'", "'left'", "'right'"))
        await s.await_all(1)


async def test_a_handle_knows_its_transport_and_wire_id_at_once(stage: Stage) -> None:
    async with stage.scenario("handle") as s:
        handle = s.expect("t", eq(1), on="right")
        assert (handle.transport, handle.correlation_id) == ("right", f"R-{s.correlation_id}")
        assert handle.outcome is Outcome.PENDING
        assert "transport='right'" in repr(handle)
        with pytest.raises(AttributeError):
            handle.transport = "left"  # type: ignore[misc] # it is read-only
        await s.await_all(1)


async def test_calls_come_in_any_order(stage: Stage) -> None:
    async with stage.scenario("free") as s:
        assert s.publish("t", {"n": 1}, on="left") is s
        first = s.expect("t", contains_fields({"n": 2}), on="left")
        s.publish("t", {"n": 2}, on="left")
        second = s.expect("t", contains_fields({"n": 3}), on="left")
        s.on("t", field_equals("n", 3), on="left").publish("r", on="right", build={"ok": True})
        third = s.expect("r", contains_fields({"ok": True}), on="right")
        s.publish("t", {"n": 3}, on="left")
        result = await s.await_all(100)
    assert result.handles == (first, second, third)
    assert result.passed


async def test_waiting_for_nothing_passes_at_once(stage: Stage) -> None:
    async with stage.scenario("nothing") as s:
        before = asyncio.get_running_loop().time()
        assert (await s.await_all(5000)).passed
        assert asyncio.get_running_loop().time() == before


async def test_a_failed_subscribe_leaves_nothing_behind(stage: Stage, left: Bus) -> None:
    async with stage.scenario("subscribe") as s:
        left.faults.add("subscribe")
        with pytest.raises(RuntimeError, match="subscribe failed"):
            s.expect("t", eq(1), on="left")
        result = await s.await_all(5000)
    assert result.handles == ()
    assert result.passed


async def test_a_topic_that_one_bus_refuses_is_none_that_the_other_refuses(right: Bus) -> None:
    broker = BrokerLike()
    harnesses = {"left": Harness(broker, correlation=DictFieldPolicy()), "right": Harness(right)}
    stage = Stage(harnesses, mapped())
    await stage.connect()
    async with stage.scenario("two buses") as s:
        handles = [s.expect("t", exists(), on=name) for name in harnesses]
        broker.refuse("t", "permissions violation")
        await s.await_all(10)
    await stage.disconnect()
    assert [each.diagnosis and each.diagnosis.cause for each in handles] == [
        Cause.TRANSPORT_FAILED,
        Cause.NOTHING_ARRIVED,
    ]


async def test_publishing_passes_transport_errors_on(stage: Stage, left: Bus) -> None:
    async with stage.scenario("publish") as s:
        left.faults.add("publish")
        with pytest.raises(RuntimeError, match="publish failed"):
            s.publish("t", {}, on="left")
        await s.await_all(1)


async def test_a_policy_that_cannot_stamp_is_named_by_the_publish() -> None:
    stage = solo(MockTransport(), correlation=ScriptedPolicy({"write"}))
    await stage.connect()
    async with stage.scenario("stamp") as s:
        with pytest.raises(CorrelationPolicyError, match=r"ScriptedPolicy\.write"):
            s.publish("t", {}, on="only")
        await s.await_all(1)
    await stage.disconnect()


async def test_one_deadline_covers_all_transports_and_every_handle_names_its_own(stage: Stage) -> None:
    async with stage.scenario("deadline") as s:
        handles = [s.expect("t", eq(1), on=name) for name in ("left", "right")]
        before = asyncio.get_running_loop().time()
        await s.await_all(250)
        assert asyncio.get_running_loop().time() - before == pytest.approx(0.25)
    for handle in handles:
        assert handle.outcome is Outcome.TIMEOUT
        assert "no matching message arrived" in handle.reason
        assert handle.transport is not None
        assert handle.transport in handle.reason


async def test_a_message_on_one_transport_does_not_answer_for_the_other(stage: Stage) -> None:
    async with stage.scenario("apart") as s:
        there = s.expect("t", contains_fields({"n": 1}), on="left")
        elsewhere = s.expect("t", contains_fields({"n": 1}), on="right")
        s.publish("t", {"n": 1}, on="left")
        await s.await_all(50)
    assert (there.outcome, elsewhere.outcome) == (Outcome.PASS, Outcome.TIMEOUT)
    assert elsewhere.attempts == 0


async def test_a_hundred_concurrent_scopes_see_only_their_own_messages(left: Bus, right: Bus) -> None:
    codec = CountingCodec()
    stage = Stage(
        {
            "left": Harness(left, correlation=DictFieldPolicy(), codec=codec),
            "right": Harness(right, correlation=DictFieldPolicy(), codec=codec),
        },
        Scripted(),
    )
    await stage.connect()
    all_armed = asyncio.Barrier(100)

    async def one(number: int) -> Any:
        async with stage.scenario(f"number {number}") as s:
            handles = [s.expect("t", field_equals("n", number), on=name) for name in ("left", "right")]
            await all_armed.wait()
            s.publish("t", {"n": number}, on="left").publish("t", {"n": number}, on="right")
            return await s.await_all(1000), handles

    stage.bridge.fresh = numbered()  # type: ignore[method-assign] # a fresh id for each of the hundred
    for result, handles in await asyncio.gather(*(one(number) for number in range(100))):
        assert result.passed
        assert [handle.attempts for handle in handles] == [0, 0]
    assert codec.decodes == 200
    assert (left.active_subscription_count(), right.active_subscription_count()) == (0, 0)
    await stage.disconnect()


def numbered() -> Any:
    numbers = iter(range(1000))

    async def fresh() -> str:
        return str(next(numbers))

    return fresh


async def test_scopes_of_a_bridge_whose_ids_collide_see_each_other(left: Bus, right: Bus) -> None:
    # By design: only the bridge knows what makes two scenarios different.
    stage = make_stage(left, right, Scripted(logical="always the same"))
    await stage.connect()
    async with stage.scenario("one") as one, stage.scenario("two") as two:
        leaks = two.expect("t", contains_fields({"n": 1}), on="left")
        one.publish("t", {"n": 1}, on="left")
        await one.await_all(1)
        await two.await_all(10)
    assert leaks.was_fulfilled()
    await stage.disconnect()


async def test_without_a_routing_policy_wire_ids_filter_nothing() -> None:
    bus = MockTransport()
    stage = solo(bus)
    await stage.connect()
    async with stage.scenario("one") as one, stage.scenario("two") as two:
        sees = two.expect("t", eq({"n": 1}), on="only")
        one.publish("t", {"n": 1}, on="only")
        await one.await_all(1)
        await two.await_all(10)
    assert sees.was_fulfilled()
    await stage.disconnect()


async def test_leaving_removes_every_subscription_each_on_its_own(
    stage: Stage, left: Bus, right: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage.scenario("leaving") as s:
        for name in ("left", "right"):
            s.expect("t.one", eq(1), on=name)
            s.expect("t.two", eq(1), on=name)
        await s.await_all(1)
        left.faults.add("unsubscribe")
    assert right.active_subscription_count() == 0
    warned = events(caplog, "stage_scope_unsubscribe_failed") or [
        vars(record) for record in caplog.records if "stage_scope_unsubscribe_failed" in record.getMessage()
    ]
    assert sorted((each["transport"], each["topic"], each["error_class"]) for each in warned) == [
        ("left", "t.one", "RuntimeError"),
        ("left", "t.two", "RuntimeError"),
    ]
    assert all(each["exc_info"] is None for each in warned)


async def test_what_the_body_raises_passes_through(stage: Stage, left: Bus) -> None:
    error = LookupError("the test's own fault")
    with pytest.raises(LookupError) as caught:
        async with stage.scenario("raises") as s:
            s.expect("t", eq(1), on="left")
            raise error
    assert caught.value is error
    assert left.active_subscription_count() == 0


async def test_a_dropped_transport_times_out_there_and_nowhere_else(stage: Stage, left: Bus) -> None:
    async with stage.scenario("dropped") as s:
        gone = s.expect("t", contains_fields({"n": 1}), on="left")
        stays = s.expect("t", contains_fields({"n": 1}), on="right")
        left.drop()
        with pytest.raises(RuntimeError, match="publish failed"):
            s.publish("t", {"n": 1}, on="left")
        s.publish("t", {"n": 1}, on="right")
        result = await s.await_all(50)
    assert (gone.outcome, gone.transport, stays.outcome) == (Outcome.TIMEOUT, "left", Outcome.PASS)
    assert "no matching message arrived" in gone.reason
    assert result.by_transport == {"left": (gone,), "right": (stays,)}


async def test_what_cannot_be_read_is_logged_with_its_place_and_is_the_diagnosis(
    left: Bus, right: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    harness = Harness(left, correlation=DictFieldPolicy(), codec=CountingCodec(unreadable=b"garbage"))
    stage = Stage({"left": harness, "right": Harness(right)}, Scripted())
    await stage.connect()
    async with stage.scenario("garbage") as s:
        handle = s.expect("t", eq(1), on="left")
        s.publish("t", b"garbage", on="left")
        await s.await_all(10)
    [event] = events(caplog, "stage_codec_decode_failed")
    assert (event["transport"], event["topic"], event["error_class"]) == ("left", "t", "UnicodeError")
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause == "undecodable"
    assert "s3cr3t" not in caplog.text
    await stage.disconnect()


async def test_a_policy_that_cannot_read_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    policy = ScriptedPolicy()
    stage = solo(MockTransport(), correlation=policy)
    await stage.connect()
    async with stage.scenario("unreadable") as s:
        s.expect("t", eq(1), on="only")
        policy.faults.add("read")
        s.publish("t", {"n": 1}, on="only")
        await s.await_all(10)
    [event] = events(caplog, "stage_correlation_read_failed")
    assert (event["transport"], event["topic"], event["error_class"]) == ("only", "t", "ArithmeticError")
    assert "s3cr3t" not in caplog.text
    await stage.disconnect()


async def test_a_bridge_that_fails_to_read_back_is_logged_and_harms_nothing(
    left: Bus, right: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    stage = make_stage(left, right, Scripted(fault="from_wire"))
    await stage.connect()
    async with stage.scenario("foreign") as s:
        mine = s.expect("t", contains_fields({"n": 1}), on="left")
        left.publish("t", json.dumps({"n": 1, "correlation_id": "somebody-else"}).encode())
        s.publish("t", {"n": 1}, on="left")
        result = await s.await_all(10)
    assert result.passed
    assert mine.attempts == 0
    [event] = events(caplog, "stage_from_wire_failed")
    assert (event["transport"], event["error_class"]) == ("left", "ArithmeticError")
    assert event["bridge_class"] == "Scripted"
    assert event["levelno"] == logging.WARNING
    assert "somebody-else" not in caplog.text
    await stage.disconnect()

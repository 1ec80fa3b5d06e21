"""Standing replies outside any scenario (spec/harness.md 14.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, HeaderPolicy
from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.matchers import contains_fields, field_equals
from choreo_bdd.scenario import ReplyReportState
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike, RaisingMatcher, sent_as


async def test_it_answers_every_scenario_with_that_scenarios_id(strict: Harness) -> None:
    stand_in = await strict.stand_in("price.asked", "price.told", lambda asked: {"price": asked["n"] * 2})
    for number in (1, 2):
        async with strict.scenario(f"number {number}") as s:
            told = s.expect("price.told", contains_fields({"price": number * 2}))
            s.publish("price.asked", {"n": number})
            (await s.await_all(timeout_ms=100)).assert_passed()
            assert told.message["correlation_id"] == s.correlation_id
    assert stand_in.answers == 2
    stand_in.stop()


async def test_scenarios_at_the_same_time_get_their_own_answers(strict: Harness) -> None:
    await strict.stand_in("asked", "told", lambda asked: {"n": asked["n"]})

    async def one(number: int) -> int:
        async with strict.scenario(f"number {number}") as s:
            told = s.expect("told", field_equals("n", number))
            s.publish("asked", {"n": number})
            (await s.await_all(timeout_ms=100)).assert_passed()
            return told.attempts

    assert await asyncio.gather(*(one(number) for number in range(20))) == [0] * 20


async def test_an_id_in_a_header_is_carried_on(transport: MockTransport) -> None:
    harness = Harness(transport, correlation=HeaderPolicy("x-id", strict=True))
    await harness.connect()
    await harness.stand_in("asked", "told", ["any", "payload"])
    async with harness.scenario("header") as s:
        told = s.expect("told", contains_fields({}))
        s.publish("asked", [1])
        await s.await_all(timeout_ms=100)
    assert told.last_mismatch_payload == ["any", "payload"]
    await harness.disconnect()


async def test_a_trigger_without_an_id_is_answered_without_one(strict: Harness, transport: MockTransport) -> None:
    await strict.stand_in("asked", "told", {"ok": True})
    strict.publish("asked", {})
    await asyncio.sleep(0.01)
    assert sent_as(transport, "told") == [{"ok": True}]


async def test_stop_ends_it_and_leaves_no_subscription(harness: Harness, transport: MockTransport) -> None:
    stand_in = await harness.stand_in("asked", "told", {})
    assert harness.active_subscription_count() == 1
    stand_in.stop()
    stand_in.stop()
    harness.publish("asked", {})
    await asyncio.sleep(0.01)
    assert sent_as(transport, "told") == []
    assert harness.active_subscription_count() == 0


async def test_stop_gives_up_answers_still_due(harness: Harness, transport: MockTransport) -> None:
    stand_in = await harness.stand_in("asked", "told", {}, delay_ms=500)
    harness.publish("asked", {})
    await asyncio.sleep(0.1)
    stand_in.stop()
    await asyncio.sleep(1)
    assert sent_as(transport, "told") == []


async def test_matcher_times_and_delay(harness: Harness, transport: MockTransport) -> None:
    stand_in = await harness.stand_in(
        "asked", "told", lambda asked: {"n": asked["n"]}, field_equals("kind", "price"), times=2, delay_ms=200
    )
    for number, kind in enumerate(["stock", "price", "price", "price"]):
        await asyncio.sleep(0.01)
        harness.publish("asked", {"n": number, "kind": kind})
    await asyncio.sleep(0.15)
    assert stand_in.answers == 0
    await asyncio.sleep(0.1)
    assert [told["n"] for told in sent_as(transport, "told")] == [1, 2]
    report = stand_in.report()
    assert (report.candidate_count, report.match_count, report.state) == (4, 2, ReplyReportState.REPLIED)


async def test_an_async_builder(harness: Harness, transport: MockTransport) -> None:
    async def build(asked: Any) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"n": asked["n"]}

    await harness.stand_in("asked", "told", build)
    harness.publish("asked", {"n": 1})
    await asyncio.sleep(0.2)
    assert sent_as(transport, "told") == [{"n": 1}]


async def test_stand_ins_chain_over_several_hops(strict: Harness) -> None:
    for here, there in (("one", "two"), ("two", "three"), ("three", "four")):
        await strict.stand_in(here, there, lambda got: {"hops": got["hops"] + 1})
    async with strict.scenario("hops") as s:
        s.expect("four", contains_fields({"hops": 3}))
        s.publish("one", {"hops": 0})
        (await s.await_all(timeout_ms=100)).assert_passed()


async def test_a_builder_that_fails_is_logged_by_class_and_the_next_trigger_is_answered(
    harness: Harness, transport: MockTransport, caplog: pytest.LogCaptureFixture
) -> None:
    def build(asked: Any) -> Any:
        return {"n": 10 / asked["s3cr3t"]}

    stand_in = await harness.stand_in("asked", "told", build)
    harness.publish("asked", {"s3cr3t": 0})
    await asyncio.sleep(0.01)
    assert stand_in.report().builder_error == "ZeroDivisionError"
    harness.publish("asked", {"s3cr3t": 5})
    await asyncio.sleep(0.01)
    assert sent_as(transport, "told") == [{"n": 2}]
    [line] = caplog.messages
    assert all(part in line for part in ("'asked'", "'told'", "ZeroDivisionError"))
    assert "s3cr3t" not in line


async def test_a_matcher_that_raises_is_logged_by_class(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    stand_in = await harness.stand_in("asked", "told", {}, RaisingMatcher())
    harness.publish("asked", {})
    assert "ZeroDivisionError" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert stand_in.report().state is ReplyReportState.ARMED_MATCHER_MISMATCHED


async def test_a_message_nobody_can_read_is_left_alone(strict: Harness, transport: MockTransport) -> None:
    await strict.stand_in("asked", "told", {})
    transport.publish("asked", b"{not json")
    await asyncio.sleep(0.01)
    assert len(transport.sent()) <= 2


async def test_it_listens_again_after_a_reconnect(harness: Harness, transport: MockTransport) -> None:
    stays = await harness.stand_in("asked", "told", {})
    gone = await harness.stand_in("asked", "told.too", {})
    gone.stop()
    await harness.disconnect()
    await harness.connect()
    harness.publish("asked", {})
    await asyncio.sleep(0.01)
    assert stays.answers == 1
    assert sent_as(transport, "told.too") == []


async def test_disconnecting_gives_up_what_is_due(harness: Harness) -> None:
    await harness.stand_in("asked", "told", {}, delay_ms=60_000)
    harness.publish("asked", {})
    before = asyncio.all_tasks()
    await harness.disconnect()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) < len(before)


async def test_it_returns_once_it_is_proven_to_listen() -> None:
    broker = BrokerLike()
    harness = Harness(broker, correlation=DictFieldPolicy())
    await harness.connect()
    arming = asyncio.create_task(harness.stand_in("asked", "told", {}))
    await asyncio.sleep(1)
    assert not arming.done()
    broker.confirm("asked")
    (await arming).stop()


async def test_a_refused_subscription_is_the_callers_to_know() -> None:
    broker = BrokerLike()
    harness = Harness(broker, correlation=DictFieldPolicy())
    await harness.connect()
    arming = asyncio.create_task(harness.stand_in("asked", "told", {}))
    await asyncio.sleep(0)
    broker.refuse("asked", "not permitted")
    with pytest.raises(SubscriptionFailed, match="'asked' live: not permitted"):
        await arming
    assert harness.active_subscription_count() == 0


async def test_a_harness_that_is_not_connected_has_no_stand_ins() -> None:
    with pytest.raises(RuntimeError, match="not connected"):
        await Harness(MockTransport()).stand_in("asked", "told", {})


@pytest.mark.parametrize("payload", [{}, lambda asked: {"n": asked.get("n", 0) + 1}], ids=["the same", "another"])
async def test_stand_ins_that_answer_each_other_stop_and_say_so(
    harness: Harness, transport: MockTransport, payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ping = await harness.stand_in("ping", "pong", payload)
    pong = await harness.stand_in("pong", "ping", payload)
    harness.publish("ping", {})
    await _turns_until(lambda: "EndlessAnswers" in (ping.report().builder_error, pong.report().builder_error))
    assert ping.answers + pong.answers == 1000
    assert "is the 1,000th answer to an answer in a row: stand-ins of this harness trigger each other" in caplog.text
    harness.publish("pong", {"n": -1})
    await _turns_until(lambda: ping.answers + pong.answers > 1000)


@pytest.mark.thorough
async def test_a_stand_in_answers_as_often_as_others_ask(harness: Harness) -> None:
    stand_in = await harness.stand_in("asked", "told", {})
    await harness.stand_in("told", "heard", {})
    for _ in range(3000):
        harness.publish("asked", {})
    await _turns_until(lambda: stand_in.answers == 3000)
    assert stand_in.report().builder_error is None


async def _turns_until(condition: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to that")

"""What every transport promises."""

from __future__ import annotations

import asyncio
import json
import pickle
import time
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, HeaderPolicy, Outcome
from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.matchers import contains_fields, eq, field_equals
from choreo_bdd.transports.base import Losable
from tests.support.contract_transports import Kind
from tests.support.subscribers import PATIENCE_S, Sink

PATIENCE_MS = 5000


async def live(ready: Any) -> None:
    if ready is not None:
        await asyncio.wait_for(ready, PATIENCE_S)


async def test_is_connected_after_connect_and_disconnects_twice(kind: Kind) -> None:
    harness = Harness(kind.make(), correlation=DictFieldPolicy())
    await harness.connect()
    assert harness.is_connected()
    assert harness.is_healthy()
    await harness.disconnect()
    await harness.disconnect()
    assert not harness.is_connected()


async def test_connect_twice_at_once_connects_once(kind: Kind) -> None:
    harness = Harness(kind.make(), correlation=DictFieldPolicy())
    await asyncio.gather(harness.connect(), harness.connect())
    assert harness.is_connected()
    await harness.disconnect()


async def test_works_again_after_disconnect_and_connect(kind: Kind) -> None:
    transport, topic = kind.make(), kind.topic()
    for _ in range(2):
        await transport.connect()
        sink = Sink()
        await live(transport.subscribe(topic, sink))
        await live(transport.publish(topic, b"{}"))
        await sink.wait_for(1)
        await transport.disconnect()
        transport.clear_subscriptions()


async def test_bytes_come_through_as_they_were(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, sink))
    await live(transport.publish(topic, bytes(range(256))))
    await sink.wait_for(1)
    assert sink.payloads == [bytes(range(256))]
    assert sink.messages[0].topic == topic
    await transport.disconnect()


async def test_a_plain_callback_gets_topic_and_payload(kind: Kind) -> None:
    transport, topic = kind.make(), kind.topic()
    got: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    await transport.connect()
    await live(transport.subscribe(topic, lambda topic, payload: got.put_nowait((topic, payload))))
    await live(transport.publish(topic, b"x"))
    assert await asyncio.wait_for(got.get(), PATIENCE_S) == (topic, b"x")
    await transport.disconnect()


async def test_two_subscribers_both_get_a_message(kind: Kind) -> None:
    transport, topic, first, second = kind.make(), kind.topic(), Sink(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, first))
    await live(transport.subscribe(topic, second))
    await live(transport.publish(topic, b"{}"))
    await first.wait_for(1)
    await second.wait_for(1)
    await transport.disconnect()


async def test_the_same_callback_twice_gets_it_twice_and_each_unsubscribe_removes_one(kind: Kind) -> None:
    transport, topic, sink, marker = kind.make(), kind.topic(), Sink(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, sink))
    await live(transport.subscribe(topic, sink))
    await live(transport.publish(topic, b"1"))
    await sink.wait_for(2)
    transport.unsubscribe(topic, sink)
    assert transport.active_subscription_count() == 1
    await live(transport.subscribe(topic, marker))
    await live(transport.publish(topic, b"2"))
    await marker.wait_for(1)
    await sink.wait_for(3)
    assert sink.payloads == [b"1", b"1", b"2"]
    await transport.disconnect()


async def test_unsubscribing_ends_delivery(kind: Kind) -> None:
    transport, topic, gone, stays = kind.make(), kind.topic(), Sink(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, gone))
    await live(transport.subscribe(topic, stays))
    transport.unsubscribe(topic, gone)
    await live(transport.publish(topic, b"{}"))
    await stays.wait_for(1)
    assert gone.messages == []
    assert transport.active_subscription_count() == 1
    transport.unsubscribe("nobody.listens", gone)
    await transport.disconnect()


async def test_a_raising_callback_does_not_stop_later_deliveries(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()

    def broken(topic: str, payload: bytes) -> None:
        raise ValueError("broken subscriber")

    await transport.connect()
    await live(transport.subscribe(topic, broken))
    await live(transport.subscribe(topic, sink))
    await live(transport.publish(topic, b"1"))
    await live(transport.publish(topic, b"2"))
    await sink.wait_for(2)
    assert sink.payloads == [b"1", b"2"]
    await transport.disconnect()


async def test_publishes_arrive_in_the_order_of_the_calls(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, sink))
    for number in range(500):
        transport.publish(topic, str(number).encode())
    await sink.wait_for(500)
    assert [int(payload) for payload in sink.payloads] == list(range(500))
    await transport.disconnect()


async def test_nothing_published_before_the_subscription_is_delivered(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    await transport.connect()
    early = Sink()
    await live(transport.subscribe(topic, early))
    await live(transport.publish(topic, b"before"))
    await early.wait_for(1)
    await live(transport.subscribe(topic, sink))
    await live(transport.publish(topic, b"after"))
    await sink.wait_for(1)
    assert sink.payloads == [b"after"]
    await transport.disconnect()


async def test_on_sent_is_called_once_and_before_the_message_arrives_or_its_promise_resolves(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    sent: list[int] = []
    await transport.connect()
    await live(transport.subscribe(topic, sink))
    ready = transport.publish(topic, b"{}", on_sent=lambda: sent.append(len(sink.messages)))
    await live(ready)
    await sink.wait_for(1)
    assert len(sent) == 1
    await transport.disconnect()


class Departure:
    """An ``on_sent`` that takes down when its message left, and when it was told."""

    def __init__(self) -> None:
        self.left_at: float | None = None
        self.told_at: float | None = None

    def leaving(self, at: float) -> None:
        self.left_at = at

    def __call__(self) -> None:
        self.told_at = asyncio.get_running_loop().time()


async def test_a_busy_loop_does_not_let_a_message_leave_later_than_it_did(kind: Kind) -> None:
    transport, topic, sink, departure = kind.make(), kind.topic(), Sink(), Departure()
    loop = asyncio.get_running_loop()
    await transport.connect()
    await live(transport.subscribe(topic, sink))

    def be_busy() -> None:
        time.sleep(0.002)
        if departure.told_at is None:
            loop.call_soon(be_busy)

    began_at = loop.time()
    ready = transport.publish(topic, b"{}", on_sent=departure)
    be_busy()
    await live(ready)
    await sink.wait_for(1)
    assert departure.told_at is not None
    if type(transport).__module__.startswith("choreo_bdd.") and kind.is_remote:
        assert departure.left_at is not None
        assert began_at <= departure.left_at < departure.told_at
    await transport.disconnect()


async def test_a_second_connection_that_publishes_right_after_readiness_is_heard(kind: Kind) -> None:
    ours = kind.make()
    other = kind.make() if kind.is_remote else ours  # the in-memory bus is one object
    await ours.connect()
    await other.connect()
    for _ in range(20):
        topic, sink = kind.topic(), Sink()
        await live(ours.subscribe(topic, sink))
        await live(other.publish(topic, b"{}"))
        await sink.wait_for(1)
        ours.unsubscribe(topic, sink)
    await ours.disconnect()
    await other.disconnect()


async def test_a_subscription_removed_before_it_was_confirmed_poisons_nothing(kind: Kind) -> None:
    transport, sink, after = kind.make(), Sink(), Sink()
    await transport.connect()
    removed = kind.topic("removed")
    ready = transport.subscribe(removed, sink)
    transport.unsubscribe(removed, sink)
    if ready is not None:
        await asyncio.wait([ready], timeout=PATIENCE_S)
        assert ready.done(), "the promise of a removed subscription must be resolved one way or the other"
    topic = kind.topic("after")
    await live(transport.subscribe(topic, after))
    await live(transport.publish(topic, b"{}"))
    await after.wait_for(1)
    await asyncio.wait_for(transport.disconnect(), PATIENCE_S)


async def test_patterns_name_the_topic_that_spoke(kind: Kind) -> None:
    transport, one, rest = kind.make(), Sink(), Sink()
    assert transport.capabilities.topic_patterns
    await transport.connect()
    root = kind.topic("root")
    topics = [f"{root}.a", f"{root}.b", f"{root}.b.c"]
    for topic in topics:  # brokers that keep topics know them before a pattern is resolved
        await live(transport.publish(topic, b"early"))
    await live(transport.subscribe(f"{root}.*", one))
    await live(transport.subscribe(f"{root}.>", rest))
    for topic in topics:
        await live(transport.publish(topic, b"{}"))
    await rest.wait_for(3)
    await one.wait_for(2)
    assert sorted(message.topic for message in rest.messages) == sorted(topics)
    assert sorted(message.topic for message in one.messages) == sorted(topics[:2])
    await transport.disconnect()


async def test_headers_travel_or_are_refused_aloud(kind: Kind) -> None:
    transport, topic, sink = kind.make(), kind.topic(), Sink()
    await transport.connect()
    await live(transport.subscribe(topic, sink))
    if not transport.capabilities.message_headers:
        with pytest.raises(PublishFailed, match="header"):
            await live(transport.publish(topic, b"{}", headers={"tenant": "acme"}))
        await transport.disconnect()
        return
    await live(transport.publish(topic, b"{}", headers={"tenant": "acme", "trace": "7"}))
    await sink.wait_for(1)
    headers = sink.messages[0].headers
    assert (headers["tenant"], headers["trace"]) == ("acme", "7")
    await transport.disconnect()


async def test_a_header_policy_isolates_scenarios_on_a_shared_topic(kind: Kind) -> None:
    harness = Harness(kind.make(), correlation=HeaderPolicy("x-correlation", strict=True))
    await harness.connect()
    topic = kind.topic()
    if not harness.transport.capabilities.message_headers:
        async with harness.scenario("nobody's") as scenario:
            lost = scenario.expect(topic, eq(["anything"]))
            scenario.publish(topic, ["anything"])
            await scenario.await_all(timeout_ms=200)
        assert lost.diagnosis is not None
        assert lost.diagnosis.cause == "transport failed"
        await harness.disconnect()
        return
    async with harness.scenario("mine") as mine, harness.scenario("theirs") as theirs:
        wanted = mine.expect(topic, eq(["anything"]))
        foreign = theirs.expect(topic, eq(["anything"]))
        mine.publish(topic, ["anything"])
        theirs.publish(f"{topic}.elsewhere", {})
        assert (await mine.await_all(timeout_ms=PATIENCE_MS)).passed
        await theirs.await_all(timeout_ms=50)
    assert wanted.outcome is Outcome.PASS
    assert foreign.outcome is Outcome.TIMEOUT
    await harness.disconnect()


async def test_a_matching_message_passes_a_scenario(harness: Harness, kind: Kind) -> None:
    topic = kind.topic()
    async with harness.scenario("pass") as scenario:
        handle = scenario.expect(topic, contains_fields({"n": 1}))
        scenario.publish(topic, {"n": 1})
        result = await scenario.await_all(timeout_ms=PATIENCE_MS)
    result.assert_passed()
    assert handle.message["n"] == 1


async def test_a_silent_topic_times_out(harness: Harness, kind: Kind) -> None:
    async with harness.scenario("silent") as scenario:
        handle, other = scenario.expect(kind.topic("silent"), field_equals("n", 1)), kind.topic("other")
        heard = scenario.expect(other, field_equals("n", 1))
        await scenario.ready()
        scenario.publish(other, {"n": 1})
        await scenario.scope.wait([heard], scenario.scope.clock() + PATIENCE_S)  # else the broker may still be at it
        await scenario.await_all(timeout_ms=100)
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause == "nothing arrived"


async def test_three_expectations_and_two_publishes_leave_exactly_one_failing(harness: Harness, kind: Kind) -> None:
    topics = [kind.topic(name) for name in "abc"]
    async with harness.scenario("two of three") as scenario:
        handles = [scenario.expect(topic, field_equals("ok", True)) for topic in topics]
        await scenario.ready()
        for topic in topics[:2]:
            scenario.publish(topic, {"ok": True})
        await scenario.scope.wait(handles[:2], scenario.scope.clock() + PATIENCE_S)
        result = await scenario.await_all(timeout_ms=50)
    assert [handle.topic for handle in result.failing_handles] == topics[2:]


async def test_a_large_payload_stays_intact(harness: Harness, kind: Kind) -> None:
    topic, text = kind.topic(), "x" * 64 * 1024
    async with harness.scenario("large") as scenario:
        handle = scenario.expect(topic, field_equals("text", text))
        scenario.publish(topic, {"text": text})
        result = await scenario.await_all(timeout_ms=PATIENCE_MS)
    result.assert_passed()
    assert len(handle.message["text"]) == len(text)


async def test_ten_scenarios_in_a_row_leave_no_subscription(harness: Harness, kind: Kind) -> None:
    topic = kind.topic()
    for number in range(10):
        async with harness.scenario(f"number {number}") as scenario:
            scenario.expect(topic, field_equals("number", number))
            scenario.publish(topic, {"number": number})
            (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
    assert harness.active_subscription_count() == 0


async def test_a_scenario_that_raises_right_after_expect_does_not_hurt_the_next(harness: Harness, kind: Kind) -> None:
    with pytest.raises(KeyError):
        async with harness.scenario("raises") as scenario:
            scenario.expect(kind.topic(), field_equals("n", 1))
            raise KeyError("the test's own fault")
    topic = kind.topic()
    async with harness.scenario("next") as scenario:
        scenario.expect(topic, field_equals("n", 1))
        scenario.publish(topic, {"n": 1})
        (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()


async def test_concurrent_scenarios_on_a_shared_topic_see_only_their_own(harness: Harness, kind: Kind) -> None:
    topic = kind.topic()

    async def one(number: int) -> Any:
        async with harness.scenario(f"number {number}") as scenario:
            handle = scenario.expect(topic, field_equals("number", number))
            scenario.publish(topic, {"number": number})
            (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
            return handle.attempts

    assert await asyncio.gather(*(one(number) for number in range(30))) == [0] * 30


async def test_a_foreign_correlation_id_is_not_ours(harness: Harness, kind: Kind) -> None:
    topic = kind.topic()
    async with harness.scenario("mine") as scenario:
        handle = scenario.expect(topic, field_equals("n", 1))
        await scenario.ready()
        scenario.publish(topic, {"n": 1, "correlation_id": "somebody-else"})
        await scenario.scope.wait([handle], scenario.scope.clock() + 0.2)
        await scenario.await_all(timeout_ms=100)
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause == "wrong correlation"


async def test_a_late_message_revives_nothing(harness: Harness, kind: Kind) -> None:
    topic = kind.topic()
    async with harness.scenario("late") as scenario:
        handle = scenario.expect(topic, field_equals("n", 1))
        await scenario.ready()
        scenario.publish(kind.topic("other"), {})
        await scenario.await_all(timeout_ms=50)
        scenario.publish(topic, {"n": 1})
        await scenario.scope.until(lambda: False, scenario.scope.clock() + 0.2)
    assert handle.outcome is Outcome.TIMEOUT


async def test_a_reply_answers_over_the_wire(harness: Harness, kind: Kind) -> None:
    asked, answered = kind.topic("asked"), kind.topic("answered")
    async with harness.scenario("reply") as scenario:
        scenario.on(asked).publish(answered, lambda trigger: {"twice": trigger["n"] * 2})
        scenario.expect(answered, field_equals("twice", 14))
        scenario.publish(asked, {"n": 7})
        result = await scenario.await_all(timeout_ms=PATIENCE_MS)
    result.assert_passed()
    assert result.reply_at(asked).reply_published


async def test_publish_and_subscribe_refuse_while_disconnected(kind: Kind) -> None:
    transport = kind.make()
    with pytest.raises(RuntimeError, match="not connected"):
        transport.publish(kind.topic(), b"{}")
    if kind.is_remote:
        with pytest.raises(RuntimeError, match="not connected"):
            transport.subscribe(kind.topic(), Sink())


async def test_it_refuses_pickling_and_its_repr_is_short(kind: Kind) -> None:
    transport = kind.make()
    with pytest.raises(TypeError):
        pickle.dumps(transport)
    assert len(repr(transport)) < 200


async def test_a_remote_transport_tells_when_it_is_lost(kind: Kind) -> None:
    transport = kind.make()
    if kind.is_remote:
        assert isinstance(transport, Losable)
        assert transport.lost is None


async def test_disconnecting_leaves_no_task_behind(kind: Kind) -> None:
    before = asyncio.all_tasks()
    transport, sink = kind.make(), Sink()
    await transport.connect()
    await live(transport.subscribe(kind.topic(), sink))
    transport.publish(kind.topic("x"), json.dumps({}).encode())
    await asyncio.wait_for(transport.disconnect(), PATIENCE_S)
    await asyncio.sleep(0)
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left, f"still running: {left}"

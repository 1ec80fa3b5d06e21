"""The in-memory bus."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Outcome
from choreo_bdd.matchers import eq, exists, field_equals
from choreo_bdd.message import Message
from choreo_bdd.transports import MockTransport, Transport, TransportCapabilities
from choreo_bdd.transports.base import TransportCallback
from tests.support.engine_doubles import PlainTransport


@pytest.fixture
async def bus() -> MockTransport:
    bus = MockTransport()
    await bus.connect()
    return bus


class Sink:
    """A subscriber that keeps what it is called with."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []

    def take(self, topic: str, payload: bytes) -> None:
        self.got.append((topic, payload))


class Whole:
    """A subscriber that wants whole messages."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("a transport that knows headers calls deliver()")

    def deliver(self, message: Message) -> None:
        self.got.append(message)


def raising(error: BaseException) -> TransportCallback:
    """A subscriber that raises this, whatever comes."""

    def callback(topic: str, payload: bytes) -> None:
        raise error

    return callback


class TestContract:
    def test_any_object_with_the_members_is_a_transport(self) -> None:
        assert isinstance(MockTransport(), Transport)
        assert isinstance(PlainTransport(), Transport)
        assert not isinstance(object(), Transport)

    def test_capabilities_are_frozen_and_default_to_a_broadcasting_bus(self) -> None:
        capabilities = TransportCapabilities()
        assert capabilities.broadcast_fanout
        assert capabilities.loses_messages_without_subscriber
        assert capabilities.ordered_per_topic
        with pytest.raises(AttributeError):
            capabilities.broadcast_fanout = False  # type: ignore[misc] # the mistake under test
        assert MockTransport().capabilities.topic_patterns

    async def test_bytes_arrive_as_they_left(self, bus: MockTransport) -> None:
        sink = Sink()
        bus.subscribe("t", sink.take)
        bus.publish("t", bytes(range(256)))
        assert sink.got == [("t", bytes(range(256)))]

    async def test_the_same_callback_twice_gets_each_message_twice_and_leaves_once_at_a_time(
        self, bus: MockTransport
    ) -> None:
        sink = Sink()
        bus.subscribe("t", sink.take)
        bus.subscribe("t", sink.take)
        assert bus.active_subscription_count() == 2
        bus.publish("t", b"1")
        bus.unsubscribe("t", sink.take)
        bus.publish("t", b"2")
        bus.unsubscribe("t", sink.take)
        bus.publish("t", b"3")
        assert [payload for _, payload in sink.got] == [b"1", b"1", b"2"]
        assert bus.active_subscription_count() == 0

    async def test_unknown_pairs_are_ignored(self, bus: MockTransport) -> None:
        sink, other = Sink(), Sink()
        bus.subscribe("t", sink.take)
        bus.unsubscribe("t", other.take)
        bus.unsubscribe("u", sink.take)
        assert bus.active_subscription_count() == 1

    async def test_connecting_and_disconnecting_may_be_repeated(self) -> None:
        bus = MockTransport()
        for _ in range(2):
            await bus.connect()
            await bus.connect()
            await bus.disconnect()
            await bus.disconnect()
        await bus.connect()
        bus.publish("t", b"again")
        assert bus.sent() == [("t", b"again")]

    async def test_it_subscribes_at_any_time_and_publishes_only_while_connected(self) -> None:
        bus, sink = MockTransport(), Sink()
        bus.subscribe("t", sink.take)
        with pytest.raises(RuntimeError, match=r"MockTransport.*not connected"):
            bus.publish("t", b"1")
        await bus.connect()
        bus.publish("t", b"2")
        await bus.disconnect()
        with pytest.raises(RuntimeError, match=r"MockTransport.*not connected"):
            bus.publish("t", b"3")
        assert sink.got == [("t", b"2")]
        assert bus.active_subscription_count() == 1  # disconnect keeps them
        bus.clear_subscriptions()
        assert bus.active_subscription_count() == 0

    def test_it_cannot_be_pickled(self) -> None:
        with pytest.raises(TypeError, match="MockTransport"):
            pickle.dumps(MockTransport())


class TestDelivery:
    async def test_subscribers_run_inside_publish_in_subscription_order(self, bus: MockTransport) -> None:
        order: list[str] = []
        for name in ("b", "a", "c"):
            bus.subscribe("t", lambda topic, payload, name=name: order.append(name))  # type: ignore[misc] # binds the name
        bus.publish("t", b"")
        assert order == ["b", "a", "c"]

    async def test_on_sent_comes_before_the_subscribers(self, bus: MockTransport) -> None:
        order: list[str] = []

        def relay(topic: str, payload: bytes) -> None:
            order.append("received")
            bus.publish("u", b"", on_sent=lambda: order.append("nested sent"))

        bus.subscribe("t", relay)
        bus.publish("t", b"", on_sent=lambda: order.append("sent"))
        assert order == ["sent", "received", "nested sent"]

    async def test_who_joins_during_a_delivery_hears_the_next_one(self, bus: MockTransport) -> None:
        late = Sink()

        def invite(topic: str, payload: bytes) -> None:
            bus.subscribe("t", late.take)

        bus.subscribe("t", invite)
        bus.publish("t", b"1")
        assert late.got == []
        bus.publish("t", b"2")
        assert late.got == [("t", b"2")]

    async def test_a_raising_subscriber_is_logged_and_stops_nobody(
        self, bus: MockTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        sink = Sink()

        def broken(topic: str, payload: bytes) -> None:
            raise LookupError("s3cr3t-detail")

        bus.subscribe("t", broken)
        bus.subscribe("t", sink.take)
        bus.publish("t", b"1")
        assert sink.got == [("t", b"1")]
        (record,) = caplog.records
        assert record.name == "choreo_bdd.transports.mock"
        assert record.levelname == "WARNING"
        assert record.getMessage() == "mock_transport_subscriber_failed"
        assert record.__dict__["topic"] == "t"
        assert "s3cr3t" not in caplog.text

    @pytest.mark.parametrize("raised", [pytest.fail.Exception("no"), asyncio.CancelledError(), GeneratorExit()])
    async def test_a_subscriber_that_raises_no_exception_stops_nobody_either(
        self, bus: MockTransport, caplog: pytest.LogCaptureFixture, raised: BaseException
    ) -> None:
        sink = Sink()
        bus.subscribe("t", raising(raised))
        bus.subscribe("t", sink.take)
        bus.publish("t", b"1")
        assert sink.got == [("t", b"1")]
        assert caplog.records[0].__dict__["error_class"] == type(raised).__name__

    @pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit(3)])
    async def test_a_subscriber_may_end_the_run(self, bus: MockTransport, raised: BaseException) -> None:
        bus.subscribe("t", raising(raised))
        with pytest.raises(type(raised)):
            bus.publish("t", b"1")

    async def test_another_thread_may_publish_and_delivery_stays_on_the_loop(self, bus: MockTransport) -> None:
        done: asyncio.Future[tuple[bytes, int]] = asyncio.get_running_loop().create_future()
        bus.subscribe("t", lambda topic, payload: done.set_result((payload, threading.get_ident())))
        thread = threading.Thread(target=bus.publish, args=("t", b"from outside"))
        thread.start()
        assert await done == (b"from outside", threading.get_ident())
        thread.join()

    async def test_whole_messages_carry_headers_key_and_arrival_time(self, bus: MockTransport) -> None:
        whole, plain = Whole(), Sink()
        bus.subscribe("t", whole)
        bus.subscribe("t", plain.take)
        await asyncio.sleep(5)
        bus.publish("t", b"1", headers={"h": "v"}, key="K1")
        (message,) = whole.got
        assert (message.topic, message.payload, message.headers, message.key) == ("t", b"1", {"h": "v"}, "K1")
        assert message.received_at == asyncio.get_running_loop().time()
        assert plain.got == [("t", b"1")]

    async def test_a_message_shows_neither_payload_nor_headers_nor_key(self) -> None:
        message = Message("t", b"s3cr3t", headers={"h": "s3cr3t"}, key="s3cr3t")
        assert "s3cr3t" not in repr(message)

    async def test_sent_is_a_copy_of_everything_published(self, bus: MockTransport) -> None:
        bus.publish("t", b"1")
        bus.publish("nobody.listens", b"2")
        sent = bus.sent()
        assert sent == [("t", b"1"), ("nobody.listens", b"2")]
        sent.clear()
        assert len(bus.sent()) == 2

    async def test_its_memory_is_bounded(self, bus: MockTransport) -> None:
        for number in range(10_005):
            bus.publish("t", str(number).encode())
        assert len(bus.sent()) == 10_000
        assert bus.sent()[0] == ("t", b"5")


class TestTopics:
    @pytest.mark.parametrize(
        ("pattern", "topic", "heard"),
        [
            ("orders.placed", "orders.placed", True),
            ("orders.placed", "orders.placed.eu", False),
            ("orders.*", "orders.placed", True),
            ("orders.*", "orders.placed.eu", False),
            ("orders.*", "orders", False),
            ("*.placed", "orders.placed", True),
            ("orders.*.eu", "orders.placed.eu", True),
            ("orders.>", "orders.placed.eu", True),
            ("orders.>", "orders.placed", True),
            ("orders.>", "orders", False),
            (">", "anything.at.all", True),
            ("or*", "orders", False),
            ("a+b", "aab", False),
        ],
    )
    async def test_a_pattern_hears(self, bus: MockTransport, pattern: str, topic: str, heard: bool) -> None:
        sink = Sink()
        bus.subscribe(pattern, sink.take)
        bus.publish(topic, b"")
        assert [name for name, _ in sink.got] == ([topic] if heard else [])

    async def test_an_expectation_on_a_pattern_knows_the_topic_that_spoke(self, harness: Harness) -> None:
        async with harness.scenario("pattern") as s:
            handle = s.expect("orders.*", eq(1))
            s.publish("orders.placed.eu", 1).publish("orders.placed", 1)
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert handle.topic == "orders.*"
        assert handle.messages[0].topic == "orders.placed"


class TestEveryTransport:
    """What each backend must show, on the memory bus."""

    async def test_two_harnesses_on_one_bus_both_get_a_message(self, bus: MockTransport) -> None:
        harnesses = [Harness(bus), Harness(bus)]
        for harness in harnesses:
            await harness.connect()
        async with harnesses[0].scenario("one") as one, harnesses[1].scenario("two") as two:
            handles = [s.expect("t", eq(1)) for s in (one, two)]
            one.publish("t", 1)
            two.publish("x", 1)
            for s in (one, two):
                await s.await_all(timeout_ms=10)
        assert [handle.outcome for handle in handles] == [Outcome.PASS, Outcome.PASS]

    async def test_two_publishes_leave_one_of_three_expectations_unmet(self, routed: Harness) -> None:
        async with routed.scenario("three") as s:
            for topic in ("a", "b", "c"):
                s.expect(topic, exists())
            s.publish("a", {}).publish("c", {})
            result = await s.await_all(timeout_ms=100)
        assert [handle.topic for handle in result.failing_handles] == ["b"]

    async def test_a_large_payload_stays_intact(self, routed: Harness) -> None:
        text = "x" * 65_536
        async with routed.scenario("large") as s:
            handle = s.expect("t", field_equals("text", text))
            s.publish("t", {"text": text})
            await s.await_all(timeout_ms=10)
        assert handle.message["text"] == text
        assert handle.messages[0].size > 65_536

    async def test_ten_scopes_in_a_row_leave_nothing(self, routed: Harness) -> None:
        for number in range(10):
            async with routed.scenario(f"s{number}") as s:
                s.on("ask").publish("answer", {})
                s.expect("answer", exists())
                s.publish("ask", {})
                assert (await s.await_all(timeout_ms=10)).passed
            assert routed.active_subscription_count() == 0

    async def test_a_new_harness_after_disconnect_works(self, bus: MockTransport) -> None:
        for _ in range(2):
            harness = Harness(bus, correlation=DictFieldPolicy())
            await harness.connect()
            async with harness.scenario("fresh") as s:
                s.expect("t", exists())
                s.publish("t", {})
                assert (await s.await_all(timeout_ms=10)).passed
            await harness.disconnect()

    async def test_a_rapid_burst_keeps_its_order(self, harness: Harness) -> None:
        got: list[Any] = []
        harness.subscribe("t", lambda topic, payload: got.append(int(payload)))
        for number in range(500):
            harness.publish("t", number)
        assert got == list(range(500))

"""A harness: lifecycle, facade, safety."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
from collections.abc import Callable
from typing import ClassVar

import pytest

from choreo_bdd import DictFieldPolicy, Harness, NoCorrelationPolicy
from choreo_bdd.codecs import JSONCodec, RawCodec
from choreo_bdd.matchers import eq
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import FaultyTransport, PlainTransport


class TestLifecycle:
    async def test_it_is_born_disconnected_and_leaves_the_transport_alone(self) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        assert not harness.is_connected()
        assert transport.calls == []

    async def test_connecting_again_does_not_enter_the_transport_twice(self) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        await harness.connect()
        await harness.connect()
        assert harness.is_connected()
        assert transport.calls == ["connect"]

    async def test_connecting_twice_at_once_enters_the_transport_once(self) -> None:
        class Slow(FaultyTransport):
            async def connect(self) -> None:
                await asyncio.sleep(1)
                await super().connect()

        transport = Slow()
        harness = Harness(transport)
        await asyncio.gather(harness.connect(), harness.connect(), harness.connect())
        assert transport.calls == ["connect"]

    async def test_a_failing_connect_passes_through_and_leaves_it_disconnected(self) -> None:
        transport = FaultyTransport("connect")
        harness = Harness(transport)
        with pytest.raises(RuntimeError, match="connect s3cr3t-detail"):
            await harness.connect()
        assert not harness.is_connected()
        transport.faults.clear()
        await harness.connect()
        assert harness.is_connected()

    async def test_disconnecting_while_disconnected_does_nothing(self) -> None:
        transport = FaultyTransport()
        await Harness(transport).disconnect()
        assert transport.calls == []

    async def test_disconnect_forgets_subscriptions_and_connecting_again_works(self) -> None:
        harness = Harness(MockTransport())
        await harness.connect()
        harness.subscribe("t", lambda topic, payload: None)
        assert harness.active_subscription_count() == 1
        await harness.disconnect()
        assert not harness.is_connected()
        assert harness.active_subscription_count() == 0
        await harness.connect()
        async with harness.scenario("again") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            assert (await s.await_all(timeout_ms=10)).passed

    async def test_a_failing_disconnect_still_clears_up_and_propagates(self) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        await harness.connect()
        harness.subscribe("t", lambda topic, payload: None)
        transport.faults.add("disconnect")
        with pytest.raises(RuntimeError, match="disconnect"):
            await harness.disconnect()
        assert not harness.is_connected()
        assert harness.active_subscription_count() == 0
        await harness.disconnect()  # a no-op now
        assert transport.calls.count("disconnect") == 1
        with pytest.raises(RuntimeError, match="not connected"):
            harness.publish("t", {})

    async def test_a_failure_to_clear_subscriptions_is_swallowed(self) -> None:
        transport = FaultyTransport("clear_subscriptions")
        harness = Harness(transport)
        await harness.connect()
        await harness.disconnect()
        assert not harness.is_connected()
        assert transport.calls[-1] == "clear_subscriptions"

    async def test_force_disconnect_goes_through_all_steps_even_if_never_connected(self) -> None:
        transport = FaultyTransport()
        await Harness(transport).force_disconnect()
        assert transport.calls == ["disconnect", "clear_subscriptions"]

    async def test_force_disconnect_propagates_after_the_state_has_changed(self) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        await harness.connect()
        transport.faults.add("disconnect")
        with pytest.raises(RuntimeError, match="disconnect"):
            await harness.force_disconnect()
        assert not harness.is_connected()


class TestNoCorrelationWarning:
    async def test_a_real_transport_without_correlation_is_warned_about_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class OwnNoPolicy(NoCorrelationPolicy):
            """A subclass counts too."""

        for policy in (None, NoCorrelationPolicy(), OwnNoPolicy()):
            caplog.clear()
            await Harness(PlainTransport(), correlation=policy).connect()
            (record,) = caplog.records
            assert (record.name, record.levelno) == ("choreo_bdd.harness", logging.WARNING)
            assert "correlator_noop_against_real_transport" in record.getMessage()
            assert "PlainTransport" in record.getMessage()

    async def test_the_memory_bus_and_a_routing_policy_are_not(self, caplog: pytest.LogCaptureFixture) -> None:
        await Harness(MockTransport()).connect()
        await Harness(PlainTransport(), correlation=DictFieldPolicy()).connect()
        assert caplog.records == []

    async def test_a_failed_connect_does_not_warn(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(RuntimeError):
            await Harness(FaultyTransport("connect")).connect()
        assert caplog.records == []


class TestFacade:
    def test_defaults_are_json_and_no_correlation(self) -> None:
        harness = Harness(MockTransport())
        assert isinstance(harness.codec, JSONCodec)
        assert isinstance(harness.correlation, NoCorrelationPolicy)
        assert harness.transport_name == "MockTransport"

    @pytest.mark.parametrize("name", ["transport_name", "codec", "correlation"])
    def test_what_it_is_made_of_cannot_be_swapped(self, name: str) -> None:
        with pytest.raises(AttributeError):
            setattr(Harness(MockTransport()), name, None)

    @pytest.mark.parametrize("payload", [b"\x00raw", bytearray(b"\x00raw"), memoryview(b"\x00raw")])
    async def test_bytes_go_out_without_the_codec(
        self, harness: Harness, transport: MockTransport, payload: bytes
    ) -> None:
        harness.publish("t", payload)
        assert transport.sent() == [("t", b"\x00raw")]

    async def test_everything_else_goes_through_the_codec(self, harness: Harness, transport: MockTransport) -> None:
        harness.publish("t", {"a": [1, None]})
        assert transport.sent() == [("t", b'{"a":[1,null]}')]

    async def test_what_the_codec_refuses_is_not_sent(self, transport: MockTransport) -> None:
        harness = Harness(transport, codec=RawCodec())
        await harness.connect()
        with pytest.raises(TypeError):
            harness.publish("t", {"a": 1})
        assert transport.sent() == []

    async def test_on_sent_reaches_the_transport(self, harness: Harness) -> None:
        sent: list[str] = []
        harness.publish("t", 1, on_sent=lambda: sent.append("sent"))
        assert sent == ["sent"]

    async def test_raw_subscriptions_come_and_go(self, harness: Harness) -> None:
        got: list[tuple[str, bytes]] = []

        def take(topic: str, payload: bytes) -> None:
            got.append((topic, payload))

        harness.subscribe("t", take)
        harness.publish("t", b"1")
        harness.unsubscribe("t", take)
        harness.publish("t", b"2")
        assert got == [("t", b"1")]

    @pytest.mark.parametrize("member", ["publish", "subscribe"])
    def test_it_refuses_work_while_disconnected(self, member: str) -> None:
        with pytest.raises(RuntimeError, match="not connected"):
            getattr(Harness(MockTransport()), member)("t", lambda topic, payload: None)

    def test_unsubscribing_needs_no_connection(self) -> None:
        Harness(MockTransport()).unsubscribe("t", lambda topic, payload: None)

    async def test_two_harnesses_over_one_transport_see_each_others_messages(self, transport: MockTransport) -> None:
        one, two = Harness(transport), Harness(transport)
        await one.connect()
        await two.connect()
        async with one.scenario("listening") as s:
            handle = s.expect("t", eq("from two"))
            two.publish("t", "from two")
            assert handle.was_fulfilled()
            s.publish("other", {})
            await s.await_all(timeout_ms=1)


class TestSafety:
    async def test_repr_shows_the_transport_class_and_the_flag_only(self) -> None:
        class Talkative(MockTransport):
            def __repr__(self) -> str:
                return "amqp://user:s3cr3t@host"

        harness = Harness(Talkative())
        assert "Talkative" in repr(harness)
        assert "False" in repr(harness)
        await harness.connect()
        assert "True" in repr(harness)
        assert "s3cr3t" not in repr(harness)

    def test_it_cannot_be_pickled_or_copied(self) -> None:
        harness = Harness(MockTransport())
        with pytest.raises(TypeError, match=r"Harness.*cannot be pickled"):
            pickle.dumps(harness)
        with pytest.raises(TypeError, match=r"Harness.*cannot be pickled"):
            copy.copy(harness)


class TestThirdPartyTransport:
    """Seven methods, a callback of topic and bytes, nothing awaitable."""

    async def test_it_runs_a_whole_scenario_with_a_reply(self) -> None:
        transport = PlainTransport()
        harness = Harness(transport, correlation=DictFieldPolicy())
        await harness.connect()
        async with harness.scenario("plain") as s:
            s.on("ask").publish("answer", lambda asked: {"echo": asked["word"]})
            handle = s.expect("answer", eq({"echo": "hi", "correlation_id": s.correlation_id}))
            await s.ready()
            s.publish("ask", {"word": "hi"})
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert handle.was_fulfilled()
        assert [topic for topic, _ in transport.wire] == ["ask", "answer"]
        assert transport.active_subscription_count() == 0

    async def test_a_subscribe_that_is_a_coroutine_is_awaited_before_publishing(self) -> None:
        class Awaitable(PlainTransport):
            def subscribe(self, topic, callback):  # type: ignore[no-untyped-def] # a coroutine where others return None
                async def establish() -> None:
                    await asyncio.sleep(2)
                    PlainTransport.subscribe(self, topic, callback)

                return establish()

        harness = Harness(Awaitable(), correlation=DictFieldPolicy())
        await harness.connect()
        async with harness.scenario("awaitable") as s:
            s.expect("t", eq({"correlation_id": s.correlation_id}))
            s.publish("t", {})
            assert (await s.await_all(timeout_ms=5000)).passed

    async def test_a_subscribe_that_returns_something_of_its_own_is_taken_as_done(self) -> None:
        class Numbering(PlainTransport):
            def subscribe(self, topic, callback):  # type: ignore[no-untyped-def] # returns a subscription number
                super().subscribe(topic, callback)
                return 7

        harness = Harness(Numbering(), correlation=DictFieldPolicy())
        await harness.connect()
        async with harness.scenario("numbering") as s:
            s.expect("t", eq({"correlation_id": s.correlation_id}))
            s.publish("t", {})
            assert (await s.await_all(timeout_ms=10)).passed


async def test_scenarios_that_begin_at_once_heal_a_lost_connection_once() -> None:
    class Losing(MockTransport):
        lost: str | None = None
        calls: ClassVar[list[str]] = []

        def on_lost(self, listener: object) -> None: ...

        async def connect(self) -> None:
            await asyncio.sleep(0.01)
            self.calls.append("connect")
            self.lost = None
            await super().connect()

        async def disconnect(self) -> None:
            self.calls.append("disconnect")
            await asyncio.sleep(0.01)
            await super().disconnect()

    transport = Losing()
    harness = Harness(transport)
    await harness.connect()
    transport.lost = "the broker went away"
    transport.calls.clear()
    await asyncio.gather(harness.heal(), harness.heal(), harness.heal())
    assert transport.calls == ["disconnect", "connect"]
    assert harness.is_healthy()


async def test_a_scenario_told_of_a_loss_keeps_that_cause_when_another_one_heals_the_connection() -> None:
    class Losing(MockTransport):
        lost: str | None = None
        listeners: ClassVar[list[Callable[[str], None]]] = []

        def on_lost(self, listener: Callable[[str], None]) -> None:
            self.listeners.append(listener)

        async def connect(self) -> None:
            self.lost = None
            await super().connect()

    transport = Losing()
    harness = Harness(transport)
    await harness.connect()
    async with harness.scenario("cut off") as s:
        handle = s.expect("t", eq(1))
        s.publish("elsewhere", 1)
        transport.lost = "the broker went away"
        transport.listeners[0](transport.lost)
        await harness.heal()
        result = await s.await_all(timeout_ms=1000)
    assert [failure.reason for failure in result.transport_failures] == ["the broker went away"]
    assert handle.diagnosis is not None
    assert "the broker went away" in handle.diagnosis.text

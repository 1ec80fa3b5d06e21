"""Readiness is a promise, sending is an event (design §3 decisions 4 to 6; W4, W26)."""

from __future__ import annotations

import asyncio
import logging

import pytest

from choreo_bdd import Harness, Outcome, ScopeOptions
from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.matchers import eq, exists
from choreo_bdd.scenario import Cause
from choreo_bdd.transports.abilities import Asking
from choreo_bdd.transports.base import Dated, OnSent
from tests.support.engine_doubles import BrokerLike, PlainTransport, breaking


@pytest.fixture
def broker() -> BrokerLike:
    return BrokerLike()


@pytest.fixture
async def over_broker(broker: BrokerLike) -> Harness:
    harness = Harness(broker)
    await harness.connect()
    return harness


class TestArming:
    async def test_nothing_is_sent_before_every_subscription_of_the_scope_is_proven(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("arming") as s:
            s.expect("a", eq(1))
            s.on("b").publish("c", {})
            s.publish("a", 1)
            await asyncio.sleep(1)
            broker.confirm("a")
            await asyncio.sleep(1)
            assert broker.leaving == {}
            broker.confirm("b")
            await asyncio.sleep(0.001)
            assert list(broker.leaving) == ["a"]
            broker.let_go("a")
            assert (await s.await_all(timeout_ms=10)).passed

    async def test_publishes_leave_in_the_order_they_were_called(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("order") as s:
            s.expect("a", exists())
            for topic in ("third", "first", "second"):
                s.publish(topic, {})
            broker.confirm("a")
            await s.ready()
            s.publish("last", {})
            await asyncio.sleep(0.001)
            assert list(broker.leaving) == ["third", "first", "second", "last"]
            await s.await_all(timeout_ms=1)

    async def test_a_strangers_arming_holds_nobody_up(self, over_broker: Harness, broker: BrokerLike) -> None:
        async with over_broker.scenario("stuck") as stuck, over_broker.scenario("free") as free:
            stuck.expect("never.confirmed", exists())
            free.expect("a", exists())
            broker.confirm("a")
            free.publish("a", {})
            assert list(broker.leaving) == ["a"]
            broker.let_go("a")
            assert (await free.await_all(timeout_ms=10)).passed
            stuck.publish("x", {})
            await stuck.await_all(timeout_ms=1)

    async def test_ready_may_be_awaited_by_anyone_and_as_often_as_wanted(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("several") as s:
            s.expect("a", eq(1))
            s.expect("b", eq(1))
            s.publish("a", 1)
            broker.confirm_after("a", 1)
            broker.confirm_after("b", 2)
            began = asyncio.get_running_loop().time()
            await asyncio.gather(s.ready(), s.ready())
            assert asyncio.get_running_loop().time() - began == pytest.approx(2.0)
            await s.ready()
            await asyncio.sleep(0.001)
            assert list(broker.leaving) == ["a"]
            broker.let_go("a")
            result = await s.await_all(timeout_ms=10)
        assert result.transport_failures == ()

    async def test_what_is_armed_while_others_are_being_proven_is_waited_for_too(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("meanwhile") as s:
            s.expect("a", exists())
            waiting = asyncio.create_task(s.ready())
            await asyncio.sleep(1)
            s.expect("b", exists())
            broker.confirm("a")
            await waiting
            s.publish("a", {})
            await asyncio.sleep(1)
            assert broker.leaving == {}
            broker.confirm("b")
            await asyncio.sleep(0.001)
            assert list(broker.leaving) == ["a"]
            await s.await_all(timeout_ms=1)

    async def test_a_topic_that_is_live_already_needs_no_new_proof(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("first") as first:
            first.expect("a", exists())
            broker.confirm("a")
            async with over_broker.scenario("second") as second:
                second.expect("a", exists())
                second.publish("x", {})
                assert list(broker.leaving) == ["x"]
                await second.await_all(timeout_ms=1)
            first.publish("y", {})
            await first.await_all(timeout_ms=1)


class TestRefusal:
    async def test_ready_names_transport_topic_and_reason(self, over_broker: Harness, broker: BrokerLike) -> None:
        async with over_broker.scenario("refused") as s:
            s.expect("secret.topic", exists())
            broker.refuse("secret.topic", "permissions violation")
            with pytest.raises(SubscriptionFailed) as caught:
                await s.ready()
            assert (caught.value.transport, caught.value.topic) == ("BrokerLike", "secret.topic")
            assert caught.value.reason == "permissions violation"
            s.publish("x", {})
            await s.await_all(timeout_ms=1)

    async def test_what_was_to_be_published_is_not_sent_and_the_result_says_why(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("refused") as s:
            handle = s.expect("a", exists())
            s.publish("x", {})
            broker.refuse("a", "permissions violation")
            result = await s.await_all(timeout_ms=100)
        assert broker.leaving == {}
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "permissions violation" in handle.diagnosis.sentence
        assert [(each.topic, "permissions violation" in each.reason) for each in result.transport_failures] == [
            ("x", True)
        ]
        assert "permissions violation" in result.failure_summary()
        assert "published" not in [entry.action.value for entry in result.timeline]

    async def test_a_subscription_that_is_removed_meanwhile_says_so(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("removed") as s:
            handle = s.expect("a", exists())
            s.publish("x", {})
            broker.arming["a"].cancel()
            with pytest.raises(SubscriptionFailed, match="removed before it was confirmed"):
                await s.ready()
            await s.await_all(timeout_ms=100)
        assert handle.diagnosis is not None
        assert "the subscription was removed" in handle.diagnosis.sentence

    async def test_who_leaves_because_of_it_finds_it_at_every_check(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        with pytest.raises(SubscriptionFailed):
            async with over_broker.scenario("refused") as s:
                refused, beside = s.expect("a", exists()), s.expect("b", exists())
                broker.refuse("a", "permissions violation")
                broker.confirm("b")
                await s.ready()
        for handle in (refused, beside):
            assert handle.outcome is Outcome.TIMEOUT
            assert handle.reason.startswith("aborted: SubscriptionFailed; transport failed: ")
            assert handle.diagnosis is not None
            assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
            assert "'a' live: permissions violation" in handle.diagnosis.sentence

    @pytest.mark.parametrize("is_confirmed_at_last", [False, True])
    async def test_who_leaves_a_silent_broker_finds_that_at_every_check(
        self, over_broker: Harness, broker: BrokerLike, *, is_confirmed_at_last: bool
    ) -> None:
        with pytest.raises(SubscriptionFailed):
            async with over_broker.scenario("silent", options=ScopeOptions(arm_timeout_s=3)) as s:
                handle = s.expect("a", exists())
                try:
                    await s.ready()
                finally:
                    if is_confirmed_at_last:
                        broker.confirm("a")
        assert handle.diagnosis is not None
        wanted = Cause.ABORTED if is_confirmed_at_last else Cause.TRANSPORT_FAILED
        assert handle.diagnosis.cause is wanted
        assert ("not confirmed within 3 s" in handle.diagnosis.sentence) is not is_confirmed_at_last

    async def test_who_leaves_because_of_a_message_not_sent_finds_that_at_every_check(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        with pytest.raises(LookupError):
            async with over_broker.scenario("unsent") as s:
                handle = s.expect("a", exists())
                broker.confirm("a")
                await s.ready()
                s.publish("x", {})
                broker.lose("x", "permissions violation")
                await asyncio.sleep(0)
                raise LookupError
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "could not publish to 'x': permissions violation" in handle.diagnosis.sentence

    async def test_no_answer_at_all_ends_after_the_arming_time(self, over_broker: Harness) -> None:
        loop = asyncio.get_running_loop()
        async with over_broker.scenario("silent broker", options=ScopeOptions(arm_timeout_s=3)) as s:
            s.expect("a", exists())
            began = loop.time()
            with pytest.raises(SubscriptionFailed, match="not confirmed within 3 s"):
                await s.ready()
            assert loop.time() - began == pytest.approx(3.0)
            s.publish("x", {})
            await s.await_all(timeout_ms=1)

    async def test_a_refused_topic_can_be_tried_again_by_the_next_scenario(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("refused") as first:
            first.expect("a", exists())
            broker.refuse("a", "not yet")
            async with over_broker.scenario("again") as second:
                second.expect("a", exists())
                broker.confirm("a")
                await second.ready()
                second.publish("a", {})
                broker.let_go("a")
                assert (await second.await_all(timeout_ms=10)).passed
            first.publish("x", {})
            await first.await_all(timeout_ms=1)
        assert over_broker.active_subscription_count() == 0

    async def test_leaving_before_the_confirmation_hangs_nobody(self, over_broker: Harness, broker: BrokerLike) -> None:
        async with breaking(over_broker.scenario("raises at once")) as s:
            s.expect("a", exists())
            s.publish("x", {})
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.sleep(0.001)
        assert all(task.done() for task in tasks)
        assert broker.leaving == {}
        assert over_broker.active_subscription_count() == 0
        async with over_broker.scenario("next") as s:
            s.expect("a", eq(1))
            broker.confirm("a")
            s.publish("a", 1)
            broker.let_go("a")
            assert (await s.await_all(timeout_ms=10)).passed

    async def test_a_message_still_waiting_at_the_deadline_is_not_called_silence(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("slow broker") as s:
            handle = s.expect("a", exists())
            s.publish("the.trigger", {})
            await s.await_all(timeout_ms=500)
            broker.confirm("a")  # too late to make the reason untrue
            await asyncio.sleep(0.001)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "'the.trigger' has not been sent yet" in handle.diagnosis.sentence
        assert "the.trigger" in handle.reason


class TestSending:
    async def test_a_latency_counts_from_when_the_message_left_not_from_when_that_was_told(self) -> None:
        class Late(PlainTransport):
            """Tells 40 ms after its messages have left; the answer comes 10 ms after that."""

            def publish(self, topic: str, payload: bytes, *, on_sent: OnSent | None = None) -> None:
                loop = asyncio.get_running_loop()
                assert isinstance(on_sent, Dated)
                on_sent.leaving(loop.time())
                loop.call_later(0.04, on_sent)
                loop.call_later(0.05, lambda: [answer("answer", b"1") for _, answer in self.callbacks])

        harness = Harness(Late())
        await harness.connect()
        async with harness.scenario("late", options=ScopeOptions(latency_from="publish")) as s:
            handle = s.expect("answer", eq(1))
            await s.ready()
            s.publish("question", 1)
            (await s.await_all(timeout_ms=1000)).assert_passed()
        assert handle.latency_ms == pytest.approx(50)
        await harness.disconnect()

    async def test_published_is_recorded_when_the_message_leaves_not_when_it_is_queued(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("queued", options=ScopeOptions(keep_timeline=True)) as s:
            s.expect("a", eq(1))
            broker.confirm("a")
            await s.ready()
            s.publish("a", 1)
            await asyncio.sleep(2)
            broker.let_go("a")
            result = await s.await_all(timeout_ms=10)
        assert [(entry.action.value, round(entry.offset_ms)) for entry in result.timeline] == [
            ("published", 2000),
            ("received", 2000),
            ("matched", 2000),
        ]

    async def test_a_failed_send_is_a_finding_and_never_shows_as_published(
        self, over_broker: Harness, broker: BrokerLike
    ) -> None:
        async with over_broker.scenario("lost") as s:
            handle = s.expect("a", eq(1))
            broker.confirm("a")
            await s.ready()
            s.publish("a", 1)
            broker.lose("a", "the connection went away")
            result = await s.await_all(timeout_ms=100)
        assert [entry.action.value for entry in result.timeline] == ["deadline"]
        (failure,) = result.transport_failures
        assert failure.topic == "a"
        assert "the connection went away" in failure.reason
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED

    async def test_what_never_left_is_given_up_with_the_scope_without_noise(
        self, over_broker: Harness, broker: BrokerLike, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with over_broker.scenario("given up") as s:
            s.expect("a", eq(1))
            s.publish("a", 1)
            await s.await_all(timeout_ms=10)
        await asyncio.sleep(60)
        assert broker.leaving == {}
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_request_that_reached_nobody_ends_what_waits_for_its_answer_and_no_absence(
    over_broker: Harness, broker: BrokerLike
) -> None:
    async with over_broker.scenario("asking") as s:
        answer, absence = s.expect("inbox", exists()), s.expect_none("inbox")
        broker.confirm("inbox")
        await s.ready()
        s.publish("question", {})
        await asyncio.sleep(0.001)
        broker.let_go("question")
        [(_, callback)] = broker.callbacks
        assert isinstance(callback, Asking)
        callback.unanswered("question")
        outcomes = answer.outcome, absence.outcome
        await s.await_all(timeout_ms=100)
    assert outcomes == (Outcome.TIMEOUT, Outcome.PENDING)
    assert absence.outcome is Outcome.PASS

"""What a scenario lets its author do when."""

from __future__ import annotations

import asyncio
import logging

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Outcome
from choreo_bdd.matchers import eq, field_equals
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import FaultyTransport, Reported


class TestBuilder:
    async def test_neither_publish_nor_await_all_is_there_before_anything_is_expected(self, harness: Harness) -> None:
        async with harness.scenario("builder") as s:
            assert not hasattr(s, "publish")
            assert not hasattr(s, "await_all")
            assert not hasattr(s, "next_phase")
            for member in ("publish", "await_all"):
                with pytest.raises(AttributeError) as caught:
                    getattr(s, member)
                text = str(caught.value)
                assert all(part in text for part in ("Scenario", "builder", repr(member), "first"))

    async def test_on_opens_the_way_to_publish(self, harness: Harness) -> None:
        async with harness.scenario("only a reply") as s:
            s.on("ask").publish("answer", {})
            s.publish("ask", {})
            assert (await s.await_all(timeout_ms=10)).passed


class TestExpecting:
    async def test_await_all_is_not_there_before_something_is_published(self, harness: Harness) -> None:
        async with harness.scenario("expecting") as s:
            s.expect("t", eq(1))
            assert hasattr(s, "publish")
            with pytest.raises(AttributeError, match=r"'expecting'.*'await_all'.*publish something first"):
                _ = s.await_all
            s.publish("t", 1)
            await s.await_all(timeout_ms=10)

    async def test_a_publish_that_raises_changes_nothing(self) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("failing publish") as s:
            s.expect("t", eq(1))
            transport.faults.add("publish")
            with pytest.raises(RuntimeError, match="publish"):
                s.publish("t", 1)
            with pytest.raises(TypeError):
                s.publish("t", object())
            assert not hasattr(s, "await_all")
            s.expect("other", eq(2))  # still allowed
            transport.faults.clear()
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=10)
        assert [entry.action.value for entry in result.timeline].count("published") == 1


class TestTriggered:
    async def test_nothing_can_be_armed_after_the_first_publish(self, harness: Harness) -> None:
        async with harness.scenario("triggered") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            with pytest.raises(AttributeError, match=r"Scenario.*'triggered'.*'expect'.*next_phase"):
                s.expect("u", eq(1))
            with pytest.raises(AttributeError, match=r"Scenario.*'triggered'.*'on'"):
                s.on("u")
            await s.await_all(timeout_ms=10)

    async def test_publishing_goes_on_and_returns_the_same_scenario(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        async with harness.scenario("many") as s:
            s.expect("t", eq(3))
            assert s.publish("t", 1) is s
            assert s.publish("t", 2).publish("t", 3) is s
            assert (await s.await_all(timeout_ms=10)).passed
        assert [data for _, data in transport.sent()] == [b"1", b"2", b"3"]


class TestDisconnected:
    async def test_expect_stores_nothing(self) -> None:
        harness = Harness(MockTransport())
        async with harness.scenario("too early") as s:
            with pytest.raises(RuntimeError, match="not connected"):
                s.expect("t", eq(1))
            assert not hasattr(s, "publish")
            await harness.connect()
            s.expect("u", eq(2))
            s.publish("u", 2)
            result = await s.await_all(timeout_ms=10)
        assert [handle.topic for handle in result.handles] == ["u"]
        assert result.passed

    async def test_a_subscribe_that_fails_stores_nothing_either(self) -> None:
        transport = FaultyTransport("subscribe")
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("refused") as s:
            with pytest.raises(RuntimeError, match="subscribe"):
                s.expect("t", eq(1))
            with pytest.raises(RuntimeError, match="subscribe"):
                s.on("t").publish("u", {})
            transport.faults.clear()
            handle = s.expect("t", eq(1))
            s.publish("t", 1)
            began = asyncio.get_running_loop().time()
            result = await s.await_all(timeout_ms=10_000)
            assert asyncio.get_running_loop().time() == began  # nobody waits for the one that was never armed
        assert result.handles == (handle,)
        assert result.replies == ()

    async def test_entering_needs_no_connection(self) -> None:
        harness = Harness(MockTransport(), correlation=DictFieldPolicy())
        async with harness.scenario("unconnected") as s:
            assert s.correlation_id is not None


class TestAwaitingAgain:
    async def test_a_second_await_all_returns_the_first_result_and_reports_nothing(
        self, harness: Harness, reported: list[Reported]
    ) -> None:
        async with harness.scenario("twice") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            first = await s.await_all(timeout_ms=10)
            s.publish("t", 2)  # publishing is still allowed, and changes nothing any more
            assert await s.await_all(timeout_ms=10) is first
        assert [each.result for each in reported] == [first]

    async def test_two_at_once_give_one_result_and_one_report(self, harness: Harness, reported: list[Reported]) -> None:
        async with harness.scenario("at once") as s:
            s.expect("t", eq(1))
            s.publish("elsewhere", 1)
            one, other = await asyncio.gather(s.await_all(timeout_ms=10), s.await_all(timeout_ms=20))
        assert one is other
        assert len(reported) == 1

    async def test_a_phase_after_the_result_is_refused_instead_of_ignored(self, harness: Harness) -> None:
        async with harness.scenario("too late") as s:
            s.expect("t", eq(1))
            s.publish("t", 1)
            await s.await_all(timeout_ms=10)
            with pytest.raises(AttributeError, match="before await_all"):
                s.next_phase()


class TestChains:
    async def test_a_chain_cannot_be_completed_after_the_trigger(self, harness: Harness) -> None:
        async with harness.scenario("late chain") as s:
            s.expect("t", eq(1))
            chain = s.on("ask")
            s.publish("t", 1)
            with pytest.raises(AttributeError, match="'triggered'"):
                chain.publish("answer", {})
            result = await s.await_all(timeout_ms=10)
        assert result.replies == ()

    async def test_a_dangling_chain_is_warned_about_by_its_topic(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with harness.scenario("dangling") as s:
            s.on("forgotten.topic")
            s.on("completed.topic").publish("answer", {})
            s.publish("completed.topic", {})
            await s.await_all(timeout_ms=10)
        texts = [record.getMessage() for record in caplog.records]
        assert [text for text in texts if "forgotten.topic" in text and "never completed" in text] == texts


class TestEnded:
    async def test_members_say_that_the_block_has_been_left_and_handles_stay_readable(self, harness: Harness) -> None:
        async with harness.scenario("over") as s:
            handle = s.expect("t", field_equals("a", 1))
            s.publish("t", {"a": 1})
            await s.await_all(timeout_ms=10)
        assert (handle.outcome, handle.message) == (Outcome.PASS, {"a": 1})
        for use in (lambda: s.expect("t", eq(1)), lambda: s.publish("t", 1), lambda: s.await_all):
            with pytest.raises(AttributeError, match=r"'ended'.*has been left"):
                use()


class TestPhases:
    async def test_an_expectation_of_a_later_phase_does_not_see_earlier_messages(self, harness: Harness) -> None:
        async with harness.scenario("phases") as s:
            first = s.expect("t", eq("one"))
            s.publish("t", "one")
            await asyncio.sleep(1)
            s.next_phase()
            again = s.expect("t", eq("one"))
            two = s.expect("t", eq("two"))
            s.publish("t", "two")
            result = await s.await_all(timeout_ms=100)
        assert [each.outcome for each in (first, again, two)] == [Outcome.PASS, Outcome.FAIL, Outcome.PASS]
        assert again.attempts == 1  # "two" only
        assert [entry.offset_ms for entry in result.timeline if entry.action.value == "published"] == [
            pytest.approx(0.0),
            pytest.approx(1000.0),
        ]

    async def test_a_phase_begins_only_after_a_publish(self, harness: Harness) -> None:
        async with harness.scenario("too soon") as s:
            s.expect("t", eq(1))
            with pytest.raises(AttributeError, match=r"'next_phase'.*published"):
                s.next_phase()
            s.publish("t", 1).next_phase()
            with pytest.raises(AttributeError, match="'await_all'"):
                _ = s.await_all
            s.publish("t", 1)
            await s.await_all(timeout_ms=10)

    async def test_a_reply_armed_in_a_later_phase_answers_from_then_on(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with harness.scenario("reply in phase two") as s:
            s.expect("ask", eq(1))
            s.publish("ask", 1).next_phase()
            s.on("ask").publish("answer", "here")
            answer = s.expect("answer", eq("here"))
            s.publish("ask", 2)
            result = await s.await_all(timeout_ms=10)
        assert answer.was_fulfilled()
        assert result.reply_at("ask").candidate_count == 1
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

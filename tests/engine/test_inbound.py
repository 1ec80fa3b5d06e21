"""What happens to a message on its way in."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Handle, Harness, HeaderPolicy, Outcome
from choreo_bdd.matchers import eq, exists, field_equals
from choreo_bdd.message import Message
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BooleanMatcher, CountingCodec, RaisingMatcher, ScriptedPolicy


class TestLateMessages:
    async def test_they_change_neither_outcome_nor_counters(self, harness: Harness) -> None:
        async with harness.scenario("late") as s:
            matched = s.expect("t", field_equals("a", 1))
            never = s.expect("u", field_equals("a", 1))
            s.publish("t", {"a": 1})
            result = await s.await_all(timeout_ms=100)
            for topic in ("t", "u"):
                harness.publish(topic, {"a": 2})
                harness.publish(topic, {"a": 1})
        assert (matched.outcome, never.outcome) == (Outcome.PASS, Outcome.TIMEOUT)
        assert (matched.attempts, never.attempts) == (0, 0)
        assert matched.message == {"a": 1}
        assert never.message is None
        assert "received" not in [entry.action.value for entry in result.timeline if entry.topic == "u"]


class TestUndecodable:
    async def test_it_is_logged_by_class_recorded_and_otherwise_ignored(
        self, transport: MockTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        harness = Harness(transport, codec=CountingCodec())
        await harness.connect()
        raw: list[bytes] = []
        harness.subscribe("t", lambda topic, payload: raw.append(payload))
        async with harness.scenario("garbage") as s:
            handle = s.expect("t", eq(1))
            s.publish("t", b"\xff")
            result = await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.attempts == 0
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNDECODABLE
        assert raw == [b"\xff"]  # a sibling subscriber gets its copy
        (warning,) = [record for record in caplog.records if record.name == "choreo_bdd.scenario"]
        assert "UnicodeError" in warning.getMessage()
        assert "s3cr3t" not in warning.getMessage() + result.failure_summary()
        assert "undecodable (UnicodeError)" in [entry.detail for entry in result.timeline]

    async def test_a_readable_message_after_it_still_matches(self, transport: MockTransport) -> None:
        harness = Harness(transport, codec=CountingCodec())
        await harness.connect()
        async with harness.scenario("garbage first") as s:
            handle = s.expect("t", eq(1))
            s.publish("t", b"\xff").publish("t", 1)
            await s.await_all(timeout_ms=10)
        assert handle.was_fulfilled()


class TestUnreadableId:
    async def test_it_is_logged_with_policy_and_class_and_ignored(
        self, transport: MockTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        harness = Harness(transport, correlation=ScriptedPolicy({"read"}))
        await harness.connect()
        async with harness.scenario("unreadable id") as s:
            handle = s.expect("t", exists())
            s.publish("t", {"a": 1})  # reading fails on the way in only: publishing needs no reading
            await s.await_all(timeout_ms=10)
        assert handle.outcome is Outcome.TIMEOUT
        (warning,) = [record for record in caplog.records if record.name == "choreo_bdd.scenario"]
        assert "ScriptedPolicy" in warning.getMessage()
        assert "ArithmeticError" in warning.getMessage()
        assert "s3cr3t" not in warning.getMessage()

    async def test_an_id_that_cannot_be_looked_up_is_unreadable_too(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=ScriptedPolicy())
        await harness.connect()
        async with harness.scenario("odd id") as s:
            handle = s.expect("t", exists())
            harness.publish("t", {"cid": ["no", "text"]})
            s.publish("t", {})
            await s.await_all(timeout_ms=10)
        assert handle.was_fulfilled()


class TestCorrelation:
    async def test_a_foreign_message_is_dropped_without_a_trace_on_the_timeline(self, routed: Harness) -> None:
        async with routed.scenario("foreign") as s:
            handle = s.expect("t", exists())
            routed.publish("t", {"correlation_id": "somebody else's"})
            s.publish("start", {})
            result = await s.await_all(timeout_ms=10)
        assert (handle.outcome, handle.attempts) == (Outcome.TIMEOUT, 0)
        assert [entry.action.value for entry in result.timeline] == ["published", "deadline"]

    async def test_a_message_without_an_id_reaches_every_scope_by_default(self, routed: Harness) -> None:
        async with routed.scenario("one") as one, routed.scenario("two") as two:
            handles = [s.expect("t", field_equals("a", 1)) for s in (one, two)]
            routed.publish("t", {"a": 1})
            assert all(handle.was_fulfilled() for handle in handles)
            for s in (one, two):
                s.publish("done", {})
                await s.await_all(timeout_ms=10)

    async def test_under_a_strict_policy_it_reaches_none_and_is_a_surprise(self, strict: Harness) -> None:
        async with strict.scenario("one") as s:
            handle = s.expect("t", field_equals("a", 1))
            strict.publish("t", {"a": 1})
            s.publish("done", {})
            result = await s.await_all(timeout_ms=10)
        assert handle.outcome is Outcome.TIMEOUT
        assert [(each.topic, each.classification) for each in result.surprises] == [("t", "no_correlation_field")]

    async def test_a_strict_policy_reads_a_number_by_its_text(self, transport: MockTransport) -> None:
        policy = DictFieldPolicy(id_generator=lambda: "4711", strict=True)
        harness = Harness(transport, correlation=policy)
        await harness.connect()
        async with harness.scenario("numeric") as s:
            handle = s.expect("t", exists())
            harness.publish("t", {"correlation_id": 4711})
            assert handle.was_fulfilled()
            s.publish("done", {})
            await s.await_all(timeout_ms=10)

    async def test_a_number_counts_as_no_id_by_default(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=DictFieldPolicy(id_generator=lambda: "4711"))
        await harness.connect()
        async with harness.scenario("numeric") as s:
            handle = s.expect("t", exists())
            harness.publish("t", {"correlation_id": 1})
            assert handle.was_fulfilled()
            s.publish("done", {})
            await s.await_all(timeout_ms=10)

    async def test_two_scopes_on_one_topic_each_get_their_own(self, routed: Harness) -> None:
        async with routed.scenario("one") as one, routed.scenario("two") as two:
            assert one.correlation_id != two.correlation_id
            handles = [s.expect("t", exists()) for s in (one, two)]
            two.publish("t", {"for": "two"})
            one.publish("t", {"for": "one"})
            results = [await s.await_all(timeout_ms=10) for s in (one, two)]
        assert all(result.passed for result in results)
        assert [handle.message["for"] for handle in handles] == ["one", "two"]
        assert [handle.attempts for handle in handles] == [0, 0]

    async def test_headers_isolate_scopes_as_well_as_payload_fields(self, transport: MockTransport) -> None:
        harness = Harness(transport, correlation=HeaderPolicy(strict=True))
        await harness.connect()
        async with harness.scenario("one") as one, harness.scenario("two") as two:
            handles = [s.expect("t", exists()) for s in (one, two)]
            one.publish("t", "text for one")
            two.publish("t", b'"bytes for two"')
            for s in (one, two):
                await s.await_all(timeout_ms=10)
        assert [handle.message for handle in handles] == ["text for one", "bytes for two"]
        assert handles[0].messages[0].headers == {"correlation-id": one.correlation_id}


class TestRaisingMatcher:
    async def test_it_is_a_near_miss_of_its_own_kind_that_names_the_class(self, harness: Harness) -> None:
        async with harness.scenario("defective") as s:
            defective = s.expect("t", RaisingMatcher())
            sound = s.expect("t", eq(1))
            s.publish("t", 1)
            result = await s.await_all(timeout_ms=10)
        assert sound.was_fulfilled()
        assert (defective.outcome, defective.attempts) == (Outcome.FAIL, 1)
        assert "the matcher raised ZeroDivisionError" in defective.reason
        assert defective.failures[0].expected == {"matcher_raised": "ZeroDivisionError"}
        assert defective.diagnosis is not None
        assert "ZeroDivisionError" in defective.diagnosis.text
        assert "s3cr3t" not in result.failure_summary()
        assert "mismatched" in [entry.action.value for entry in result.timeline]

    async def test_one_that_returns_no_match_result_is_a_near_miss_too(self, harness: Harness) -> None:
        async with harness.scenario("careless") as s:
            handle = s.expect("t", BooleanMatcher())
            s.publish("t", 1)
            await s.await_all(timeout_ms=10)
        assert handle.outcome is Outcome.FAIL
        assert "returned bool, not a MatchResult" in handle.reason

    async def test_nothing_of_it_reaches_the_transport(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with harness.scenario("defective") as s:
            s.expect("t", RaisingMatcher())
            s.publish("t", 1)
            await s.await_all(timeout_ms=10)
        assert [record for record in caplog.records if record.name == "choreo_bdd.transports.mock"] == []


class TestEmptyPayloads:
    async def test_null_is_a_payload_like_any_other(self, harness: Harness) -> None:
        async with harness.scenario("null") as s:
            handle = s.expect("t", eq(None))
            s.publish("t", None)
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert handle.message is None
        assert handle.messages[0].size == len(b"null")

    async def test_null_is_judged_not_skipped(self, harness: Harness) -> None:
        async with harness.scenario("null near-miss") as s:
            handle = s.expect("t", eq(1))
            s.publish("t", None)
            await s.await_all(timeout_ms=10)
        assert (handle.outcome, handle.attempts) == (Outcome.FAIL, 1)

    async def test_no_bytes_at_all_are_judged_as_bytes(self, harness: Harness) -> None:
        async with harness.scenario("empty") as s:
            handle = s.expect("t", eq(b""))
            s.publish("t", b"")
            await s.await_all(timeout_ms=10)
        assert handle.was_fulfilled()


class TestWholeMessage:
    async def test_a_matcher_may_look_at_headers_and_key(self, harness: Harness) -> None:
        class KeyIs:
            description = "key is K1"

            def match(self, payload: Any) -> Any:
                raise AssertionError("not asked when match_message is there")

            def match_message(self, payload: Any, message: Message) -> Any:
                return eq("K1").match(message.key)

        async with harness.scenario("key") as s:
            handle = s.expect("t", KeyIs())
            s.publish("t", {}, key="K2")
            assert handle.attempts == 1
            s.publish("t", {}, key="K1", headers={"h": "v"})
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert handle.messages[0].key == "K1"
        assert handle.messages[0].headers == {"h": "v"}


class TestCost:
    """Work per message follows who is interested, not how many scenarios live (W1)."""

    async def test_each_message_is_decoded_once_for_a_hundred_scopes(self, transport: MockTransport) -> None:
        codec = CountingCodec()
        harness = Harness(transport, codec=codec, correlation=DictFieldPolicy(strict=True))
        await harness.connect()
        async with AsyncExitStack() as scopes:
            scenarios = [await scopes.enter_async_context(harness.scenario(f"s{n}")) for n in range(100)]
            handles = [s.expect("t", field_equals("n", n)) for n, s in enumerate(scenarios)]
            assert harness.active_subscription_count() == 1
            for n, s in enumerate(scenarios):
                s.publish("t", {"n": n})
            for s in scenarios:
                assert (await s.await_all(timeout_ms=10)).passed
        assert codec.decodes == 100
        assert [handle.attempts for handle in handles] == [0] * 100
        assert harness.active_subscription_count() == 0

    async def test_a_message_touches_only_the_expectations_of_its_own_scope(self, routed: Harness) -> None:
        judged: list[str] = []

        class Watching:
            def __init__(self, name: str) -> None:
                self.description = name

            def match(self, payload: Any) -> Any:
                judged.append(self.description)
                return eq(0).match(payload)

        async with AsyncExitStack() as scopes:
            scenarios = [await scopes.enter_async_context(routed.scenario(f"s{n}")) for n in range(50)]
            for n, s in enumerate(scenarios):
                s.expect("t", Watching(f"m{n}"))
            scenarios[7].publish("t", {})
            assert judged == ["m7"]
            for s in scenarios:
                s.publish("done", {})
                await s.await_all(timeout_ms=0)

    async def test_many_expectations_of_one_scope_share_one_subscription_and_one_arrival(
        self, transport: MockTransport
    ) -> None:
        codec = CountingCodec()
        harness = Harness(transport, codec=codec)
        await harness.connect()
        async with harness.scenario("many") as s:
            for n in range(30):
                s.expect("t", eq(n))
            assert harness.active_subscription_count() == 1
            s.publish("t", 29)
            result = await s.await_all(timeout_ms=1)
        assert codec.decodes == 1
        assert [entry.action.value for entry in result.timeline].count("received") == 1

    async def test_unsubscribing_happens_with_the_last_scope_only(self, routed: Harness) -> None:
        async with routed.scenario("outer") as outer:
            handle = outer.expect("t", exists())
            async with routed.scenario("inner") as inner:
                inner.expect("t", exists())
                inner.publish("t", {})
                await inner.await_all(timeout_ms=10)
            assert routed.active_subscription_count() == 1
            outer.publish("t", {})
            assert handle.was_fulfilled()
            await outer.await_all(timeout_ms=10)
        assert routed.active_subscription_count() == 0


class TestConcurrency:
    async def test_scenarios_in_parallel_tasks_do_not_disturb_each_other(self, routed: Harness) -> None:
        async def one(number: int) -> Handle:
            async with routed.scenario(f"s{number}") as s:
                handle = s.expect("answer", exists())
                s.on("ask").publish("answer", lambda asked: {"n": asked["n"]})
                await asyncio.sleep(number % 3)
                s.publish("ask", {"n": number})
                await s.await_all(timeout_ms=100)
            return handle

        handles = await asyncio.gather(*(one(number) for number in range(20)))
        assert [handle.message["n"] for handle in handles] == list(range(20))


async def test_warnings_about_messages_carry_no_payload(
    transport: MockTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    harness = Harness(transport, codec=CountingCodec(unreadable=b'{"pin":"s3cr3t"}'))
    await harness.connect()
    async with harness.scenario("quiet") as s:
        s.expect("t", eq(1))
        s.publish("t", b'{"pin":"s3cr3t"}').publish("t", {"pin": "s3cr3t"})
        await s.await_all(timeout_ms=1)
    assert caplog.records
    assert "s3cr3t" not in caplog.text

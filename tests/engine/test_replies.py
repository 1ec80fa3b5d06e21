"""Stand-in replies."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Envelope, Harness, ScenarioResult
from choreo_bdd.matchers import (
    Matcher,
    MatchResult,
    all_of,
    contains_fields,
    eq,
    exists,
    field_equals,
    field_gt,
    field_in,
    field_matches,
    payload_contains,
)
from choreo_bdd.scenario import ReplyAlreadyBoundError, ReplyReport, ReplyReportState
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike, FaultyTransport, RaisingMatcher, ScriptedPolicy, breaking, sent_as


async def ask(
    harness: Harness, payload: Any, *triggers: Any, matcher: Matcher | None = None, **plan: Any
) -> ScenarioResult:
    """A scenario with one reply from ``ask`` to ``answer``, and these messages on ``ask``."""
    async with harness.scenario("asking") as s:
        s.on("ask", matcher).publish("answer", payload, **plan)
        s.publish("start", {})
        for trigger in triggers:
            s.publish("ask", trigger)
        await asyncio.sleep(10)
        return await s.await_all(timeout_ms=0)


class TestPayloads:
    @pytest.mark.parametrize("payload", [{"ok": True}, b'{"ok": true}', lambda trigger: {"ok": True}])
    async def test_a_dict_bytes_or_a_builder(self, harness: Harness, transport: MockTransport, payload: Any) -> None:
        result = await ask(harness, payload, {"n": 1})
        assert result.passed
        assert sent_as(transport, "answer") == [{"ok": True}]
        assert result.reply_at("ask").state is ReplyReportState.REPLIED

    async def test_a_builder_sees_the_decoded_trigger(self, harness: Harness, transport: MockTransport) -> None:
        await ask(harness, lambda trigger: {"twice": trigger["n"] * 2}, {"n": 21})
        assert sent_as(transport, "answer") == [{"twice": 42}]

    async def test_a_builder_may_return_bytes_or_anything_json(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        await ask(harness, lambda trigger: b"raw", 1)
        await ask(harness, lambda trigger: [1, None], 1)
        assert [data for topic, data in transport.sent() if topic == "answer"] == [b"raw", b"[1,null]"]

    async def test_a_builder_may_be_async(self, harness: Harness, transport: MockTransport) -> None:
        async def build(trigger: Any) -> dict[str, Any]:
            await asyncio.sleep(3)
            return {"late": trigger}

        result = await ask(harness, build, 7)
        assert sent_as(transport, "answer") == [{"late": 7}]
        assert result.reply_at("ask").reply_published
        assert [round(entry.offset_ms) for entry in result.timeline if entry.action.value == "replied"] == [3000]

    async def test_an_answer_may_take_its_time(self, harness: Harness, transport: MockTransport) -> None:
        result = await ask(harness, {"x": 1}, 1, delay_ms=250)
        assert sent_as(transport, "answer") == [{"x": 1}]
        assert [round(entry.offset_ms) for entry in result.timeline if entry.action.value == "replied"] == [250]

    async def test_a_template_is_copied_for_every_use(self, harness: Harness) -> None:
        template: dict[str, Any] = {"items": []}

        def spoil(topic: str, payload: bytes) -> None:
            template["items"].append("changed by a subscriber")

        harness.subscribe("answer", spoil)
        result = await ask(harness, template, 1, 2, times=2)
        replied = [entry.message for entry in result.timeline if entry.action.value == "replied"]
        assert [record.payload for record in replied if record is not None] == [
            {"items": []},
            {"items": ["changed by a subscriber"]},
        ]

    async def test_a_policy_that_writes_in_place_cannot_spoil_the_template(self, transport: MockTransport) -> None:
        class InPlace(ScriptedPolicy):
            def write(self, envelope: Envelope, correlation_id: str) -> Envelope:
                envelope.payload["cid"] = correlation_id
                return envelope

        harness = Harness(transport, correlation=InPlace())
        await harness.connect()
        template: dict[str, Any] = {"a": 1}
        await ask(harness, template, {"cid": "S-1"})
        assert sent_as(transport, "answer") == [{"a": 1, "cid": "S-1"}]
        assert template == {"a": 1}

    async def test_what_a_builder_returns_is_not_stamped_in_place(self, routed: Harness) -> None:
        kept = {"a": 1}
        result = await ask(routed, lambda trigger: kept, {})
        assert result.reply_at("ask").reply_published
        assert kept == {"a": 1}


class TestRules:
    async def test_a_chain_is_bound_once(self, harness: Harness) -> None:
        async with harness.scenario("bound") as s:
            chain = s.on("ask")
            assert chain.publish("answer", {}) is s
            with pytest.raises(ReplyAlreadyBoundError, match="ask") as caught:
                chain.publish("answer", {})
            assert isinstance(caught.value, RuntimeError)
            s.publish("x", {})
            result = await s.await_all(timeout_ms=1)
        assert len(result.replies) == 1

    async def test_it_fires_once_and_counts_every_candidate(self, harness: Harness, transport: MockTransport) -> None:
        built: list[Any] = []
        matched: list[Any] = []

        class Counting:
            description = "counting"

            def match(self, payload: Any) -> MatchResult:
                matched.append(payload)
                return MatchResult(True, "yes")

        result = await ask(harness, lambda trigger: built.append(trigger) or {}, 1, 2, 3, matcher=Counting())  # type: ignore[func-returns-value] # append for its effect
        report = result.reply_at("ask")
        assert (report.candidate_count, report.match_count) == (3, 1)
        assert built == [1]
        assert matched == [1]
        assert len(sent_as(transport, "answer")) == 1

    async def test_it_fires_as_often_as_it_is_told(self, harness: Harness, transport: MockTransport) -> None:
        result = await ask(harness, lambda trigger: trigger, 1, 2, 3, times=2)
        report = result.reply_at("ask")
        assert (report.candidate_count, report.match_count) == (3, 2)
        assert sent_as(transport, "answer") == [1, 2]

    async def test_without_a_matcher_everything_triggers_it(self, harness: Harness) -> None:
        result = await ask(harness, {}, "whatever")
        assert result.reply_at("ask").matcher_description == "(any)"
        assert result.reply_at("ask").match_count == 1

    async def test_a_builder_that_publishes_the_trigger_again_does_not_fire_twice(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        async with harness.scenario("re-entrant") as s:

            def build(trigger: Any) -> dict[str, Any]:
                s.publish("ask", {"again": True})
                return {"for": trigger}

            s.on("ask").publish("answer", build)
            s.publish("ask", {"first": True})
            result = await s.await_all(timeout_ms=10)
        assert sent_as(transport, "answer") == [{"for": {"first": True}}]
        report = result.reply_at("ask")
        assert (report.candidate_count, report.match_count) == (2, 1)

    async def test_two_replies_that_trigger_each_other_stop_by_themselves(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        async with harness.scenario("ping pong") as s:
            s.on("ping").publish("pong", {})
            s.on("pong").publish("ping", {})
            s.publish("ping", {})
            await asyncio.sleep(1)  # on a slow machine the replies have their turns later
            result = await s.await_all(timeout_ms=10)
        assert [topic for topic, _ in transport.sent()] == ["ping", "pong", "ping"]
        assert result.reply_at("ping").candidate_count == 2

    async def test_replies_on_one_trigger_answer_in_registration_order(
        self, harness: Harness, transport: MockTransport
    ) -> None:
        async with harness.scenario("order") as s:
            for name in ("b", "a", "c"):
                s.on("ask").publish(name, {})
            s.publish("ask", {})
            await s.await_all(timeout_ms=10)
        assert [topic for topic, _ in transport.sent()] == ["ask", "b", "a", "c"]

    async def test_it_decides_nothing_and_leaves_nothing(self, harness: Harness) -> None:
        def broken(trigger: Any) -> Any:
            raise LookupError

        assert (await ask(harness, broken, 1)).passed
        assert harness.active_subscription_count() == 0
        async with breaking(harness.scenario("raising")) as s:
            s.on("ask").publish("answer", {})
        assert harness.active_subscription_count() == 0


class TestCorrelation:
    async def test_a_dict_reply_carries_the_scopes_id(self, routed: Harness, transport: MockTransport) -> None:
        result = await ask(routed, {"a": 1}, {})
        assert sent_as(transport, "answer") == [{"a": 1, "correlation_id": result.correlation_id}]

    async def test_bytes_go_out_unchanged(self, routed: Harness, transport: MockTransport) -> None:
        await ask(routed, b'{"a": 1}', {})
        assert transport.sent()[-1] == ("answer", b'{"a": 1}')

    async def test_a_foreign_message_is_no_candidate(self, routed: Harness) -> None:
        result = await ask(routed, {}, {"correlation_id": "a stranger's"})
        report = result.reply_at("ask")
        assert (report.candidate_count, report.state) == (0, ReplyReportState.ARMED_NO_MATCH)

    async def test_twenty_scopes_on_one_topic_each_answer_their_own(
        self, routed: Harness, transport: MockTransport
    ) -> None:
        async def one(number: int) -> ScenarioResult:
            async with routed.scenario(f"s{number}") as s:
                s.on("ask").publish("answer", lambda trigger: {"n": trigger["n"]})
                handle = s.expect("answer", field_equals("n", number))
                await asyncio.sleep(1)  # until all are armed
                s.publish("ask", {"n": number})
                result = await s.await_all(timeout_ms=100)
                assert handle.was_fulfilled()
                return result

        results = await asyncio.gather(*(one(number) for number in range(20)))
        reports = [result.reply_at("ask") for result in results]
        assert [(each.candidate_count, each.match_count) for each in reports] == [(1, 1)] * 20
        assert len(sent_as(transport, "answer")) == 20

    async def test_an_id_of_its_own_is_flagged_sent_anyway_and_not_printed(
        self, routed: Harness, transport: MockTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        result = await ask(routed, {"correlation_id": "chosen-9"}, {})
        report = result.reply_at("ask")
        assert report.correlation_overridden
        assert report.reply_published
        assert sent_as(transport, "answer") == [{"correlation_id": "chosen-9"}]
        (warning,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
        assert "correlation_id overridden" in warning
        assert "chosen-9" not in caplog.text
        assert "correlation_id overridden" in result.summary()

    async def test_its_own_id_is_no_override(self, routed: Harness) -> None:
        async with routed.scenario("echo") as s:
            s.on("ask").publish("answer", dict)
            s.publish("ask", {})
            result = await s.await_all(timeout_ms=10)
        assert not result.reply_at("ask").correlation_overridden


class TestStates:
    async def test_silence(self, harness: Harness) -> None:
        report = (await ask(harness, {})).reply_at("ask")
        assert report.state is ReplyReportState.ARMED_NO_MATCH
        assert (report.candidate_count, report.match_count, report.reply_published) == (0, 0, False)

    async def test_only_others(self, harness: Harness) -> None:
        report = (await ask(harness, {}, 1, 2, matcher=eq(3))).reply_at("ask")
        assert report.state is ReplyReportState.ARMED_MATCHER_MISMATCHED
        assert (report.candidate_count, report.match_count, report.reply_published) == (2, 0, False)
        assert report.matcher_description == eq(3).description

    async def test_answered(self, harness: Harness) -> None:
        report = (await ask(harness, {}, 1, 3, 3, matcher=eq(3))).reply_at("ask")
        assert report.state is ReplyReportState.REPLIED
        assert (report.candidate_count, report.match_count, report.reply_published) == (3, 1, True)
        assert (report.trigger_topic, report.reply_topic) == ("ask", "answer")
        assert report.builder_error is None

    def test_their_values_are_the_documented_words(self) -> None:
        assert [str(each) for each in ReplyReportState] == [
            "armed_no_match",
            "armed_matcher_mismatched",
            "replied",
            "reply_failed",
        ]

    async def test_a_reply_that_was_still_due_has_not_replied(
        self, harness: Harness, transport: MockTransport, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with harness.scenario("impatient") as s:
            s.on("ask").publish("answer", {}, delay_ms=5000)
            s.publish("ask", {})
            result = await s.await_all(timeout_ms=10)
        report = result.reply_at("ask")
        assert report.state is ReplyReportState.REPLY_FAILED
        assert not report.reply_published
        assert "'ask' on 'answer' was still due" in caplog.text
        await asyncio.sleep(10)
        assert sent_as(transport, "answer") == []

    async def test_an_async_builder_that_never_got_to_run_is_given_up_cleanly(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def build(trigger: Any) -> Any:
            raise AssertionError("the scenario is over before the loop comes to this")

        async with harness.scenario("gone at once") as s:
            s.on("ask").publish("answer", build)
            s.publish("ask", {})
            await s.await_all(timeout_ms=0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.sleep(0)
        assert all(task.cancelled() for task in tasks)
        assert [record for record in caplog.records if record.levelno == logging.ERROR] == []

    async def test_a_builder_that_is_cancelled_from_within_has_failed(self, harness: Harness) -> None:
        async def build(trigger: Any) -> Any:
            raise asyncio.CancelledError

        report = (await ask(harness, build, 1)).reply_at("ask")
        assert report.state is ReplyReportState.REPLY_FAILED
        assert report.builder_error == "CancelledError"

    @pytest.mark.parametrize("delay_ms", [0, 5])
    @pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), StopIteration()], ids=type)
    async def test_whatever_an_async_builder_raises_ends_no_more_than_its_answer(
        self, harness: Harness, error: BaseException, delay_ms: int
    ) -> None:
        async def build(trigger: Any) -> Any:
            raise error

        report = (await ask(harness, build, 1, delay_ms=delay_ms)).reply_at("ask")
        assert report.state is ReplyReportState.REPLY_FAILED
        assert report.builder_error in {type(error).__name__, "RuntimeError"}  # of a StopIteration Python makes one

    async def test_over_a_broker_published_means_the_message_has_left(self) -> None:
        transport = BrokerLike()
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("two replies") as s:
            s.on("ask").publish("arrives", {})
            s.on("ask").publish("is lost", {})
            transport.confirm("ask")
            await s.ready()
            s.publish("ask", {})
            transport.let_go("ask")
            await asyncio.sleep(1)  # on a slow machine the second reply has its turn later
            transport.let_go("arrives")
            transport.lose("is lost", "queue full")
            await asyncio.sleep(0)
            result = await s.await_all(timeout_ms=10)
        arrived, lost = result.replies
        assert (arrived.state, arrived.reply_published) == (ReplyReportState.REPLIED, True)
        assert (lost.state, lost.reply_published) == (ReplyReportState.REPLY_FAILED, False)
        assert lost.builder_error == "PublishFailed"


class TestFailures:
    async def failing(
        self, harness: Harness, payload: Any, trigger: Any, caplog: pytest.LogCaptureFixture
    ) -> ReplyReport:
        """Play one failing reply and check what all failures have in common."""
        result = await ask(harness, payload, trigger)
        report = result.reply_at("ask")
        assert report.state is ReplyReportState.REPLY_FAILED
        assert (report.candidate_count, report.match_count, report.reply_published) == (1, 1, False)
        (entry,) = [each for each in result.timeline if each.action.value == "reply_failed"]
        assert entry.topic == "ask"
        assert "answer" in entry.detail
        assert str(report.builder_error) in entry.detail
        (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
        assert record.name == "choreo_bdd.scenario"
        assert all(part in record.getMessage() for part in ("ask", "answer", str(report.builder_error)))
        everything = caplog.text + repr(report) + result.summary() + result.failure_summary() + repr(result.timeline)
        assert "s3cr3t" not in everything
        return report

    async def test_of_the_builder(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        def build(trigger: Any) -> Any:
            raise LookupError("s3cr3t-detail")

        assert (await self.failing(harness, build, 1, caplog)).builder_error == "LookupError"

    async def test_of_an_async_builder(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        async def build(trigger: Any) -> Any:
            await asyncio.sleep(1)
            raise LookupError("s3cr3t-detail")

        assert (await self.failing(harness, build, 1, caplog)).builder_error == "LookupError"

    async def test_of_a_delayed_builder(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        def build(trigger: Any) -> Any:
            raise LookupError("s3cr3t-detail")

        result = await ask(harness, build, 1, delay_ms=100)
        assert result.reply_at("ask").builder_error == "LookupError"
        assert "s3cr3t" not in caplog.text

    async def test_of_the_encoding(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        assert (await self.failing(harness, lambda _: object(), 1, caplog)).builder_error == "TypeError"

    async def test_of_the_namespace(self, transport: MockTransport, caplog: pytest.LogCaptureFixture) -> None:
        harness = Harness(transport, correlation=DictFieldPolicy(prefix="TEST-"))
        await harness.connect()
        report = await self.failing(harness, lambda _: {"correlation_id": "s3cr3t"}, {}, caplog)
        assert report.builder_error == "CorrelationIdNotInNamespaceError"

    @pytest.mark.parametrize("method", ["write", "read"])
    async def test_of_the_policy(self, transport: MockTransport, caplog: pytest.LogCaptureFixture, method: str) -> None:
        policy = ScriptedPolicy()
        harness = Harness(transport, correlation=policy)
        await harness.connect()

        def build(trigger: Any) -> Any:
            policy.faults.add(method)  # from now on: the trigger itself has been read
            return {}

        assert (await self.failing(harness, build, {}, caplog)).builder_error == "CorrelationPolicyError"

    async def test_of_the_publish(self, caplog: pytest.LogCaptureFixture) -> None:
        transport = FaultyTransport()
        harness = Harness(transport)
        await harness.connect()

        def build(trigger: Any) -> Any:
            transport.faults.add("publish")
            return {}

        assert (await self.failing(harness, build, 1, caplog)).builder_error == "RuntimeError"

    async def test_of_the_matcher_is_no_trigger_but_a_finding(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        result = await ask(harness, {}, 1, matcher=RaisingMatcher())
        assert result.reply_at("ask").state is ReplyReportState.ARMED_MATCHER_MISMATCHED
        (entry,) = [each for each in result.timeline if each.action.value == "mismatched"]
        assert "the matcher raised ZeroDivisionError" in entry.detail
        assert "ZeroDivisionError" in caplog.text
        assert "s3cr3t" not in caplog.text + repr(result.timeline)

    @pytest.mark.parametrize(
        ("build", "matcher", "told"),
        [
            (lambda _: 1 / 0, None, "the reply to 'ask' on 'answer' failed: ZeroDivisionError"),
            ({}, RaisingMatcher(), "the matcher of the reply to 'ask' raised ZeroDivisionError"),
        ],
    )
    async def test_of_whatever_kind_is_told_by_the_verdict(
        self, harness: Harness, build: Any, matcher: Matcher | None, told: str
    ) -> None:
        async with harness.scenario("no answer") as s:
            s.on("ask", matcher).publish("answer", build)
            handle = s.expect("answer", exists())
            s.publish("ask", {})
            await s.await_all(timeout_ms=10)
        assert handle.diagnosis is not None
        assert f"note: {told}" in str(handle.diagnosis)

    async def test_of_one_leaves_the_others_and_the_expectations_alone(self, harness: Harness) -> None:
        def broken(trigger: Any) -> Any:
            raise LookupError

        async with harness.scenario("one of two") as s:
            s.on("ask").publish("broken", broken)
            s.on("ask").publish("answer", {})
            handle = s.expect("answer", exists())
            s.publish("ask", {})
            result = await s.await_all(timeout_ms=10)
        assert result.passed
        assert handle.was_fulfilled()


class TestReport:
    async def test_its_repr_names_topics_and_state_only(self, harness: Harness) -> None:
        report = (await ask(harness, {"card": "4111-s3cr3t"}, {"pin": "s3cr3t"})).reply_at("ask")
        assert all(part in repr(report) for part in ("'ask'", "'answer'", "replied"))
        assert "s3cr3t" not in repr(report)

    async def test_it_is_frozen_and_cannot_be_pickled(self, harness: Harness) -> None:
        report = (await ask(harness, {}, 1)).reply_at("ask")
        with pytest.raises(AttributeError):
            report.match_count = 7  # type: ignore[misc] # the mistake under test
        with pytest.raises(TypeError, match="ReplyReport"):
            pickle.dumps(report)


class TestTimeline:
    async def test_a_reply_is_told_from_the_triggers_side(self, harness: Harness) -> None:
        result = await ask(harness, {}, {})
        entries = [(each.action.value, each.topic) for each in result.timeline]
        assert entries == [("published", "start"), ("published", "ask"), ("received", "ask"), ("replied", "ask")]
        assert result.timeline[2].detail == "reply:answer"
        assert "answer" in result.timeline[3].detail

    async def test_the_answer_follows_the_publish_that_caused_it(self, harness: Harness) -> None:
        async with harness.scenario("cause") as s:
            s.on("ask").publish("answer", {})
            s.expect("answer", exists())
            s.publish("ask", {})
            result = await s.await_all(timeout_ms=10)
        actions = [each.action.value for each in result.timeline]
        assert actions == ["published", "received", "replied", "received", "matched"]


class TestNeverFired:
    async def never(self, harness: Harness, matcher: Matcher | None, *triggers: Any) -> None:
        async with harness.scenario("never") as s:
            s.on("ask.topic", matcher).publish("answer.topic", {})
            s.publish("start", {})
            for trigger in triggers:
                s.publish("ask.topic", trigger)
            await s.await_all(timeout_ms=1)

    async def test_it_is_logged_with_topics_state_and_count(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        await self.never(harness, field_equals("account", "x"), {"account": "y"}, {"account": "z"})
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("choreo_bdd.scenario", logging.WARNING)
        text = record.getMessage()
        assert all(part in text for part in ("ask.topic", "answer.topic", "account", "armed_matcher_mismatched", "2"))

    async def test_without_a_matcher_too(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        await self.never(harness, None)
        assert "(any)" in caplog.text
        assert "armed_no_match" in caplog.text

    async def test_a_reply_that_fired_or_failed_logs_no_such_thing(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        await self.never(harness, None, 1, 2, 3)
        assert caplog.records == []

    @pytest.mark.parametrize(
        "matcher",
        [
            field_equals("account", "ACME-123"),
            field_in("account", ["ACME-123", "b"]),
            field_gt("account", 123456),
            field_matches("account", "ACME-123.*"),
            payload_contains(b"ACME-123"),
            contains_fields({"account": {"name": "ACME-123", "ids": [123456]}}),
            eq("ACME-123"),
            eq({"account": "ACME-123"}),
            eq(123456),
            all_of(field_equals("account", "ACME-123"), field_gt("account", 123456)),
        ],
        ids=lambda matcher: matcher.description,
    )
    async def test_no_literal_of_the_matcher_reaches_the_log(
        self, harness: Harness, caplog: pytest.LogCaptureFixture, matcher: Matcher
    ) -> None:
        await self.never(harness, matcher)
        assert "never fired" in caplog.text
        assert "ACME" not in caplog.text
        assert "123" not in caplog.text

    async def test_a_foreign_matchers_prose_is_masked_as_well_as_it_goes(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Foreign:
            description = "account='ACME-123', over 123456"

            def match(self, payload: Any) -> MatchResult:
                return MatchResult(False, "no")

        await self.never(harness, Foreign())
        assert "account" in caplog.text
        assert "ACME" not in caplog.text
        assert "123456" not in caplog.text

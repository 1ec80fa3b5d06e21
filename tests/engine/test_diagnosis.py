"""Every cause, each with a scenario that produces it (design §3 decision 6, spec/steps.md 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Handle, Harness, IdentityBridge, Outcome, Scenario, ScopeOptions
from choreo_bdd.codecs import JSONCodec
from choreo_bdd.matchers import all_of, anything, at, contains_fields, exists, is_uuid
from choreo_bdd.scenario import Cause, Diagnosis, Occurs
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import ELSEWHERE, BrokerLike, breaking, guarded

Act = Callable[[Scenario], object]
WATCHING = ScopeOptions(watch_similar_topics=True, latency_from="publish")


async def diagnosed(
    harness: Harness,
    act: Act,
    *,
    topic: str = "orders.settled",
    matcher: Any = None,
    occurs: Occurs = Occurs(),  # noqa: B008 - frozen
    after: Act | None = None,
    options: ScopeOptions = WATCHING,
) -> tuple[Handle, Diagnosis]:
    """Expect a settled order, act, wait half a second, perhaps act again, and ask why once the scope has been left."""
    async with harness.scenario("diagnosed", options=options) as s:
        handle = s.scope.expect(topic, matcher or contains_fields({"status": "settled"}), occurs=occurs)
        s.on("start").publish("never.mind", {})
        s.publish("start", {})
        act(s)
        await s.await_all(timeout_ms=500)
        if after is not None:
            await asyncio.sleep(0.25)
            after(s)
    assert handle.diagnosis is not None
    return handle, handle.diagnosis


def publishing(topic: str, payload: Any) -> Act:
    """What a service does: publish with the scenario's own id."""

    def act(s: Scenario) -> None:
        body = {**payload, "correlation_id": s.correlation_id} if isinstance(payload, dict) else payload
        raw(topic, JSONCodec().encode(body))(s)

    return act


def raw(topic: str, data: bytes) -> Act:
    def act(s: Scenario) -> None:
        s.scope.links[None].harness.send(topic, data, on_sent=lambda: None, headers={}, key=None)

    return act


def nobody_hears(unheard: str, transport: MockTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the bus say so of messages on a topic, as brokers do."""
    publish = transport.publish

    def telling(topic: str, payload: bytes, *, on_sent: Any, **extras: Any) -> None:
        publish(topic, payload, on_sent=on_sent, **extras)
        if topic == unheard:
            on_sent.unheard("the test says so")

    monkeypatch.setattr(transport, "publish", telling)


def nothing(s: Scenario) -> None:
    """Nobody does anything."""


async def diagnosed_with_id_of(former: Handle, harness: Harness) -> tuple[Handle, Diagnosis]:
    """The same where a settled order comes a while later with the id of a scenario that has been left."""

    async def later() -> None:
        await asyncio.sleep(0.1)
        harness.publish("orders.settled", {"status": "settled", "correlation_id": former.correlation_id})

    async with asyncio.TaskGroup() as group:
        return await diagnosed(harness, lambda _: group.create_task(later()))


async def unanswered(harness: Harness, on: Callable[[Scenario], Any]) -> str:
    """What is told where a stand-in, asked or not, has sent nothing that fits."""
    async with harness.scenario("s", options=WATCHING) as s:
        handle = s.expect("orders.settled", contains_fields({"status": "settled"}))
        on(s).publish("orders.settled", {"status": "open"})
        s.publish("start", {"id": 7, "password": "hunter2-and-more"})
        await s.await_all(timeout_ms=50)
    assert handle.diagnosis is not None
    return handle.diagnosis.text


class TestCauses:
    async def test_matched(self, strict: Harness) -> None:
        handle, diagnosis = await diagnosed(strict, publishing("orders.settled", {"status": "settled"}))
        assert handle.outcome is Outcome.PASS
        assert diagnosis.cause is Cause.MATCHED
        assert "orders.settled" in diagnosis.sentence

    async def test_over_budget(self, strict: Harness) -> None:
        async with strict.scenario("slow", options=WATCHING) as s:
            handle = s.expect("orders.settled", exists()).within_ms(50)
            s.publish("start", {})
            await asyncio.sleep(0.08)
            publishing("orders.settled", {})(s)
            await s.await_all(timeout_ms=500)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.OVER_BUDGET
        assert all(part in handle.diagnosis.sentence for part in ("80.0 ms", "30.0 ms over", "50.0 ms"))

    async def test_latency_unknown(self, strict: Harness) -> None:
        loop: Any = asyncio.get_running_loop()
        async with strict.scenario("blocked") as s:
            handle = s.expect("orders.settled", exists()).within_ms(50)
            s.publish("start", {})
            loop._jumping.now += 0.08  # what sleeps without the loop
            await asyncio.sleep(0)
            publishing("orders.settled", {})(s)
            await s.await_all(timeout_ms=500)
        assert handle.diagnosis is not None
        assert (handle.outcome, handle.diagnosis.cause) == (Outcome.SLOW, Cause.LATENCY_UNKNOWN)
        assert "between 0.0 and 80.0 ms, and the budget is 50.0 ms" in handle.diagnosis.sentence

    @pytest.mark.parametrize(("blocked_s", "outcome"), [(0.08, Outcome.SLOW), (0.02, Outcome.PASS)])
    async def test_a_hop_whose_start_was_noted_late_may_have_taken_longer(
        self, strict: Harness, blocked_s: float, outcome: Outcome
    ) -> None:
        loop: Any = asyncio.get_running_loop()
        async with strict.scenario("blocked") as s:
            start = s.expect("orders.settled", exists())
            handle = s.expect("orders.shipped", exists(), after=start).within_ms(60, of="orders.settled")
            s.publish("start", {})
            loop._jumping.now += blocked_s
            await asyncio.sleep(0)
            publishing("orders.settled", {})(s)
            await asyncio.sleep(0.03)
            publishing("orders.shipped", {})(s)
            await s.await_all(timeout_ms=500)
        assert handle.diagnosis is not None
        assert handle.outcome is outcome
        if outcome is Outcome.SLOW:
            assert handle.diagnosis.cause is Cause.LATENCY_UNKNOWN
            assert "between 30.0 and 110.0 ms, and the budget is 60.0 ms" in handle.diagnosis.sentence

    async def test_nothing_arrived(self, strict: Harness) -> None:
        handle, diagnosis = await diagnosed(strict, nothing)
        assert handle.outcome is Outcome.TIMEOUT
        assert diagnosis.cause is Cause.NOTHING_ARRIVED
        assert "no matching message arrived on 'orders.settled' within 500 ms" in diagnosis.sentence

    async def test_wrong_shape(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            for body in ({"status": "open", "qty": 1}, {"status": "open", "qty": 3}, {"qty": 2}):
                publishing("orders.settled", body)(s)

        handle, diagnosis = await diagnosed(strict, act, matcher=contains_fields({"status": "settled", "qty": 3}))
        assert handle.outcome is Outcome.FAIL
        assert diagnosis.cause is Cause.WRONG_SHAPE
        assert "3 near-misses" in diagnosis.sentence
        assert "the closest differs in status" in diagnosis.sentence
        assert "1 of 2 fields right" in diagnosis.text
        assert 'status: expected "settled", got "open"' in diagnosis.text
        assert "qty: expected" not in diagnosis.text  # right in the closest one

    async def test_wrong_correlation(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            strict.publish("orders.settled", {"status": "settled", "correlation_id": "other-7"})

        handle, diagnosis = await diagnosed(strict, act)
        assert handle.outcome is Outcome.TIMEOUT
        assert diagnosis.cause is Cause.WRONG_CORRELATION
        assert "other-7" in diagnosis.sentence
        assert str(handle.correlation_id) in diagnosis.sentence

    async def test_an_id_of_a_scenario_that_has_been_left_is_a_wrong_one(self, strict: Harness) -> None:
        former, _ = await diagnosed(strict, publishing("orders.settled", {"status": "settled"}))
        handle, diagnosis = await diagnosed_with_id_of(former, strict)
        assert handle.outcome is Outcome.TIMEOUT
        assert diagnosis.cause is Cause.WRONG_CORRELATION
        assert f"with correlation id '{former.correlation_id}' of a scenario before" in diagnosis.sentence

    async def test_what_a_scenario_before_has_waited_for_in_vain_is_late_and_no_wrong_id(self, strict: Harness) -> None:
        former, _ = await diagnosed(strict, nothing)
        _, diagnosis = await diagnosed_with_id_of(former, strict)
        assert diagnosis.cause is Cause.NOTHING_ARRIVED

    async def test_what_came_to_a_scenario_that_was_live_is_no_wrong_id_of_one_that_goes_on(
        self, strict: Harness
    ) -> None:
        async def beside(s: Scenario) -> None:
            handle, _ = await diagnosed(strict, publishing("orders.settled", {"status": "settled"}))
            assert handle.outcome is Outcome.PASS

        async with asyncio.TaskGroup() as group:
            _, diagnosis = await diagnosed(strict, lambda s: group.create_task(beside(s)), after=nothing)
        assert diagnosis.cause is Cause.NOTHING_ARRIVED

    async def test_a_message_of_a_scenario_of_another_process_is_no_wrong_id(self, strict: Harness) -> None:
        elsewhere = f"TEST-{ELSEWHERE}"

        def act(s: Scenario) -> None:
            strict.publish("orders.settled", {"status": "settled", "correlation_id": elsewhere})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.NOTHING_ARRIVED
        assert f"1 matching message of a scenario elsewhere, with correlation id '{elsewhere}'" in diagnosis.text

    async def test_what_another_scenario_of_this_process_has_elsewhere_is_a_wrong_id(self, strict: Harness) -> None:
        other = f"KAFKA-{await IdentityBridge().fresh()}"
        sent = {"status": "settled", "correlation_id": other}
        _, diagnosis = await diagnosed(strict, lambda _: strict.publish("orders.settled", sent), after=nothing)
        assert (diagnosis.cause, other in diagnosis.sentence) == (Cause.WRONG_CORRELATION, True)

    async def test_its_own_id_in_other_letters_is_a_wrong_one_and_not_of_another_process(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            strict.publish("orders.settled", {"status": "settled", "correlation_id": str(s.correlation_id).upper()})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.WRONG_CORRELATION

    async def test_beside_a_message_of_another_process_a_wrong_id_is_told(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            for each in (ELSEWHERE, "other-7"):
                strict.publish("orders.settled", {"status": "settled", "correlation_id": each})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.WRONG_CORRELATION
        assert "with correlation id 'other-7'" in diagnosis.sentence

    async def test_of_messages_of_others_the_one_that_fits_says_what_is_wrong(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            strict.publish("orders.settled", {"status": "open", "correlation_id": "other-7"})
            strict.publish("orders.settled", {"status": "settled"})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.NO_CORRELATION_ID
        assert "other-7" not in diagnosis.sentence

    async def test_no_correlation_id(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, lambda s: strict.publish("orders.settled", {"status": "settled"}))
        assert diagnosis.cause is Cause.NO_CORRELATION_ID
        assert "without a correlation id" in diagnosis.sentence

    async def test_the_closest_message_without_an_id_is_shown_with_what_it_differs_in(self, strict: Harness) -> None:
        wanted = contains_fields({"status": "settled", "currency": "EUR"})
        sent = {"status": "settled", "currency": "USD"}
        _, diagnosis = await diagnosed(strict, lambda s: strict.publish("orders.settled", sent), matcher=wanted)
        assert diagnosis.cause is Cause.NO_CORRELATION_ID
        assert "1 message without a correlation id came" in diagnosis.sentence
        assert "look at `correlation:` first" in diagnosis.sentence
        assert "the closest of them (1 of 2 fields right):" in diagnosis.text
        assert 'currency: expected "EUR", got "USD"' in diagnosis.text
        assert [failure.path for failure in diagnosis.differences] == ["currency"]

    async def test_a_foreign_message_that_would_not_match_is_mentioned_but_no_cause(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            strict.publish("orders.settled", {"status": "open", "correlation_id": "other-7"})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.NOTHING_ARRIVED
        assert "1 message of another correlation id" in diagnosis.text

    async def test_messages_of_another_live_scenario_are_no_evidence(self, strict: Harness) -> None:
        async with strict.scenario("neighbour") as neighbour:
            neighbour.expect("orders.settled", exists())
            _, diagnosis = await diagnosed(strict, lambda s: neighbour.publish("orders.settled", {"status": "settled"}))
            await neighbour.await_all(timeout_ms=1)
        assert diagnosis.cause is Cause.NOTHING_ARRIVED
        assert "another correlation id" not in diagnosis.text

    async def test_its_own_near_misses_are_not_called_foreign(self, strict: Harness) -> None:
        async with strict.scenario("neighbour") as neighbour:
            neighbour.expect("orders.settled", exists())
            _, diagnosis = await diagnosed(strict, publishing("orders.settled", {"status": "open"}))
            neighbour.publish("orders.settled", {})
            await neighbour.await_all(timeout_ms=1)
        assert diagnosis.cause is Cause.WRONG_SHAPE
        assert "another correlation id" not in diagnosis.text

    @pytest.mark.parametrize("typo", ["orders.setled", "orders.Settled", "orders.settle", "order.settled"])
    async def test_wrong_topic(self, strict: Harness, typo: str) -> None:
        _, diagnosis = await diagnosed(strict, publishing(typo, {"status": "settled"}))
        assert diagnosis.cause is Cause.WRONG_TOPIC
        assert repr(typo) in diagnosis.sentence

    @pytest.mark.parametrize(
        ("topic", "body"),
        [
            ("orders.placed", {"status": "settled"}),  # not similar
            ("billing.settled", {"status": "settled"}),  # not similar either
            ("order.setled", {"status": "settled"}),  # differs in two places
            ("shop.orders.settled", {"status": "settled"}),  # not beside it
            ("orders.setled", {"status": "open"}),  # would not have matched
        ],
    )
    async def test_another_topic_is_no_hint_unless_name_and_content_fit(
        self, strict: Harness, topic: str, body: dict[str, str]
    ) -> None:
        _, diagnosis = await diagnosed(strict, publishing(topic, body))
        assert diagnosis.cause is Cause.NOTHING_ARRIVED

    async def test_a_message_of_its_own_that_fits_is_named_whatever_its_topic_is_called(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            s.publish("start", {})
            publishing("orders.finished", {"status": "settled"})(s)
            publishing("orders.opened", {"status": "open"})(s)
            publishing("billing.settled", {"status": "settled"})(s)
            publishing("orders.expected", {"status": "settled"})(s)

        async with strict.scenario("s", options=WATCHING) as s:
            handle = s.expect("orders.settled", contains_fields({"status": "settled"}))
            s.expect("orders.expected", exists())
            act(s)
            await s.await_all(timeout_ms=50)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.NOTHING_ARRIVED
        assert handle.diagnosis.sentence.endswith(
            "; one of this scenario that fits came on 'billing.settled', 'orders.finished', which no check listens to"
        )

    @pytest.mark.parametrize(
        ("topic", "payload", "is_told"),
        [
            ("nowhere", {}, True),
            ("orders.settled", {"status": "open"}, False),  # wrong shape: whoever sent it has heard us
            ("orders.setled", {"status": "settled"}, False),
            ("orders.settled", {"status": "settled", "correlation_id": "another's"}, False),
        ],
    )
    async def test_what_the_bus_knows_of_what_was_published_is_told_where_nothing_came(
        self, transport: MockTransport, strict: Harness, topic: str, payload: dict[str, str], is_told: bool
    ) -> None:
        transport.remark = "somebody else takes from {}".format  # type: ignore[attr-defined]
        data = JSONCodec().encode(payload) if "correlation_id" in payload else None
        act = publishing(topic, payload) if data is None else raw(topic, data)
        _, diagnosis = await diagnosed(strict, act)
        assert ("note: somebody else takes from start" in diagnosis.text) is is_told
        assert "note: somebody else takes from orders.settled" in diagnosis.text

    async def test_a_condition_that_names_no_value_is_told_in_words(self, strict: Harness) -> None:
        wanted = all_of(at("note", anything()), at("id", is_uuid()))
        _, diagnosis = await diagnosed(strict, publishing("orders.settled", {"id": 5}), matcher=wanted)
        assert "note: expected any, got nothing (missing)" in diagnosis.text
        assert "id: expected a uuid, got 5" in diagnosis.text

    async def test_a_similar_topic_of_somebody_elses_message_is_no_hint(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            strict.publish("orders.setled", {"status": "settled", "correlation_id": "other"})

        assert (await diagnosed(strict, act))[1].cause is Cause.NOTHING_ARRIVED

    async def test_what_the_scenario_published_itself_is_no_hint(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, lambda s: s.publish("orders.setled", {"status": "settled"}))
        assert diagnosis.cause is Cause.NOTHING_ARRIVED

    async def test_a_similar_topic_that_it_published_on_itself_is_pointed_at(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, lambda s: s.publish("orders.setled", {"status": "settled"}))
        assert "has published on 'orders.setled': is that the topic that was meant?" in diagnosis.text

    @pytest.mark.parametrize("topic", ["orders.settle", "billing.settled", "orders.settled.late"])
    async def test_a_deed_is_no_slip_of_its_outcome(self, strict: Harness, topic: str) -> None:
        _, diagnosis = await diagnosed(strict, lambda s: s.publish(topic, {"status": "settled"}))
        assert "that was meant" not in diagnosis.text

    async def test_a_stand_in_that_took_no_message_is_said_to_have_answered_nothing(self, strict: Harness) -> None:
        text = await unanswered(strict, lambda s: s.on("orders.placed"))
        assert "the stand-in that answers 'orders.placed' has answered nothing: no message has come on" in text

    async def test_what_a_stand_in_passed_over_is_told_with_what_differs(self, strict: Harness) -> None:
        text = await unanswered(strict, lambda s: s.on("start", contains_fields({"id": "7"})))
        assert 'answered nothing: 1 message came there, and the last differs in id: expected "7", got 7' in text

    async def test_a_stand_in_that_has_answered_is_not_blamed(self, strict: Harness) -> None:
        assert "answered nothing" not in await unanswered(strict, lambda s: s.on("start"))

    async def test_what_a_stand_in_passed_over_is_masked(self, strict: Harness) -> None:
        text = await unanswered(strict, lambda s: s.on("start", contains_fields({"password": "a"})))
        assert "answered nothing" in text
        assert "hunter2" not in text

    async def test_too_late(self, strict: Harness) -> None:
        late = publishing("orders.settled", {"status": "settled"})
        handle, diagnosis = await diagnosed(strict, nothing, after=late)
        assert handle.outcome is Outcome.TIMEOUT
        assert diagnosis.cause is Cause.TOO_LATE
        assert "250.0 ms after the wait of 500 ms" in diagnosis.sentence

    async def test_too_early(self, strict: Harness) -> None:
        async with strict.scenario("early", options=WATCHING) as s:
            handle = s.expect("orders.settled", contains_fields({"status": "settled"})).not_before_ms(100)
            s.publish("start", {})
            await asyncio.sleep(0.04)
            publishing("orders.settled", {"status": "settled"})(s)
            await s.await_all(timeout_ms=500)
        assert handle.outcome is Outcome.FAIL
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TOO_EARLY
        assert "came after 40.0 ms, 60.0 ms sooner than the 100 ms" in handle.diagnosis.sentence

    @pytest.mark.parametrize("said", [{"exactly": 1}, {"at_least": 1}, {"at_most": 1}], ids=str)
    async def test_too_early_where_messages_are_counted(self, strict: Harness, said: dict[str, int]) -> None:
        async with strict.scenario("early", options=WATCHING) as s:
            handle = s.expect_count("orders.settled", contains_fields({"status": "settled"}), **said)
            handle.not_before_ms(100)
            s.publish("start", {})
            await asyncio.sleep(0.04)
            publishing("orders.settled", {"status": "settled"})(s)
            await s.await_all(timeout_ms=500)
        assert handle.outcome is Outcome.FAIL
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TOO_EARLY

    async def test_from_the_earliest_moment_on_it_is_no_more_too_early(self, strict: Harness) -> None:
        async with strict.scenario("in time", options=WATCHING) as s:
            handle = s.expect("orders.settled", contains_fields({"status": "settled"})).not_before_ms(100)
            s.publish("start", {})
            await asyncio.sleep(0.1)
            publishing("orders.settled", {"status": "settled"})(s)
            await s.await_all(timeout_ms=500)
        assert handle.outcome is Outcome.PASS

    @pytest.mark.parametrize("earliest", [0, -1, float("nan")])
    async def test_an_earliest_moment_that_is_none_is_refused(self, strict: Harness, earliest: float) -> None:
        async with strict.scenario("refused", options=WATCHING) as s:
            with pytest.raises(ValueError, match="must be positive and finite"):
                s.expect("orders.settled", exists()).not_before_ms(earliest)

    async def test_a_late_message_that_does_not_match_is_not_it(self, strict: Harness) -> None:
        late = publishing("orders.settled", {"status": "open"})
        assert (await diagnosed(strict, nothing, after=late))[1].cause is Cause.NOTHING_ARRIVED

    async def test_a_diagnosis_read_before_the_late_message_is_made_anew(self, strict: Harness) -> None:
        def read_then_late(s: Scenario) -> None:
            (handle,) = (each.handle for each in s.scope.expectations)
            assert handle.diagnosis is not None
            assert handle.diagnosis.cause is Cause.NOTHING_ARRIVED
            publishing("orders.settled", {"status": "settled"})(s)

        assert (await diagnosed(strict, nothing, after=read_then_late))[1].cause is Cause.TOO_LATE

    async def test_undecodable(self, transport: MockTransport) -> None:
        harness = Harness(transport, codec=JSONCodec(strict=True))
        await harness.connect()

        def act(s: Scenario) -> None:
            raw("orders.settled", b"{half")(s)
            raw("orders.settled", b"\xff")(s)

        handle, diagnosis = await diagnosed(harness, act)
        assert handle.outcome is Outcome.TIMEOUT
        assert diagnosis.cause is Cause.UNDECODABLE
        assert "2 messages" in diagnosis.sentence
        assert "UnicodeDecodeError" in diagnosis.sentence

    async def test_transport_failed(self) -> None:
        transport = BrokerLike()
        harness = Harness(transport, correlation=DictFieldPolicy(strict=True))
        await harness.connect()
        async with harness.scenario("broken connection") as s:
            handle = s.expect("orders.settled", exists())
            transport.confirm("orders.settled")
            await s.ready()
            s.publish("orders.placed", {})
            transport.lose("orders.placed", "the broker closed the connection")
            await s.await_all(timeout_ms=100)
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.reason.endswith("to 'orders.placed': the broker closed the connection")  # however long was waited
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "the broker closed the connection" in handle.diagnosis.sentence

    async def test_unexpected(self, strict: Harness) -> None:
        act = publishing("orders.settled", {"status": "settled"})
        handle, diagnosis = await diagnosed(strict, act, occurs=Occurs(0, 0))
        assert handle.outcome is Outcome.FAIL
        assert diagnosis.cause is Cause.UNEXPECTED
        assert "1 matching on 'orders.settled', wanted none" in diagnosis.text

    async def test_out_of_order(self, strict: Harness) -> None:
        async with strict.scenario("order") as s:
            _, second = s.expect_in_order([("orders.placed", exists()), ("orders.settled", exists())])
            s.publish("orders.settled", {})
            await s.await_all(timeout_ms=500)
        assert second.diagnosis is not None
        assert second.diagnosis.cause is Cause.OUT_OF_ORDER
        assert "before the expected one on 'orders.placed', which never came" in second.diagnosis.sentence

    async def test_too_few(self, strict: Harness) -> None:
        act = publishing("orders.settled", {"status": "settled"})
        _, diagnosis = await diagnosed(strict, act, occurs=Occurs(3))
        assert diagnosis.cause is Cause.TOO_FEW
        assert "1 matching on 'orders.settled' within 500 ms, wanted at least 3" in diagnosis.sentence

    async def test_contract_broken(self, transport: MockTransport) -> None:
        async with guarded(transport) as harness:
            _, diagnosis = await diagnosed(harness, publishing("orders.settled", {"status": "settled", "total": "5"}))
        assert diagnosis.cause is Cause.CONTRACT_BROKEN
        assert diagnosis.sentence == (
            "a message on 'orders.settled' breaks its contract: total: expected integer (the test's contract)"
        )
        assert '    total: expected an integer, got "5"' in diagnosis.text

    async def test_nobody_listens(
        self, strict: Harness, transport: MockTransport, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nobody_hears("orders.placed", transport, monkeypatch)
        async with strict.scenario("unheard", options=WATCHING) as s:
            handle = s.expect("orders.settled", exists())
            s.publish("orders.placed", {})
            await s.await_all(timeout_ms=500)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.NOBODY_LISTENS
        assert handle.diagnosis.sentence == (
            "no matching message arrived on 'orders.settled' within 500 ms: "
            "nobody listens on 'orders.placed': the test says so"
        )

    async def test_aborted(self, strict: Harness) -> None:
        async with breaking(strict.scenario("left")) as s:
            handle = s.expect("orders.settled", exists())
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.ABORTED

    def test_every_cause_is_shown_above(self) -> None:
        shown = {name.removeprefix("test_").upper() for name in vars(TestCauses)}
        assert {cause.name for cause in Cause} <= shown


class TestNobodyListens:
    """Of what a check depends on: what left in its phase, or the publish its budget counts from."""

    @pytest.fixture(autouse=True)
    def unheard(self, transport: MockTransport, monkeypatch: pytest.MonkeyPatch) -> None:
        nobody_hears("orders.placed", transport, monkeypatch)

    async def test_what_somebody_heard_may_bring_it(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, lambda s: s.publish("orders.placed", {}))
        assert diagnosis.cause is Cause.NOTHING_ARRIVED
        assert "note: nobody listens on 'orders.placed': the test says so" in diagnosis.text

    async def test_so_may_an_act_of_ones_own(self, strict: Harness) -> None:
        async with strict.scenario("act", options=WATCHING) as s:
            handle = s.expect("orders.settled", exists())
            s.publish("orders.placed", {})
            s.scope.outbox.begin_act()
            s.scope.outbox.count_from(s.scope.clock())
            await s.await_all(timeout_ms=50)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.NOTHING_ARRIVED

    async def test_a_budget_names_what_it_depends_on(self, strict: Harness) -> None:
        async with strict.scenario("of", options=WATCHING) as s:
            handle = s.expect("orders.settled", exists()).within_ms(20, of="orders.placed")
            s.publish("orders.placed", {})
            s.publish("orders.paid", {})
            await s.await_all(timeout_ms=50)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.NOBODY_LISTENS

    async def test_what_came_all_the_same_counts_for_more(self, strict: Harness) -> None:
        async with strict.scenario("near", options=WATCHING) as s:
            handle = s.expect("orders.settled", contains_fields({"n": 1}))
            s.publish("orders.placed", {})
            publishing("orders.settled", {"n": 2})(s)
            await s.await_all(timeout_ms=50)
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.WRONG_SHAPE

    async def test_absence_passes(self, strict: Harness) -> None:
        async with strict.scenario("absence", options=WATCHING) as s:
            handle = s.expect_none("orders.settled", exists())
            s.publish("orders.placed", {})
            await s.await_all(timeout_ms=50)
        assert handle.outcome is Outcome.PASS


class TestPrecedence:
    """The strongest evidence names the cause; the rest is mentioned."""

    async def test_near_misses_win_over_foreign_messages(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            publishing("orders.settled", {"status": "open"})(s)
            strict.publish("orders.settled", {"status": "settled", "correlation_id": "other"})

        _, diagnosis = await diagnosed(strict, act)
        assert diagnosis.cause is Cause.WRONG_SHAPE

    async def test_a_late_match_wins_over_near_misses(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(
            strict,
            publishing("orders.settled", {"status": "open"}),
            after=publishing("orders.settled", {"status": "settled"}),
        )
        assert diagnosis.cause is Cause.TOO_LATE
        assert 'got "open"' in diagnosis.text

    async def test_near_misses_win_over_undecodable_ones_which_are_mentioned(self, transport: MockTransport) -> None:
        harness = Harness(transport, codec=JSONCodec(strict=True))
        await harness.connect()

        def act(s: Scenario) -> None:
            raw("orders.settled", b"{half")(s)
            raw("orders.settled", b'{"status": "open"}')(s)

        _, diagnosis = await diagnosed(harness, act)
        assert diagnosis.cause is Cause.WRONG_SHAPE
        assert "1 unreadable" in diagnosis.text


class TestText:
    async def test_secrets_are_masked(self, strict: Harness) -> None:
        act = publishing("orders.settled", {"password": "battery-staple", "url": "amqp://u:hunter22@h"})
        _, diagnosis = await diagnosed(
            strict, act, matcher=contains_fields({"password": "right-horse", "url": "amqp://h"})
        )
        assert "password" in diagnosis.text
        for secret in ("battery-staple", "right-horse", "hunter22"):
            assert secret not in diagnosis.text + diagnosis.sentence

    async def test_long_values_and_many_differences_are_cut(self, strict: Harness) -> None:
        wanted = {f"f{number}": number for number in range(40)}
        _, diagnosis = await diagnosed(
            strict, publishing("orders.settled", {"f0": "x" * 5000}), matcher=contains_fields(wanted)
        )
        assert "28 more" in diagnosis.text
        assert max(len(line) for line in diagnosis.text.splitlines()) < 400

    async def test_every_field_in_which_the_closest_differs_is_kept(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            publishing("orders.settled", {"status": "open", "owner": {"name": "Ada"}, "fine": 1})(s)
            publishing("orders.settled", {})(s)

        wanted = contains_fields({"status": "settled", "owner": {"name": "Bob", "since": 2020}, "fine": 1})
        _, diagnosis = await diagnosed(strict, act, matcher=wanted)
        found = [(each.kind, each.path) for each in diagnosis.differences]
        assert found == [("mismatch", "status"), ("mismatch", "owner.name"), ("missing", "owner.since")]

    async def test_without_a_near_miss_nothing_differs(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, lambda _: None)
        assert diagnosis.differences == ()

    async def test_a_missing_field_is_called_missing(self, strict: Harness) -> None:
        _, diagnosis = await diagnosed(strict, publishing("orders.settled", {}))
        assert 'status: expected "settled", got nothing (missing)' in diagnosis.text

    async def test_the_closest_of_many_is_found_and_the_first_and_latest_are_kept(self, strict: Harness) -> None:
        def act(s: Scenario) -> None:
            publishing("orders.settled", {"a": 1, "b": 1, "c": 0})(s)
            for number in range(100):
                publishing("orders.settled", {"a": number + 2})(s)

        _, diagnosis = await diagnosed(strict, act, matcher=contains_fields({"a": 1, "b": 1, "c": 1}))
        assert "101 near-misses" in diagnosis.sentence
        assert "2 of 3 fields right" in diagnosis.text


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        (b'{"status": "settled"}', "1 matching message without a correlation id"),
        (b'{"status": "settled", "correlation_id": "x"}', "1 matching message of another correlation id"),
    ],
)
async def test_too_few_names_the_one_that_would_have_made_the_number_full(
    strict: Harness, stranger: bytes, said: str
) -> None:
    def act(s: Scenario) -> None:
        publishing("orders.settled", {"status": "settled"})(s)
        raw("orders.settled", stranger)(s)

    _, diagnosis = await diagnosed(strict, act, occurs=Occurs(2, None))
    assert diagnosis.cause is Cause.TOO_FEW
    assert f"also on 'orders.settled': {said}" in diagnosis.text

"""Absence, numbers and order of messages, from the Python API of a scenario and of a Stage (spec/harness.md 14.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest
from msgspec.structs import replace

from choreo_bdd import DictFieldPolicy, Harness, MappedBridge, MissingTransportError, Outcome, ScopeOptions, Stage
from choreo_bdd.matchers import anything, contains_fields, field_equals, gt
from choreo_bdd.message import Message
from choreo_bdd.scenario import Cause, Handle, Occurs
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.base import sink_of
from tests.support.engine_doubles import BrokerLike, PlainTransport


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    harnesses = {name: Harness(MockTransport(), correlation=DictFieldPolicy()) for name in ("left", "right")}
    stage = Stage(harnesses, MappedBridge({"left": "L-{}".format, "right": "R-{}".format}))
    await stage.connect()
    yield stage
    await stage.disconnect()


class Breaking:
    """A matcher that says nothing of any message."""

    description = "breaks"

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error

    def match(self, payload: object) -> Any:
        raise self._error("broken")


def cause_of(handle: Handle) -> Cause:
    assert handle.diagnosis is not None
    return handle.diagnosis.cause


class TestNone:
    async def test_passes_when_nothing_came_and_the_window_is_over(self, harness: Harness) -> None:
        async with harness.scenario("quiet") as s:
            handle = s.expect_none("refunds")
            s.publish("orders", {"n": 1})
            before = asyncio.get_running_loop().time()
            result = await s.await_all(timeout_ms=300)
        assert result.passed
        assert handle.was_fulfilled()
        assert asyncio.get_running_loop().time() - before == pytest.approx(0.3)

    async def test_fails_at_once_by_any_message(self, harness: Harness) -> None:
        async with harness.scenario("noise") as s:
            handle = s.expect_none("refunds")
            s.publish("refunds", {"n": 1})
            before = asyncio.get_running_loop().time()
            result = await s.await_all(timeout_ms=300)
        assert not result.passed
        assert (handle.outcome, cause_of(handle)) == (Outcome.FAIL, Cause.UNEXPECTED)
        assert asyncio.get_running_loop().time() == before
        [told] = [entry for entry in result.timeline if entry.detail.startswith("unexpected: ")]
        assert told.action == "mismatched"

    @pytest.mark.parametrize("error", [KeyError, SystemExit, pytest.fail.Exception, GeneratorExit])
    async def test_is_not_passed_by_a_matcher_that_breaks(self, harness: Harness, error: type[BaseException]) -> None:
        async with harness.scenario("broken") as s:
            none = s.expect_none("refunds", Breaking(error))
            two = s.expect_count("refunds", Breaking(error), exactly=0)
            few = s.expect_count("refunds", Breaking(error), at_most=5)
            s.publish("refunds", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert [none.outcome, two.outcome, few.outcome] == [Outcome.FAIL, Outcome.FAIL, Outcome.PASS]
        assert f"1 that came could not be judged (the matcher raised {error.__name__})" in none.reason
        assert "could not be judged" in few.notes[0]

    async def test_lets_messages_through_that_do_not_match(self, harness: Harness) -> None:
        async with harness.scenario("other") as s:
            handle = s.expect_none("refunds", field_equals("n", 2))
            s.publish("refunds", {"n": 1})
            await s.await_all(timeout_ms=300)
        assert handle.was_fulfilled()

    async def test_concerns_the_scenarios_own_messages_only(self, strict: Harness, transport: MockTransport) -> None:
        async with strict.scenario("own") as s:
            handle = s.expect_none("refunds")
            s.publish("orders", {})
            transport.publish("refunds", b'{"correlation_id": "somebody-else"}')
            await s.await_all(timeout_ms=300)
        assert handle.was_fulfilled()

    async def test_never_passes_while_the_trigger_is_not_confirmed(self) -> None:
        broker = BrokerLike()
        harness = Harness(broker)
        await harness.connect()
        async with harness.scenario("unconfirmed") as s:
            handle = s.expect_none("refunds")
            broker.confirm("refunds")
            s.publish("orders", {})
            await s.await_all(timeout_ms=300)
        assert (handle.outcome, cause_of(handle)) == (Outcome.TIMEOUT, Cause.TRANSPORT_FAILED)
        assert "the broker has not confirmed the message on 'orders' yet" in handle.reason
        broker.let_go("orders")

    async def test_what_leaves_while_the_broker_is_asked_is_not_overdue(self) -> None:
        class Busy(BrokerLike):
            async def fence(self, _: Collection[str]) -> None:
                s.publish("of a stand-in", {})

        broker = Busy()
        harness = Harness(broker)
        await harness.connect()
        async with harness.scenario("stand-ins that answer each other") as s:
            handle = s.expect("refunds", anything())
            broker.confirm("refunds")
            s.publish("orders", {})
            broker.let_go("orders")
            await s.await_all(timeout_ms=300)
        assert (handle.outcome, cause_of(handle)) == (Outcome.TIMEOUT, Cause.NOTHING_ARRIVED)
        broker.let_go("of a stand-in")

    async def test_a_confirmation_in_time_lets_it_pass(self) -> None:
        broker = BrokerLike()
        harness = Harness(broker)
        await harness.connect()
        async with harness.scenario("confirmed") as s:
            handle = s.expect_none("refunds")
            broker.confirm("refunds")
            s.publish("orders", {})
            broker.let_go("orders")
            await s.await_all(timeout_ms=300)
        assert handle.was_fulfilled()

    async def test_a_confirmation_that_follows_the_brokers_answer_lets_it_pass(self) -> None:
        class TwoConnections(BrokerLike):
            async def fence(self, _: Collection[str]) -> None:
                asyncio.get_running_loop().call_later(0.05, broker.let_go, "orders")

        broker = TwoConnections()
        harness = Harness(broker)
        await harness.connect()
        async with harness.scenario("confirmed behind") as s:
            handle = s.expect_none("refunds")
            broker.confirm("refunds")
            s.publish("orders", {})
            await s.await_all(timeout_ms=300)
        assert handle.was_fulfilled(), handle.reason

    async def test_a_message_without_an_id_breaks_it_however_many_come_behind(
        self, strict: Harness, transport: MockTransport
    ) -> None:
        async with strict.scenario("busy topic", options=ScopeOptions(unattributed="fail")) as s:
            handle = s.expect_none("refunds", field_equals("n", 1))
            s.publish("orders", {})
            transport.publish("refunds", b'{"n": 1}')
            for _ in range(100):
                transport.publish("refunds", b'{"n": 2}')
                transport.publish("refunds", b'{"n": 1, "correlation_id": "of another run"}')
            await s.await_all(timeout_ms=10)
        assert (handle.outcome, cause_of(handle)) == (Outcome.FAIL, Cause.NO_CORRELATION_ID)

    async def test_comes_too_late_once_something_was_published(self, harness: Harness) -> None:
        async with harness.scenario("state") as s:
            s.expect_none("refunds")
            s.publish("orders", {})
            with pytest.raises(AttributeError, match="before the first publish"):
                s.expect_none("refunds")
            await s.await_all(timeout_ms=1)


class TestCount:
    @pytest.mark.parametrize(
        ("words", "sent", "passes"),
        [
            ({"exactly": 2}, 1, False),
            ({"exactly": 2}, 2, True),
            ({"exactly": 2}, 3, False),
            ({"exactly": 0}, 0, True),
            ({"at_least": 2}, 1, False),
            ({"at_least": 2}, 3, True),
            ({"at_most": 2}, 0, True),
            ({"at_most": 2}, 3, False),
            ({"at_least": 1, "at_most": 2}, 0, False),
            ({"at_least": 1, "at_most": 2}, 2, True),
            ({"at_least": 1, "at_most": 2}, 3, False),
        ],
    )
    async def test_a_number_of_messages(
        self, harness: Harness, words: dict[str, int], sent: int, *, passes: bool
    ) -> None:
        async with harness.scenario("count") as s:
            handle = s.expect_count("orders", field_equals("ok", True), **words)
            s.publish("orders", {"ok": False})
            for _ in range(sent):
                s.publish("orders", {"ok": True})
            result = await s.await_all(timeout_ms=100)
        assert result.passed is passes
        assert handle.was_fulfilled() is passes

    async def test_keeps_every_message(self, harness: Harness) -> None:
        async with harness.scenario("all of them") as s:
            handle = s.expect_count("orders", contains_fields({"n": gt(0)}), exactly=3)
            for number in (1, 2, 3):
                s.publish("orders", {"n": number})
            await s.await_all(timeout_ms=100)
        assert [message.payload["n"] for message in handle.messages] == [1, 2, 3]

    async def test_at_least_is_decided_early(self, harness: Harness) -> None:
        async with harness.scenario("early") as s:
            s.expect_count("orders", field_equals("n", 1), at_least=2)
            s.publish("orders", {"n": 1}).publish("orders", {"n": 1})
            before = asyncio.get_running_loop().time()
            assert (await s.await_all(timeout_ms=5000)).passed
            assert asyncio.get_running_loop().time() == before

    @pytest.mark.parametrize(
        ("words", "said"),
        [({"exactly": 2}, "exactly 2"), ({"at_least": 2, "at_most": 3}, "at least 2 and at most 3")],
    )
    async def test_too_few_says_how_many_were_wanted(self, harness: Harness, words: dict[str, int], said: str) -> None:
        async with harness.scenario("few") as s:
            handle = s.expect_count("orders", field_equals("n", 1), **words)
            s.publish("orders", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert cause_of(handle) is Cause.TOO_FEW
        assert f"wanted {said}" in handle.reason

    @pytest.mark.parametrize(
        "words",
        [{}, {"exactly": 1, "at_least": 1}, {"exactly": 1, "at_most": 1}, {"at_least": 3, "at_most": 2},
         {"exactly": -1}, {"at_least": -1}, {"at_least": 0}, {"at_most": -1}],
        ids=str,
    )  # fmt: skip
    async def test_numbers_that_make_no_sense_are_refused(self, harness: Harness, words: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=r"how often|no number of messages"):
            Occurs.of(**words)


PLACED = Message("placed", b'{"n": 1}', received_at=1.0, order=70)


class TestOrderThatTheBrokerTells:
    """What is handed over together, topic by topic, has arrived in no order; the broker's own counts."""

    async def outcome_of(self, *messages: Message) -> Handle:
        transport = PlainTransport()
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("one fetch") as s:
            _, paid = s.expect_in_order([("placed", contains_fields({"n": 1})), ("paid", contains_fields({"n": 1}))])
            s.publish("go", {})
            now = asyncio.get_running_loop().time()
            for each in messages:
                arrived = replace(each, received_at=now + each.received_at)
                for topic, callback in transport.callbacks:
                    if topic == each.topic:
                        sink_of(callback)(arrived)
            await s.await_all(timeout_ms=5000)
        await harness.disconnect()
        return paid

    @pytest.mark.parametrize("paid_first", [False, True])
    @pytest.mark.parametrize(("order", "outcome"), [(71, Outcome.PASS), (69, Outcome.FAIL)])
    async def test_it_counts_whichever_was_handed_over_first(
        self, order: int, outcome: Outcome, *, paid_first: bool
    ) -> None:
        paid = replace(PLACED, topic="paid", order=order)
        handle = await self.outcome_of(*((paid, PLACED) if paid_first else (PLACED, paid)))
        assert handle.outcome is outcome

    @pytest.mark.parametrize("paid_first", [False, True])
    async def test_one_time_for_both_that_came_together_cannot_be_told(self, *, paid_first: bool) -> None:
        paid = replace(PLACED, topic="paid")
        handle = await self.outcome_of(*((paid, PLACED) if paid_first else (PLACED, paid)))
        assert (handle.outcome, cause_of(handle)) == (Outcome.FAIL, Cause.OUT_OF_ORDER)
        assert handle.diagnosis is not None
        assert "before or after the one on 'placed' cannot be told" in handle.diagnosis.text

    @pytest.mark.parametrize(("received_at", "outcome"), [(1.1, Outcome.PASS), (0.9, Outcome.FAIL)])
    async def test_one_time_for_two_that_came_apart_leaves_it_to_the_arrival(
        self, received_at: float, outcome: Outcome
    ) -> None:
        paid = replace(PLACED, topic="paid", received_at=received_at)
        assert (await self.outcome_of(PLACED, paid)).outcome is outcome

    @pytest.mark.parametrize(
        ("received_at", "outcome"), [(1.003, Outcome.PASS), (0.997, Outcome.FAIL), (1.0, Outcome.FAIL)]
    )
    async def test_a_sender_whose_clock_is_an_hour_slow_is_ordered_by_arrival(
        self, received_at: float, outcome: Outcome
    ) -> None:
        placed = replace(PLACED, received_at=1.0, broker_time=1_700_000_000.0, order=1_700_000_000_000)
        paid = replace(
            placed,
            topic="paid",
            received_at=received_at,
            broker_time=1_699_996_400.0,
            order=1_699_996_400_000,
        )
        handle = await self.outcome_of(*sorted((placed, paid), key=lambda each: each.received_at))
        assert handle.outcome is outcome
        if received_at == placed.received_at:  # one fetch has brought both
            assert handle.diagnosis is not None
            assert "cannot be told" in handle.diagnosis.text

    @pytest.mark.parametrize(
        ("stamped_s", "came_s", "told"),
        [
            (0.02, 0.0, True),
            (-0.02, 0.0, False),
            (0.02, -0.01, True),  # read late on its own connection
            (0.0009, 0.0, None),  # stamps count milliseconds
            (1.0, 0.0, None),  # an id of the sender's own
            (-0.02, 0.2, True),
        ],
    )
    def test_in_lanes_of_their_own_the_stamps_of_one_server_count(
        self, stamped_s: float, came_s: float, *, told: bool | None
    ) -> None:
        pushed = replace(PLACED, order=None, broker_time=1_700_000_000.0, lane="commands")
        entry = Message("paid", b"", 1.0 + came_s, broker_time=1_700_000_000.0 + stamped_s, order=1)
        assert entry.follows(pushed, handed_over_later=True) is told
        assert pushed.follows(entry, handed_over_later=True) is (None if told is None else not told)

    def test_in_lanes_without_stamps_nobody_tells(self) -> None:
        pushed = replace(PLACED, order=None, broker_time=1_700_000_000.0, lane="commands")
        assert replace(PLACED, topic="paid", received_at=1.02).follows(pushed, handed_over_later=True) is None

    async def test_in_one_partition_the_offset_counts(self) -> None:
        first, second = (
            replace(PLACED, partition=0, offset=1, order=90),
            replace(PLACED, partition=0, offset=2, order=80),
        )
        assert second.follows(first, handed_over_later=True)
        assert not first.follows(second, handed_over_later=True)


class TestOrder:
    async def test_messages_in_their_order_pass(self, harness: Harness) -> None:
        async with harness.scenario("order") as s:
            first, second, third = s.expect_in_order(
                [(topic, contains_fields({"n": 1})) for topic in ("placed", "paid", "shipped")]
            )
            for topic in ("placed", "paid", "shipped"):
                s.publish(topic, {"n": 1})
            result = await s.await_all(timeout_ms=100)
        assert result.passed
        assert result.handles == (first, second, third)

    async def test_a_message_ahead_of_its_predecessor_is_out_of_order(self, harness: Harness) -> None:
        async with harness.scenario("swapped") as s:
            placed, paid = s.expect_in_order([("placed", field_equals("n", 1)), ("paid", field_equals("n", 1))])
            s.publish("paid", {"n": 1})
            s.publish("placed", {"n": 1})
            result = await s.await_all(timeout_ms=100)
        assert placed.was_fulfilled()
        assert (paid.outcome, cause_of(paid)) == (Outcome.FAIL, Cause.OUT_OF_ORDER)
        assert paid.diagnosis is not None
        assert paid.diagnosis.sentence == "on 'paid' a matching message came before the expected one on 'placed'"
        assert "out of order" in paid.reason
        assert "out of order" in result.failure_summary()
        assert paid.message is None

    async def test_it_counts_when_it_comes_again_in_order(self, harness: Harness) -> None:
        async with harness.scenario("again") as s:
            _, paid = s.expect_in_order([("placed", field_equals("n", 1)), ("paid", contains_fields({}))])
            s.publish("paid", {"try": 1}).publish("placed", {"n": 1}).publish("paid", {"try": 2})
            result = await s.await_all(timeout_ms=100)
        assert result.passed
        assert paid.message == {"try": 2}
        assert paid.attempts == 1

    async def test_a_predecessor_that_never_came_is_said(self, harness: Harness) -> None:
        async with harness.scenario("never") as s:
            placed, paid = s.expect_in_order([("placed", field_equals("n", 1)), ("paid", field_equals("n", 1))])
            s.publish("paid", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert cause_of(placed) is Cause.NOTHING_ARRIVED
        assert cause_of(paid) is Cause.OUT_OF_ORDER
        assert "which never came" in str(paid.diagnosis)

    async def test_nothing_at_all_is_no_question_of_order(self, harness: Harness) -> None:
        async with harness.scenario("nothing") as s:
            _, paid = s.expect_in_order([("placed", field_equals("n", 1)), ("paid", field_equals("n", 1))])
            s.publish("placed", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert (paid.outcome, cause_of(paid)) == (Outcome.TIMEOUT, Cause.NOTHING_ARRIVED)

    async def test_one_message_does_not_do_for_two_steps(self, harness: Harness) -> None:
        async with harness.scenario("same topic") as s:
            first, second = s.expect_in_order([("t", contains_fields({"n": 1})), ("t", contains_fields({"n": 1}))])
            s.publish("t", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert first.was_fulfilled()
        assert cause_of(second) is Cause.NOTHING_ARRIVED

    @pytest.mark.parametrize("topics", [("a.b", "a.*"), ("a.*", "a.b")], ids=["topic first", "pattern first"])
    @pytest.mark.parametrize("pattern_hears_first", [True, False])
    @pytest.mark.parametrize(("sent", "passes"), [(1, False), (2, True)])
    async def test_one_message_heard_twice_does_not_do_for_two_steps_and_two_do(
        self, topics: tuple[str, str], sent: int, *, pattern_hears_first: bool, passes: bool
    ) -> None:
        transport = PlainTransport()
        harness = Harness(transport)
        await harness.connect()
        async with harness.scenario("topic and pattern") as s:
            s.expect_in_order([(topic, contains_fields({"n": 1})) for topic in topics])
            s.publish("start", {})
            hearing = sorted(transport.callbacks, key=lambda each: each[0], reverse=not pattern_hears_first)
            for _ in range(sent):
                await asyncio.sleep(0.01)
                for _, callback in hearing:  # as a broker does: a copy for each subscription
                    sink_of(callback)(Message("a.b", b'{"n": 1}', asyncio.get_running_loop().time()))
            result = await s.await_all(timeout_ms=100)
        await harness.disconnect()
        assert result.passed is passes

    async def test_two_messages_on_one_topic_are_two_steps(self, harness: Harness) -> None:
        async with harness.scenario("same topic") as s:
            first, second = s.expect_in_order([("t", contains_fields({})), ("t", contains_fields({}))])
            s.publish("t", {"n": 1}).publish("t", {"n": 2})
            assert (await s.await_all(timeout_ms=100)).passed
        assert (first.message, second.message) == ({"n": 1}, {"n": 2})

    async def test_a_count_is_met_when_it_is_full(self, harness: Harness) -> None:
        async with harness.scenario("full") as s:
            items = s.expect_count("item", field_equals("n", 1), at_least=2)
            done = s.expect("done", contains_fields({}), after=items)
            s.publish("item", {"n": 1}).publish("done", {"early": True}).publish("item", {"n": 1})
            await s.await_all(timeout_ms=100)
        assert items.was_fulfilled()
        assert cause_of(done) is Cause.OUT_OF_ORDER

    async def test_a_message_that_holds_for_its_matcher_keeps_its_place(self, harness: Harness) -> None:
        async with harness.scenario("held") as s:
            first = s.scope.expect("first", None)
            second = s.scope.expect("second", contains_fields({}), after=first)
            await asyncio.sleep(0.01)
            harness.publish("second", {"n": 1})
            await asyncio.sleep(0.01)
            harness.publish("first", {"n": 2})
            await asyncio.sleep(0.01)
            harness.publish("second", {"n": 3})
            assert second.outcome is Outcome.PENDING
            s.scope.supply(first, field_equals("n", 2))
            assert (first.outcome, second.outcome) == (Outcome.PASS, Outcome.PASS)
            assert second.message == {"n": 3}

    async def test_it_is_seen_on_the_timeline(self, harness: Harness) -> None:
        async with harness.scenario("timeline") as s:
            s.expect_in_order([("placed", field_equals("n", 1)), ("paid", field_equals("n", 1))])
            s.publish("paid", {"n": 1})
            result = await s.await_all(timeout_ms=100)
        [mismatch] = [entry for entry in result.timeline if entry.action == "mismatched"]
        assert mismatch.topic == "paid"
        assert mismatch.detail.startswith("out of order")

    async def test_a_late_message_out_of_order_is_not_called_late(self, harness: Harness) -> None:
        async with harness.scenario("late") as s:
            _, paid = s.expect_in_order([("placed", field_equals("n", 1)), ("paid", field_equals("n", 1))])
            s.publish("elsewhere", {})
            await s.await_all(timeout_ms=100)
            s.publish("paid", {"n": 1})
            assert cause_of(paid) is Cause.NOTHING_ARRIVED

    async def test_nothing_can_come_after_what_may_be_met_by_no_message(self, harness: Harness) -> None:
        async with harness.scenario("absence") as s:
            absent = s.expect_none("refunds")
            with pytest.raises(ValueError, match="met by no message at all"):
                s.expect("paid", field_equals("n", 1), after=absent)
            s.publish("orders", {})
            await s.await_all(timeout_ms=1)


class TestOnAStage:
    async def test_absence_numbers_and_order_on_any_transport(self, stage: Stage) -> None:
        async with stage.scenario("all") as s:
            none = s.expect_none("refunds", on="right")
            twice = s.expect_count("item", contains_fields({}), exactly=2, on="left")
            steps = s.expect_in_order([("placed", contains_fields({})), ("paid", contains_fields({}))], on="right")
            s.publish("item", {}, on="left").publish("item", {}, on="left")
            s.publish("placed", {}, on="right").publish("paid", {}, on="right")
            s.publish("refunds", {}, on="left")
            result = await s.await_all(100)
        assert result.passed
        assert [handle.transport for handle in (none, twice, *steps)] == ["right", "left", "right", "right"]

    async def test_order_across_transports(self, stage: Stage) -> None:
        async with stage.scenario("across") as s:
            placed = s.expect("placed", contains_fields({}), on="left")
            paid = s.expect("paid", contains_fields({}), on="right", after=placed)
            s.publish("paid", {}, on="right").publish("placed", {}, on="left")
            await s.await_all(100)
        assert placed.was_fulfilled()
        assert cause_of(paid) is Cause.OUT_OF_ORDER

    async def test_the_transport_has_to_be_named(self, stage: Stage) -> None:
        calls: list[Any] = [
            lambda s: s.expect_none("t"),
            lambda s: s.expect_count("t", contains_fields({}), exactly=1),
            lambda s: s.expect_in_order([("t", contains_fields({}))]),
        ]
        async with stage.scenario("unnamed") as s:
            for call in calls:
                with pytest.raises(MissingTransportError, match="on=None"):
                    call(s)
            await s.await_all(1)

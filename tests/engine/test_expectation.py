"""One expectation by itself: no scope, no harness, no loop and no clock, only messages and moments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd import Handle, Outcome
from choreo_bdd.contracts import Problem
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Matcher, MatchResult, anything, eq
from choreo_bdd.message import Message
from choreo_bdd.scenario.judging.diagnosis import Cause, Diagnosis, explain
from choreo_bdd.scenario.judging.evidence import OutsideEvidence, facts, unseen
from choreo_bdd.scenario.judging.expectation import Expectation, Heard, State
from choreo_bdd.scenario.judging.occurs import NONE, ONCE, Occurs
from choreo_bdd.scenario.judging.ruling import Ruling, Timing
from choreo_bdd.scenario.judging.verdict import by_end_of_scope, by_message, by_time, timing

OPENED = 100.0
RIGHT = eq(1)


def expectation(
    matcher: Matcher | None = RIGHT, occurs: Occurs = ONCE, *, after: Expectation | None = None, topic: str = "orders"
) -> Expectation:
    handle = Handle(topic, "1", "my-id")
    return Expectation(handle, matcher, topic=topic, link=None, opened_at=OPENED, occurs=occurs, after=after)


def message(value: Any, at: float = 101.0, correlation_id: str | None = "my-id", topic: str = "orders") -> Delivery:
    return Delivery(Message(topic, str(value).encode(), received_at=at), value, correlation_id)


def heard(of: Expectation, *deliveries: Delivery) -> list[Heard]:
    return [of.hear(delivery)[0] for delivery in deliveries]


def ended(of: Expectation, outside: OutsideEvidence | None = None, *, at: float = 102.0) -> Handle:
    """The handle after the end of the wait, as a scope would have it decided."""
    outside = outside or OutsideEvidence()
    matched = None if of.matched_at is None else timing(of, of.matched_at, sent=None, from_publish=False)
    ruling = by_time(
        of,
        waited_ms=2000,
        waited=timing(of, at, sent=None, from_publish=False),
        matched=matched,
        failure=outside.failure,
        unseen=unseen(of, [each for each in outside.foreign if each.correlation_id is None], "fail"),
    )
    of.settle(ruling, at=at, explain=lambda: explain(facts(of, outside, waited_ms=2000)))
    return of.handle


def cause(handle: Handle) -> Cause:
    assert handle.diagnosis is not None
    return handle.diagnosis.cause


class TestMessages:
    def test_the_first_match_decides_a_plain_expectation(self) -> None:
        waiting = expectation()
        assert (waiting.state, heard(waiting, message(2), message(1))) == (
            State.WAITING,
            [Heard.NEAR_MISS, Heard.MATCHED],
        )
        assert waiting.is_decided
        assert (waiting.handle.attempts, waiting.count) == (1, 1)
        assert waiting.is_pending  # a message decides, but only a ruling settles

    def test_what_came_before_it_was_armed_is_of_no_concern(self) -> None:
        waiting = expectation()
        assert heard(waiting, message(1, at=99.9)) == [Heard.UNCONCERNED]
        assert (waiting.count, waiting.handle.attempts) == (0, 0)

    def test_what_comes_after_the_window_is_late_and_the_first_that_matches_remembered(self) -> None:
        waiting = expectation()
        waiting.close_at(101.0)
        waiting.has_closed_at = 101.0
        assert heard(waiting, message(2, at=101.5), message(1, at=101.6), message(1, at=101.7)) == [Heard.LATE] * 3
        assert (waiting.late_at, waiting.count, waiting.handle.attempts) == (101.6, 0, 0)

    def test_until_all_has_been_heard_that_had_come_by_its_end_the_window_is_open(self) -> None:
        waiting = expectation()
        waiting.close_at(101.0)
        assert heard(waiting, message(1, at=150.0)) == [Heard.MATCHED]

    def test_one_that_lingers_is_watched_from_when_its_step_is_reached(self) -> None:
        waiting = expectation(occurs=NONE)
        waiting.close_at(101.0, lingers=True)
        waiting.reached(now=110.0, window_s=1.0)
        assert waiting.closes_by(now=200.0) == 111.0
        assert waiting.closes_by(now=110.5) == 110.5

    def test_without_a_matcher_it_holds_until_one_is_supplied(self) -> None:
        waiting = expectation(None)
        first, second = message(2), message(1)
        assert heard(waiting, first, second) == [Heard.HELD, Heard.HELD]
        assert waiting.state is State.HOLDING
        held = waiting.supply(RIGHT)
        assert (held, waiting.state) == ([first, second], State.WAITING)
        assert heard(waiting, *held) == [Heard.NEAR_MISS, Heard.MATCHED]

    def test_it_says_when_there_is_no_more_room_to_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("choreo_bdd.scenario.judging.expectation._HELD_KEPT", 2)
        waiting = expectation(None)
        assert heard(waiting, *[message(1)] * 3) == [Heard.HELD, Heard.HELD, Heard.NO_ROOM]

    def test_one_too_many_is_counted_and_said(self) -> None:
        waiting = expectation(occurs=Occurs.of(exactly=1))
        assert heard(waiting, message(1)) == [Heard.MATCHED]
        assert (waiting.state, waiting.is_decided) == (State.MET, False)
        assert waiting.hear(message(1)) == (Heard.TOO_MANY, "2 matching on 'orders', wanted exactly 1")
        assert waiting.is_decided

    def test_a_matcher_that_raises_has_made_a_near_miss_of_its_own(self) -> None:
        class Broken:
            description = "broken"

            def match(self, payload: object) -> MatchResult:
                pytest.fail("not today")

        waiting = expectation(Broken())
        assert waiting.hear(message(1)) == (Heard.NEAR_MISS, "the matcher raised Failed")
        assert cause(ended(waiting)) is Cause.WRONG_SHAPE

    @pytest.mark.parametrize(("occurs", "is_taken"), [(ONCE, False), (NONE, True)])
    def test_a_broken_contract_matches_nothing_except_where_none_may_come(self, occurs: Occurs, is_taken: bool) -> None:
        broken = message(1)._replace(problems=(Problem("/id", "a number", "nothing"),))
        assert (heard(expectation(occurs=occurs), broken) == [Heard.TOO_MANY]) is is_taken

    def test_nobody_can_read_a_message(self) -> None:
        waiting = expectation()
        assert waiting.hear_unreadable(101.0, "JSONDecodeError")
        assert not waiting.hear_unreadable(99.0, "JSONDecodeError")
        assert cause(ended(waiting)) is Cause.UNDECODABLE
        assert not waiting.hear_unreadable(103.0, "JSONDecodeError")


class TestOrder:
    def test_a_message_counts_only_after_the_one_before(self) -> None:
        first = expectation(eq(0), topic="first")
        second = expectation(after=first)
        early, late = message(1, at=101.0), message(1, at=103.0)
        assert heard(second, early) == [Heard.OUT_OF_ORDER]
        heard(first, message(0, at=102.0, topic="first"))
        assert heard(second, late) == [Heard.MATCHED]
        assert second.decisive is late.message

    def test_one_message_cannot_do_for_both(self) -> None:
        first = expectation(anything())
        second = expectation(anything(), after=first)
        both = message(1)
        assert heard(first, both) + heard(second, both) == [Heard.MATCHED, Heard.TAKEN_BEFORE]

    def test_what_came_too_early_is_the_cause(self) -> None:
        second = expectation(after=expectation(eq(0), topic="first"))
        heard(second, message(1))
        assert cause(ended(second)) is Cause.OUT_OF_ORDER


class TestVerdict:
    @pytest.mark.parametrize(
        ("occurs", "values", "outcome"),
        [
            (ONCE, [], Outcome.TIMEOUT),
            (ONCE, [2], Outcome.FAIL),
            (Occurs.of(at_least=2), [1], Outcome.FAIL),
            (Occurs.of(exactly=2), [1, 1], Outcome.PASS),
            (Occurs.of(exactly=2), [1, 2], Outcome.FAIL),
            (Occurs.of(at_most=1), [], Outcome.PASS),
            (NONE, [2], Outcome.PASS),
        ],
    )
    def test_the_end_of_the_wait(self, occurs: Occurs, values: list[int], outcome: Outcome) -> None:
        waiting = expectation(occurs=occurs)
        heard(waiting, *map(message, values))
        assert ended(waiting).outcome is outcome
        assert waiting.state is State.SETTLED

    @pytest.mark.parametrize("occurs", [NONE, Occurs.of(at_most=3), Occurs.of(exactly=0)])
    def test_nothing_is_absent_that_a_broker_did_not_vouch_for(self, occurs: Occurs) -> None:
        waiting = expectation(occurs=occurs)
        handle = ended(waiting, OutsideEvidence(failure="the broker did not say that all has come"))
        assert (handle.outcome, cause(handle)) == (Outcome.TIMEOUT, Cause.TRANSPORT_FAILED)

    def test_nothing_is_absent_for_a_matcher_that_never_became_known(self) -> None:
        waiting = expectation(None, NONE)
        heard(waiting, message(1))
        assert ended(waiting).outcome is Outcome.TIMEOUT

    @pytest.mark.parametrize(
        ("foreign", "expected"),
        [
            (message(1, correlation_id=None), (Outcome.FAIL, Cause.NO_CORRELATION_ID)),
            (message(1, correlation_id="theirs"), (Outcome.PASS, Cause.MATCHED)),
            (message(2, correlation_id=None), (Outcome.PASS, Cause.MATCHED)),
        ],
    )
    def test_an_absence_sees_messages_that_nobody_can_attribute(
        self, foreign: Delivery, expected: tuple[Outcome, Cause]
    ) -> None:
        handle = ended(expectation(occurs=NONE), OutsideEvidence(foreign=[foreign]))
        assert (handle.outcome, cause(handle)) == expected

    def test_an_absence_of_anything_sees_what_nobody_can_read(self) -> None:
        waiting = expectation(anything(), NONE)
        waiting.hear_unreadable(101.0, "JSONDecodeError")
        handle = ended(waiting)
        assert (handle.outcome, cause(handle), handle.notes) == (
            Outcome.FAIL,
            Cause.UNDECODABLE,
            ("1 message that came could not be read (JSONDecodeError)",),
        )

    @pytest.mark.parametrize(
        ("outside", "expected"),
        [
            (OutsideEvidence(foreign=[message(1, correlation_id="theirs")]), Cause.WRONG_CORRELATION),
            (OutsideEvidence(beside=[message(1, topic="order")]), Cause.WRONG_TOPIC),
            (OutsideEvidence(beside=[message(2, topic="order")]), Cause.NOTHING_ARRIVED),
        ],
    )
    def test_the_cause_is_looked_for_around_it(self, outside: OutsideEvidence, expected: Cause) -> None:
        assert cause(ended(expectation(), outside)) is expected

    @pytest.mark.parametrize(("budget_ms", "outcome"), [(1000.0, Outcome.PASS), (999.0, Outcome.SLOW)])
    def test_a_match_beyond_its_budget_is_slow(self, budget_ms: float, outcome: Outcome) -> None:
        waiting = expectation()
        waiting.handle.within_ms(budget_ms)
        _, why = waiting.hear(message(1, at=101.0))
        ruling = by_message(waiting, why, timing(waiting, 101.0, sent=None, from_publish=False), waiting.topic)
        assert (ruling.outcome, ruling.timing.latency_ms) == (outcome, 1000.0)

    def test_a_latency_counts_from_the_publish_the_registration_or_the_message_before(self) -> None:
        waiting = expectation()
        assert timing(waiting, 101.0, sent=100.75, from_publish=False) == Timing(1000.0, 1000.0, 250.0)
        assert timing(waiting, 101.0, sent=100.75, from_publish=True) == Timing(250.0, 1000.0, 250.0)
        first = expectation(eq(0), topic="first")
        heard(first, message(0, at=100.5, topic="first"))
        hop = expectation(after=first)
        hop.handle.within_ms(10, of="first")
        assert timing(hop, 101.0, sent=100.75, from_publish=True) == Timing(500.0, 1000.0)

    def test_an_outcome_stands_whatever_comes_later(self) -> None:
        waiting = expectation()
        handle = ended(waiting)
        assert cause(handle) is Cause.NOTHING_ARRIVED
        assert heard(waiting, message(1, at=102.25)) == [Heard.LATE]
        assert (handle.outcome, cause(handle)) == (Outcome.TIMEOUT, Cause.TOO_LATE)
        waiting.settle(by_end_of_scope("too bad"), at=200.0, explain=lambda: pytest.fail("settled twice"))
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.reason == "no matching message arrived on 'orders' before timeout_ms=2000"

    def test_a_ruling_is_data(self) -> None:
        ruling = by_end_of_scope("the scope was left")
        assert ruling == ruling._replace()
        assert ruling == Ruling(
            Outcome.TIMEOUT,
            "aborted: the scope was left",
            Timing(0.0),
            Diagnosis(Cause.ABORTED, "aborted: the scope was left", "aborted: the scope was left"),
        )


MOMENTS = st.floats(99, 110)
ARRIVALS = st.lists(st.tuples(MOMENTS, st.integers(0, 2)), max_size=12).map(sorted)
OFTEN = st.sampled_from([ONCE, NONE, *(Occurs(least, least + more) for least in range(3) for more in range(2))])


@given(arrivals=ARRIVALS, occurs=OFTEN, closes_at=MOMENTS)
def test_every_message_is_counted_named_or_outside_the_window(
    arrivals: list[tuple[float, int]], occurs: Occurs, closes_at: float
) -> None:
    waiting = expectation(occurs=occurs)
    waiting.has_closed_at = closes_at
    right = wrong = 0
    for at, value in arrivals:
        if waiting.is_decided:
            break
        waiting.hear(message(value, at=at))
        if OPENED <= at <= closes_at:
            right, wrong = right + (value == 1), wrong + (value != 1)
    assert waiting.count == right
    assert waiting.handle.attempts == wrong + (not occurs.allows(right))
    if not waiting.is_decided:
        assert (ended(waiting).outcome is Outcome.PASS) == (occurs.minimum <= right)

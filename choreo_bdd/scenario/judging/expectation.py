"""One expectation: a state machine that messages, the end of the wait and a ruling move on.

It knows no clock, no loop and no transport: every time is handed in, so that it can be tried by itself.

    HOLDING ──supply──▶ WAITING ──enough have matched, the window still runs──▶ MET
       └────────────────────┴─────────────────settle─────────────────────────────┴──▶ SETTLED

``hear`` says what a message has become, and is the one place where a message changes anything; ``settle`` is the one
place where an outcome does. What is heard after the end changes no outcome, but may be its cause.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Matcher, MatchFailure, MatchResult
from choreo_bdd.matchers.protocols import Unconditional
from choreo_bdd.message import Message
from choreo_bdd.scenario.judging.diagnosis import Diagnosis
from choreo_bdd.scenario.judging.handle import Handle
from choreo_bdd.scenario.judging.matching import hidden_by_case, judge, was_judged
from choreo_bdd.scenario.judging.occurs import ONCE, Occurs
from choreo_bdd.scenario.judging.ruling import Ruling
from choreo_bdd.shared.fitting import fits

_NEAR_MISSES_KEPT = 20
_LATE_KEPT = 20
_HELD_KEPT = 100_000


class State(Enum):
    """Where an expectation stands; it only ever moves down this list."""

    HOLDING = auto()
    """Its matcher is not known yet: arrivals are kept and judged as soon as it is."""
    WAITING = auto()
    """Fewer matching messages have come than must."""
    MET = auto()
    """Enough have come, and only the end of the window says whether it were not too many."""
    SETTLED = auto()
    """It has its outcome."""


class Heard(Enum):
    """What a message has become to an expectation."""

    UNCONCERNED = auto()
    """It came before the expectation was armed."""
    HELD = auto()
    """Kept until the matcher is known."""
    NO_ROOM = auto()
    """Lost: too many are kept."""
    LEFT = auto()
    """It was in its queue before anybody listened, and is no answer here."""
    NEAR_MISS = auto()
    """It does not match."""
    TAKEN_BEFORE = auto()
    """It matches, but an expectation that comes before has taken it."""
    OUT_OF_ORDER = auto()
    """It matches, but is not known to have come after the one it has to come after."""
    MATCHED = auto()
    """Counted."""
    TOO_MANY = auto()
    """Counted, and one more than may come."""
    LATE = auto()
    """It came after the outcome, or after the end of the wait."""


HOLDING, WAITING, MET, SETTLED = State  # a member that is looked up in its enum costs as much as a call does
UNCONCERNED, HELD, NO_ROOM, LEFT, NEAR_MISS, TAKEN_BEFORE, OUT_OF_ORDER, MATCHED, TOO_MANY, LATE = Heard


class Beginning(NamedTuple):
    """The publish that a check's time counts from: what came before it is no message of the check."""

    topic: str
    link: str | None  # None for any
    had_begun: Callable[[float], bool]  # by a loop time


class Expectation:
    """One armed expectation: its matcher, its window, what it has heard, and its handle."""

    __slots__ = (
        "_copies",
        "after",
        "asked",
        "begins_with",
        "closed_at",
        "closes_at",
        "count",
        "decisive",
        "early",
        "handle",
        "has_closed_at",
        "held",
        "hidden",
        "is_awaited",
        "late",
        "late_at",
        "leftovers",
        "lingers",
        "link",
        "matched_at",
        "matcher",
        "near_misses",
        "occurs",
        "opened_at",
        "state",
        "taken",
        "takes_leftovers",
        "topic",
        "unjudged",
        "unreadable",
    )

    def __init__(
        self,
        handle: Handle,
        matcher: Matcher | None,
        *,
        topic: str,
        link: str | None,
        opened_at: float,
        occurs: Occurs = ONCE,
        after: Expectation | None = None,
        takes_leftovers: bool = True,
    ) -> None:
        self.handle = handle
        self.matcher = matcher
        self.topic = topic
        self.link = link
        self.opened_at = opened_at
        self.occurs = occurs
        self.after = after
        self.takes_leftovers = takes_leftovers and not occurs.waits_the_window_out
        """Whether a message that was in its queue before may do; it never counts."""
        self.count = 0
        self.state = HOLDING if matcher is None else self._judging
        self.decisive: Message | None = None
        """The message that met it: the first match, or the one that made the required number full."""
        self.early: list[Delivery] = []
        """Matching messages that came before the expectation it has to come after was met."""
        self.begins_with: Beginning | None = None
        """The publish that its time or window counts from, where a topic names that one."""
        self._copies: dict[int, Message] = {}
        """Which message here is the one that met an expectation before, by the ``id`` of that one."""
        self.taken: list[Delivery] = []
        """Every message that was counted."""
        self.held: list[Delivery] = []
        self.near_misses: list[Delivery] = []
        self.unreadable: list[str] = []
        """The class of the error for each message that nobody could read."""
        self.unjudged: list[str] = []
        """What the matcher raised, for each message of which it said nothing."""
        self.hidden: list[str] = []
        """What hid each message that would match but for the case of a header's name, where none may come unseen."""
        self.leftovers = 0
        """How many matching messages were in their queue before, and are no answer here."""
        self.asked: str | None = None
        """The topic of the request whose answer it waits for, once the broker has said that nobody listens there."""
        self.matched_at: float | None = None
        self.late: list[Delivery] = []
        """What came after the end of a wait in vain, matching or not: the first of it."""
        self.late_at: float | None = None
        self.closed_at: float | None = None
        self.closes_at: float | None = None
        """Loop time after which nothing counts any more; ``None`` until whoever waits says so."""
        self.lingers = False
        """Whether it is watched beyond that, until somebody decides it."""
        self.has_closed_at = math.inf
        """Loop time by which all is heard that had come by its end; what comes later does not count."""
        self.is_awaited = False
        """Whether somebody waits to decide it before it has closed: then it is open until that is done."""

    # --- what it is ------------------------------------------------------------------------------------------------

    @property
    def is_pending(self) -> bool:
        """Whether it has no outcome yet."""
        return self.state is not SETTLED

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant, one that cannot be read included."""
        return fits(self.matcher, Unconditional) and bool(self.matcher.is_unconditional)

    @property
    def is_met(self) -> bool:
        """Whether as many matching messages have come as must come at least."""
        return self.count >= self.occurs.minimum

    @property
    def is_decided(self) -> bool:
        """Whether the messages counted so far decide it, whatever the rest of the window brings."""
        occurs = self.occurs
        return self.count >= occurs.minimum if occurs.maximum is None else self.count > occurs.maximum

    @property
    def _judging(self) -> State:
        return MET if self.is_met else WAITING

    # --- the window ------------------------------------------------------------------------------------------------

    def close_at(self, moment: float, *, lingers: bool = False) -> None:
        """Let nothing that arrives later count; one that ``lingers`` is watched until somebody decides it."""
        self.closes_at, self.lingers, self.has_closed_at = moment, lingers, math.inf

    def reached(self, now: float, window_s: float) -> None:
        """Say that its step is reached: one that lingers is watched for so long from here, at least."""
        if self.lingers:
            self.closes_at = max(self.closes_at or 0.0, now + window_s)

    def closes_by(self, now: float) -> float:
        """When its wait has ended, if it has ended by now."""
        return now if self.closes_at is None else min(now, self.closes_at)

    def is_over_for(self, received_at: float) -> bool:
        """Whether its window had closed when a message came."""
        return received_at > self.has_closed_at

    # --- transitions -----------------------------------------------------------------------------------------------

    def hear(self, delivery: Delivery) -> tuple[Heard, str]:
        """Take a message: what it has become, and why, in words."""
        matcher, message = self.matcher, delivery.message
        if self.state is SETTLED or (matcher is not None and self.is_over_for(message.received_at)):
            self._hear_late(delivery)
            return LATE, ""
        if message.received_at < self.opened_at:
            return UNCONCERNED, ""
        if matcher is None:
            return self._hold(delivery), ""
        result = judge(matcher, delivery, any_counts=not self.occurs.minimum)
        if message.kept is not None and message.is_leftover and not self.takes_leftovers:
            self.leftovers += result.matched
            return LEFT, ""
        if not result.matched:
            if not self.is_before_the_publish(delivery.message.received_at):
                self._note_unjudged(matcher, delivery, result)
            self._note_near_miss(delivery, result)
            return NEAR_MISS, result.reason
        return self._hear_match(delivery, result)

    def _hear_match(self, delivery: Delivery, result: MatchResult) -> tuple[Heard, str]:
        if self.after is not None or self.begins_with is not None:  # nearly all may come whenever they will
            if self.is_gone(delivery.message):
                return TAKEN_BEFORE, "an expectation before has taken it"
            if self.is_early(delivery):
                return OUT_OF_ORDER, self._note_early(delivery)
        return self._take(delivery, result)

    def hear_unreadable(self, received_at: float, reason: str) -> bool:
        """Take note of a message that nobody could read; false where it is of no concern."""
        is_in_time = received_at >= self.opened_at and not self.is_over_for(received_at)
        if self.state is SETTLED or not is_in_time or self.is_before_the_publish(received_at):
            return False
        self.unreadable.append(reason)
        return True

    def supply(self, matcher: Matcher) -> list[Delivery]:
        """Bring the matcher; returns what was kept, in order of arrival, to be heard again."""
        self.matcher = matcher
        self.handle.expects(matcher)
        if self.state is HOLDING:
            self.state = self._judging
        held, self.held = self.held, []
        return held

    def settle(self, ruling: Ruling, *, at: float, explain: Callable[[], Diagnosis]) -> None:
        """Take an outcome, once; ``explain`` makes the diagnosis that the ruling leaves open, when somebody asks."""
        if self.state is SETTLED:
            return
        self.state, self.closed_at = SETTLED, at
        handle, diagnosis = self.handle, ruling.diagnosis
        handle.since_registration_ms = ruling.timing.since_registration_ms
        handle.since_publish_ms = ruling.timing.since_publish_ms
        if ruling.notes:
            handle.notes = (*handle.notes, *ruling.notes)
        if ruling.failure is not None:
            handle.note_failure(ruling.failure)
        diagnose = explain if diagnosis is None else lambda: diagnosis
        handle.resolve(ruling.outcome, ruling.reason, ruling.timing.latency_ms, diagnose=diagnose)

    # --- what becomes of a message ---------------------------------------------------------------------------------

    def _hold(self, delivery: Delivery) -> Heard:
        if len(self.held) >= _HELD_KEPT:
            return NO_ROOM
        self.held.append(delivery)
        return HELD

    def _hear_late(self, delivery: Delivery) -> None:
        """Keep what comes after the end of the wait: it changes no outcome, but the first match of it is the cause."""
        if self.matcher is None or self.is_met:
            return
        if len(self.late) < _LATE_KEPT:
            self.late.append(delivery)
        if self.late_at is not None:
            return
        if judge(self.matcher, delivery).matched and not self.is_early(delivery):
            self.late_at = delivery.message.received_at
            self.handle.forget_diagnosis()

    def _note_unjudged(self, matcher: Matcher, delivery: Delivery, result: MatchResult) -> None:
        """Keep why a message that does not match might be one that was meant."""
        if not was_judged(result):
            self.unjudged.append(result.reason)
        elif self.occurs.waits_the_window_out and (why := hidden_by_case(matcher, delivery, result)) is not None:
            self.hidden.append(why)

    def _note_near_miss(self, delivery: Delivery, result: MatchResult) -> None:
        """Count a near-miss and keep the message for the diagnosis: the first ones and the latest."""
        self.handle.note_mismatch(result.reason, delivery.value, result.failure)
        if len(self.near_misses) >= _NEAR_MISSES_KEPT:
            self.near_misses.pop()
        self.near_misses.append(delivery)

    def _note_early(self, delivery: Delivery) -> str:
        """Count a matching message as a near-miss that came out of order, and say so."""
        topic = before.topic if (before := self.after or self.begins_with) else None
        what = "the publish" if self.after is None else "the expected message"
        reason = f"out of order: it matched, but came before {what} on {topic!r}"
        if self.is_untold(delivery):
            reason = f"it matched, but the broker does not tell whether it came after the one on {topic!r}"
        self.early.append(delivery)
        failure = MatchFailure("predicate", "<root>", {"after": topic})
        self.handle.note_mismatch(reason, delivery.value, failure)
        return reason

    def _take(self, delivery: Delivery, result: MatchResult) -> tuple[Heard, str]:
        """Count a match and keep its message."""
        message, occurs = delivery.message, self.occurs
        self.count += 1
        self.matched_at = message.received_at
        self.taken.append(delivery)
        if message.kept is not None:
            message.used()
            if message.is_leftover:
                note = f"the message on {message.topic!r} was in the queue before anybody listened there"
                self.handle.notes = (*self.handle.notes, note)
        if self.decisive is None and self.count >= occurs.minimum:
            self.state, self.decisive = MET, message
        self.handle.note_message(delivery)
        if occurs.allows(self.count):
            return MATCHED, result.reason
        reason = f"{self.count} matching on {self.topic!r}, wanted {occurs}"
        failure = MatchFailure("predicate", "<root>", {"max_count": occurs.maximum}, delivery.value)
        self.handle.note_mismatch(reason, delivery.value, failure)
        return TOO_MANY, reason

    # --- order -----------------------------------------------------------------------------------------------------

    def is_early(self, delivery: Delivery, *, held_back: bool = False) -> bool:
        """Whether a message is not known to have come after the expectation that must be met first, or the publish.

        One message cannot do for both. One that was ``held_back`` has been handed over before the other was.
        """
        if self.is_gone(delivery.message):
            return True
        if self.is_before_the_publish(delivery.message.received_at):
            return True
        return not self._is_in_order(delivery, handed_over_later=not held_back)

    def is_before_the_publish(self, received_at: float) -> bool:
        """Whether what came then came before the publish that its time or window counts from."""
        return self.begins_with is not None and not self.begins_with.had_begun(received_at)

    def is_gone(self, message: Message) -> bool:
        """Whether an expectation that must be met before has taken the message: it is no message of this one."""
        before = self.after
        while before is not None:
            if before.decisive is not None and self._is_the_same(message, before, before.decisive):
                return True
            before = before.after
        return False

    def _is_the_same(self, message: Message, before: Expectation, taken: Message) -> bool:
        """Heard through one subscription a message is one object; through two, the first that is alike is it."""
        may_be_a_copy = before.link == self.link and before.topic != self.topic
        if message is not taken and not (may_be_a_copy and message.is_like(taken)):
            return False
        return self._copies.setdefault(id(taken), message) is message

    def is_untold(self, delivery: Delivery) -> bool:
        """Whether the broker does not tell which came first: this message, or the one it has to come after."""
        return self.after is not None and self.after.decisive is not None and self._is_in_order(delivery) is None

    def _is_in_order(self, delivery: Delivery, *, handed_over_later: bool = True) -> bool | None:
        before = self.after
        if before is None or before.decisive is None:
            return before is None
        message = delivery.message
        if before.link != self.link:  # over different transports only the arrival can be compared
            return (message.received_at, handed_over_later) > (before.decisive.received_at, False)
        return message.follows(before.decisive, handed_over_later=handed_over_later)

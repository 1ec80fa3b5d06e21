"""Judging messages for one expectation: match, near-miss, late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from choreo_bdd.contracts import Problem
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import Closeness, Matcher, MatchFailure, MatchResult, closeness
from choreo_bdd.message import Message
from choreo_bdd.scenario.judging.handle import Handle, Outcome

_NEAR_MISSES_KEPT = 20
_HELD_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Occurs:
    """How often a matching message must come: at least ``minimum``, and at most ``maximum`` if there is one."""

    minimum: int = 1
    maximum: int | None = None

    @property
    def waits_the_window_out(self) -> bool:
        """Whether the verdict can only be PASS once the window has ended."""
        return self.maximum is not None

    def __str__(self) -> str:
        if self.maximum == 0:
            return "none"
        if self.maximum is None:
            return f"at least {self.minimum}"
        if self.minimum == self.maximum:
            return f"exactly {self.minimum}"
        return f"at least {self.minimum} and at most {self.maximum}" if self.minimum else f"at most {self.maximum}"

    @classmethod
    def of(cls, *, exactly: int | None = None, at_least: int | None = None, at_most: int | None = None) -> Occurs:
        """What the words say. Raises ``ValueError`` for no word at all, and for words or numbers that conflict."""
        if (exactly is None) == (at_least is None and at_most is None):
            raise ValueError("say how often: exactly=, or at_least= and at_most=, or one of these two")
        for word, number in (("exactly", exactly), ("at_least", at_least), ("at_most", at_most)):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise TypeError(f"{word}= takes a whole number of messages, not {number!r}")
        minimum, maximum = (at_least or 0, at_most) if exactly is None else (exactly, exactly)
        if minimum < 0 or (maximum is not None and maximum < minimum) or (minimum, maximum) == (0, None):
            raise ValueError(f"no number of messages is {cls(minimum, maximum)}")
        return cls(minimum, maximum)


ONCE = Occurs()
NONE = Occurs(0, 0)


class Expectation:
    """One armed expectation: its matcher, its window and its handle.

    Without a matcher it *holds*: arrivals are kept and judged as soon as the matcher is known
    (spec/steps.md 3, rule 6).
    """

    __slots__ = (
        "after",
        "closed_at",
        "closes_at",
        "count",
        "decisive",
        "early",
        "handle",
        "held",
        "is_awaited",
        "late_at",
        "lingers",
        "link",
        "matched_at",
        "matcher",
        "near_misses",
        "occurs",
        "opened_at",
        "taken",
        "topic",
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
    ) -> None:
        self.handle = handle
        self.matcher = matcher
        self.topic = topic
        self.link = link
        self.opened_at = opened_at
        self.occurs = occurs
        self.after = after
        self.count = 0
        self.decisive: Message | None = None
        """The message that met it: the first match, or the one that made the required number full."""
        self.early: list[Delivery] = []
        """Matching messages that came before the expectation it has to come after was met."""
        self.taken: list[Message] = []
        """Every message that was counted."""
        self.held: list[Delivery] = []
        self.near_misses: list[Delivery] = []
        self.unreadable: list[str] = []
        self.matched_at: float | None = None
        self.late_at: float | None = None
        self.closed_at: float | None = None
        self.closes_at: float | None = None
        """Loop time after which nothing counts any more; ``None`` until whoever waits says so."""
        self.lingers = False
        """Whether it is watched beyond that, until somebody decides it."""
        self.is_awaited = False
        """Whether somebody waits to decide it: until then all that comes counts, whenever the loop came to look."""

    @property
    def is_pending(self) -> bool:
        """Whether it still waits."""
        return self.handle.outcome is Outcome.PENDING

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant, one that cannot be read included."""
        return bool(getattr(self.matcher, "is_unconditional", False))

    def is_over_for(self, delivery: Delivery) -> bool:
        """Whether a message came after the end of the wait."""
        if self.closes_at is None or self.lingers or self.is_awaited:
            return False
        return delivery.message.received_at > self.closes_at

    def judge(self, delivery: Delivery, matcher: Matcher) -> MatchResult:
        """What the matcher says; a matcher that raises has made a near-miss of its own kind.

        A message that breaks its contract matches nothing, except where none may come: there it still counts.
        """
        if delivery.problems and self.occurs.minimum:
            first = delivery.problems[0]
            return MatchResult(False, f"breaks its contract: {first}", _failure(first))
        try:
            result = match_delivery(matcher, delivery)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a matcher raises, pytest.fail() too, is a finding about it
            name = type(error).__name__
            failure = MatchFailure("type_mismatch", "<root>", {"matcher_raised": name}, None)
            return MatchResult(False, f"the matcher raised {name}", failure)
        if not isinstance(result, MatchResult):
            name = type(result).__name__
            failure = MatchFailure("type_mismatch", "<root>", {"type": "MatchResult"}, name)
            return MatchResult(False, f"the matcher returned {name}, not a MatchResult", failure)
        return result

    def note_near_miss(self, delivery: Delivery, result: MatchResult) -> None:
        """Count a near-miss and keep the message for the diagnosis: the first ones and the latest."""
        self.handle.note_mismatch(result.reason, delivery.value, result.failure)
        if len(self.near_misses) >= _NEAR_MISSES_KEPT:
            self.near_misses.pop()
        self.near_misses.append(delivery)

    @property
    def is_met(self) -> bool:
        """Whether as many matching messages have come as must come at least."""
        return self.count >= self.occurs.minimum

    def is_early(self, delivery: Delivery, *, held_back: bool = False) -> bool:
        """Whether a message is not known to have come after the expectation that must be met first.

        One message cannot do for both. One that was ``held_back`` has been handed over before the other was.
        """
        if self.is_gone(delivery.message):
            return True
        return not self._is_in_order(delivery, handed_over_later=not held_back)

    def is_gone(self, message: Message) -> bool:
        """Whether an expectation that must be met before has taken the message: it is no message of this one."""
        before = self.after
        while before is not None:
            if before.decisive is message:
                return True
            before = before.after
        return False

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

    def note_early(self, delivery: Delivery) -> str:
        """Count a matching message as a near-miss that came out of order, and say so."""
        assert self.after is not None  # else nothing is early
        reason = f"out of order: it matched, but came before the expected message on {self.after.topic!r}"
        if self.is_untold(delivery):
            reason = f"it matched, but the broker does not tell whether it came after the one on {self.after.topic!r}"
        self.early.append(delivery)
        self.handle.note_mismatch(
            reason, delivery.value, MatchFailure("predicate", "<root>", {"after": self.after.topic})
        )
        return reason

    def hold(self, delivery: Delivery) -> bool:
        """Keep a message until the matcher is known; false when there is no room left."""
        if len(self.held) >= _HELD_KEPT:
            return False
        self.held.append(delivery)
        return True

    def judge_late(self, delivery: Delivery) -> None:
        """Remember the first match after the end of the wait: it changes no outcome, but it is the cause."""
        waits_in_vain = self.handle.outcome not in (Outcome.PASS, Outcome.SLOW) and not self.occurs.waits_the_window_out
        if self.matcher is None or self.late_at is not None or not waits_in_vain:
            return
        if self.judge(delivery, self.matcher).matched and not self.is_early(delivery):
            self.late_at = delivery.message.received_at
            self.handle.forget_diagnosis()

    def take(self, delivery: Delivery) -> None:
        """Count a match and keep its message."""
        message = delivery.message
        self.count += 1
        self.matched_at = message.received_at
        self.taken.append(message)
        if self.decisive is None and self.is_met:
            self.decisive = message
        self.handle.note_message(delivery.record(self.link))


def match_delivery(matcher: Matcher, delivery: Delivery) -> MatchResult:
    """Let a matcher judge the payload, or the whole message if it asks for that (``match_message``)."""
    whole: Callable[[Any, Any], MatchResult] | None = getattr(matcher, "match_message", None)
    if whole is not None:
        return whole(delivery.value, delivery.message)
    return matcher.match(delivery.value)


def closeness_of(matcher: Matcher, delivery: Delivery) -> Closeness:
    """How near a message came, for the diagnosis; a matcher that raises has nothing right."""
    whole: Callable[[Any, Any], Closeness] | None = getattr(matcher, "message_closeness", None)
    try:
        near = closeness(matcher, delivery.value) if whole is None else whole(delivery.value, delivery.message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - as in Expectation.judge
        failure = MatchFailure("type_mismatch", "<root>", {"matcher_raised": type(error).__name__}, None)
        return Closeness(0, 1, (failure,))
    broken = tuple(map(_failure, delivery.problems))
    return Closeness(near.matched, near.total + len(broken), (*near.differences, *broken)) if broken else near


def _failure(problem: Problem) -> MatchFailure:
    return MatchFailure("predicate", problem.path, problem.expected, problem.actual)

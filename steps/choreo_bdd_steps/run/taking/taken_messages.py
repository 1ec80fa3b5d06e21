"""Messages that checks have taken: looked at again, and, for ``another`` and ``no other``, counted no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from choreo_bdd.matchers import Closeness, MatchFailure, MatchResult
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd.scenario import Handle
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.run.state import Armed


class TakenMessages:
    """What the matcher of a check accepts on its topic, without the messages that ``others`` have taken."""

    __slots__ = ("_claims", "_known", "_known_of", "_matcher", "_others", "_topic")

    def __init__(self, matcher: BodyMatcher, topic: str, others: Sequence[Expectation]) -> None:
        self._matcher = matcher
        self._topic = topic
        self._others = others
        self._known: dict[int, Expectation] = {}
        """Who has taken a message, by the ``id`` of the message, which its taker keeps."""
        self._known_of = 0
        self._claims: dict[int, Message] = {}
        """Which message of this topic is the one that was taken on another, by the ``id`` of that one."""

    @property
    def description(self) -> str:
        """What is asked, in words."""
        return f"another: {self._matcher.description}"

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant: one that cannot be read has been taken by nobody."""
        return self._matcher.is_unconditional

    def match(self, payload: object) -> MatchResult:
        """Judge a payload alone, of which nobody can say who has taken it."""
        return self._matcher.match(payload)

    def match_message(self, payload: object, message: Message) -> MatchResult:
        """Judge the message, then whether it is still to be had."""
        result = self._matcher.match_message(payload, message)
        taken = self._taken(message) if result.matched else None
        return result if taken is None else MatchResult(False, str(taken.actual), taken)

    def expected_shape(self) -> object:
        """The shape the matcher expects."""
        return expected_shape(self._matcher)

    def message_closeness(self, payload: object, message: Message) -> Closeness:
        """The matcher's fields, and one more for being still to be had."""
        near = self._matcher.message_closeness(payload, message)
        taken = self._taken(message)
        if taken is None:
            return near
        differences = (*near.differences, taken)
        return near._replace(total=near.total + 1, differences=differences, taken=str(taken.actual))

    def _taken(self, message: Message) -> MatchFailure | None:
        taker = self._taker(message)
        if taker is None:
            return None
        place = taker.handle.origin or taker.topic
        return MatchFailure("predicate", "<root>", "a message no earlier check has taken", f"taken by {place}")

    def _taker(self, message: Message) -> Expectation | None:
        """Heard through one subscription a message is one object; through two, of a pattern say, they are alike."""
        if (number := sum(len(each.taken) for each in self._others)) != self._known_of:
            self._known_of = number
            self._known = {id(taken.message): each for each in self._others for taken in each.taken}
        if taker := self._known.get(id(message)):
            self._claims[id(message)] = message
            return taker
        return self._claimed(message)

    def _claimed(self, message: Message) -> Expectation | None:
        """Who has taken it on another topic: each message taken there stands for one message here, and no more."""
        takers: list[Expectation] = []
        for topic in dict.fromkeys(each.topic for each in self._others if each.topic != self._topic):
            alike = [
                (taken.message, each)
                for each in self._others
                if each.topic == topic
                for taken in each.taken
                if taken.message.is_like(message)
            ]
            free = (pair for pair in alike if self._claims.setdefault(id(pair[0]), message) is message)
            takers.extend(each for _, each in islice(free, 1))
        return takers[0] if takers else None


def taken_by_the_last(checks: Iterable[Armed], topic: str | None) -> MessageRecord | None:
    """The message that the last of these checks on a topic has taken; without a topic the reply.

    Of a hop between two messages of one topic that is the one it leads to.
    """
    for armed in sorted(checks, key=lambda each: -each.step.index):
        for handle in reversed(armed.handles) if armed.spec.then else armed.handles:
            for message in handle.messages:
                if armed.spec.is_reply if topic is None else topic in (handle.topic, message.topic):
                    return message
    return None


def taken_in_its_phase(
    checks: Sequence[Armed], topic: str | None, expectation_of: Callable[[Handle], Expectation]
) -> list[MessageRecord]:
    """Each message once that the checks of the last phase with any on a topic have taken, in order of arrival."""
    for phase in sorted({each.step.phase for each in checks}, reverse=True):
        handles = [handle for each in checks if each.step.phase == phase for handle in each.handles]
        taken = {
            (handle.topic, id(delivery.message)): _Taken(handle.topic, delivery.message, delivery.turn, record)
            for handle in handles
            for delivery, record in zip(expectation_of(handle).taken, handle.messages, strict=True)
            if topic in (handle.topic, delivery.message.topic)
        }
        if taken:
            return [each.record for each in sorted(_each_once(taken.values()), key=_Taken.arrival)]
    return []


class _Taken(NamedTuple):
    """A message that a check has taken, and what it was heard on."""

    heard_on: str
    message: Message
    turn: int
    record: MessageRecord

    def arrival(self) -> tuple[float, int, int]:
        return self.message.received_at, self.message.order or 0, self.turn


def _each_once(taken: Iterable[_Taken]) -> list[_Taken]:
    """Through one subscription each message comes once; what two have heard alike, of a pattern say, is the same."""
    found: list[_Taken] = []
    for _, heard in groupby(sorted(taken, key=lambda each: each.heard_on), lambda each: each.heard_on):
        before, new = list(found), list[_Taken]()
        for one in heard:
            same = next((each for each in before if each.message.is_like(one.message)), None)
            new += [one] if same is None else []
            before = [each for each in before if each is not same]
        found += new
    return found

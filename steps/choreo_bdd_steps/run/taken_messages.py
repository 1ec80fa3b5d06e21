"""``another``: a message that an earlier check of the scenario has taken counts no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from choreo_bdd.matchers import Closeness, MatchFailure, MatchResult
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.message import Message
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher


@dataclass(frozen=True, slots=True)
class Untaken:
    """What the matcher of a check accepts, without the messages that ``others`` have taken."""

    matcher: BodyMatcher
    topic: str
    others: Sequence[Expectation]

    @property
    def description(self) -> str:
        """What is asked, in words."""
        return f"another: {self.matcher.description}"

    def match(self, payload: object) -> MatchResult:
        """Judge a payload alone, of which nobody can say who has taken it."""
        return self.matcher.match(payload)

    def match_message(self, payload: object, message: Message) -> MatchResult:
        """Judge the message, then whether it is still to be had."""
        result = self.matcher.match_message(payload, message)
        taken = self._taken(message) if result.matched else None
        return result if taken is None else MatchResult(False, str(taken.actual), taken)

    def expected_shape(self) -> object:
        """The shape the matcher expects."""
        return expected_shape(self.matcher)

    def message_closeness(self, payload: object, message: Message) -> Closeness:
        """The matcher's fields, and one more for being still to be had."""
        near = self.matcher.message_closeness(payload, message)
        taken = self._taken(message)
        if taken is None:
            return near
        return replace(near, total=near.total + 1, differences=(*near.differences, taken))

    def _taken(self, message: Message) -> MatchFailure | None:
        taker = next((each for each in self.others if self._is_among(message, each)), None)
        if taker is None:
            return None
        place = taker.handle.origin or taker.topic
        return MatchFailure("predicate", "<root>", "a message no earlier check has taken", f"taken by {place}")

    def _is_among(self, message: Message, other: Expectation) -> bool:
        """Heard through one subscription a message is one object; through two, of a pattern say, they are alike."""
        if any(message is each for each in other.taken):
            return True
        return other.topic != self.topic and any(_alike(message, each) for each in other.taken)


def _alike(message: Message, other: Message) -> bool:
    return replace(message, received_at=0.0) == replace(other, received_at=0.0)

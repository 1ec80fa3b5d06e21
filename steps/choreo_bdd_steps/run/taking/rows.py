"""Rows of one check: each takes a message of its own, and no order of arrival may keep one from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from choreo_bdd.matchers import Closeness, MatchFailure, MatchResult
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.message import Message
from choreo_bdd.scenario import Handle
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.run.taking.taken_messages import Untaken

_OWN = "a message that no other row has taken"
_TAKEN = "taken by another row of this check"
_Find = Callable[[Handle], Expectation]


class Row:
    """What one row of a check accepts: a message that leaves each row met so far one of its own."""

    __slots__ = ("_expectation_of", "_handles", "_matcher", "_rows", "_seen")

    def __init__(
        self, matcher: BodyMatcher | Untaken, rows: list[Row], handles: Sequence[Handle], expectation_of: _Find
    ) -> None:
        self._matcher = matcher
        self._rows = rows
        self._handles = handles
        self._expectation_of = expectation_of
        self._seen: dict[int, tuple[Message, bool]] = {}
        """What it says of each message by itself; the message is kept so that its ``id`` stays its own."""

    @property
    def description(self) -> str:
        """What is asked, in words."""
        return self._matcher.description

    @property
    def is_unconditional(self) -> bool:
        """Whether any message at all is meant."""
        return isinstance(self._matcher, BodyMatcher) and self._matcher.is_unconditional

    def match(self, payload: object) -> MatchResult:
        """Judge a payload alone, of which nobody can say which row has taken it."""
        return self._matcher.match(payload)

    def match_message(self, payload: object, message: Message) -> MatchResult:
        """Judge the message, then whether there is one for this row beside those that are met."""
        result = self._matcher.match_message(payload, message)
        self._seen[id(message)] = (message, result.matched)
        taken = self._taken()
        is_taken = any(message is each for each in taken)
        if result.matched and is_taken:
            failure = MatchFailure("predicate", "<root>", _OWN, _TAKEN)
            return MatchResult(False, str(failure.actual), failure)
        if not result.matched and not is_taken and self._can_exchange(payload, message, taken):
            return MatchResult(True, "a row before gives its message for this one")
        return result

    def expected_shape(self) -> object:
        """The shape the matcher expects."""
        return expected_shape(self._matcher)

    def message_closeness(self, payload: object, message: Message) -> Closeness:
        """The matcher's fields, and one more for being still to be had."""
        near = self._matcher.message_closeness(payload, message)
        if not any(message is each for each in self._taken()):
            return near
        failure = MatchFailure("predicate", "<root>", _OWN, _TAKEN)
        return replace(near, total=near.total + 1, differences=(*near.differences, failure), taken=_TAKEN)

    def _taken(self) -> list[Message]:
        return [message for handle in self._handles for message in self._expectation_of(handle).taken]

    def _accepts(self, payload: object, message: Message) -> bool:
        if id(message) not in self._seen:
            self._seen[id(message)] = (message, self._matcher.match_message(payload, message).matched)
        return self._seen[id(message)][1]

    def _can_exchange(self, payload: object, message: Message, taken: Sequence[Message]) -> bool:
        """Whether the rows met so far and this one can share their messages and this one, a message each."""
        if not any(self._seen.get(id(each), (each, False))[1] for each in taken):
            return False
        met = [row for row, handle in zip(self._rows, self._handles, strict=False) if handle.messages]
        payloads = [each.payload for handle in self._handles for each in handle.messages]
        messages = [*zip(payloads, taken, strict=True), (payload, message)]
        holders: dict[int, Row] = {}
        return all(_place(row, messages, holders, set()) for row in (*met, self))


def _place(row: Row, messages: Sequence[tuple[object, Message]], holders: dict[int, Row], asked: set[int]) -> bool:
    """Find a row a message, moving others to another of theirs where need be (Kuhn's augmenting path)."""
    for position, (payload, message) in enumerate(messages):
        if position not in asked and row._accepts(payload, message):
            asked.add(position)
            if position not in holders or _place(holders[position], messages, holders, asked):
                holders[position] = row
                return True
    return False


def of_their_own(
    matchers: Sequence[BodyMatcher | Untaken], handles: Sequence[Handle], expectation_of: _Find
) -> list[Row]:
    """The rows of one check, to which ``handles`` belong, in order."""
    rows: list[Row] = []
    rows.extend(Row(matcher, rows, handles, expectation_of) for matcher in matchers)
    return rows

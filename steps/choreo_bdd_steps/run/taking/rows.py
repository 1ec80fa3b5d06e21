"""Rows of one check: each takes a message of its own, and no order of arrival may keep one from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from choreo_bdd.matchers import Closeness, MatchFailure, MatchResult
from choreo_bdd.matchers.protocols import expected_shape
from choreo_bdd.message import Message
from choreo_bdd.scenario import Handle
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.run.taking.taken_messages import TakenMessages

_OWN = "a message that no other row has taken"
_TAKEN = "taken by another row of this check"
_Find = Callable[[Handle], Expectation]


class _Check:
    """The rows of one check, and what they have taken between them.

    That is gathered once for each message that a row may have taken, and not for each row that judges one: 200 rows
    judge 200 messages 40,000 times.
    """

    __slots__ = ("_expectation_of", "_handles", "_is_up_to_date", "_taken", "_taken_ids", "rows")

    def __init__(self, handles: Sequence[Handle], expectation_of: _Find) -> None:
        self.rows: list[Row] = []
        self._handles = handles
        self._expectation_of = expectation_of
        self._is_up_to_date = False
        self._taken: list[tuple[object, Message]] = []
        self._taken_ids: frozenset[int] = frozenset()

    def may_have_changed(self) -> None:
        """Say that a row has accepted a message: whoever asked it may have it taken now."""
        self._is_up_to_date = False

    @property
    def taken(self) -> Sequence[tuple[object, Message]]:
        """The messages that were taken, each with its payload, row by row."""
        self._gather()
        return self._taken

    @property
    def taken_ids(self) -> frozenset[int]:
        """The ``id`` of each of them."""
        self._gather()
        return self._taken_ids

    def _gather(self) -> None:
        if self._is_up_to_date:
            return
        self._taken = [
            (record.payload, delivery.message)
            for handle in self._handles
            for record, delivery in zip(handle.messages, self._expectation_of(handle).taken, strict=True)
        ]
        self._taken_ids = frozenset(id(message) for _, message in self._taken)
        self._is_up_to_date = True

    def met(self) -> list[Row]:
        """The rows that have a message."""
        return [row for row, handle in zip(self.rows, self._handles, strict=False) if handle.messages]


class Row:
    """What one row of a check accepts: a message that leaves each row met so far one of its own."""

    __slots__ = ("_accepted", "_check", "_matcher", "_seen")

    def __init__(self, matcher: BodyMatcher | TakenMessages, check: _Check) -> None:
        self._matcher = matcher
        self._check = check
        self._seen: dict[int, tuple[Message, bool]] = {}
        """What it says of each message by itself; the message is kept so that its ``id`` stays its own."""
        self._accepted: set[int] = set()
        """The ``id`` of each of those that it accepts."""

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
        self._note(message, result.matched)
        is_taken = id(message) in self._check.taken_ids
        if result.matched and is_taken:
            failure = MatchFailure("predicate", "<root>", _OWN, _TAKEN)
            return MatchResult(False, str(failure.actual), failure)
        if not result.matched and not is_taken and self._can_exchange(payload, message):
            result = MatchResult(True, "a row before gives its message for this one")
        if result.matched:
            self._check.may_have_changed()
        return result

    def expected_shape(self) -> object:
        """The shape the matcher expects."""
        return expected_shape(self._matcher)

    def message_closeness(self, payload: object, message: Message) -> Closeness:
        """The matcher's fields, and one more for being still to be had."""
        near = self._matcher.message_closeness(payload, message)
        if id(message) not in self._check.taken_ids:
            return near
        failure = MatchFailure("predicate", "<root>", _OWN, _TAKEN)
        return near._replace(total=near.total + 1, differences=(*near.differences, failure), taken=_TAKEN)

    def _note(self, message: Message, is_accepted: bool) -> None:
        self._seen[id(message)] = (message, is_accepted)
        if is_accepted:
            self._accepted.add(id(message))
        else:
            self._accepted.discard(id(message))

    def _accepts(self, payload: object, message: Message) -> bool:
        if id(message) not in self._seen:
            self._note(message, self._matcher.match_message(payload, message).matched)
        return id(message) in self._accepted

    def _can_exchange(self, payload: object, message: Message) -> bool:
        """Whether the rows met so far and this one can share their messages and this one, a message each."""
        if self._check.taken_ids.isdisjoint(self._accepted):
            return False
        messages = [*self._check.taken, (payload, message)]
        holders: dict[int, Row] = {}
        return all(_place(row, messages, holders, set()) for row in (*self._check.met(), self))


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
    matchers: Sequence[BodyMatcher | TakenMessages], handles: Sequence[Handle], expectation_of: _Find
) -> list[Row]:
    """The rows of one check, to which ``handles`` belong, in order."""
    check = _Check(handles, expectation_of)
    check.rows.extend(Row(matcher, check) for matcher in matchers)
    return check.rows

"""Matchers of list elements: every one, some one."""

from __future__ import annotations

from msgspec import Struct

from choreo_bdd.matchers.closeness import Closeness, closeness, total
from choreo_bdd.matchers.composition import called
from choreo_bdd.matchers.protocols import Matcher, failure_of, rendered
from choreo_bdd.matchers.result import ROOT_PATH, MatchFailure, MatchResult, matched, missed, rerooted

NO_ELEMENT = "the list is empty, so nothing in it was looked at"


class Every(Struct, frozen=True):
    """Matches a list whose elements all match; an empty one does, unless ``nonempty``."""

    matcher: Matcher
    description: str
    ok: MatchResult
    nonempty: bool = False

    def match(self, payload: object) -> MatchResult:
        """Judge the elements up to the first bad one."""
        if not isinstance(payload, list):
            return not_a_list(payload)
        if self.nonempty and not payload:
            return missed(self._emptiness(), NO_ELEMENT)
        for index, element in enumerate(payload):
            result = self.matcher.match(element)
            if not result.matched:
                child = rerooted(failure_of(self.matcher, element, result), str(index))
                failure = MatchFailure("composed", str(index), self.expected_shape(), None, (child,))
                return missed(failure, f"element {index}: {result.reason}")
        return self.ok

    def expected_shape(self) -> object:
        """``{"every": shape}``."""
        return {"every": rendered(self.matcher)}

    def closeness(self, payload: object) -> Closeness:
        """The elements' fields added up."""
        if not isinstance(payload, list):
            return Closeness(0, 1, (list_expected(payload),))
        if not payload:
            return Closeness(0, 1, (self._emptiness(),)) if self.nonempty else Closeness(1, 1)
        return total(closeness(self.matcher, each).under(str(index)) for index, each in enumerate(payload))

    def _emptiness(self) -> MatchFailure:
        return MatchFailure("composed", ROOT_PATH, self.expected_shape(), [])

    def __repr__(self) -> str:
        return self.description


class AnyElement(Struct, frozen=True):
    """Matches a list with at least one element that matches."""

    matcher: Matcher
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Judge the elements until one matches."""
        if not isinstance(payload, list):
            return not_a_list(payload)
        failures = []
        for index, element in enumerate(payload):
            result = self.matcher.match(element)
            if result.matched:
                return self.ok
            failures.append(rerooted(failure_of(self.matcher, element, result), str(index)))
        failure = MatchFailure("composed", ROOT_PATH, self.expected_shape(), None, tuple(failures))
        return missed(failure, f"no element satisfies {self.matcher.description} ({len(payload)} tried)")

    def expected_shape(self) -> object:
        """``{"any_element": shape}``."""
        return {"any_element": rendered(self.matcher)}

    def closeness(self, payload: object) -> Closeness:
        """The nearest element's."""
        if not isinstance(payload, list):
            return Closeness(0, 1, (list_expected(payload),))
        if not payload:
            return Closeness(0, 1, (MatchFailure("composed", ROOT_PATH, self.expected_shape(), payload),))
        near = (closeness(self.matcher, each).under(str(index)) for index, each in enumerate(payload))
        return max(near, key=lambda each: each.score)

    def __repr__(self) -> str:
        return self.description


def every(matcher: Matcher, *, nonempty: bool = False) -> Every:
    """A list each element of which satisfies ``matcher``; with ``nonempty`` it must have one."""
    words = called("every", matcher)
    return Every(matcher, words, matched(words), nonempty)


def any_element(matcher: Matcher) -> AnyElement:
    """A list with at least one element that satisfies ``matcher``."""
    words = called("any_element", matcher)
    return AnyElement(matcher, words, matched(words))


def list_expected(payload: object) -> MatchFailure:
    """The failure of a payload that should have been a list."""
    return MatchFailure("type_mismatch", ROOT_PATH, {"type": "list"}, type(payload).__name__)


def not_a_list(payload: object) -> MatchResult:
    """The verdict on a payload that should have been a list."""
    return missed(list_expected(payload), f"expected a list, got {type(payload).__name__}")

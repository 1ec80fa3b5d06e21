"""Matchers made of matchers: all of, any of, not."""

from __future__ import annotations

from msgspec import Struct

from choreo_bdd.matchers.closeness import Closeness, closeness, total
from choreo_bdd.matchers.leaves import ValueMatcher
from choreo_bdd.matchers.operators import EXISTS
from choreo_bdd.matchers.protocols import Matcher, admits_missing, failure_of, rendered
from choreo_bdd.matchers.result import (
    COMPOSED_ALL,
    COMPOSED_ANY,
    ROOT_PATH,
    MatchFailure,
    MatchResult,
    matched,
    missed,
    show,
)


class AllOf(Struct, frozen=True):
    """Matches when every child does; reports the first that does not."""

    matchers: tuple[Matcher, ...]
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Judge the children in order."""
        for matcher in self.matchers:
            result = matcher.match(payload)
            if not result.matched:
                child = failure_of(matcher, payload, result)
                failure = MatchFailure("composed", COMPOSED_ALL, self.expected_shape(), None, (child,))
                return missed(failure, f"all_of: {matcher.description} failed: {result.reason}")
        return self.ok

    def expected_shape(self) -> object:
        """``{"all_of": [shapes]}``."""
        return {"all_of": rendered(self.matchers)}

    def closeness(self, payload: object) -> Closeness:
        """The children's fields added up."""
        return total(closeness(matcher, payload) for matcher in self.matchers)

    @property
    def admits_missing(self) -> bool:
        """Whether an absent field satisfies every child."""
        return bool(self.matchers) and all(map(admits_missing, self.matchers))

    def __repr__(self) -> str:
        return self.description


class AnyOf(Struct, frozen=True):
    """Matches when some child does."""

    matchers: tuple[Matcher, ...]
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Judge the children until one matches."""
        failures = []
        for matcher in self.matchers:
            result = matcher.match(payload)
            if result.matched:
                return self.ok
            failures.append(failure_of(matcher, payload, result))
        failure = MatchFailure("composed", COMPOSED_ANY, self.expected_shape(), None, tuple(failures))
        return missed(failure, f"none of {self.description} matched {show(payload)}")

    def expected_shape(self) -> object:
        """``{"any_of": [shapes]}``."""
        return {"any_of": rendered(self.matchers)}

    def closeness(self, payload: object) -> Closeness:
        """The nearest child's; where several are as near, of one that is of the payload's kind at all."""
        if not self.matchers:
            return Closeness(0, 1, (MatchFailure("composed", COMPOSED_ANY, self.expected_shape()),))
        return max((closeness(matcher, payload) for matcher in self.matchers), key=_nearness)

    @property
    def admits_missing(self) -> bool:
        """Whether an absent field satisfies some child."""
        return any(map(admits_missing, self.matchers))

    def __repr__(self) -> str:
        return self.description


def _nearness(near: Closeness) -> tuple[float, bool]:
    return near.score, not any(each.kind == "type_mismatch" and each.path == ROOT_PATH for each in near.differences)


class Not(Struct, frozen=True):
    """Matches when its child does not."""

    matcher: Matcher
    admits_missing: bool
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Judge the child and turn the verdict round."""
        if not self.matcher.match(payload).matched:
            return self.ok
        failure = MatchFailure("predicate", ROOT_PATH, self.expected_shape(), payload)
        return missed(failure, f"expected {self.description}, got {show(payload)}")

    def expected_shape(self) -> object:
        """``{"not": shape}``."""
        return {"not": rendered(self.matcher)}

    def __repr__(self) -> str:
        return self.description


def all_of(*matchers: Matcher) -> AllOf:
    """Every matcher accepts the payload; none given: always."""
    words = called("all_of", *matchers)
    return AllOf(matchers, words, matched(words))


def any_of(*matchers: Matcher) -> AnyOf:
    """Some matcher accepts the payload; none given: never."""
    words = called("any_of", *matchers)
    return AnyOf(matchers, words, matched(words))


def not_(matcher: Matcher) -> Not:
    """The matcher refuses the payload, also because a field is missing or of another type."""
    words = called("not_", matcher)
    # only "does not exist" is a statement about an absent field; any other needs a field to deny it of
    asks_presence = isinstance(matcher, ValueMatcher) and matcher.operator is EXISTS
    return Not(matcher, asks_presence, words, matched(words))


def called(name: str, *matchers: Matcher) -> str:
    """A description in the form ``name(child, child)``."""
    return f"{name}({', '.join(matcher.description for matcher in matchers)})"

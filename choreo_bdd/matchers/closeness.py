"""How near a payload came: fields right of fields asked, and every field that differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from choreo_bdd.matchers.protocols import Matcher, failure_of
from choreo_bdd.matchers.result import MatchFailure, prefixed
from choreo_bdd.shared.fitting import fits


class Closeness(NamedTuple):
    """Of ``total`` fields asked for, ``matched`` are right; ``differences`` names every other one, full path.

    ``taken`` says by whom, where another check has the message already, whatever is in it.
    """

    matched: int
    total: int
    differences: tuple[MatchFailure, ...] = ()
    taken: str | None = None

    @property
    def score(self) -> float:
        """From 0.0 (nothing right) to 1.0 (everything right)."""
        return self.matched / self.total if self.total else float(not self.differences)

    def under(self, prefix: str) -> Closeness:
        """The same, seen from a level whose path to here is ``prefix``."""
        return Closeness(self.matched, self.total, tuple(prefixed(each, prefix) for each in self.differences))


@runtime_checkable
class Gradable(Protocol):
    """A matcher that looks into a payload field by field."""

    def closeness(self, payload: object) -> Closeness:
        """How near ``payload`` comes."""


class MessageGradable(Protocol):
    """A matcher that looks into whole messages field by field."""

    def message_closeness(self, payload: object, message: Any) -> Closeness:
        """How near a message and its decoded payload come."""


def closeness(matcher: Matcher, payload: object) -> Closeness:
    """How near ``payload`` comes to what ``matcher`` expects; a foreign matcher counts as one field."""
    if fits(matcher, Gradable):
        return matcher.closeness(payload)
    result = matcher.match(payload)
    if result.matched:
        return Closeness(1, 1)
    return Closeness(0, 1, (failure_of(matcher, payload, result),))


def score(matcher: Matcher, payload: object) -> float:
    """The share of fields that are right, from 0.0 to 1.0."""
    return closeness(matcher, payload).score


def differences(matcher: Matcher, payload: object) -> tuple[MatchFailure, ...]:
    """Every field that differs, not only the first, each with its full path."""
    return closeness(matcher, payload).differences


def total(parts: Iterable[Closeness]) -> Closeness:
    """Several judgements of the same payload taken together."""
    every = tuple(parts)
    return Closeness(
        sum(part.matched for part in every),
        sum(part.total for part in every),
        tuple(difference for part in every for difference in part.differences),
    )

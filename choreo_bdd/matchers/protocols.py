"""What counts as a matcher, and the careful reading of the optional parts."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeGuard, runtime_checkable

from choreo_bdd.matchers.result import MatchFailure, MatchResult
from choreo_bdd.shared.fitting import fits

_PLAIN = frozenset({str, int, float, bool, type(None), dict, list, tuple})

_log = logging.getLogger("choreo_bdd.matchers")


@runtime_checkable
class Matcher(Protocol):
    """Anything that describes itself and judges a decoded payload."""

    @property
    def description(self) -> str:
        """What is expected, in words."""

    def match(self, payload: object) -> MatchResult:
        """Judge one payload."""


@runtime_checkable
class Reportable(Protocol):
    """A matcher that can also say what it expects as JSON-able data."""

    def expected_shape(self) -> object:
        """The expectation as data, for reports."""


class Unconditional(Protocol):
    """A matcher that may ask for nothing but that a message comes."""

    @property
    def is_unconditional(self) -> bool:
        """Whether any payload at all satisfies it, one that cannot be read included."""


class Lenient(Protocol):
    """A matcher that an absent field may satisfy."""

    @property
    def admits_missing(self) -> bool:
        """Whether it does."""


class OfMessages(Protocol):
    """A matcher that looks at the whole message, its headers and its key."""

    def match_message(self, payload: object, message: Any) -> MatchResult:
        """Judge a message and its decoded payload."""


def is_matcher(value: object) -> TypeGuard[Matcher]:
    """Whether a value is a matcher."""
    return type(value) not in _PLAIN and fits(value, Matcher)


def expected_shape(matcher: object) -> object:
    """``matcher.expected_shape()``, or None when the matcher has none or it raises (logged at DEBUG)."""
    return _shape_or(None, matcher)


def _shape_or(default: object, matcher: object) -> object:
    if not fits(matcher, Reportable):
        return default
    try:
        return matcher.expected_shape()
    except Exception as error:  # noqa: BLE001 - a foreign matcher's broken report must not decide a verdict
        _log.debug("expected_shape of %s raised: %s", type(matcher).__name__, error)
        return default


def admits_missing(matcher: object) -> bool:
    """Whether an absent field satisfies this matcher, as ``absent()`` does."""
    return fits(matcher, Lenient) and matcher.admits_missing is True


def rendered(value: object) -> object:
    """``value`` as JSON-able data: embedded matchers become their shapes, tuples and sets become lists."""
    if is_matcher(value):
        return _shape_or(value.description, value)  # a shape may be None itself: what is expected is null then
    if isinstance(value, Mapping):
        return {key: rendered(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rendered(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((rendered(item) for item in value), key=repr)
    return _rendered_scalar(value)


def _rendered_scalar(value: object) -> object:
    if isinstance(value, re.Pattern):
        return value.pattern
    return value.isoformat() if isinstance(value, datetime) else value


def described(value: object, limit: int | None = None) -> str:
    """``value`` in words: its repr, with matchers told by description and keys beyond ``limit`` left out."""
    if is_matcher(value):
        return value.description
    if isinstance(value, dict):
        shown = [f"{key!r}: {described(item)}" for key, item in list(value.items())[:limit]]
        return "{" + ", ".join([*shown, "…"] if len(shown) < len(value) else shown) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(described, value)) + "]"
    return repr(value)


def failure_of(matcher: Matcher, payload: object, result: MatchResult) -> MatchFailure:
    """The structured failure of a negative ``result``; a matcher without one is told by its description."""
    return result.failure or MatchFailure("predicate", "<root>", matcher.description, payload)

"""Matchers of one value: comparisons, membership, text and type."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from choreo_bdd.matchers import operators
from choreo_bdd.matchers.operators import Operator
from choreo_bdd.matchers.patterns.safety import require_bounded
from choreo_bdd.matchers.protocols import Matcher, described, is_matcher, rendered
from choreo_bdd.matchers.result import (
    ROOT_PATH,
    FailureKind,
    MatchFailure,
    MatchResult,
    matched,
    missed,
    show,
)

NO_OPERAND: Final = object()

# What a comparison of foreign values may raise: all of it means "these two cannot be compared".
_INCOMPARABLE = (TypeError, ValueError, ArithmeticError, RecursionError)

JsonType = Literal["string", "number", "integer", "boolean", "array", "object", "null"]


class ValueMatcher(Struct, frozen=True):
    """One operator applied to one operand."""

    operator: Operator
    operand: object
    description: str
    ok: MatchResult

    def match(self, payload: object) -> MatchResult:
        """Judge ``payload`` itself, not a field of it."""
        try:
            if self.operator.test(payload, self.operand):
                return self.ok
        except _INCOMPARABLE as error:
            return self._miss("type_mismatch", payload, f" ({error})")
        return self._miss(self.operator.kind, payload)

    def expected_shape(self) -> object:
        """The literal for equality, else ``{operator: operand}``."""
        if self.operator.kind == "mismatch":
            return rendered(self.operand)
        return {self.operator.name: True if self.operand is NO_OPERAND else rendered(self.operand)}

    @property
    def is_unconditional(self) -> bool:
        """Whether any payload at all satisfies it."""
        return self.operator in (operators.ANYTHING, operators.EXISTS)

    @property
    def admits_missing(self) -> bool:
        """Whether an absent field satisfies this condition."""
        return self.operator.admits_missing

    def _miss(self, kind: FailureKind, payload: object, note: str = "") -> MatchResult:
        failure = MatchFailure(kind, ROOT_PATH, self.expected_shape(), payload)
        return missed(failure, f"expected {self.description}, got {show(payload)}{note}")

    def __repr__(self) -> str:
        return self.description


def leaf(operator: Operator, operand: object = NO_OPERAND, *, words: str | None = None) -> ValueMatcher:
    """Build the matcher of ``operator``; ``words`` replaces the sign followed by the operand's repr."""
    text = words or (operator.sign if operand is NO_OPERAND else f"{operator.sign} {described(operand)}")
    return ValueMatcher(operator, operand, text, matched(text))


def eq(value: object, *, strict: bool = False) -> ValueMatcher:
    """Equal to ``value``; with ``strict`` as JSON values, where true is never 1."""
    return leaf(operators.EQ[strict], value)


def ne(value: object, *, strict: bool = False) -> ValueMatcher:
    """Not equal to ``value``."""
    return leaf(operators.NE[strict], value)


def in_(values: Iterable[object], *, strict: bool = False) -> ValueMatcher:
    """A member of ``values``. Raises TypeError for text, whose members would be single characters."""
    if isinstance(values, (str, bytes, bytearray)):
        raise TypeError(f"in_ needs a list of choices, not text; write [{values!r}], or contains() for a substring")
    return leaf(operators.IN[strict], tuple(values))


def gt(value: object, *, strict: bool = False) -> ValueMatcher:
    """Strictly greater than ``value``; with ``strict`` a boolean is not a number."""
    return leaf(operators.GT[strict], value)


def ge(value: object, *, strict: bool = False) -> ValueMatcher:
    """Greater than or equal to ``value``."""
    return leaf(operators.GE[strict], value)


def lt(value: object, *, strict: bool = False) -> ValueMatcher:
    """Strictly less than ``value``."""
    return leaf(operators.LT[strict], value)


def le(value: object, *, strict: bool = False) -> ValueMatcher:
    """Less than or equal to ``value``."""
    return leaf(operators.LE[strict], value)


def between(low: object, high: object, *, strict: bool = False) -> ValueMatcher:
    """From ``low`` to ``high``, both included."""
    return leaf(operators.BETWEEN[strict], (low, high), words=f"between {low!r} and {high!r}")


def approx(value: float, tolerance: float) -> ValueMatcher:
    """A number at most ``tolerance`` away from ``value``, in the same unit. Raises TypeError, ValueError."""
    if not operators.is_number(value) or not operators.is_number(tolerance):
        raise TypeError(f"approx needs two numbers, not {value!r} and {tolerance!r}")
    if not tolerance >= 0 or math.isnan(value):
        raise ValueError(f"approx needs a number and a tolerance >= 0, not {value!r} ± {tolerance!r}")
    return leaf(operators.APPROX, (value, tolerance), words=f"approx {value!r} ± {tolerance!r}")


def matches(pattern: str | re.Pattern[str]) -> ValueMatcher:
    """Text that matches the regular expression as a whole.

    Raises re.error for a broken one, and for one that can take exponential time.
    """
    compiled = re.compile(pattern)
    if not isinstance(compiled.pattern, str):
        raise TypeError("matches needs a text pattern, not a bytes pattern")
    require_bounded(compiled.pattern, compiled.flags)
    return leaf(operators.MATCHES, compiled, words=f"matches {compiled.pattern!r}")


def contains(value: object, *, strict: bool = False) -> ValueMatcher:
    """Text with this substring, a list with this member, or an object with this key."""
    return leaf(operators.CONTAINS[strict], value)


def starts_with(text: str) -> ValueMatcher:
    """Text that begins with ``text``."""
    return leaf(operators.STARTS, _text("starts_with", text))


def ends_with(text: str) -> ValueMatcher:
    """Text that ends with ``text``."""
    return leaf(operators.ENDS, _text("ends_with", text))


def length(expected: int | Matcher) -> ValueMatcher:
    """Text, list or object whose length is this number, or satisfies this matcher."""
    if is_matcher(expected):
        return leaf(operators.LENGTH, expected, words=f"length {expected.description}")
    if isinstance(expected, bool) or not isinstance(expected, int) or expected < 0:
        raise ValueError(f"length needs a number of at least 0 or a matcher such as ge(1), not {expected!r}")
    return leaf(operators.LENGTH, eq(expected), words=f"length {expected}")


def of_type(name: JsonType) -> ValueMatcher:
    """A value of this JSON type; a boolean is no number, 1.0 is no integer. Raises ValueError."""
    if not isinstance(name, str) or name not in operators.JSON_TYPES:
        raise ValueError(f"{name!r} is no JSON type; use one of {', '.join(operators.JSON_TYPES)}")
    return leaf(operators.TYPE, name, words=f"of type {name}")


def is_uuid() -> ValueMatcher:
    """Text in the form 8-4-4-4-12 hexadecimal digits."""
    return leaf(operators.IS_UUID)


def exists() -> ValueMatcher:
    """Present, with any value, null included."""
    return leaf(operators.EXISTS)


def absent() -> ValueMatcher:
    """Not there at all; a field that is null is there."""
    return leaf(operators.ABSENT)


def anything() -> ValueMatcher:
    """Any value."""
    return leaf(operators.ANYTHING)


def null() -> ValueMatcher:
    """Present and null."""
    return leaf(operators.NULL)


def not_null() -> ValueMatcher:
    """Present and not null."""
    return leaf(operators.NOT_NULL)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} needs text, not {type(value).__name__}")
    return value

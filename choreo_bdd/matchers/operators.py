"""The conditions a value can be put to: a table of named tests."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from choreo_bdd.matchers.patterns.bounded import fullmatch
from choreo_bdd.matchers.protocols import Matcher
from choreo_bdd.matchers.result import FailureKind
from choreo_bdd.matchers.values.equality import strict_equal
from choreo_bdd.matchers.values.ordering import as_written, in_order


class Operator(Struct, frozen=True):
    """One kind of condition: its name in shapes, its sign in words, and its test of (actual, operand).

    A test that raises TypeError says that the comparison is impossible.
    """

    name: str
    sign: str
    test: Callable[[Any, Any], bool]
    kind: FailureKind = "predicate"
    admits_missing: bool = False


def _no_booleans(*values: object) -> None:
    if any(isinstance(value, bool) for value in values):
        raise TypeError("a boolean is not a number")


def _close(actual: Any, operand: tuple[Any, Any]) -> bool:
    value, tolerance = operand
    _no_booleans(actual)
    if not isinstance(actual, (int, float, Decimal)):
        raise TypeError(f"{type(actual).__name__} is not a number")
    if any(isinstance(each, Decimal) for each in (actual, value, tolerance)):
        actual, value, tolerance = map(as_written, (actual, value, tolerance))
    return bool(actual == value or abs(actual - value) <= tolerance)


def _holds(actual: Any, operand: Any) -> bool:
    if isinstance(actual, list):
        return operand in actual
    return _holds_text_or_key(actual, operand)


def _holds_strictly(actual: Any, operand: Any) -> bool:
    if isinstance(actual, list):
        return any(strict_equal(item, operand) for item in actual)
    return _holds_text_or_key(actual, operand)


def _holds_text_or_key(actual: object, operand: Any) -> bool:
    if isinstance(actual, dict):
        return operand in actual
    if isinstance(actual, str) and (isinstance(operand, str) or is_number(operand)):
        return str(operand) in actual
    raise TypeError(f"{type(actual).__name__} cannot contain {type(operand).__name__}")


def _of_text(test: Callable[[str, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, operand: isinstance(actual, str) and test(actual, operand)


def _measured(actual: Any, operand: Matcher) -> bool:
    return operand.match(len(actual)).matched


def is_number(value: object) -> bool:
    """A JSON number; a boolean is none."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


JSON_TYPES: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "integer": lambda value: is_number(value) and isinstance(value, int),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# The plain operators compare as Python does, the strict ones as JSON does.

EQ = {
    False: Operator("eq", "==", operator.eq, "mismatch"),
    True: Operator("eq", "==", strict_equal, "mismatch"),
}
NE = {
    False: Operator("ne", "!=", lambda actual, value: bool(actual != value)),
    True: Operator("ne", "!=", lambda actual, value: not strict_equal(actual, value)),
}
IN = {
    False: Operator("in", "in", lambda actual, values: actual in values),
    True: Operator("in", "in", lambda actual, values: any(strict_equal(actual, value) for value in values)),
}
CONTAINS = {
    False: Operator("contains", "contains", _holds),
    True: Operator("contains", "contains", _holds_strictly),
}


def _ordering(name: str, sign: str, test: Callable[[Any, Any], bool]) -> dict[bool, Operator]:
    return {False: Operator(name, sign, test), True: Operator(name, sign, in_order(test))}


_at_least, _at_most = in_order(operator.ge), in_order(operator.le)
GT = _ordering("gt", ">", operator.gt)
GE = _ordering("ge", ">=", operator.ge)
LT = _ordering("lt", "<", operator.lt)
LE = _ordering("le", "<=", operator.le)
BETWEEN = {
    False: Operator("between", "between", lambda actual, ends: bool(ends[0] <= actual <= ends[1])),
    True: Operator("between", "between", lambda actual, ends: _at_least(actual, ends[0]) and _at_most(actual, ends[1])),
}
APPROX = Operator("approx", "approx", _close)
MATCHES = Operator("matches", "matches", _of_text(lambda text, pattern: fullmatch(pattern, text)))
STARTS = Operator("starts_with", "starts with", _of_text(str.startswith))
ENDS = Operator("ends_with", "ends with", _of_text(str.endswith))
LENGTH = Operator("length", "length", _measured)
TYPE = Operator("type", "of type", lambda actual, name: JSON_TYPES[name](actual))
IS_UUID = Operator("uuid", "is a uuid", _of_text(lambda text, _: bool(_UUID.fullmatch(text))))
EXISTS = Operator("exists", "exists()", lambda _actual, _operand: True, "missing")
ANYTHING = Operator("any", "anything", lambda _actual, _operand: True)
ABSENT = Operator("absent", "absent", lambda _actual, _operand: False, admits_missing=True)
NULL = Operator("null", "null", lambda actual, _: actual is None)
NOT_NULL = Operator("not_null", "not null", lambda actual, _: actual is not None)

"""Equality as JSON means it, beside Python's own."""

from __future__ import annotations

import operator
from collections.abc import Callable

from choreo_bdd.matchers.values.moments import same_moment
from choreo_bdd.matchers.values.ordering import exact_sides

Equal = Callable[[object, object], bool]

_PLAIN_SCALARS = frozenset({str, int, float, bool, type(None)})


def strict_equal(actual: object, expected: object) -> bool:
    """Equal as JSON values: true is never 1, at any depth; 1 and 1.0 are the same number; see same_moment."""
    kind = type(actual)
    if kind is type(expected) and kind in _PLAIN_SCALARS:
        return actual == expected or (kind is str and same_moment(str(actual), str(expected)))
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            strict_equal(item, expected[key]) for key, item in actual.items()
        )
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(strict_equal, actual, expected))
    left, right = exact_sides(actual, expected)
    return bool(left == right)


def equality(*, strict: bool) -> Equal:
    """The comparison to use: JSON's (``strict``) or Python's."""
    return strict_equal if strict else operator.eq

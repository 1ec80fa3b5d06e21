"""Which of two values is greater: numbers by their digits, timestamps by their moments."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from choreo_bdd.matchers.values.moments import moment

Test = Callable[[Any, Any], bool]


def as_written(number: object) -> object:
    """A float as the decimal that its shortest form says, anything else as it is."""
    return Decimal(repr(number)) if isinstance(number, float) else number


def exact_sides(left: object, right: object) -> tuple[Any, Any]:
    """Two numbers made comparable digit by digit where one of them is a decimal."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return as_written(left), as_written(right)
    return left, right


def in_order(test: Test) -> Test:
    """``test`` of two values as JSON users read them. Raises TypeError: a boolean is no number."""

    def strictly(actual: object, operand: object) -> bool:
        if isinstance(actual, bool) or isinstance(operand, bool):
            raise TypeError("a boolean is not a number")
        if isinstance(actual, str) and isinstance(operand, str):
            moments = moment(actual), moment(operand)
            return test(*moments) if None not in moments else test(actual, operand)
        return test(*exact_sides(actual, operand))

    return strictly

"""Numbers and texts as a schema's own rules for them say, and others of the same kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

from choreo_bdd_steps.language.fitting_texts import LONGEST_TEXT, patterned


def numbers(value: float, told: Mapping[str, Any]) -> Iterator[float]:
    """Numbers within the bounds of a schema and on its steps, the least first; one without bounds is near ``value``."""
    low, high = _bound(told, "minimum", "exclusiveMinimum"), _bound(told, "maximum", "exclusiveMaximum")
    start = low[0] if low else high[0] if high else Fraction(str(value))
    end = high[0] if high else start
    unit = Fraction(str(told["multipleOf"])) if told.get("multipleOf") else None
    if unit is None:
        tried = [
            Fraction(str(value)),
            start,
            Fraction(floor(start) + 1),
            (start + end) / 2,
            end,
            Fraction(ceil(end) - 1),
        ]
    else:
        first, last = ceil(start / unit), floor(end / unit)
        tried = [each * unit for each in (first, first + 1, last, last - 1)]
    for each in dict.fromkeys(tried):
        is_whole = each.denominator == 1 or told.get("type") != "integer"
        if is_whole and _is_above(each, low, 1) and _is_above(each, high, -1):
            yield _plain(each)


def _is_above(value: Fraction, bound: tuple[Fraction, bool] | None, sign: int) -> bool:
    """Whether a number is on the right side of a bound: above it, or with the sign -1 below."""
    return bound is None or sign * value > sign * bound[0] or (value == bound[0] and not bound[1])


def _bound(told: Mapping[str, Any], closed: str, opened: str) -> tuple[Fraction, bool] | None:
    """The nearer of two bounds, and whether it is outside itself; drafts up to 4 say so with true."""
    at, beyond = told.get(closed), told.get(opened)
    found = [] if at is None else [(Fraction(str(at)), beyond is True)]
    if beyond is not None and not isinstance(beyond, bool):
        found.append((Fraction(str(beyond)), True))
    nearest = max if closed == "minimum" else min
    return nearest(found, key=lambda each: each[0]) if found else None


def _plain(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)


def texts(value: str, told: Mapping[str, Any], turn: int) -> Iterator[str]:
    """Texts as a pattern and lengths want them; another ``turn`` gives others."""
    shortest, longest, pattern = told.get("minLength", 0), told.get("maxLength"), told.get("pattern")
    if isinstance(pattern, str):
        made = [*patterned(pattern, turn)]
        fitting = [each for each in made if shortest <= len(each) and (longest is None or len(each) <= longest)]
        yield from fitting[:2] or made[:1]
        return
    text = value + "x" * (min(shortest, LONGEST_TEXT) - len(value))
    yield text if longest is None else text[: int(longest)]


def varied(value: Any, turn: int) -> Any:
    """Another value of the same kind; the first field or entry of one that has any differs."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + turn
        case str():
            return f"{value}{turn}"
        case dict() if value:
            name = next((each for each in value if not isinstance(value[each], bool)), next(iter(value)))
            return {**value, name: varied(value[name], turn)}
        case list() if value:
            return [varied(value[0], turn), *value[1:]]
    return value

"""Numbers and texts as a schema's own rules for them say, and others of the same kind."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import ceil, floor
from re import _constants as codes
from re import _parser as parser
from typing import Any

import rstr

from choreo_bdd.matchers.patterns.safety import require_bounded

_LONGEST_PATTERN = 200
_LONGEST_TEXT = 100_000
_MOST_TIMES = 100
"""rstr repeats nothing oftener."""
_TRIES = 40
_FEW = 4
_ENDLESS = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|([*+])|\{(\d+),\}")
_LOOK_AROUND = re.compile(r"\(\?<?[=!](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)")


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
    text = value + "x" * (min(shortest, _LONGEST_TEXT) - len(value))
    yield text if longest is None else text[: int(longest)]


def patterned(pattern: str, turn: int = 1) -> Iterator[str]:
    """Texts that a pattern finds itself in; one that looks around is tried without that, and judged with it."""
    if not _is_easy(pattern):
        return
    for number in range(_TRIES):
        try:
            told = pattern if number % 2 else _ENDLESS.sub(_ended, pattern)  # long texts, and such as fit in a few
            made = rstr.Rstr(random.Random(turn * _TRIES + number)).xeger(_LOOK_AROUND.sub("", told))
            if re.search(pattern, made):
                yield made
        except (ValueError, re.error, RecursionError, OverflowError, KeyError):
            return


def _ended(found: re.Match[str]) -> str:
    least = {"*": 0, "+": 1}.get(found[2], int(found[3] or 0))
    return found[1] or f"{{{least},{least + _FEW}}}"


def _is_easy(pattern: str) -> bool:
    """Whether what a foreign document asks for is soon made and soon found again."""
    try:
        require_bounded(pattern)
        return len(pattern) <= _LONGEST_PATTERN and _longest(parser.parse(pattern)) <= _LONGEST_TEXT
    except (re.error, RecursionError, OverflowError):
        return False


def _longest(items: Iterable[Any]) -> int:
    """How many characters a parsed pattern may be given."""
    return sum(_longest_of(code, argument) for code, argument in items)


def _longest_of(code: Any, argument: Any) -> int:
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return min(int(argument[1]), _MOST_TIMES) * _longest(argument[2])
    if code is codes.SUBPATTERN:
        return _longest(argument[-1])
    if code is codes.BRANCH:
        return max(map(_longest, argument[1]))
    return 1


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

"""Texts that a pattern finds itself in."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from re import _constants as codes
from re import _parser as parser
from typing import Any

import rstr

from choreo_bdd.matchers.patterns.safety import require_bounded

LONGEST_TEXT = 100_000
_LONGEST_PATTERN = 200
_MOST_TIMES = 100
"""rstr repeats nothing oftener."""
_TRIES = 40
_FEW = 4
_ENDLESS = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|([*+])|\{(\d+),\}")
_LOOK_AROUND = re.compile(r"\(\?<?[=!](?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)")


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
        return len(pattern) <= _LONGEST_PATTERN and _longest(parser.parse(pattern)) <= LONGEST_TEXT
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

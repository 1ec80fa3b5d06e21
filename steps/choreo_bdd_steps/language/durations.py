"""Durations with a unit: ``50ms``, ``1.5s``, ``2 seconds``, ``1 minute``."""

from __future__ import annotations

import re

from choreo_bdd_steps.language.errors import BodyError

INSTANT = "a duration of 0 leaves no time for anything to happen; write a longer one"

_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")
WITHOUT_UNIT = re.compile(
    r"\b(?:within|for|after|before|up to|at most|at least|wait) (\d+(?:\.\d+)?)"
    r"(?=:?$| (?:of|within|waiting|not|matching|once|twice)\b)"
)
"""What reads like a time and is a bare number."""
_SECONDS = {
    "ms": 0.001,
    "millisecond": 0.001,
    "milliseconds": 0.001,
    "s": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
}
_LONGEST_S = 24 * 60 * 60.0


def parse_duration(text: str) -> float:
    """The duration in seconds. Raises BodyError when the unit is missing or unknown, or it exceeds a day."""
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in _SECONDS:
        raise BodyError(f"{text!r} is not a duration; write a number with a unit: 50ms, 1.5s, 2 seconds, 1 minute")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _LONGEST_S:
        raise BodyError(f"the duration {text!r} is longer than a day; write a shorter one")
    return seconds


def unit_missing(text: str) -> str | None:
    """What to say of the first time without a unit in a text."""
    found = WITHOUT_UNIT.search(text)
    return found and f"the time {found[1]} has no unit; write {found[1]}ms, {found[1]}s or {found[1]}m"

"""Slips of the pen in what must not come, or not more often: there they pass whatever comes, so they are told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from choreo_bdd.codecs.decimals import encode_exactly
from choreo_bdd.inbound.listening import Delivery
from choreo_bdd.matchers import MatchFailure
from choreo_bdd.matchers.patterns.bounded import TooLongForPattern, bounded, search
from choreo_bdd.matchers.result import path_as_written
from choreo_bdd.scenario.judging.diagnosis import show
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.matching import closeness_of

_ALIKE = 0.8
_LENGTHS = frozenset({"length", "size", "count", "len"})
_NOTHING = object()
_FIELDS = re.compile(r"\s*[\w.@-]+\s*[:=]")
_Near = tuple[Delivery, Sequence[MatchFailure]]


def slips(expectation: Expectation) -> tuple[str, ...]:
    """What hints that the messages meant have come and were not seen; empty where each of them may well differ.

    A field that none of them has and that is nearly one they have or stands elsewhere, a value that differs in type,
    case or a sign behind it alone, a text that was meant as fields, and a pattern that is found in a text and does not
    fit the whole of it.
    """
    matcher = expectation.matcher
    if matcher is None or not expectation.occurs.waits_the_window_out or not expectation.near_misses:
        return ()
    near: list[_Near] = [(each, closeness_of(matcher, each).differences) for each in expectation.near_misses]
    told = (*_misspelt(near), *(sentence for _, differences in near if (sentence := _nearly(differences))))
    return tuple(f"on {expectation.topic!r} {each}" for each in dict.fromkeys(told))


def _misspelt(near: Sequence[_Near]) -> list[str]:
    lacking = [{each.path for each in differences if each.kind == "missing"} for _, differences in near]
    told = []
    for path in sorted(set.intersection(*lacking)):
        found = (_nearly_there(path, near), *(_elsewhere(path.split("."), each) for each, _ in near))
        if there := next(filter(None, found), None):
            told.append(f"no message has {path_as_written(path)!r}, which is asked for, and {there}")
    return told


def _nearly_there(path: str, near: Sequence[_Near]) -> str | None:
    import difflib  # noqa: PLC0415 - needed only where a field may be misspelt

    *above, name = path.split(".")
    beside = {key for delivery, _ in near for key in _keys(delivery.value, above)}
    alike = difflib.get_close_matches(name.lower(), {key.lower() for key in beside}, n=1, cutoff=_ALIKE)
    there = next((".".join([*above, key]) for key in sorted(beside) if key.lower() in alike), None)
    return there and f"there is {path_as_written(there)!r}: is it misspelt?"


def _elsewhere(path: Sequence[str], delivery: Delivery) -> str | None:
    """What is found outside the payload, or without a name put before it, or is no field but a length."""
    first, *rest = path
    message = delivery.message
    around = {"key": message.key, "partition": message.partition, "topic": message.topic}
    if not rest and around.get(first) is not None:
        return f"there is @{first}: so the message's own {first} is written"
    if first in ("header", "headers") and ".".join(rest) in message.headers:
        return f"there is @headers.{'.'.join(rest)}: so a header is written"
    if rest and _at(delivery.value, rest) is not _NOTHING:
        return f"there is {path_as_written('.'.join(rest))!r}: a path begins with a field of the payload"
    if rest and path[-1] in _LENGTHS and isinstance(_at(delivery.value, path[:-1]), (list, str)):
        above = path_as_written(".".join(path[:-1]))
        return f"that is no field of a list or a text: write it as in `{above} length > 1`"
    return None


def _keys(value: Any, path: Sequence[str]) -> list[str]:
    found = _at(value, path)
    return [key for key in found if isinstance(key, str)] if isinstance(found, dict) else []


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        try:
            value = value[int(part) if isinstance(value, list) else part]
        except (KeyError, IndexError, TypeError, ValueError):
            return _NOTHING
    return value


def _nearly(differences: Sequence[MatchFailure]) -> str | None:
    """What is said of a message that differs in one field, and there only as a slip would make it."""
    if len(differences) != 1:
        return None
    (only,) = differences
    has = f"a message has {path_as_written(only.path)!r} as {show(only.actual, path=only.path)}"
    asked = show(only.expected, path=only.path)
    if only.kind == "type_mismatch":
        return f"{has}, which cannot be held against {asked}"
    if _is_found_within(only):
        return f"{has}, in which the pattern is found, and a pattern must fit the whole text: write .* around it"
    return None if only.kind != "mismatch" else _nearly_equal(only.actual, only.expected, has, asked)


def _nearly_equal(actual: object, expected: object, has: str, asked: str) -> str | None:
    if isinstance(actual, (dict, list)) and isinstance(expected, str) and _FIELDS.match(expected):
        return (
            f"{has}, and the text {asked} is asked for: a field is written with a space behind its colon, `name: value`"
        )
    if _is_but_for_signs(actual, expected):
        return f"{has}, and {asked} is asked for, which is the same but for a sign: is that meant?"
    if _text(actual).casefold() != _text(expected).casefold():
        return None
    if type(actual) is not type(expected):
        return f"{has}, and {asked} is asked for: text and number are different"
    return f"{has}, and {asked} is asked for: capital and small letters are different"


def _is_found_within(difference: MatchFailure) -> bool:
    match difference.actual, difference.expected:
        case str() as text, {"matches": str() as pattern}:
            try:
                return search(bounded(pattern), text)
            except (re.error, TooLongForPattern):
                return False
    return False


def _is_but_for_signs(actual: object, expected: object) -> bool:
    """Whether what is asked for has a mark around it, as a list of values would, or another minus."""
    if not isinstance(expected, str) or isinstance(actual, (dict, list)):
        return False
    bare = expected.strip(" ,;\"'").replace("\N{MINUS SIGN}", "-")
    return bare not in ("", expected) and bare == _text(actual)


def _text(value: object) -> str:
    return value if isinstance(value, str) else encode_exactly(value, json.dumps, otherwise=repr)

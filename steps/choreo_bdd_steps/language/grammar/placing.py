"""Where matchers stand: at paths into the payload, ``[?]`` of several paths meaning one and the same element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from choreo_bdd.matchers import Matcher, Quantifier, all_of, at
from choreo_bdd_steps.language.paths import Field, Segment

_PLAIN = re.compile(r"[^.\[\]'\"\s]+")
_DIGITS = re.compile(r"-?\d+")


class Placed(NamedTuple):
    """A matcher and the place it judges; with ``admits_empty`` a list without elements satisfies its ``[*]``."""

    place: Field
    matcher: Matcher
    admits_empty: bool = False


def placed(asked: Sequence[Placed]) -> list[Matcher]:
    """One matcher for each place, or for all places that speak of the same ``[?]`` element."""
    groups: dict[tuple[Segment, ...], list[Placed]] = {}
    for index, each in enumerate(asked):
        groups.setdefault(_element(each.place.segments) or (index,), []).append(each)
    return [_grouped(prefix, group) for prefix, group in groups.items()]


def label_of(segments: Iterable[Segment]) -> str:
    """A path as an author would write it."""
    words = "".join(map(_written, segments))
    return words.removeprefix(".")


def _element(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The path up to its first ``[?]``; empty for a path without one."""
    if Quantifier.SOME not in segments:
        return ()
    return segments[: segments.index(Quantifier.SOME) + 1]


def _grouped(prefix: tuple[Segment, ...], group: list[Placed]) -> Matcher:
    if len(group) == 1:
        [only] = group
        return at(only.place.label, only.matcher, nonempty=not only.admits_empty)
    within = [_below(each, len(prefix)) for each in group]
    whole = [each.matcher for each in within if not each.place.segments]
    parts = [*whole, *placed([each for each in within if each.place.segments])]
    return at(label_of(prefix), all_of(*parts), nonempty=True)


def _below(each: Placed, depth: int) -> Placed:
    rest = each.place.segments[depth:]
    return Placed(Field(label_of(rest), rest), each.matcher, each.admits_empty)


def _written(segment: Segment) -> str:
    if isinstance(segment, Quantifier):
        return segment.value
    if isinstance(segment, int):
        return f"[{segment}]"
    is_plain = _PLAIN.fullmatch(segment) and not _DIGITS.fullmatch(segment)
    return f".{segment}" if is_plain else ".'" + segment.replace("'", "''") + "'"

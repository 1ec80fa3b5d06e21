"""Where the level of a series changed: split by the energy statistic, merged by a t-test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from choreo_bdd_chronicle.detect.measures.statistics import (
    Sums,
    Values,
    best_split,
    is_wave,
    student_p,
    summed_distances,
    t_value,
)
from choreo_bdd_chronicle.detect.measures.wander import Wander, wander

FEWEST_RUNS = 4
"""A level has at least so many runs: a change is not raised before."""
_ALL_OF_SHORT = 8
"""All runs of a level with fewer runs than this must show it, as one or two far outliers look like a level, too."""
_SHOWN = 0.25
"""A run shows a change when it is at least this share of the way from the old to the new level."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What counts as a change of a level: how improbable, by which factor, and by how many milliseconds at least."""

    p: float
    effect: float
    least_ms: float = 1.0


CENTRE = Sensitivity(p=1e-6, effect=0.07)
TAIL = Sensitivity(p=1e-7, effect=0.15)


@dataclass(frozen=True, slots=True)
class Level:
    """Runs ``start`` to ``stop`` (excluded) of a series, with their mean logarithm."""

    start: int
    stop: int
    mean: float


def levels_of_all(series: Sequence[Values], sensitivity: Sensitivity) -> list[list[Level]]:
    """The levels of each of some series that belong together, none of which has gaps.

    They are found twice: within the first ones is seen how much such series wander by themselves, and what is no more
    than that is no change.
    """
    found = [levels(each, sensitivity) for each in series]
    if all(len(each) < 2 for each in found):
        return found
    parts = [[logs[level.start : level.stop] for level in each] for logs, each in zip(series, found, strict=True)]
    wandering = wander(parts, max(map(len, series)))
    return [
        levels(logs, sensitivity, wandering) if len(each) > 1 else each
        for logs, each in zip(series, found, strict=True)
    ]


def levels(logs: Values, sensitivity: Sensitivity, wandering: Wander | None = None) -> list[Level]:
    """The levels that a series of logarithms of milliseconds went through; one when nothing changed.

    Deterministic: there is no permutation in it. A series of fewer than two levels' runs has one level. Its runs are
    taken as independent of each other unless it is known how it is ``wandering``.
    """
    sums = Sums(logs)
    edges = [0, *_split(logs), len(logs)]
    doubts = [_doubt(logs, sums, edges[at : at + 3], sensitivity, wandering) for at in range(len(edges) - 2)]
    while doubts:
        weakest = max(range(len(doubts)), key=doubts.__getitem__)
        if doubts[weakest] < sensitivity.p:
            break
        del edges[weakest + 1], doubts[weakest]
        for at in (weakest - 1, weakest):  # the changes on both sides now have another neighbour
            if 0 <= at < len(doubts):
                doubts[at] = _doubt(logs, sums, edges[at : at + 3], sensitivity, wandering)
    found = [Level(start, stop, sums.sample(start, stop).mean) for start, stop in pairwise(edges) if start < stop]
    if len(found) > 1 and is_wave(logs, [each.start for each in found]):
        return [Level(0, len(logs), sums.sample(0, len(logs)).mean)]
    return found


def _split(logs: Values) -> list[int]:
    """The places to consider: best splits within best splits, down to the shortest level."""
    distances = summed_distances(logs)
    cuts: list[int] = []
    waiting = [(0, len(logs))]
    while waiting:
        start, stop = waiting.pop()
        if stop - start >= 2 * FEWEST_RUNS:
            cut = best_split(distances, start, stop, FEWEST_RUNS)
            cuts.append(cut)
            waiting += [(start, cut), (cut, stop)]
    return sorted(cuts)


def _doubt(logs: Values, sums: Sums, edges: Sequence[int], sensitivity: Sensitivity, wandering: Wander | None) -> float:
    """How probable it is that nothing changed at the middle edge; 1 and more for a change too small to tell of."""
    start, cut, stop = edges
    before, after = sums.sample(start, cut), sums.sample(cut, stop)
    t = t_value(before, after)
    if wandering is not None:
        t /= math.sqrt(wandering.growth(before.size, after.size))
    old, new = before.mean, after.mean
    if (
        abs(new - old) < math.log1p(sensitivity.effect)
        or abs(math.exp(new) - math.exp(old)) < sensitivity.least_ms
        or not _is_shown(logs[start:cut], new, old)
        or not _is_shown(logs[cut:stop], old, new)
    ):
        return 1 + 1 / (1 + t)
    return student_p(t, before.size + after.size - 2)


def _is_shown(runs: Values, other: float, own: float) -> bool:
    """Whether a short level is that of all its runs."""
    return len(runs) >= _ALL_OF_SHORT or bool((((runs - other) / (own - other)) >= _SHOWN).all())

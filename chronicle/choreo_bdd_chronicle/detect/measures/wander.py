"""How much series wander by themselves: runs that are far from each other are less alike than neighbours are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from choreo_bdd_chronicle.detect.measures.statistics import Values

_FAR = ((2, 3), (4, 7), (8, 12))
"""Runs so far apart are held against neighbours; what is farther apart is taken to differ as much as the last ones."""
_FEWEST_PAIRS = 60
"""So many pairs of runs tell how much they usually differ."""
_LEAST = 1e-6
"""Neighbours of a series that differ by less, as logarithms, are the same."""


@dataclass(frozen=True, slots=True)
class Wander:
    """``sums`` are squared differences of two runs by their places, summed up from the first, those of neighbours as 1.

    That is the variogram of the series, so that they need not have a level they return to.
    """

    sums: Values

    def growth(self, before: int, after: int) -> float:
        """By how much the means of so many runs and so many next ones differ more than independent runs' would.

        It is a ratio of variances, at least 1: what to expect of the means, by the scatter within both parts.
        """
        both = before + after
        first, second, whole = (float(self.sums[size, size]) for size in (before, after, both))
        of_means = (whole - first - second) / (before * after) - first / before**2 - second / after**2
        scatter = (first / before + second / after) / (both - 2) * (1 / before + 1 / after)
        return max(1.0, of_means / scatter)


def wander(series: Sequence[Sequence[Values]], runs: int) -> Wander:
    """What all series have in common, up to so many runs; each is given as its levels, as changes are no wandering."""
    apart = np.ones(runs)
    scales = [_typical(levels, 1, 1) for levels in series]
    alike = [level / scale for levels, scale in zip(series, scales, strict=True) if scale > _LEAST for level in levels]
    farthest = 1.0
    for nearest, last in _FAR:
        pairs = _differences(alike, nearest, last)
        if len(pairs) < _FEWEST_PAIRS:
            break
        farthest = max(farthest, float(np.median(pairs)) ** 2)
        apart[nearest:] = farthest
    apart[0] = 0.0
    distances = np.abs(np.subtract.outer(np.arange(runs), np.arange(runs)))
    sums = np.zeros((runs + 1, runs + 1))
    sums[1:, 1:] = apart[distances].cumsum(axis=0).cumsum(axis=1)
    return Wander(sums)


def _typical(levels: Sequence[Values], nearest: int, last: int) -> float:
    found = _differences(levels, nearest, last)
    return float(np.median(found)) if len(found) else 0.0


def _differences(levels: Sequence[Values], nearest: int, last: int) -> Values:
    """Of all pairs of runs of one level that are so far apart."""
    distances = range(nearest, last + 1)
    return np.concatenate([np.abs(level[by:] - level[:-by]) for level in levels for by in distances] or [np.zeros(0)])

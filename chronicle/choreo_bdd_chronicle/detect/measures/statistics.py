"""What change points rest on: the energy statistic, the probability of Student's t, and what a wave explains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_CLOSE = 1e-12
_TINY = 1e-300


def best_split(distances: Values, start: int, stop: int, shortest: int) -> int:
    """Where two parts of ``start`` to ``stop`` differ most by the energy statistic, each at least ``shortest`` long.

    ``distances`` is the table of ``summed_distances``. Székely and Rizzo's statistic: the mean distance between the
    parts, less that within each of them, weighted by their lengths.
    """
    cuts = np.arange(start + shortest, stop - shortest + 1)
    left, right = cuts - start, stop - cuts
    diagonal = distances[cuts, cuts]
    within_left = diagonal - distances[start, cuts] - distances[cuts, start] + distances[start, start]
    within_right = distances[stop, stop] - distances[cuts, stop] - distances[stop, cuts] + diagonal
    whole = distances[stop, stop] - distances[start, stop] - distances[stop, start] + distances[start, start]
    between = (whole - within_left - within_right) / 2
    energy = 2 * between / (left * right) - within_left / left**2 - within_right / right**2
    return int(cuts[np.argmax(energy * left * right / (left + right))])


def summed_distances(values: Values) -> Values:
    """The distances between all pairs, summed up from the first one: any block of pairs is then four look-ups."""
    table = np.zeros((len(values) + 1, len(values) + 1))
    pairs = np.abs(values[:, None] - values[None, :])
    table[1:, 1:] = pairs.cumsum(axis=0).cumsum(axis=1)
    return table


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample by its size, its mean, and the sum of the squared distances from that."""

    size: int
    mean: float
    squares: float


class Sums:
    """The sums of a series up to each place, so that any stretch of it is a sample at once."""

    def __init__(self, values: Values) -> None:
        self._middle = float(np.median(values)) if len(values) else 0.0  # keeps small differences of large values
        centred = values - self._middle
        self._sums = [0.0, *centred.cumsum().tolist()]
        self._squares = [0.0, *(centred**2).cumsum().tolist()]

    def sample(self, start: int, stop: int) -> Sample:
        """The values from ``start`` to ``stop`` (excluded); there must be at least one."""
        size = stop - start
        total = self._sums[stop] - self._sums[start]
        squares = self._squares[stop] - self._squares[start] - total * total / size
        return Sample(size, self._middle + total / size, max(0.0, squares))


def t_value(first: Sample, second: Sample) -> float:
    """How far apart the means of two samples are in standard errors (Student's t, pooled)."""
    freedom = first.size + second.size - 2
    distance = abs(first.mean - second.mean)
    error = math.sqrt((first.squares + second.squares) / freedom * (1 / first.size + 1 / second.size))
    if error <= _CLOSE * max(1.0, distance):
        return 0.0 if distance <= _CLOSE else math.inf
    return distance / error


def student_p(t: float, freedom: int) -> float:
    """The two-sided probability of Student's t at this many degrees of freedom."""
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction where that converges fast."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x),
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction (Press et al., Numerical Recipes, 6.4)."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in count(1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            step = c * d
            result *= step
        if abs(step - 1) < _CLOSE or m > 500:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def binomial_tail(hits: int, tries: int, rate: float) -> float:
    """The probability of at least so many hits in so many tries that each hit with this rate (above 0, below 1)."""
    logs = (
        math.lgamma(tries + 1)
        - math.lgamma(k + 1)
        - math.lgamma(tries - k + 1)
        + k * math.log(rate)
        + (tries - k) * math.log1p(-rate)
        for k in range(hits, tries + 1)
    )
    return min(1.0, sum(map(math.exp, logs)))


_SHORTEST_WAVE, _WAVES_TRIED = 8, 40
_TURNS, _TURNS_OF_SMALL = 1.15, 0.5
"""So much of a wave must have been seen; half a turn does for a small one, as a load's that comes and goes."""
_SEEN_OF_SMALL, _SMALL = math.log(1.5), math.log(1.8)
"""From the lowest to the highest of what was seen of a small wave, and of the whole of it."""
_STRONG = 7.0
"""Levels must be better than a wave by so much, which is 33 times as probable; less is no strong evidence."""


def is_wave(logs: Values, starts: Sequence[int]) -> bool:
    """Whether a smooth wave explains a series nearly as well as the levels that start there, or better.

    Both are weighed by Bayes' information criterion. A large wave must have been through more than one whole turn: a
    slow rise that is over looks like half a wave, too.
    """
    size, edges = len(logs), [*starts, len(logs)]
    steps = sum(float(np.square(logs[a:b] - logs[a:b].mean()).sum()) for a, b in pairwise(edges))
    bar = _criterion(steps, size, 2 * len(starts) - 1) + _STRONG
    lengths, columns, solving = _waves(size)
    best = solving @ logs
    waves = (columns @ best[:, :, None])[:, :, 0]
    is_small = (2 * np.hypot(best[:, 1], best[:, 2]) <= _SMALL) & (np.ptp(waves, axis=1) <= _SEEN_OF_SMALL)
    is_seen = (size >= _TURNS * lengths) | is_small
    unexplained = np.square(logs - waves).sum(axis=1)[is_seen]
    return any(_criterion(float(each), size, 4) < bar for each in unexplained)


@lru_cache(maxsize=64)
def _waves(size: int) -> tuple[Values, Values, Values]:
    """Some lengths of waves, each one's mean, sine and cosine, and what finds the nearest such wave to a series."""
    longest = max(size / _TURNS_OF_SMALL, _SHORTEST_WAVE)
    lengths = np.geomspace(_SHORTEST_WAVE, longest, _WAVES_TRIED)
    turns = 2 * np.pi * np.arange(size) / lengths[:, None]
    columns = np.stack([np.ones_like(turns), np.sin(turns), np.cos(turns)], axis=2)
    return lengths, columns, np.linalg.pinv(columns)


def _criterion(unexplained: float, size: int, parameters: int) -> float:
    return size * math.log(max(unexplained, 1e-12) / size) + parameters * math.log(size)

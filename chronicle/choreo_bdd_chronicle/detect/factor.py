"""How much slower than usual a whole run was: the factor that all of its topics have in common."""

from __future__ import annotations

import numpy as np

from choreo_bdd_chronicle.detect.change_points import Sensitivity, levels
from choreo_bdd_chronicle.detect.measures.statistics import Values

FEWEST_TOPICS = 4
"""With fewer topics in a run, a slow topic could not be told from a slow machine."""
_BEFORE = 15
"""So many earlier runs say what is usual for a topic."""
_AROUND = 4
"""Runs are smoothed with so many before and after them."""
_UNCLEAR = Sensitivity(p=1e-4, effect=0.05, least_ms=0.0)


def distances(logs: Values) -> Values:
    """How far each topic was from its own level in each run: what is common to a run's topics is the run's factor.

    ``logs`` has a row a topic and a column a run, not-a-number where a topic was not measured. The factor is found
    twice: by what went before, then by the levels of each topic, as a change of some must not seem one of the others.
    """
    own = logs - _by_earlier_runs(logs)
    return logs - _levels(own - _drawn_along(own))


def run_factors(distances: Values) -> Values:
    """Per run, the logarithm of its common factor: 0 in a usual run, and where too few topics tell."""
    return _common(distances)


def factors_of_others(distances: Values) -> Values:
    """The same for each topic by all others alone: a matrix like ``distances``.

    The median of a few topics is often one of them, which would then seem to be the same in every run.
    """
    ordered = np.sort(distances, axis=0)  # gaps come last
    rank = np.argsort(np.argsort(distances, axis=0), axis=0)
    others = (~np.isnan(distances)).sum(axis=0) - 1
    lower, upper = np.maximum(others - 1, 0) // 2, np.maximum(others, 0) // 2
    columns = np.arange(distances.shape[1])
    last = len(distances) - 1
    low = ordered[np.minimum(lower + (rank <= lower), last), columns]
    high = ordered[np.minimum(upper + (rank <= upper), last), columns]
    return np.where(others + 1 >= FEWEST_TOPICS, (low + high) / 2, 0.0)


def _by_earlier_runs(logs: Values) -> Values:
    """A topic's usual latency is the median of what its last 15 runs were without *their* factors.

    A slowness that stays is thus a level of the factor, and never seeps into the topics.
    """
    factors = np.zeros(logs.shape[1])
    own = logs.copy()
    for run in range(1, logs.shape[1]):
        usual = _medians(own[:, max(0, run - _BEFORE) : run])
        factors[run] = _common((logs[:, run] - usual)[:, None])[0]
        own[:, run] -= factors[run]
    return factors


def _levels(own: Values) -> Values:
    """Each topic's level in each run; an unclear change is taken for one, as it does no harm here."""
    result = np.full_like(own, np.nan)
    for row, values in zip(result, own, strict=True):
        columns = np.flatnonzero(~np.isnan(values))
        for level in levels(values[columns], _UNCLEAR):
            stretch = columns[level.start : level.stop]
            row[stretch] = np.median(values[stretch])
    return result


def _drawn_along(own: Values) -> Values:
    """Per run, how far most topics are from where they began, which is what the factor took that was not common.

    Where one topic after the other becomes slower, the median moves a little with each, and those that stay the same
    seem to become quicker, all of them by as much. Half of the topics stay together from run to run: those that are
    nearest to where such were in the run before.
    """
    topics, runs = own.shape
    around = np.pad(own, ((0, 0), (_AROUND, _AROUND)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _AROUND + 1, axis=1)
    smooth = _medians(windows.reshape(topics * runs, -1)).reshape(topics, runs)
    moved = smooth - _medians(own[:, : 2 * _AROUND + 1])[:, None]
    found = np.zeros(runs)
    for run in range(2 * _AROUND, runs):
        values = moved[~np.isnan(moved[:, run]), run]
        found[run] = last = found[run - 1]
        if len(values) >= FEWEST_TOPICS:
            nearest = np.argsort(np.abs(values - last), kind="stable")[: (len(values) + 1) // 2]
            found[run] = np.median(values[nearest])
    return found


def _common(distances: Values) -> Values:
    """The median distance of each run's topics, where there are enough of them."""
    told = (~np.isnan(distances)).sum(axis=0)
    return np.where(told >= FEWEST_TOPICS, _medians(distances.T), 0.0)


def _medians(rows: Values) -> Values:
    """The median of each row without its gaps; not-a-number for a row of gaps."""
    ordered = np.sort(rows, axis=1)  # gaps come last
    counts = (~np.isnan(rows)).sum(axis=1)
    row = np.arange(len(rows))
    medians: Values = (ordered[row, np.maximum(counts - 1, 0) // 2] + ordered[row, counts // 2]) / 2
    return medians

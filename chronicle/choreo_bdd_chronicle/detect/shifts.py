"""Changes of a level as findings: placed at the first run after them, over once the level is back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from choreo_bdd_chronicle.detect.change_points import CENTRE, TAIL, Level, Sensitivity, levels_of_all
from choreo_bdd_chronicle.detect.measures.statistics import Values
from choreo_bdd_chronicle.detect.records import Finding, Metric, Subject
from choreo_bdd_chronicle.detect.table import Table

_CRITICAL_PCT = 50.0
_SAME_PLACE = 3
"""A change of the tail so many runs from one of the centre is the same change."""
_FACTOR = Sensitivity(p=CENTRE.p, effect=CENTRE.effect, least_ms=0.0)


@dataclass(frozen=True, slots=True)
class Shift:
    """A change between two levels, in columns of a table; ``ended`` is where the level was back, if it was."""

    before: Level
    after: Level
    place: int
    last_before: int
    ended: int | None


def topic_shifts(table: Table, centres: Values, tails: Values) -> Iterator[Finding]:
    """The changes of every topic's mean and, where that did not change, of its 90th percentile.

    Both matrices are logarithms, with the factors of the runs taken off.
    """
    in_centres, in_tails = shifts(centres, CENTRE), shifts(tails, TAIL)
    for index, row in enumerate(table.rows):
        found = in_centres[index]
        for shift in found:
            yield _finding(table, row.subject, "mean_ms", centres[index], shift=shift)
        for shift in in_tails[index]:
            if not any(abs(shift.place - other.place) <= _SAME_PLACE for other in found):
                yield _finding(table, row.subject, "p90_ms", tails[index], shift=shift)


def factor_shifts(table: Table, factors: Values) -> Iterator[Finding]:
    """The changes that all topics have in common."""
    for shift in shifts(factors[None, :], _FACTOR)[0]:
        yield _finding(table, table.whole, "run_factor", factors, shift=shift)


def shifts(logs: Values, sensitivity: Sensitivity) -> list[list[Shift]]:
    """The changes of each row's series, which may have gaps, in order."""
    columns = [np.flatnonzero(~np.isnan(row)) for row in logs]
    found = levels_of_all([row[own] for row, own in zip(logs, columns, strict=True)], sensitivity)
    return [_between(levels, own) for levels, own in zip(found, columns, strict=True)]


def _between(levels: Sequence[Level], columns: NDArray[np.intp]) -> list[Shift]:
    """The changes between levels of a series that was measured in these columns.

    A better level that was there before a change for the worse ends that change, and is no finding of its own.
    """
    result: list[Shift] = []
    for before, after in pairwise(levels):
        place = int(columns[after.start])
        ends = [index for index, shift in enumerate(result) if shift.ended is None and _is_back(shift, before, after)]
        ends_worse = any(result[index].after.mean > result[index].before.mean for index in ends)
        for index in ends:
            shift = result[index]
            result[index] = Shift(shift.before, shift.after, shift.place, shift.last_before, place)
        if not ends_worse:
            result.append(Shift(before, after, place, int(columns[after.start - 1]), None))
    return result


def _is_back(shift: Shift, before: Level, after: Level) -> bool:
    """Whether this step leads back, and nearer to where an earlier one came from than to where it led."""
    way = shift.after.mean - shift.before.mean
    return (after.mean - before.mean) * way < 0 and (after.mean - shift.before.mean) / way < 0.5


def _finding(table: Table, subject: Subject, metric: Metric, logs: Values, *, shift: Shift) -> Finding:
    measured = logs[~np.isnan(logs)]
    earlier = np.exp(measured[shift.before.start : shift.before.stop])
    change_pct = math.expm1(shift.after.mean - shift.before.mean) * 100
    return Finding(
        subject=subject,
        method="change_point",
        metric=metric,
        severity="critical" if change_pct >= _CRITICAL_PCT else "warning",
        current=math.exp(shift.after.mean),
        baseline=math.exp(shift.before.mean),
        spread=float(earlier.std(ddof=1)) if len(earlier) > 1 else 0.0,
        change_pct=change_pct,
        first=table.runs[shift.place],
        before=table.runs[shift.last_before],
        ended=None if shift.ended is None else table.runs[shift.ended],
    )

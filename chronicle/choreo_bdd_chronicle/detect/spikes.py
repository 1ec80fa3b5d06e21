"""One run far slower than those before it: unconfirmed, over after calm runs, no reason to stop anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from choreo_bdd_chronicle.detect.measures.statistics import Values
from choreo_bdd_chronicle.detect.records import Finding
from choreo_bdd_chronicle.detect.table import Table

_BEFORE = 15
"""So many earlier runs say what is usual."""
_FEWEST_BEFORE = 5
_FACTOR = 2.0
_Z = 8.0
_LEAST_MS = 1.0
_CALM_RUNS = 2
"""After so many runs without a spike it is over."""
_LEAST_SPREAD = 0.03
"""Of the logarithms: a few runs may agree by chance more closely than latencies ever do."""
_TO_DEVIATION = 1.4826
"""Makes the median distance of a normal distribution its standard deviation."""


def spikes(table: Table, centres: Values) -> Iterator[Finding]:
    """The topics whose last runs hold a spike that calm runs have not ended yet."""
    for index, row in enumerate(table.rows):
        columns = np.flatnonzero(~np.isnan(centres[index]))
        logs = centres[index][columns]
        spike = len(logs)
        while any(_is_spike(logs, place) for place in range(max(0, spike - _CALM_RUNS), spike)):
            spike -= 1
        if spike == len(logs):
            continue
        usual, deviation = _usual(logs, spike)
        highest = float(logs[spike:].max())
        yield Finding(
            subject=row.subject,
            method="rolling_baseline",
            metric="mean_ms",
            severity="warning",
            current=math.exp(highest),
            baseline=math.exp(usual),
            spread=math.exp(usual) * math.expm1(deviation),
            change_pct=math.expm1(highest - usual) * 100,
            first=table.runs[columns[spike]],
            before=table.runs[columns[spike - 1]],
        )


def _is_spike(logs: Values, place: int) -> bool:
    if place < _FEWEST_BEFORE:
        return False
    usual, deviation = _usual(logs, place)
    rise = float(logs[place]) - usual
    is_far = rise >= math.log(_FACTOR) and rise >= _Z * deviation
    return is_far and math.exp(logs[place]) - math.exp(usual) >= _LEAST_MS


def _usual(logs: Values, place: int) -> tuple[float, float]:
    """Median and deviation of the runs before; the deviation that few runs show is less sure, and so taken as wider."""
    earlier = logs[max(0, place - _BEFORE) : place]
    usual = float(np.median(earlier))
    deviation = _TO_DEVIATION * float(np.median(np.abs(earlier - usual)))
    return usual, max(deviation * (1 + _FEWEST_BEFORE / len(earlier) - _FEWEST_BEFORE / _BEFORE), _LEAST_SPREAD)

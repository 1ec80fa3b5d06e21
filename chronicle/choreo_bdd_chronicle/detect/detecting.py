"""All rules together, over the series of one tenant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from choreo_bdd_chronicle.detect.factor import factors_of_others, run_factors
from choreo_bdd_chronicle.detect.records import Finding, Run, TopicSeries
from choreo_bdd_chronicle.detect.shifts import factor_shifts, topic_shifts
from choreo_bdd_chronicle.detect.spikes import spikes
from choreo_bdd_chronicle.detect.table import Table, log_p90, mean_log, tables
from choreo_bdd_chronicle.detect.verdicts import budgets, outcomes, silences

_SAME_PLACE = 3


def detect(series: Sequence[TopicSeries]) -> list[Finding]:
    """Everything that the runs so far show, of each environment and branch by itself; the same for the same runs."""
    return [finding for table in tables(series) for finding in _of_table(table)]


def _of_table(table: Table) -> Iterator[Finding]:
    infrastructure = [table.is_infrastructure(column) for column in range(len(table.runs))]
    centres = table.logs(mean_log)
    shared = factors_of_others(centres)
    changed = list(topic_shifts(table, centres - shared, table.logs(log_p90) - shared))
    yield from changed
    yield from factor_shifts(table, run_factors(centres))
    yield from (spike for spike in spikes(table, centres - shared) if not _is_confirmed(spike, changed, table.runs))
    yield from budgets(table)
    yield from outcomes(table, infrastructure)
    yield from silences(table)


def _is_confirmed(spike: Finding, changed: Sequence[Finding], runs: Sequence[Run]) -> bool:
    """Whether a spike turned out to be the beginning of a new level."""
    place = runs.index(spike.first)
    return any(
        change.subject == spike.subject and abs(runs.index(change.first) - place) <= _SAME_PLACE for change in changed
    )

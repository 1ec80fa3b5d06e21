"""Findings about verdicts: budgets that are missed, topics that begin to fail, topics that nobody hears of any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from choreo_bdd_chronicle.detect.measures.statistics import binomial_tail
from choreo_bdd_chronicle.detect.records import Finding, Subject, TopicRun
from choreo_bdd_chronicle.detect.table import Row, Table

BUDGET_PCT = 20.0
"""From this share of late messages on a budget counts as missed."""
_BUDGET_RUNS = 3
"""The share is that of so many last runs."""
_FEWEST_MISSES = 2
_BEFORE = 15
_FEWEST_BEFORE = 5
_USUALLY = 0.9
_SILENT_RUNS = 3
_FULL = 0.5
_IMPROBABLE = 1e-4
_RISE = 0.2
"""Failures must have become more frequent by at least this share of all messages."""


def budgets(table: Table) -> Iterator[Finding]:
    """The topics that miss their budgets in their last runs."""
    for row in table.rows:
        columns = [column for column in sorted(row.cells) if row.cells[column].with_budget]
        cells = [row.cells[column] for column in columns]
        since = len(cells)
        while since > 0 and _is_missed(cells[max(0, since - _BUDGET_RUNS) : since]):
            since -= 1
        if since == len(cells):
            continue
        current = _missed_pct(cells[-_BUDGET_RUNS:])
        window = range(max(0, since + 1 - _BUDGET_RUNS), since + 1)
        first = next(place for place in window if cells[place].over_budget)
        yield Finding(
            subject=row.subject,
            method="budget",
            metric="budget_violation_pct",
            severity="warning",
            current=current,
            baseline=BUDGET_PCT,
            spread=0.0,
            change_pct=current - BUDGET_PCT,
            first=table.runs[columns[first]],
            before=table.runs[columns[first - 1]] if first else None,
        )


def _is_missed(cells: Sequence[TopicRun]) -> bool:
    """Whether the budget is missed often, and not by one message only."""
    return sum(cell.over_budget for cell in cells) >= _FEWEST_MISSES and _missed_pct(cells) >= BUDGET_PCT


def _missed_pct(cells: Sequence[TopicRun]) -> float:
    return 100 * sum(cell.over_budget for cell in cells) / sum(cell.with_budget for cell in cells)


def outcomes(table: Table, infrastructure: Sequence[bool]) -> Iterator[Finding]:
    """The topics that were answered and now are not; runs that failed as a whole count for none of them."""
    for row in table.rows:
        columns = [column for column in sorted(row.cells) if not infrastructure[column] and _judged(row.cells[column])]
        yield from _outcome(table, row.subject, columns, [_failures(row.cells[c]) for c in columns])
    whole = [_whole(table.rows, column) for column in range(len(table.runs))]
    told = [column for column, (_, judged) in enumerate(whole) if judged]
    if told and infrastructure[told[-1]]:
        yield from _outcome(table, table.whole, told, [whole[column] for column in told])


def _judged(cell: TopicRun) -> int:
    return cell.arrived + cell.failed + cell.timed_out


def _failures(cell: TopicRun) -> tuple[int, int]:
    return cell.failed + cell.timed_out, _judged(cell)


def _whole(rows: Sequence[Row], column: int) -> tuple[int, int]:
    counts = [_failures(row.cells[column]) for row in rows if column in row.cells]
    return sum(bad for bad, _ in counts), sum(judged for _, judged in counts)


def _outcome(
    table: Table, subject: Subject, columns: Sequence[int], counts: Sequence[tuple[int, int]]
) -> Iterator[Finding]:
    """A run of failing runs at the end, when that many failures are improbable by what went before."""
    first = len(counts)
    while first > 0 and counts[first - 1][0] >= _RISE * counts[first - 1][1]:
        first -= 1
    earlier, now = counts[max(0, first - _BEFORE) : first], counts[first:]
    if not now or len(earlier) < _FEWEST_BEFORE:
        return
    bad, judged = sum(bad for bad, _ in now), sum(judged for _, judged in now)
    bad_before, judged_before = sum(bad for bad, _ in earlier), sum(judged for _, judged in earlier)
    usual = (bad_before + 0.5) / (judged_before + 1)
    if bad / judged - usual < _RISE or binomial_tail(bad, judged, usual) >= _IMPROBABLE:
        return
    baseline = 100 * bad_before / judged_before
    yield Finding(
        subject=subject,
        method="outcome",
        metric="failure_pct",
        severity="critical",
        current=100 * bad / judged,
        baseline=baseline,
        spread=0.0,
        change_pct=100 * bad / judged - baseline,
        first=table.runs[columns[first]],
        before=table.runs[columns[first - 1]],
    )


def silences(table: Table) -> Iterator[Finding]:
    """The topics that nearly every run had and the last ones had not, though they were whole runs otherwise."""
    usual = [sum(column in row.cells for row in table.rows) for column in range(len(table.runs))]
    for row in table.rows:
        last = max(row.cells)
        missing = [column for column in range(last + 1, len(table.runs)) if usual[column] >= _FULL * usual[last]]
        earlier = range(max(0, last + 1 - _BEFORE), last + 1)
        seen = sum(column in row.cells for column in earlier)
        if len(missing) < _SILENT_RUNS or seen < max(_FEWEST_BEFORE, _USUALLY * len(earlier)):
            continue
        yield Finding(
            subject=row.subject,
            method="silence",
            metric="absent_runs",
            severity="warning",
            current=float(len(missing)),
            baseline=0.0,
            spread=0.0,
            change_pct=100.0,
            first=table.runs[missing[0]],
            before=table.runs[last],
        )

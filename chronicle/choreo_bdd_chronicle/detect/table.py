"""Series side by side: the runs of one environment and branch as columns, a row a topic, gaps where one is missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from choreo_bdd_chronicle.detect.measures.statistics import Values
from choreo_bdd_chronicle.detect.records import EVERY_TOPIC, Run, Subject, TopicRun, TopicSeries

_INFRASTRUCTURE = 0.8
_FEWEST_TOPICS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One topic on one transport, with what its runs measured by their column."""

    subject: Subject
    cells: Mapping[int, TopicRun]


@dataclass(frozen=True, slots=True)
class Table:
    """Runs that can be compared: of one environment and one branch, in their order; ``whole`` is what they are."""

    whole: Subject
    runs: Sequence[Run]
    rows: Sequence[Row]

    def logs(self, of_cell: Callable[[TopicRun], float | None]) -> Values:
        """A number of each cell as a matrix, a row a topic and a column a run; not-a-number where there is none."""
        values = np.full((len(self.rows), len(self.runs)), np.nan)
        for index, row in enumerate(self.rows):
            for column, cell in row.cells.items():
                value = of_cell(cell)
                if value is not None:
                    values[index, column] = value
        return values

    def is_infrastructure(self, column: int) -> bool:
        """Whether so much failed in a run that it says nothing of any one topic."""
        cells = [row.cells[column] for row in self.rows if column in row.cells]
        bad = sum(cell.failed + cell.timed_out for cell in cells)
        handles = bad + sum(cell.arrived for cell in cells)
        return len(cells) >= _FEWEST_TOPICS and bad >= _INFRASTRUCTURE * handles > 0


def tables(series: Sequence[TopicSeries]) -> Iterator[Table]:
    """One table for each environment and branch that occurs."""
    groups: dict[tuple[str | None, str | None], dict[str, Run]] = {}
    for one in series:
        for cell in one.runs:
            groups.setdefault((cell.run.environment, cell.run.branch), {}).setdefault(cell.run.run_id, cell.run)
    for (environment, branch), runs_by_id in groups.items():
        runs = sorted(runs_by_id.values(), key=lambda run: run.started_at)
        column_of = {run.run_id: column for column, run in enumerate(runs)}
        rows = [
            Row(
                Subject(one.topic, one.transport, environment, branch),
                {column_of[cell.run.run_id]: cell for cell in one.runs if cell.run.run_id in column_of},
            )
            for one in series
        ]
        yield Table(Subject(EVERY_TOPIC, None, environment, branch), runs, [row for row in rows if row.cells])


def mean_log(cell: TopicRun) -> float | None:
    """The centre of a run's latencies."""
    return cell.mean_log_ms


def log_p90(cell: TopicRun) -> float | None:
    """The tail of a run's latencies, as a logarithm; a tail of no time at all is as short as can be measured."""
    return None if cell.p90_ms is None else math.log(max(cell.p90_ms, 1e-6))

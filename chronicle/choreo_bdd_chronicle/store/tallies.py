"""Tallies in rows and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Table

from choreo_bdd_chronicle.summarise.histogram import Histogram
from choreo_bdd_chronicle.summarise.tally import Tally

FIELDS = (
    "passed", "slow", "failed", "timeout", "pending", "budgeted", "over_budget", "arrived",
    "min_ms", "max_ms", "sum_ms", "sum_log", "budget_ms",
)  # fmt: skip
"""The columns of a tally in their order, before its histogram."""
_FIGURES = attrgetter(*FIELDS)
_EDGES: Mapping[str, Callable[..., Any]] = {"min_ms": min, "max_ms": max, "budget_ms": max}


def values_of(tally: Tally) -> tuple[Any, ...]:
    """What its columns hold, in their order."""
    return (*_FIGURES(tally), tally.histogram.to_bytes())


def columns_of(table: Table) -> list[ColumnElement[Any]]:
    """The columns that ``tally_of`` needs at the end of a row."""
    return [*(table.c[name] for name in FIELDS), table.c.histogram]


def tally_of(row: Any) -> Tally:
    """The tally at the end of a row."""
    *values, histogram = row[-len(FIELDS) - 1 :]
    return Tally(**dict(zip(FIELDS, values, strict=True)), histogram=Histogram.from_bytes(bytes(histogram)))


def sum_of(rows: Sequence[Any]) -> Tally:
    """The tallies at the ends of these rows, of which there is one at least, as one."""
    *columns, histograms = zip(*(row[-len(FIELDS) - 1 :] for row in rows), strict=True)
    figures = {
        name: _EDGES[name]((each for each in column if each is not None), default=None)
        if name in _EDGES
        else sum(column)
        for name, column in zip(FIELDS, columns, strict=True)
    }
    return Tally(**figures, histogram=Histogram.merged_bytes(map(bytes, histograms)))

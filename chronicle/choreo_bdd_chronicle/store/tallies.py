"""Tallies out of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table

from choreo_bdd_chronicle.summarise.histogram import Histogram
from choreo_bdd_chronicle.summarise.tally import FIELDS, Tally

_EDGES: Mapping[str, Callable[..., Any]] = {"min_ms": min, "max_ms": max, "budget_ms": max}


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

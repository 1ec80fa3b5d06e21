"""What was measured as a table for other programs: a row for each topic and transport of each run."""

from __future__ import annotations

import csv
from typing import Any, TextIO

from sqlalchemy import Connection, Row, select

from choreo_bdd_chronicle.answer.views.shared import percentiles, rounded
from choreo_bdd_chronicle.check.moments import moment_text
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.tallies import columns_of, tally_of
from choreo_bdd_chronicle.summarise.tally import Tally

_PLACE = ("tenant", "run_id", "started_at", "environment", "branch", "git_sha", "topic", "transport")
_COUNTS = ("passed", "slow", "failed", "timeout", "pending", "budgeted", "over_budget", "arrived")
_LATENCIES = ("budget_ms", "min_ms", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")
COLUMNS = (*_PLACE, "sample_count", *_COUNTS, *_LATENCIES)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE = 1000


def write_csv(connection: Connection, tenant: str | None, file: TextIO) -> int:
    """Write the rows of a tenant, or of all, by the run's moment, as RFC 4180 has it; how many there were.

    A text that a spreadsheet would take for a formula is written with an apostrophe before it.
    """
    measured, runs, topics, tenants = tables.run_topics, tables.runs.c, tables.topics.c, tables.tenants.c
    query = (
        select(
            tenants.slug, runs.public_id, measured.c.started_at, runs.environment, runs.branch, runs.git_sha,
            topics.name, measured.c.transport, *columns_of(measured),
        )
        .join_from(measured, tables.runs, runs.id == measured.c.run_id)
        .join(tables.topics, topics.id == measured.c.topic_id)
        .join(tables.tenants, tenants.id == runs.tenant_id)
        .order_by(tenants.slug, measured.c.started_at, runs.id, topics.name, measured.c.transport)
        .execution_options(yield_per=_AT_ONCE)
    )  # fmt: skip
    if tenant is not None:
        query = query.where(tenants.slug == tenant)
    writer, count = csv.writer(file), 0
    writer.writerow(COLUMNS)
    for row in connection.execute(query):
        writer.writerow([_harmless(cell) for cell in _cells(row)])
        count += 1
    return count


def _cells(row: Row[Any]) -> list[Any]:
    tally = tally_of(row)
    shares = percentiles(tally)
    return [
        row.slug, row.public_id, moment_text(row.started_at), row.environment, row.branch, row.git_sha, row.name,
        row.transport, tally.count, *(getattr(tally, name) for name in _COUNTS),
        *(shares[name] if name in shares else rounded(_latency(tally, name)) for name in _LATENCIES),
    ]  # fmt: skip


def _latency(tally: Tally, name: str) -> float | None:
    found: float | None = getattr(tally, name)
    return found


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

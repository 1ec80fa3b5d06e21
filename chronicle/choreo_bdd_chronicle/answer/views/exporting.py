"""What was measured as a table for other programs: a row for each topic and transport of each run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Result, Row, select

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
_ROWS_A_GROUP = 50_000


def write_csv(connection: Connection, tenant: str | None, file: TextIO) -> int:
    """Write the rows of a tenant, or of all, by the run's moment, as RFC 4180 has it; how many there were.

    A text that a spreadsheet would take for a formula is written with an apostrophe before it.
    """
    writer, count = csv.writer(file), 0
    writer.writerow(COLUMNS)
    for row in _rows(connection, tenant):
        writer.writerow([_harmless(cell) for cell in _cells(row)])
        count += 1
    return count


def write_parquet(connection: Connection, tenant: str | None, file: Path) -> int:
    """The same rows as Parquet, with moments and numbers as what they are; how many there were. Takes ``pyarrow``.

    Whoever has outgrown the database reads it with the engine of their choice.
    """
    import pyarrow as arrow  # noqa: PLC0415 - an extra of its own
    from pyarrow import parquet  # noqa: PLC0415

    kinds = {"started_at": arrow.timestamp("us", tz="UTC"), **dict.fromkeys(_COUNTS, arrow.int64())}
    kinds |= {"sample_count": arrow.int64(), **dict.fromkeys(_LATENCIES, arrow.float64())}
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
    count, place = 0, COLUMNS.index("started_at")
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for some in _rows(connection, tenant).partitions(_ROWS_A_GROUP):
            columns = [list(column) for column in zip(*map(_cells, some), strict=True)]
            columns[place] = [row.started_at for row in some]
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            count += len(some)
    return count


def _rows(connection: Connection, tenant: str | None) -> Result[Any]:
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
    return connection.execute(query)


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

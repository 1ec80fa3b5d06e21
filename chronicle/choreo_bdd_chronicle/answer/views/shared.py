"""What several read models need: whose data, which rows pass the filters, figures of a tally."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError, not_found
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.summarise.tally import Tally
from choreo_bdd_chronicle.tokens import Caller

PERCENTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def tenant_id(connection: Connection, slug: str) -> int:
    """A tenant's number. 404 for one that never sent anything."""
    found = connection.execute(select(tables.tenants.c.id).where(tables.tenants.c.slug == slug)).scalar()
    if found is None:
        raise not_found("Tenant")
    return int(found)


def run_row(connection: Connection, caller: Caller, public_id: str) -> Row[Any]:
    """A run, with its tenant's name as ``slug``. 404 for none, and for one of a tenant that is not the caller's."""
    try:
        wanted = str(UUID(public_id))
    except ValueError:
        raise ApiError(422, "run_id: expected a UUID", error=VALIDATION) from None
    query = select(tables.runs, tables.tenants.c.slug).join_from(tables.runs, tables.tenants)
    found = connection.execute(query.where(tables.runs.c.public_id == wanted)).first()
    if found is None or not caller.sees(found.slug):
        raise not_found("Run")
    return found


def spanning(table: Table, asked: Query) -> list[ColumnElement[bool]]:
    """The time range as conditions on rows with ``started_at``; both ends count."""
    found: list[ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(table.c.started_at >= asked.since)
    if asked.until is not None:
        found.append(table.c.started_at <= asked.until)
    return found


def placed(table: Table, asked: Query) -> list[ColumnElement[bool]]:
    """Environment, branch and transport as conditions on rows that have them."""
    given = {"environment": asked.environment, "branch": asked.branch, "transport": asked.transport}
    return [table.c[name] == value for name, value in given.items() if value is not None]


def percentiles(tally: Tally, prefix: str = "") -> dict[str, float | None]:
    """p50, p95 and p99 of what arrived, rounded to a microsecond."""
    return {f"{prefix}{name}": rounded(tally.histogram.percentile(q)) for name, q in PERCENTILES.items()}


def rounded(milliseconds: float | None) -> float | None:
    """As precise as a clock: to a microsecond."""
    return None if milliseconds is None else round(milliseconds, 3)

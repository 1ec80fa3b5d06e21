"""Finding what a statement is about, and pinning runs: what people change over the API."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, update

from choreo_bdd_chronicle.answer.errors import not_found
from choreo_bdd_chronicle.answer.models import KnownIssue
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views import lifecycle, reliability
from choreo_bdd_chronicle.answer.views.lifecycle import Kind
from choreo_bdd_chronicle.answer.views.shared import run_row, tenant_id
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.tokens import Caller


def stating(asked: Query, kind: Kind, public_id: str, body: bytes) -> Callable[[Connection, Dialect], None]:
    """The work of writing a statement down. Raises ``ApiError``, and so does the work: 404 for nothing like it."""
    said = lifecycle.read_statement(body)

    def work(connection: Connection, _dialect: Dialect) -> None:
        tenant = tenant_id(connection, asked.tenant)
        lifecycle.state(connection, tenant, kind, _found(connection, asked, tenant, kind, public_id), said)

    return work


def pinning(caller: Caller, public_id: str, *, is_pinned: bool) -> Callable[[Connection, Dialect], None]:
    """The work of pinning a run, which retention then leaves alone, or of letting it go."""

    def work(connection: Connection, _dialect: Dialect) -> None:
        row = run_row(connection, caller, public_id)
        connection.execute(update(tables.runs).where(tables.runs.c.id == row.id).values(pinned=is_pinned))

    return work


def _found(connection: Connection, asked: Query, tenant: int, kind: Kind, public_id: str) -> KnownIssue:
    if kind == "anomalies":
        return lifecycle.find_anomaly(connection, tenant, public_id)
    known = lifecycle.said_of(connection, tenant, kind).get(public_id)
    if known is not None:  # it may be too long ago to be found in the last runs
        return KnownIssue(
            kind=kind, id=public_id, title=known.title, test_nodeid=known.test_nodeid, **lifecycle.told(known)
        )
    found = reliability.spoken_of(connection, asked, kind).get(public_id)
    if found is None:
        raise not_found("Scenario" if kind == "flaky" else "Group of failures")
    return found

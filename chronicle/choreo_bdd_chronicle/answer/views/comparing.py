"""A run beside another one, or beside the runs of a base branch."""

from __future__ import annotations

import gzip
from typing import Any

from sqlalchemy import Connection, Row, select

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError, not_found
from choreo_bdd_chronicle.answer.models import Compared, HopShift, TopicDistance
from choreo_bdd_chronicle.answer.query import DIGEST, Query
from choreo_bdd_chronicle.answer.views.shared import run_row, tenant_id
from choreo_bdd_chronicle.check.decoding import decode
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.looks.findings import series_of
from choreo_bdd_chronicle.store.looks.watched import run_of
from choreo_bdd_chronicle.tokens import Caller
from choreo_bdd_reporter.read.compare import compare

BASE_RUNS = 20
"""So many last runs of a base branch say what is usual there."""


def compared(connection: Connection, caller: Caller, asked: Query) -> Compared:
    """The run against ``base_run``, or else the last runs of branch ``base`` that began before it.

    Tests and hops are compared with the one run, or the last of the branch; topics with all of them.
    """
    from choreo_bdd_chronicle.detect.against_base import distances  # noqa: PLC0415 - numpy, as in the watcher

    tenant = tenant_id(connection, asked.tenant)
    run = _found(connection, caller, tenant, asked.run or "")
    if asked.base_run is not None:
        base = [_found(connection, caller, tenant, asked.base_run)]
    elif asked.base is not None:
        base = _before(connection, run, asked.base)
    else:
        raise ApiError(422, "base: missing; give base (a branch) or base_run (a run)", error=VALIDATION)
    threshold = 20 if asked.threshold is None else asked.threshold
    base_of_tests = base[0] if base else run
    found = compare(_report(connection, base_of_tests), _report(connection, run), threshold=threshold / 100)
    series = series_of(connection, [run_of(each) for each in (*reversed(base), run)])
    return Compared(
        run_id=run.public_id,
        base_run_ids=[each.public_id for each in base],
        new_failures=list(found.new_failures if base else found.still_failing),
        still_failing=list(found.still_failing if base else ()),
        fixed=list(found.fixed),
        added=list(found.added),
        removed=list(found.removed),
        hops=[
            HopShift(
                topic=each.topic, transport=each.transport, old_messages=each.old.messages,
                new_messages=each.new.messages, old_ms=each.old.p50_ms, new_ms=each.new.p50_ms,
                change_pct=each.change * 100, budget_ms=each.budget_ms,
            )
            for each in found.shifts
        ],
        topics=[
            TopicDistance(
                topic=each.topic, transport=each.transport, base_ms=each.base_ms, run_ms=each.run_ms,
                change_pct=round(each.change_pct, 2), base_runs=each.base_runs, is_clear=each.is_clear,
            )
            for each in distances(series, str(run.id))
        ],
    )  # fmt: skip


def _found(connection: Connection, caller: Caller, tenant: int, name: str) -> Row[Any]:
    """A run of the tenant, by its id or the SHA-256 of its report."""
    if DIGEST.fullmatch(name):
        runs = tables.runs
        wanted = select(runs).where(runs.c.tenant_id == tenant, runs.c.content_hash == name)
        row = connection.execute(wanted.order_by(runs.c.id.desc()).limit(1)).first()
    else:
        row = run_row(connection, caller, name)
    if row is None or row.tenant_id != tenant:
        raise not_found("Run")
    return row


def _before(connection: Connection, run: Row[Any], branch: str) -> list[Row[Any]]:
    """The last runs of a branch in the run's environment that are not later than it, the latest first."""
    runs = tables.runs
    wanted = select(runs).where(
        runs.c.tenant_id == run.tenant_id,
        runs.c.branch == branch,
        runs.c.environment.is_not_distinct_from(run.environment),
        runs.c.started_at <= run.started_at,
        runs.c.id != run.id,
    )
    return list(connection.execute(wanted.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(BASE_RUNS)))


def _report(connection: Connection, run: Row[Any]) -> Any:
    raw = tables.raw_reports.c
    return decode(gzip.decompress(connection.execute(select(raw.gzipped).where(raw.run_id == run.id)).scalar_one()))

"""Runs: the list, one of them, its report as it was sent, its events."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from choreo_bdd_chronicle.answer.models import Page, RunDetail, RunItem, ScenarioItem, TenantItem, TimelineItem
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.shared import rounded, run_row, spanning, tenant_id
from choreo_bdd_chronicle.check.decoding import decode
from choreo_bdd_chronicle.check.moments import microseconds, moment_text
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.tokens import Caller

_UUIDS = 2**128


def list_runs(connection: Connection, asked: Query) -> Page[RunItem]:
    """The runs of a tenant, the latest first; of those that began at once, the one that arrived last."""
    runs = tables.runs
    conditions = conditions_of(tenant_id(connection, asked.tenant), asked)
    total = connection.execute(select(func.count()).select_from(runs).where(*conditions)).scalar_one()
    rows = connection.execute(
        select(runs)
        .where(*conditions)
        .order_by(runs.c.started_at.desc(), runs.c.id.desc())
        .limit(asked.limit)
        .offset(asked.offset)
    ).all()
    anomalies = _anomaly_counts(connection, [row.id for row in rows])
    items = [RunItem(**_facts(row, asked.tenant, anomalies.get(row.id, 0))) for row in rows]
    return Page(items=items, total=total, limit=asked.limit, offset=asked.offset)


def one_run(connection: Connection, caller: Caller, public_id: str) -> RunDetail:
    """A run with its scenarios in the report's order."""
    row = run_row(connection, caller, public_id)
    scenarios = tables.scenarios
    rows = connection.execute(select(scenarios).where(scenarios.c.run_id == row.id).order_by(scenarios.c.position))
    items = [
        ScenarioItem(
            id=scenario_id(row.public_id, each.position),
            test_nodeid=each.test_nodeid,
            name=each.name,
            correlation_id=each.correlation_id,
            outcome=each.outcome,
            duration_ms=each.duration_ms,
            completed_normally=each.completed_normally,
            handle_count=each.handle_count,
            failed=each.failed,
        )
        for each in rows
    ]
    anomalies = _anomaly_counts(connection, [row.id])
    return RunDetail(**_facts(row, row.slug, anomalies.get(row.id, 0)), scenarios=items)


def raw_report(connection: Connection, caller: Caller, public_id: str) -> bytes:
    """The report as it was sent, gzipped."""
    row = run_row(connection, caller, public_id)
    raw = tables.raw_reports.c
    return bytes(connection.execute(select(raw.gzipped).where(raw.run_id == row.id)).scalar_one())


def timeline(connection: Connection, caller: Caller, public_id: str, asked: Query) -> Page[TimelineItem]:
    """What happened in the scenarios of a run, by offset; equal offsets as they stand in the report."""
    document = decode(gzip.decompress(raw_report(connection, caller, public_id)))
    wanted = {"transport": asked.transport, "action": asked.action, "source": asked.source}
    filters = {name: value for name, value in wanted.items() if value is not None}
    found = [each for each in _events(document) if all(each[1].get(name) == value for name, value in filters.items())]
    found.sort(key=lambda each: float(each[1]["offset_ms"]))
    items = [
        _event(scenario_id(public_id, position), event)
        for position, event in found[asked.offset : asked.offset + asked.limit]
    ]
    return Page(items=items, total=len(found), limit=asked.limit, offset=asked.offset)


def list_tenants(connection: Connection, caller: Caller, asked: Query) -> Page[TenantItem]:
    """The tenants the caller may see, the newest first."""
    tenants, runs = tables.tenants, tables.runs
    visible: list[ColumnElement[bool]] = [] if caller.tenant is None else [tenants.c.slug == caller.tenant]
    counted = select(func.count()).where(runs.c.tenant_id == tenants.c.id).scalar_subquery()
    rows = connection.execute(
        select(tenants, counted.label("run_count"))
        .where(*visible)
        .order_by(tenants.c.created_at.desc(), tenants.c.id.desc())
        .limit(asked.limit)
        .offset(asked.offset)
    )
    items = [
        TenantItem(
            id=tenant_public_id(row.id),
            slug=row.slug,
            name=row.name,
            created_at=moment_text(row.created_at),
            run_count=row.run_count,
        )
        for row in rows
    ]
    total = connection.execute(select(func.count()).select_from(tenants).where(*visible)).scalar_one()
    return Page(items=items, total=total, limit=asked.limit, offset=asked.offset)


def scenario_id(run: str, position: int) -> str:
    """A scenario's id: its run's, counted on."""
    return str(UUID(int=(UUID(run).int + position + 1) % _UUIDS))


def tenant_public_id(number: int) -> str:
    """A tenant's id as the API shows it."""
    return str(UUID(int=number))


def conditions_of(tenant: int, asked: Query) -> list[ColumnElement[bool]]:
    """Which runs of a tenant pass the filters."""
    return [tables.runs.c.tenant_id == tenant, *spanning(tables.runs, asked), *_placed(asked)]


def _placed(asked: Query) -> Iterator[ColumnElement[bool]]:
    runs = tables.runs.c
    if asked.environment is not None:
        yield runs.environment == asked.environment
    if asked.branch is not None:
        yield runs.branch == asked.branch
    if asked.transport is not None:
        among = runs.transports.contains(json.dumps(asked.transport), autoescape=True)
        yield or_(runs.transport == asked.transport, among)


def _facts(row: Row[Any], slug: str, anomaly_count: int) -> dict[str, Any]:
    taken = (
        "duration_ms", "environment", "transport", "branch", "git_sha", "project_name", "total_tests", "total_passed",
        "total_failed", "total_errored", "total_skipped", "total_slow", "topic_count", "pinned",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in taken},
        **{name: rounded(getattr(row, name)) for name in ("p50_ms", "p95_ms", "p99_ms")},
        "id": row.public_id,
        "tenant_slug": slug,
        "started_at": moment_text(row.started_at),
        "finished_at": moment_text(row.finished_at),
        "transports": None if row.transports is None else json.loads(row.transports),
        "anomaly_count": anomaly_count,
        "pass_rate": row.total_passed / row.total_tests if row.total_tests else 0.0,
    }


def _anomaly_counts(connection: Connection, runs: Sequence[int]) -> dict[int, int]:
    anomalies = tables.anomalies.c
    counted = select(anomalies.run_id, func.count()).where(anomalies.run_id.in_(runs)).group_by(anomalies.run_id)
    return {row[0]: row[1] for row in connection.execute(counted)}


def _events(document: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    scenarios = (scenario for test in document["tests"] for scenario in test["scenarios"])
    for position, scenario in enumerate(scenarios):
        for event in scenario["timeline"]:
            yield position, event


def _event(scenario: str, event: Mapping[str, Any]) -> TimelineItem:
    return TimelineItem(
        scenario_id=scenario,
        time=moment_text(microseconds(event["wall_clock"])),
        offset_ms=event["offset_ms"],
        action=event["action"],
        detail=event["detail"],
        **{name: event.get(name) for name in ("topic", "transport", "logical_topic", "source")},
    )

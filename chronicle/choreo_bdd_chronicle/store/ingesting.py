"""Reports into the tables: those that wait together in few statements and one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, insert, select

from choreo_bdd_chronicle.check import Report
from choreo_bdd_chronicle.check.moments import moment_text, now
from choreo_bdd_chronicle.store import events, tables
from choreo_bdd_chronicle.store.dialect import Dialect, Part
from choreo_bdd_chronicle.store.events import Told

_TENANTS = select(tables.tenants.c.slug, tables.tenants.c.id).where(
    tables.tenants.c.slug.in_(bindparam("slugs", expanding=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A checked report with whose it is, and its bytes for safe keeping."""

    tenant: str
    key: str | None
    content_hash: str
    gzipped: bytes
    report: Report


@dataclass(frozen=True, slots=True)
class Line:
    """Runs that are compared with each other: of one tenant, environment and branch."""

    tenant_id: int
    environment: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a report is kept, in which series. ``is_same`` is false for a key used before for another report."""

    run_id: str
    line: Line
    is_duplicate: bool = False
    is_same: bool = True


@dataclass(frozen=True, slots=True)
class _New:
    """A report that is written, with the numbers it got."""

    run_id: int
    receipt: Receipt
    submission: Submission


def keep(connection: Connection, dialect: Dialect, submissions: Sequence[Submission]) -> list[Receipt]:
    """Write reports; one whose key is known is only recognised (spec/chronicle.md 9.3). A receipt for each, in order.

    Their figures are marked as not yet summed up: ``rolling`` takes them into the summaries, behind the answer.
    """
    tenants = _tenant_ids(connection, {each.tenant for each in submissions})
    known = _known(connection, tenants, submissions)
    receipts: list[Receipt] = []
    fresh: list[tuple[Receipt, Submission]] = []
    for each in submissions:
        tenant, run = tenants[each.tenant], each.report.run
        line = Line(tenant, run.environment or "", run.branch or "")
        first = known.get((tenant, each.key)) if each.key is not None else None
        if first is not None:
            public_id, content_hash = first
            is_same = content_hash == each.content_hash
            receipts.append(Receipt(run_id=public_id, line=line, is_duplicate=True, is_same=is_same))
            continue
        receipts.append(Receipt(run_id=str(uuid4()), line=line))
        fresh.append((receipts[-1], each))
        if each.key is not None:
            known[tenant, each.key] = (receipts[-1].run_id, each.content_hash)
    if fresh:
        numbers, told = dialect.new_ids(connection, (tables.runs, tables.events), len(fresh))
        new = [_New(number, receipt, each) for number, (receipt, each) in zip(numbers, fresh, strict=True)]
        dialect.make_room(connection, {each.report.run.started_at for _, each in fresh})
        told_of = events.rows(told, [_told(each) for each in new])
        dialect.insert(connection, [*_parts(connection, dialect, new), told_of])
        events.forget(connection, told)
    return receipts


def _tenant_ids(connection: Connection, slugs: set[str]) -> dict[str, int]:
    known = {slug: int(number) for slug, number in connection.execute(_TENANTS, {"slugs": sorted(slugs)})}
    for slug in sorted(slugs - set(known)):
        added = insert(tables.tenants).values(slug=slug, name=slug, created_at=now()).returning(tables.tenants.c.id)
        known[slug] = int(connection.execute(added).scalar_one())
    return known


def _known(
    connection: Connection, tenants: Mapping[str, int], submissions: Sequence[Submission]
) -> dict[tuple[int, str], tuple[str, str]]:
    """By tenant and key: the run that was kept under it, and the hash of its report."""
    keys = {each.key for each in submissions if each.key is not None}
    if not keys:
        return {}
    runs = tables.runs.c
    rows = connection.execute(
        select(runs.tenant_id, runs.idempotency_key, runs.public_id, runs.content_hash).where(
            runs.tenant_id.in_(tenants.values()), runs.idempotency_key.in_(keys)
        )
    )
    return {(row.tenant_id, row.idempotency_key): (row.public_id, row.content_hash) for row in rows}


def _parts(connection: Connection, dialect: Dialect, new: Sequence[_New]) -> list[Part]:
    """The rows of some runs, by table."""
    return [
        (tables.runs, [_run_row(each) for each in new]),
        (tables.raw_reports, [(each.run_id, each.submission.gzipped) for each in new]),
        (tables.scenarios, [row for each in new for row in _scenario_rows(each)]),
        (tables.failures, [row for each in new for row in _failure_rows(each)]),
        (tables.run_topics, _topic_rows(connection, dialect, new)),
        (tables.unsummed, [(each.run_id,) for each in new]),
    ]


def _run_row(new: _New) -> tuple[Any, ...]:
    submission, report, run = new.submission, new.submission.report, new.submission.report.run
    return (
        new.run_id,
        new.receipt.run_id,
        new.receipt.line.tenant_id,
        submission.key,
        submission.content_hash,
        now(),
        run.started_at,
        run.finished_at,
        run.duration_ms,
        run.environment,
        run.transport,
        None if run.transports is None else json.dumps(run.transports),
        run.branch,
        run.git_sha,
        run.hostname,
        run.harness_version,
        run.reporter_version,
        run.python_version,
        run.project_name,
        run.total_tests,
        run.total_passed,
        run.total_failed,
        run.total_errored,
        run.total_skipped,
        run.total_slow,
        report.topic_count,
        report.p50_ms,
        report.p95_ms,
        report.p99_ms,
        False,
    )


def _scenario_rows(new: _New) -> Iterator[tuple[Any, ...]]:
    run_id = new.run_id
    for each in new.submission.report.scenarios:
        yield (
            run_id, each.position, each.test_nodeid, each.name, each.correlation_id, each.outcome, each.duration_ms,
            each.completed_normally, each.handle_count, each.failed,
        )  # fmt: skip


def _failure_rows(new: _New) -> Iterator[tuple[Any, ...]]:
    for number, each in enumerate(new.submission.report.failures):
        cause = each.cause
        yield new.run_id, number, each.position, cause.topic, cause.outcome, cause.kind, cause.path


def _topic_rows(connection: Connection, dialect: Dialect, new: Sequence[_New]) -> list[tuple[Any, ...]]:
    names: defaultdict[int, set[str]] = defaultdict(set)
    for each in new:
        names[each.receipt.line.tenant_id].update(found.topic for found in each.submission.report.topics)
    numbers = {tenant: _topic_ids(connection, dialect, tenant, sorted(some)) for tenant, some in names.items()}
    return [
        (
            numbers[line.tenant_id][found.topic], each.submission.report.run.started_at, each.run_id, found.transport,
            line.environment, line.branch, found.p90_ms, *found.values,
        )
        for each in new
        for line in (each.receipt.line,)
        for found in each.submission.report.topics
    ]  # fmt: skip


def _topic_ids(connection: Connection, dialect: Dialect, tenant: int, names: Sequence[str]) -> dict[str, int]:
    """The topics' numbers; new ones are entered."""
    topics, found = tables.topics.c, dialect.topic_ids(connection, tenant, names)
    new = [{"tenant_id": tenant, "name": name} for name in names if name not in found]
    if new:
        added = connection.execute(insert(tables.topics).returning(topics.name, topics.id), new)
        found.update((row.name, int(row.id)) for row in added)
    return found


def _told(new: _New) -> Told:
    run = new.submission.report.run
    return (
        new.receipt.line.tenant_id,
        "run.completed",
        {
            "run_id": new.receipt.run_id,
            "started_at": moment_text(run.started_at),
            "environment": run.environment,
            "totals": {
                "passed": run.total_passed,
                "failed": run.total_failed,
                "slow": run.total_slow,
                "total": run.total_tests,
            },
        },
    )

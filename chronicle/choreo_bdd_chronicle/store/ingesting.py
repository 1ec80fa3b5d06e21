"""One report into the tables, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, select, update

from choreo_bdd_chronicle.check import Report, Run, TopicTally
from choreo_bdd_chronicle.check.moments import moment_text, now
from choreo_bdd_chronicle.store import rolling, tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.events import announce
from choreo_bdd_chronicle.store.tallies import values_of
from choreo_bdd_chronicle.summarise.tally import Tally, together


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


def keep(connection: Connection, dialect: Dialect, submission: Submission) -> Receipt:
    """Write a report; one whose key is known is only recognised (spec/chronicle.md 9.3)."""
    tenant = _tenant_id(connection, submission.tenant)
    line = Line(tenant, submission.report.run.environment or "", submission.report.run.branch or "")
    if submission.key is not None and (known := _by_key(connection, tenant, submission.key)):
        is_same = known.content_hash == submission.content_hash
        return Receipt(run_id=known.public_id, line=line, is_duplicate=True, is_same=is_same)
    report, public_id = submission.report, str(uuid4())
    run = connection.execute(
        insert(tables.runs).values(
            public_id=public_id,
            tenant_id=tenant,
            idempotency_key=submission.key,
            content_hash=submission.content_hash,
            ingested_at=now(),
            **_run_values(report),
        )
    ).inserted_primary_key
    run_id = run[0] if run else 0
    dialect.insert_rows(connection, tables.raw_reports, [(run_id, submission.gzipped)])
    scenarios = [
        (run_id, each.position, each.test_nodeid, each.name, each.correlation_id, each.outcome, each.duration_ms,
         each.completed_normally, each.handle_count)
        for each in report.scenarios
    ]  # fmt: skip
    dialect.insert_rows(connection, tables.scenarios, scenarios)
    _keep_topics(connection, dialect, tenant, run_id, report)
    _announce(connection, dialect, tenant, public_id, report)
    return Receipt(run_id=public_id, line=line)


def _tenant_id(connection: Connection, slug: str) -> int:
    known = connection.execute(select(tables.tenants.c.id).where(tables.tenants.c.slug == slug)).scalar()
    if known is not None:
        return int(known)
    added = insert(tables.tenants).values(slug=slug, name=slug, created_at=now()).returning(tables.tenants.c.id)
    return int(connection.execute(added).scalar_one())


def _by_key(connection: Connection, tenant: int, key: str) -> Row[Any, Any] | None:
    runs = tables.runs.c
    wanted = select(runs.public_id, runs.content_hash).where(runs.tenant_id == tenant, runs.idempotency_key == key)
    return connection.execute(wanted).first()


def _run_values(report: Report) -> dict[str, Any]:
    facts, every = asdict(report.run), together(each.tally for each in report.topics).histogram
    transports = report.run.transports
    return {
        **facts,
        "transports": None if transports is None else json.dumps(transports),
        "topic_count": len({each.topic for each in report.topics}),
        "p50_ms": every.percentile(0.5),
        "p95_ms": every.percentile(0.95),
        "p99_ms": every.percentile(0.99),
    }


def _keep_topics(connection: Connection, dialect: Dialect, tenant: int, run_id: int, report: Report) -> None:
    merged = _merged(report.topics)
    names = sorted({topic for topic, _ in merged})
    for begin in range(0, len(names), rolling.TOPICS_AT_ONCE):
        some = set(names[begin : begin + rolling.TOPICS_AT_ONCE])
        tallies = {place: tally for place, tally in merged.items() if place[0] in some}
        _keep_some(connection, dialect, (tenant, run_id), report.run, tallies)


def _keep_some(
    connection: Connection, dialect: Dialect, ids: tuple[int, int], run: Run, tallies: Mapping[tuple[str, str], Tally]
) -> None:
    tenant, run_id = ids
    numbers = _topic_ids(connection, tenant, sorted({topic for topic, _ in tallies}), run.started_at)
    place = rolling.Place(run.started_at, run.environment or "", run.branch or "")
    rows = {(numbers[topic], transport): tally for (topic, transport), tally in tallies.items()}
    measured = [
        (
            topic,
            run.started_at,
            run_id,
            transport,
            place.environment,
            place.branch,
            tally.histogram.percentile(0.9),
            *values_of(tally),
        )
        for (topic, transport), tally in rows.items()
    ]
    dialect.insert_rows(connection, tables.run_topics, measured)
    rolling.add(connection, dialect, place, rows)


def _merged(topics: Sequence[TopicTally]) -> dict[tuple[str, str], Tally]:
    """By topic and transport; names that became alike when they were cleaned are one."""
    found: dict[tuple[str, str], Tally] = {}
    for each in topics:
        key = (each.topic, each.transport)
        found[key] = together((found[key], each.tally)) if key in found else each.tally
    return found


def _topic_ids(connection: Connection, tenant: int, names: Sequence[str], moment: int) -> dict[str, int]:
    """The topics' numbers; new ones are entered, and a late report moves no topic's latest run back."""
    topics = tables.topics.c
    known = {
        row.name: row
        for row in connection.execute(
            select(topics.name, topics.id, topics.first_run_at, topics.latest_run_at).where(
                topics.tenant_id == tenant, topics.name.in_(names)
            )
        )
    }
    moved = [row.id for row in known.values() if row.latest_run_at < moment]
    if moved:
        connection.execute(update(tables.topics).where(topics.id.in_(moved)).values(latest_run_at=moment))
    earlier = [row.id for row in known.values() if row.first_run_at > moment]
    if earlier:
        connection.execute(update(tables.topics).where(topics.id.in_(earlier)).values(first_run_at=moment))
    ids = {name: int(row.id) for name, row in known.items()}
    new = [
        {"tenant_id": tenant, "name": name, "first_run_at": moment, "latest_run_at": moment}
        for name in names
        if name not in known
    ]
    if new:
        added = connection.execute(insert(tables.topics).returning(topics.name, topics.id), new)
        ids.update((row.name, int(row.id)) for row in added)
    return ids


def _announce(connection: Connection, dialect: Dialect, tenant: int, public_id: str, report: Report) -> None:
    run = report.run
    data = {
        "run_id": public_id,
        "started_at": moment_text(run.started_at),
        "environment": run.environment,
        "totals": {
            "passed": run.total_passed,
            "failed": run.total_failed,
            "slow": run.total_slow,
            "total": run.total_tests,
        },
    }
    announce(connection, dialect, tenant, "run.completed", data)

"""Detection's two ends in the tables: the series it is told, step by step, and the anomalies it leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, update

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.detect import Finding, Run, Subject, TopicRun, TopicSeries
from choreo_bdd_chronicle.detect.lifecycle import Change, Known, reconcile
from choreo_bdd_chronicle.detect.records import Method, Metric, Severity
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.events import announce
from choreo_bdd_chronicle.store.ingesting import Line

RUNS = 60
"""So many of a line's last runs are looked at."""
AT_ONCE = 15
"""So many new runs are looked at together at most: a change is within the windows of several looks."""
_SHARE = 8
"""Of what waits one in so many are looked at together, but one at least: each of a few by itself."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DETECTED = ("opened", "reopened")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a line: the new runs that it takes in, and all that it is over, the oldest first."""

    line: Line
    new: Sequence[int]
    runs: Sequence[Run]


def lines(connection: Connection) -> list[Line]:
    """Those with runs that were not looked at."""
    columns = tables.unwatched.c
    rows = connection.execute(select(columns.tenant_id, columns.environment, columns.branch).distinct())
    return [Line(*row) for row in rows]


def next_look(connection: Connection, line: Line) -> Look | None:
    """The look at those of a line's new runs that came first, as though later ones were not there; none without any.

    However many wait, a look is over ``RUNS`` runs: each sees what it would have seen, had it come in time.
    """
    run = tables.unwatched.c.run_id
    found = connection.execute(select(run).where(_waits(line)).order_by(run).limit(AT_ONCE * _SHARE)).scalars().all()
    if not found:
        return None
    new = found[: max(1, len(found) // _SHARE)]
    return Look(line, new, _runs_until(connection, line, new[-1]))


def _waits(line: Line) -> ColumnElement[bool]:
    columns = tables.unwatched.c
    return and_(
        columns.tenant_id == line.tenant_id, columns.environment == line.environment, columns.branch == line.branch
    )


def _runs_until(connection: Connection, line: Line, last: int) -> list[Run]:
    """The last runs of a line of those that came until this one; their ids are the tables' own."""
    runs = tables.runs.c
    wanted = select(runs.id, runs.started_at, runs.git_sha).where(
        runs.tenant_id == line.tenant_id,
        _same(runs.environment, line.environment),
        _same(runs.branch, line.branch),
        runs.id <= last,
    )
    rows = connection.execute(wanted.order_by(runs.started_at.desc(), runs.id.desc()).limit(RUNS)).all()
    return [
        Run(str(row.id), _moment(row.started_at), row.git_sha, line.branch or None, line.environment or None)
        for row in reversed(rows)
    ]


def run_of(row: Row[Any]) -> Run:
    """A row of the runs as detection knows it; its id is the table's own."""
    return Run(str(row.id), _moment(row.started_at), row.git_sha, row.branch, row.environment)


def series_of(connection: Connection, runs: Sequence[Run]) -> list[TopicSeries]:
    """What these runs measured, by topic and transport."""
    measured, topics = tables.run_topics.c, tables.topics.c
    known = {int(run.run_id): (place, run) for place, run in enumerate(runs)}
    rows = connection.execute(
        select(
            topics.name, measured.transport, measured.run_id, measured.sum_log, measured.arrived, measured.p90_ms,
            measured.failed, measured.timeout, measured.budgeted, measured.over_budget,
        )
        .join(tables.topics, topics.id == measured.topic_id)
        .where(measured.run_id.in_(known))
    )  # fmt: skip
    found: defaultdict[tuple[str, str], list[tuple[int, TopicRun]]] = defaultdict(list)
    for row in rows:
        place, run = known[row.run_id]
        found[row.name, row.transport].append((place, _topic_run(run, row)))
    return [
        TopicSeries(topic, transport or None, tuple(each for _, each in sorted(parts, key=lambda part: part[0])))
        for (topic, transport), parts in sorted(found.items())
    ]


def settle(connection: Connection, dialect: Dialect, look: Look, findings: Sequence[Finding]) -> Sequence[Change]:
    """Bring the anomalies of a line in step with what a look found in its runs, and announce what is new.

    Once for each run: nothing is changed when another server has settled as much in the meantime.
    """
    if not pass_over(connection, look):
        return []
    line, runs = look.line, look.runs
    known = _known(connection, line, runs)
    changes = reconcile(known, findings, runs)
    for change in changes:
        values = _values(line, change)
        if change.anomaly_id is None:
            fresh = {"public_id": str(uuid4()), "tenant_id": line.tenant_id, "detected_at": now()}
            connection.execute(insert(tables.anomalies).values(closed_by_hand=False, **fresh, **values))
        else:
            kept = {"run_id": tables.anomalies.c.run_id}  # where it was seen first
            if change.kind == "updated":
                kept["state"] = tables.anomalies.c.state
            changed = update(tables.anomalies).where(tables.anomalies.c.id == int(change.anomaly_id))
            connection.execute(changed.values(values | kept))
        if change.kind in _DETECTED and change.finding.ended is None:
            announce(connection, dialect, [(line.tenant_id, "anomaly.detected", _told(change.finding))])
    return changes


def pass_over(connection: Connection, look: Look) -> bool:
    """Have the new runs of a look wait no longer; whether one of them still did."""
    waiting = delete(tables.unwatched).where(_waits(look.line), tables.unwatched.c.run_id.in_(look.new))
    return connection.execute(waiting).rowcount > 0


def _known(connection: Connection, line: Line, runs: Sequence[Run]) -> list[Known]:
    """All open anomalies of a line, and the resolved ones of these runs."""
    table, first = tables.anomalies, tables.runs.alias("first")
    recent = [int(run.run_id) for run in runs]
    rows = connection.execute(
        select(table, first.c.started_at.label("first_at"))
        .join(first, first.c.id == table.c.changed_at_run_id)
        .where(
            table.c.tenant_id == line.tenant_id,
            table.c.environment == line.environment,
            table.c.branch == line.branch,
            or_(table.c.state != "resolved", table.c.changed_at_run_id.in_(recent)),
        )
    )
    by_id = {run.run_id: run for run in runs}
    return [
        Known(
            str(row.id), _finding(row, by_id), is_resolved=row.state == "resolved", is_closed_by_hand=row.closed_by_hand
        )
        for row in rows
    ]


def _finding(row: Row[Any], runs: Mapping[str, Run]) -> Finding:
    """The finding that an anomaly was stored with."""
    line = (row.branch or None, row.environment or None)
    first = runs.get(str(row.changed_at_run_id)) or Run(
        str(row.changed_at_run_id), _moment(row.first_at), row.commit_to, *line
    )
    return Finding(
        subject=Subject(row.topic, row.transport or None, row.environment or None, row.branch or None),
        method=cast("Method", row.detection_method),
        metric=cast("Metric", row.metric),
        severity=cast("Severity", row.severity),
        current=row.current_value,
        baseline=row.baseline_value,
        spread=row.baseline_stddev,
        change_pct=row.change_pct,
        first=first,
        before=runs.get(str(row.before_run_id)),
        ended=runs.get(str(row.ended_run_id)),
    )


def _values(line: Line, change: Change) -> dict[str, Any]:
    finding = change.finding
    is_over = change.kind == "resolved" or finding.ended is not None
    ended = finding.ended or (change.at if is_over else None)
    return {
        "run_id": int((finding.first if is_over and change.anomaly_id is None else change.at).run_id),
        "changed_at_run_id": int(finding.first.run_id),
        "before_run_id": int(finding.before.run_id) if finding.before else None,
        "ended_run_id": int(ended.run_id) if ended else None,
        "commit_from": finding.before.commit if finding.before else None,
        "commit_to": finding.first.commit,
        "topic": finding.subject.topic,
        "transport": finding.subject.transport or "",
        "environment": line.environment,
        "branch": line.branch,
        "detection_method": finding.method,
        "metric": finding.metric,
        "current_value": finding.current,
        "baseline_value": finding.baseline,
        "baseline_stddev": finding.spread,
        "change_pct": finding.change_pct,
        "severity": finding.severity,
        "state": "resolved" if is_over else "open",
        "resolved_at": (ended.started_at - _EPOCH) // timedelta(microseconds=1) if ended else None,
    }


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "topic": finding.subject.topic,
        "metric": finding.metric,
        "current": finding.current,
        "baseline": finding.baseline,
        "change_pct": finding.change_pct,
        "severity": finding.severity,
        "detection_method": finding.method,
    }


def _topic_run(run: Run, row: Any) -> TopicRun:
    return TopicRun(
        run,
        mean_log_ms=row.sum_log / row.arrived if row.arrived else None,
        p90_ms=row.p90_ms,
        arrived=row.arrived,
        failed=row.failed,
        timed_out=row.timeout,
        with_budget=row.budgeted,
        over_budget=row.over_budget,
    )


def _same(column: Any, value: str) -> Any:
    return column == value if value else or_(column.is_(None), column == "")


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)

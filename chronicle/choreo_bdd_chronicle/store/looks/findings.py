"""Detection's two ends in the tables: the series it is told, and the anomalies it leaves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Connection, Row, insert, or_, select, update

from choreo_bdd_chronicle.check.moments import instant, microseconds_of, now
from choreo_bdd_chronicle.detect import Finding, Run, Subject, TopicRun, TopicSeries
from choreo_bdd_chronicle.detect.lifecycle import Change, Known, recall, reconcile
from choreo_bdd_chronicle.detect.records import Method, Metric, Severity
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.events import announce
from choreo_bdd_chronicle.store.ingesting import Line
from choreo_bdd_chronicle.store.looks.watched import Look, advance

_DETECTED = ("opened", "reopened")


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


def settle(connection: Connection, dialect: Dialect, look: Look, findings: Sequence[Finding]) -> bool:
    """Bring the anomalies of a line in step with what a look found in its runs, and announce what is new.

    False, and nothing is changed, when another server has looked at the line in the meantime.
    """
    if not advance(connection, look):
        return False
    if look.runs:
        _bring_in_step(connection, dialect, look, findings)
    return True


def _bring_in_step(connection: Connection, dialect: Dialect, look: Look, findings: Sequence[Finding]) -> None:
    line, runs = look.line, look.runs
    known = _known(connection, line, runs)
    changes = reconcile(known, findings, runs) if look.judged is None else recall(known, findings, runs, look.judged)
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


def _known(connection: Connection, line: Line, runs: Sequence[Run]) -> list[Known]:
    """All open anomalies of a line, and the resolved ones of these runs and of later ones."""
    table, first = tables.anomalies, tables.runs.alias("first")
    is_recent = first.c.started_at >= microseconds_of(runs[0].started_at)
    rows = connection.execute(
        select(table, first.c.started_at.label("first_at"))
        .join(first, first.c.id == table.c.changed_at_run_id)
        .where(
            table.c.tenant_id == line.tenant_id,
            table.c.environment == line.environment,
            table.c.branch == line.branch,
            or_(table.c.state != "resolved", is_recent),
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
        str(row.changed_at_run_id), instant(row.first_at), row.commit_to, *line
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
        "resolved_at": microseconds_of(ended.started_at) if ended else None,
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

"""The feed of what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, select

from choreo_bdd_chronicle.answer.models import AnomalyItem, Page
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.lifecycle import told
from choreo_bdd_chronicle.answer.views.runs import tenant_public_id
from choreo_bdd_chronicle.answer.views.shared import tenant_id
from choreo_bdd_chronicle.check.moments import moment_text
from choreo_bdd_chronicle.store import tables

_RESOLVED = "resolved"


def list_anomalies(connection: Connection, asked: Query, topic: str | None = None) -> Page[AnomalyItem]:
    """The anomalies of a tenant, or of one topic, the newest first."""
    asked = asked if topic is None else replace(asked, topic=topic)
    table, runs, changed = tables.anomalies, tables.runs.alias("seen"), tables.runs.alias("changed")
    conditions = [table.c.tenant_id == tenant_id(connection, asked.tenant)]
    for name in ("severity", "topic", "environment", "branch", "transport"):
        value = getattr(asked, name)
        if value is not None:
            conditions.append(table.c[name] == value)
    if asked.resolved is not None:
        conditions.append((table.c.state == _RESOLVED) == asked.resolved)
    rows = connection.execute(
        select(
            table,
            runs.c.public_id.label("run"),
            changed.c.public_id.label("changed_at_run"),
            changed.c.started_at.label("changed_at"),
        )
        .join(runs, runs.c.id == table.c.run_id)
        .outerjoin(changed, changed.c.id == table.c.changed_at_run_id)
        .where(*conditions)
        .order_by(table.c.detected_at.desc(), table.c.id.desc())
        .limit(asked.limit)
        .offset(asked.offset)
    )
    total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
    return Page(items=[_item(row) for row in rows], total=total, limit=asked.limit, offset=asked.offset)


def _item(row: Row[Any]) -> AnomalyItem:
    taken = (
        "commit_from", "commit_to", "topic", "detection_method", "metric", "current_value", "baseline_value",
        "baseline_stddev", "change_pct", "severity",
    )  # fmt: skip
    return AnomalyItem(
        **{name: getattr(row, name) for name in taken},
        id=row.public_id,
        tenant_id=tenant_public_id(row.tenant_id),
        run_id=row.run,
        changed_at_run_id=row.changed_at_run,
        changed_at=_when(row.changed_at),
        detected_at=moment_text(row.detected_at),
        transport=row.transport or None,
        environment=row.environment or None,
        branch=row.branch or None,
        resolved=row.state == _RESOLVED,
        resolved_at=_when(row.resolved_at),
        **told(row),
    )


def _when(moment: int | None) -> str | None:
    return None if moment is None else moment_text(moment)

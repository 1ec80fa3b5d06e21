"""How budgets are kept over a period, topic by topic."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError
from choreo_bdd_chronicle.answer.models import BudgetItem, Page
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.shared import placed, spanning, tenant_id
from choreo_bdd_chronicle.check.moments import instant, microseconds, moment_text
from choreo_bdd_chronicle.detect.burn import BudgetRun, Burn, burn
from choreo_bdd_chronicle.store import tables


def list_budgets(connection: Connection, asked: Query, now: datetime | None = None) -> Page[BudgetItem]:
    """The topics with budgets in a period, by default this month in UTC, those first that used up most of it."""
    tenant = tenant_id(connection, asked.tenant)
    now = now or datetime.now(UTC)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = first if asked.since is None else instant(asked.since)
    end = (first + timedelta(days=32)).replace(day=1) if asked.until is None else instant(asked.until)
    if end <= start:
        raise ApiError(422, "from: must be before to; without one of them this month's begin or end counts",
                       error=VALIDATION)  # fmt: skip
    burns = [
        (topic, burn(runs, start=start, end=end, now=now, target=asked.target / 100))
        for topic, runs in _runs(connection, tenant, asked, start, end).items()
    ]
    burns.sort(key=lambda each: (-(each[1].burned or 0.0), each[0]))
    items = [_item(topic, asked.target, each) for topic, each in burns]
    shown = items[asked.offset : asked.offset + asked.limit]
    return Page(items=shown, total=len(items), limit=asked.limit, offset=asked.offset)


def _runs(
    connection: Connection, tenant: int, asked: Query, start: datetime, end: datetime
) -> dict[str, list[BudgetRun]]:
    rows, topics = tables.run_topics, tables.topics.c
    query = (
        select(
            topics.name, rows.c.started_at, rows.c.budgeted, rows.c.over_budget, rows.c.budget_ms, rows.c.max_ms,
        )
        .join_from(rows, tables.topics, topics.id == rows.c.topic_id)
        .where(
            topics.tenant_id == tenant, rows.c.budgeted > 0, *spanning(rows, asked), *placed(rows, asked),
            rows.c.started_at >= microseconds(start.isoformat()), rows.c.started_at <= microseconds(end.isoformat()),
        )
    )  # fmt: skip
    if asked.topic is not None:
        query = query.where(topics.name == asked.topic)
    found: defaultdict[str, list[BudgetRun]] = defaultdict(list)
    for row in connection.execute(query):
        has_headroom = row.max_ms is not None and row.budget_ms
        headroom = 1 - row.max_ms / row.budget_ms if has_headroom else None
        found[row.name].append(BudgetRun(instant(row.started_at), row.budgeted, row.over_budget, headroom))
    return found


def _item(topic: str, target: float, found: Burn) -> BudgetItem:
    over = found.runs_out_at
    return BudgetItem(
        topic=topic,
        start=moment_text(microseconds(found.start.isoformat())),
        end=moment_text(microseconds(found.end.isoformat())),
        target_pct=target,
        budgeted_count=found.with_budget,
        budget_violation_count=found.over_budget,
        compliance_pct=_percent(found.compliance),
        headroom_pct=_percent(found.headroom),
        burned_pct=_percent(found.burned),
        runs_out_at=None if over is None else moment_text(microseconds(over.isoformat())),
    )


def _percent(share: float | None) -> float | None:
    """Without the noise of doubles, and no coarser: one miss of a million is not 100 %."""
    return None if share is None else round(share * 100, 9)

"""Topics: the list, the series of one, the runs that touched it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError
from choreo_bdd_chronicle.answer.models import Bucket, Page, Series, TopicItem, TopicRun
from choreo_bdd_chronicle.answer.query import Query
from choreo_bdd_chronicle.answer.views.shared import percentiles, placed, rounded, spanning, tenant_id
from choreo_bdd_chronicle.check.moments import moment_text, now
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.tallies import columns_of, tally_of
from choreo_bdd_chronicle.summarise.days import ALWAYS, DAY, day_of
from choreo_bdd_chronicle.summarise.tally import Tally, together

HOUR = DAY // 24
SPAN_MAX = 365 * DAY
_WIDTHS = {"raw": HOUR // 4, "hourly": HOUR, "daily": DAY}


def list_topics(connection: Connection, asked: Query) -> Page[TopicItem]:
    """The topics of a tenant that the filters leave something of, the latest seen first."""
    tenant = tenant_id(connection, asked.tenant)
    seen = _latest(tenant, asked).subquery()
    total = connection.execute(select(func.count()).select_from(seen)).scalar_one()
    rows = connection.execute(
        select(seen.c.topic_id, seen.c.name, seen.c.latest_at)
        .order_by(seen.c.latest_at.desc(), seen.c.name)
        .limit(asked.limit)
        .offset(asked.offset)
    ).all()
    parts = defaultdict[int, list[Tally]](list)
    for topic, _, tally in _parts(connection, [row.topic_id for row in rows], asked):
        parts[topic].append(tally)
    items = [_topic(row, together(parts[row.topic_id])) for row in rows]
    return Page(items=items, total=total, limit=asked.limit, offset=asked.offset)


def series(connection: Connection, topic: str, asked: Query) -> Series:
    """A topic's latencies over time. Every handle counts once, whichever the resolution."""
    tenant, until = tenant_id(connection, asked.tenant), now() if asked.until is None else asked.until
    since = until - 7 * DAY if asked.since is None else asked.since
    if until - since > SPAN_MAX:
        raise ApiError(422, "from: at most 365 days before to", error=VALIDATION)
    resolution = asked.resolution or _fitting(until - since)
    found = _topic_id(connection, tenant, topic)
    span = replace(asked, since=since, until=until)
    parts = () if found is None else _parts(connection, [found], span, is_daily=resolution == "daily")
    width, buckets = _WIDTHS[resolution], defaultdict[int, list[Tally]](list)
    for _, moment, tally in parts:
        buckets[moment // width].append(tally)
    return Series(
        topic=topic,
        tenant=asked.tenant,
        environment=asked.environment,
        resolution=resolution,
        buckets=[_bucket(number * width, together(buckets[number])) for number in sorted(buckets)],
    )


def runs_of_topic(connection: Connection, topic: str, asked: Query) -> Page[TopicRun]:
    """The runs that touched a topic, the latest first."""
    found = _topic_id(connection, tenant_id(connection, asked.tenant), topic)
    if found is None:
        return Page(items=[], total=0, limit=asked.limit, offset=asked.offset)
    rows = tables.run_topics
    conditions = [rows.c.topic_id == found, *spanning(rows, asked), *placed(rows, asked)]
    touched = select(rows.c.run_id, rows.c.started_at).where(*conditions).distinct()
    total = connection.execute(select(func.count()).select_from(touched.subquery())).scalar_one()
    latest = touched.order_by(rows.c.started_at.desc(), rows.c.run_id.desc()).limit(asked.limit).offset(asked.offset)
    ids = [row.run_id for row in connection.execute(latest)]
    measured = defaultdict[int, list[Tally]](list)
    for row in connection.execute(select(rows.c.run_id, *columns_of(rows)).where(*conditions, rows.c.run_id.in_(ids))):
        measured[row.run_id].append(tally_of(row))
    known = {row.id: row for row in connection.execute(select(tables.runs).where(tables.runs.c.id.in_(ids)))}
    items = [_topic_run(known[run], together(measured[run])) for run in ids]
    return Page(items=items, total=total, limit=asked.limit, offset=asked.offset)


def _latest(tenant: int, asked: Query) -> Select[Any]:
    """The topics that pass the filters, with their latest run that does."""
    topics = tables.topics
    if asked.since is None and asked.until is None:
        source = tables.roll_ups
        latest, conditions = source.c.latest_at, _summary(asked)
    else:
        source = tables.run_topics
        latest, conditions = source.c.started_at, [*spanning(source, asked), *placed(source, asked)]
    return (
        select(topics.c.id.label("topic_id"), topics.c.name, func.max(latest).label("latest_at"))
        .join_from(topics, source, source.c.topic_id == topics.c.id)
        .where(topics.c.tenant_id == tenant, *conditions)
        .group_by(topics.c.id, topics.c.name)
    )


def _summary(asked: Query) -> list[ColumnElement[bool]]:
    """Which summaries add up to everything: a life is not told apart by branch, days are."""
    days = tables.roll_ups
    return [days.c.day == ALWAYS if asked.branch is None else days.c.day != ALWAYS, *placed(days, asked)]


def _parts(
    connection: Connection, topics: Sequence[int], asked: Query, *, is_daily: bool = True
) -> Iterable[tuple[int, int, Tally]]:
    """What was measured on topics in the asked span: topic, a moment within the part's day or run, tally.

    By the day, whole days come from their summaries and the days that the span cuts from their runs.
    """
    days, ids = tables.roll_ups, list(topics)
    is_whole_life = asked.since is None and asked.until is None
    if is_whole_life:
        yield from _summed(connection, [days.c.topic_id.in_(ids), *_summary(asked)])
        return
    if not is_daily:
        yield from _measured(connection, ids, asked, [])
        return
    first = ALWAYS + 1 if asked.since is None else -(-asked.since // DAY)
    last = day_of(now()) + 36_525 if asked.until is None else day_of(asked.until + 1) - 1
    if last < first:
        yield from _measured(connection, ids, asked, [])
        return
    whole = [days.c.topic_id.in_(ids), days.c.day >= first, days.c.day <= last, *placed(days, asked)]
    yield from _summed(connection, whole)
    runs = tables.run_topics.c
    yield from _measured(
        connection, ids, asked, [(runs.started_at < first * DAY) | (runs.started_at >= (last + 1) * DAY)]
    )


def _summed(connection: Connection, conditions: list[ColumnElement[bool]]) -> Iterable[tuple[int, int, Tally]]:
    days = tables.roll_ups
    for row in connection.execute(select(days.c.topic_id, days.c.day, *columns_of(days)).where(*conditions)):
        yield row.topic_id, row.day * DAY, tally_of(row)


def _measured(
    connection: Connection, topics: list[int], asked: Query, conditions: list[ColumnElement[bool]]
) -> Iterable[tuple[int, int, Tally]]:
    runs = tables.run_topics
    wanted = [runs.c.topic_id.in_(topics), *spanning(runs, asked), *placed(runs, asked), *conditions]
    for row in connection.execute(select(runs.c.topic_id, runs.c.started_at, *columns_of(runs)).where(*wanted)):
        yield row.topic_id, row.started_at, tally_of(row)


def _topic_id(connection: Connection, tenant: int, name: str) -> int | None:
    topics = tables.topics.c
    found = connection.execute(select(topics.id).where(topics.tenant_id == tenant, topics.name == name)).scalar()
    return None if found is None else int(found)


def _fitting(span: int) -> str:
    """A resolution with a useful number of buckets."""
    return "raw" if span <= DAY else "hourly" if span <= 30 * DAY else "daily"


def _topic(row: Row[Any, Any, Any], tally: Tally) -> TopicItem:
    return TopicItem(
        topic=row.name,
        latest_run_at=moment_text(row.latest_at),
        sample_count=tally.count,
        slow_count=tally.slow,
        timeout_count=tally.timeout,
        fail_count=tally.failed,
        budget_violation_count=tally.over_budget,
        **percentiles(tally, "latest_"),
    )


def _bucket(moment: int, tally: Tally) -> Bucket:
    return Bucket(
        bucket=moment_text(moment),
        sample_count=tally.count,
        arrived_count=tally.arrived,
        avg_ms=rounded(tally.mean_ms),
        min_ms=rounded(tally.min_ms),
        max_ms=rounded(tally.max_ms),
        slow_count=tally.slow,
        timeout_count=tally.timeout,
        fail_count=tally.failed,
        budget_violation_count=tally.over_budget,
        budget_ms=rounded(tally.budget_ms),
        **percentiles(tally),
    )


def _topic_run(row: Row[Any], tally: Tally) -> TopicRun:
    return TopicRun(
        run_id=row.public_id,
        started_at=moment_text(row.started_at),
        environment=row.environment,
        branch=row.branch,
        git_sha=row.git_sha,
        handle_count=tally.count,
        slow_count=tally.slow,
        timeout_count=tally.timeout,
        fail_count=tally.failed,
        **percentiles(tally),
    )

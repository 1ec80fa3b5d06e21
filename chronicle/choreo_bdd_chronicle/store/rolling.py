"""Summaries of days and of topics' whole lives, kept in step with the runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.tallies import columns_of, tally_of, values_of
from choreo_bdd_chronicle.summarise.days import ALWAYS, DAY, day_of
from choreo_bdd_chronicle.summarise.tally import NOTHING, Tally, together

TOPICS_AT_ONCE = 1000
"""Databases bound how many values one statement may name."""

_Key = tuple[int, int, str]
"""Topic, day or ``ALWAYS``, transport."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many runs are summed up, when the latest of them began, and what they measured; no run: nothing is kept."""

    run_count: int = 0
    latest_at: int = -(2**63)
    tally: Tally = NOTHING

    def __add__(self, other: _Sum) -> _Sum:
        runs, latest = self.run_count + other.run_count, max(self.latest_at, other.latest_at)
        return _Sum(runs, latest, together((self.tally, other.tally)))


@dataclass(frozen=True, slots=True)
class Place:
    """When and where a run was: what its summaries are told apart by, beside topic and transport."""

    started_at: int
    environment: str
    branch: str

    def branch_of(self, day: int) -> str:
        """A topic's whole life is summed over all branches: there may be hundreds, each short-lived."""
        return "" if day == ALWAYS else self.branch


def add(connection: Connection, dialect: Dialect, place: Place, rows: Mapping[tuple[int, str], Tally]) -> None:
    """Take a run's tallies, by topic and transport, into the summaries."""
    days = (day_of(place.started_at), ALWAYS)
    known = _known(connection, place, {topic for topic, _ in rows}, days)
    summed = {**known}
    for (topic, via), tally in rows.items():
        for day in days:
            summed[topic, day, via] = known.get((topic, day, via), _Sum()) + _Sum(1, place.started_at, tally)
    _replace(connection, dialect, place, days, summed)


def correct(connection: Connection, dialect: Dialect, place: Place, topics: Iterable[int]) -> None:
    """Make the summaries anew that a run was in which is gone: from the runs of its day, and then from the days."""
    ids, day = set(topics), day_of(place.started_at)
    runs, days = tables.run_topics, tables.roll_ups
    begin, end = day * DAY, (day + 1) * DAY
    of_day = connection.execute(
        select(runs.c.topic_id, runs.c.transport, runs.c.started_at, *columns_of(runs)).where(
            runs.c.topic_id.in_(ids), runs.c.started_at >= begin, runs.c.started_at < end,
            runs.c.environment == place.environment, runs.c.branch == place.branch,
        )
    )  # fmt: skip
    left = (((row.topic_id, day, row.transport), _Sum(1, row.started_at, tally_of(row))) for row in of_day)
    _replace(connection, dialect, place, (day,), _summed(left, ids, day))
    of_always = connection.execute(
        select(days.c.topic_id, days.c.transport, days.c.run_count, days.c.latest_at, *columns_of(days)).where(
            days.c.topic_id.in_(ids), days.c.day != ALWAYS, days.c.environment == place.environment
        )
    )
    lives = (
        ((row.topic_id, ALWAYS, row.transport), _Sum(row.run_count, row.latest_at, tally_of(row))) for row in of_always
    )
    _replace(connection, dialect, place, (ALWAYS,), _summed(lives, ids, ALWAYS))
    _forget_unused(connection, ids)


def _summed(parts: Iterable[tuple[_Key, _Sum]], topics: set[int], day: int) -> dict[_Key, _Sum]:
    """The parts of one key together; topics without a part have an empty sum, so that theirs is removed."""
    found: defaultdict[_Key, _Sum] = defaultdict(_Sum, {(topic, day, ""): _Sum() for topic in topics})
    for key, part in parts:
        found[key] += part
    return found


def _known(connection: Connection, place: Place, topics: set[int], days: tuple[int, ...]) -> dict[_Key, _Sum]:
    table = tables.roll_ups
    found: dict[_Key, _Sum] = {}
    for day in days:
        rows = connection.execute(
            select(table.c.topic_id, table.c.transport, table.c.run_count, table.c.latest_at, *columns_of(table)).where(
                table.c.topic_id.in_(topics), table.c.day == day, table.c.environment == place.environment,
                table.c.branch == place.branch_of(day),
            )
        )  # fmt: skip
        found.update(
            ((row.topic_id, day, row.transport), _Sum(row.run_count, row.latest_at, tally_of(row))) for row in rows
        )
    return found


def _replace(
    connection: Connection,
    dialect: Dialect,
    place: Place,
    days: tuple[int, ...],
    summed: Mapping[_Key, _Sum],
) -> None:
    table = tables.roll_ups
    topics = {topic for topic, _, _ in summed}
    for day in days:
        connection.execute(
            delete(table).where(
                table.c.topic_id.in_(topics), table.c.day == day, table.c.environment == place.environment,
                table.c.branch == place.branch_of(day),
            )
        )  # fmt: skip
    dialect.insert_rows(
        connection,
        table,
        [
            (
                topic,
                day,
                place.environment,
                place.branch_of(day),
                via,
                each.run_count,
                each.latest_at,
                *values_of(each.tally),
            )
            for (topic, day, via), each in summed.items()
            if each.run_count
        ],
    )


def _forget_unused(connection: Connection, topics: set[int]) -> None:
    """A topic without a run is gone; the others' first and latest run are those that are left."""
    runs = tables.run_topics.c
    left = connection.execute(
        select(runs.topic_id, func.min(runs.started_at), func.max(runs.started_at))
        .where(runs.topic_id.in_(topics))
        .group_by(runs.topic_id)
    ).all()
    for topic, first, latest in left:
        changed = tables.topics.update().where(tables.topics.c.id == topic)
        connection.execute(changed.values(first_run_at=first, latest_run_at=latest))
    gone = topics - {row[0] for row in left}
    connection.execute(delete(tables.topics).where(tables.topics.c.id.in_(gone)))

"""Summaries of days and of topics' whole lives, brought in step with the runs behind the answer that keeps them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select

from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.tallies import columns_of, sum_of, tally_of
from choreo_bdd_chronicle.summarise.days import ALWAYS, DAY, day_of
from choreo_bdd_chronicle.summarise.tally import NOTHING, Tally, together

TOPICS_AT_ONCE = 1000
"""Databases bound how many values one statement may name."""
ROWS_AT_ONCE = 2000
"""So many rows of runs are summed up in one go at most, but always a whole run: nobody who writes waits for long."""

_Key = tuple[int, str]
"""Topic and transport."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many runs are summed up, when the latest of them began, and what they measured; no run: nothing is kept."""

    run_count: int = 0
    latest_at: int = -(2**63)
    tally: Tally = NOTHING

    @classmethod
    def of(cls, parts: Sequence[_Sum]) -> _Sum:
        """All of them as one."""
        if len(parts) == 1:
            return parts[0]
        runs, latest = sum(each.run_count for each in parts), max(each.latest_at for each in parts)
        return cls(runs, latest, together(each.tally for each in parts))


@dataclass(frozen=True, slots=True)
class RollupKey:
    """What summaries are told apart by, beside topic and transport: a day or ``ALWAYS``, and where the runs were."""

    day: int
    environment: str
    branch: str

    @classmethod
    def of(cls, started_at: int, environment: str, branch: str) -> RollupKey:
        """The place of a run."""
        return cls(day_of(started_at), environment, branch)

    @property
    def always(self) -> RollupKey:
        """A topic's whole life is summed over all branches: there may be hundreds, each short-lived."""
        return RollupKey(ALWAYS, self.environment, "")


def waits(connection: Connection) -> tuple[int, int] | None:
    """The first and the last run that is not yet summed up."""
    runs = tables.unsummed.c.run_id
    first, last = connection.execute(select(func.min(runs), func.max(runs))).one()
    return None if first is None else (int(first), int(last))


def catch_up(connection: Connection, dialect: Dialect) -> None:
    """Take runs that wait into the summaries, those first that came first: one at least, and ``ROWS_AT_ONCE``."""
    runs = _waiting(connection)
    if not runs:
        return
    lives: defaultdict[RollupKey, defaultdict[_Key, list[_Sum]]] = defaultdict(lambda: defaultdict(list))
    for place, day in _parts(connection, runs).items():
        for key, found in day.items():
            lives[place.always][key].append(found)
        _add(connection, dialect, place, day)
    for place, found_days in lives.items():
        _add(connection, dialect, place, {key: _Sum.of(found) for key, found in found_days.items()})
    connection.execute(delete(tables.unsummed).where(tables.unsummed.c.run_id.in_(runs)))


def correct(connection: Connection, dialect: Dialect, place: RollupKey, topics: Iterable[int]) -> None:
    """Make the summaries of a day anew that a run was in which is gone.

    No run may wait to be summed up: it would be counted here already.
    """
    runs = tables.run_topics
    begin, end = place.day * DAY, (place.day + 1) * DAY
    for ids in _some(topics):
        of_day = connection.execute(
            select(runs.c.topic_id, runs.c.transport, runs.c.started_at, *columns_of(runs)).where(
                runs.c.topic_id.in_(ids), runs.c.started_at >= begin, runs.c.started_at < end,
                runs.c.environment == place.environment, runs.c.branch == place.branch,
            )
        )  # fmt: skip
        left = (((row.topic_id, row.transport), _Sum(1, row.started_at, tally_of(row))) for row in of_day)
        _replace(connection, dialect, place, ids, _summed(left))


def correct_always(connection: Connection, dialect: Dialect, place: RollupKey, topics: Iterable[int]) -> None:
    """Make the sums of topics' whole lives anew from their days, which are right already."""
    days = tables.roll_ups
    for ids in _some(topics):
        rows = connection.execute(
            select(days.c.topic_id, days.c.transport, days.c.run_count, days.c.latest_at, *columns_of(days)).where(
                days.c.topic_id.in_(ids), days.c.day != ALWAYS, days.c.environment == place.environment
            )
        )
        lives = (((row.topic_id, row.transport), _Sum(row.run_count, row.latest_at, tally_of(row))) for row in rows)
        _replace(connection, dialect, place, ids, _summed(lives))
        _forget_unused(connection, ids)


def _some(topics: Iterable[int]) -> Iterator[set[int]]:
    ordered = sorted(topics)
    return (set(ordered[begin : begin + TOPICS_AT_ONCE]) for begin in range(0, len(ordered), TOPICS_AT_ONCE))


def _waiting(connection: Connection) -> list[int]:
    runs, waiting = tables.runs.c, tables.unsummed.c
    rows = connection.execute(
        select(waiting.run_id, runs.topic_count)
        .join_from(tables.unsummed, tables.runs, runs.id == waiting.run_id)
        .order_by(waiting.run_id)
        .limit(TOPICS_AT_ONCE)
    )
    found, size = list[int](), 0
    for row in rows:
        size += row.topic_count
        if found and size > ROWS_AT_ONCE:
            break
        found.append(int(row.run_id))
    return found


def _parts(connection: Connection, runs: Sequence[int]) -> Mapping[RollupKey, Mapping[_Key, _Sum]]:
    """What these runs measured, by where it counts."""
    table = tables.run_topics
    rows = connection.execute(
        select(
            table.c.topic_id, table.c.transport, table.c.started_at, table.c.environment, table.c.branch,
            *columns_of(table),
        ).where(table.c.run_id.in_(runs))
    )  # fmt: skip
    places: dict[tuple[int, str, str], RollupKey] = {}
    found: defaultdict[RollupKey, defaultdict[_Key, list[Row[Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        topic, transport, *where = row[:5]
        place = places.get(tuple(where)) or places.setdefault(tuple(where), RollupKey.of(*where))
        found[place][topic, transport].append(row)
    return {
        place: {key: _Sum(len(some), max(row.started_at for row in some), sum_of(some)) for key, some in by_key.items()}
        for place, by_key in found.items()
    }


def _add(connection: Connection, dialect: Dialect, place: RollupKey, added: Mapping[_Key, _Sum]) -> None:
    """Take more into the summaries of a place."""
    topics = sorted({topic for topic, _ in added})
    for begin in range(0, len(topics), TOPICS_AT_ONCE):
        some = set(topics[begin : begin + TOPICS_AT_ONCE])
        summed = _known(connection, place, some)
        for key, each in added.items():
            if key[0] in some:
                summed[key] = _Sum.of((summed[key], each)) if key in summed else each
        _replace(connection, dialect, place, some, summed)


def _summed(parts: Iterable[tuple[_Key, _Sum]]) -> dict[_Key, _Sum]:
    """The parts of one key together."""
    found: defaultdict[_Key, list[_Sum]] = defaultdict(list)
    for key, part in parts:
        found[key].append(part)
    return {key: _Sum.of(each) for key, each in found.items()}


def _known(connection: Connection, place: RollupKey, topics: set[int]) -> dict[_Key, _Sum]:
    table = tables.roll_ups
    rows = connection.execute(
        select(table.c.topic_id, table.c.transport, table.c.run_count, table.c.latest_at, *columns_of(table)).where(
            *_of(place, topics)
        )
    )
    return {(row.topic_id, row.transport): _Sum(row.run_count, row.latest_at, tally_of(row)) for row in rows}


def _replace(
    connection: Connection, dialect: Dialect, place: RollupKey, topics: set[int], summed: Mapping[_Key, _Sum]
) -> None:
    """Make these the summaries of these topics at this place."""
    connection.execute(delete(tables.roll_ups).where(*_of(place, topics)))
    rows = [
        (
            topic, place.day, place.environment, place.branch, via, each.run_count, each.latest_at,
            *each.tally.values,
        )
        for (topic, via), each in summed.items()
    ]  # fmt: skip
    dialect.insert(connection, [(tables.roll_ups, rows)])


def _of(place: RollupKey, topics: set[int]) -> tuple[ColumnElement[bool], ...]:
    table = tables.roll_ups.c
    return (
        table.topic_id.in_(topics),
        table.day == place.day,
        table.environment == place.environment,
        table.branch == place.branch,
    )


def _forget_unused(connection: Connection, topics: set[int]) -> None:
    """A topic without a run is gone."""
    runs = tables.run_topics.c
    left = connection.execute(select(runs.topic_id).where(runs.topic_id.in_(topics)).distinct()).scalars()
    connection.execute(delete(tables.topics).where(tables.topics.c.id.in_(topics - set(left))))

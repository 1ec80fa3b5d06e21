"""Taking runs out again, and correcting every summary they were in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import rolling, tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.rolling import RollupKey
from choreo_bdd_chronicle.summarise.days import DAY, Month

AT_ONCE = 100
"""So many runs are removed in one go, unless their whole month is: nobody who writes waits for long."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Which runs are too old: by days, and by days of their own those of branches that are not ``kept``."""

    days: int
    branch_days: int | None
    kept_branches: Sequence[str]


def remove(connection: Connection, dialect: Dialect, run: int) -> bool:
    """Remove a run with all that hangs on it; false when there is none."""
    return _remove(connection, dialect, [run], None) > 0


def expired(connection: Connection, expiry: Expiry) -> list[tuple[int, int]]:
    """The runs that are too old, and when they began, the oldest first. None is pinned."""
    runs = tables.runs.c
    rows = connection.execute(
        select(runs.id, runs.started_at).where(_is_old(expiry)).order_by(runs.started_at, runs.id)
    )
    return [(int(row.id), int(row.started_at)) for row in rows]


def remove_expired(connection: Connection, dialect: Dialect, expiry: Expiry) -> int:
    """Remove the oldest of the runs that are too old, and tell how many; 0 once there are none.

    They are of one month: all of it, when no run of it is kept and the database can let go of it at once.
    """
    old = expired(connection, expiry)
    if not old:
        return 0
    month = Month.of(old[0][1])
    ids = [run for run, begun in old if begun < month.end]
    if dialect.keeps_months and len(ids) == _runs_of(connection, month):
        return _remove(connection, dialect, ids, month)
    return _remove(connection, dialect, ids[:AT_ONCE], None)


def _runs_of(connection: Connection, month: Month) -> int:
    begun = tables.runs.c.started_at
    found = select(func.count()).select_from(tables.runs).where(begun >= month.begin, begun < month.end)
    return int(connection.execute(found).scalar_one())


def _is_old(expiry: Expiry) -> ColumnElement[bool]:
    runs, today = tables.runs.c, now()
    is_old: ColumnElement[bool] = runs.started_at < today - expiry.days * DAY
    if expiry.branch_days is not None:
        is_short = runs.started_at < today - expiry.branch_days * DAY
        is_old = or_(is_old, is_short & runs.branch.not_in(expiry.kept_branches))
    return is_old & runs.pinned.is_(False)


def _remove(connection: Connection, dialect: Dialect, ids: Sequence[int], month: Month | None) -> int:
    """Remove these runs, which are all of the ``month`` if one is named; how many there were."""
    while rolling.waits(connection):  # what is corrected must be complete
        rolling.catch_up(connection, dialect)
    topics = _topics(connection, ids)
    if month is not None:
        dialect.drop_month(connection, month)
    runs, removed = tables.runs, 0
    for begin in range(0, len(ids), rolling.TOPICS_AT_ONCE):
        some = ids[begin : begin + rolling.TOPICS_AT_ONCE]
        removed += connection.execute(delete(runs).where(runs.c.id.in_(some))).rowcount  # with what hangs on them
    for place, touched in topics.items():
        rolling.correct(connection, dialect, place, touched)
    for place in {each.always for each in topics}:
        touched = set().union(*(some for each, some in topics.items() if each.always == place))
        rolling.correct_always(connection, dialect, place, touched)
    if removed:
        dialect.free_space(connection)
    return removed


def _topics(connection: Connection, ids: Sequence[int]) -> dict[RollupKey, set[int]]:
    """The topics that these runs measured, by where they count."""
    measured, found = tables.run_topics.c, defaultdict[RollupKey, set[int]](set)
    for begin in range(0, len(ids), rolling.TOPICS_AT_ONCE):
        rows = connection.execute(
            select(measured.topic_id, measured.started_at, measured.environment, measured.branch)
            .where(measured.run_id.in_(ids[begin : begin + rolling.TOPICS_AT_ONCE]))
            .distinct()
        )
        for topic, *where in rows:
            found[RollupKey.of(*where)].add(int(topic))
    return found

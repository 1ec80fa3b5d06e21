"""Taking runs out again, and correcting every summary they were in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import rolling, tables
from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.summarise.days import DAY


def remove(connection: Connection, dialect: Dialect, run: int) -> bool:
    """Remove a run with all that hangs on it; false when there is none."""
    while rolling.waits(connection):  # what is corrected must be complete
        rolling.catch_up(connection, dialect)
    runs, measured = tables.runs, tables.run_topics
    row = connection.execute(select(runs).where(runs.c.id == run)).first()
    if row is None:
        return False
    touched = connection.execute(select(measured.c.topic_id).where(measured.c.run_id == run).distinct()).scalars()
    topics = [int(each) for each in touched]
    connection.execute(delete(runs).where(runs.c.id == run))  # what hangs on it goes with it
    place = rolling.Place.of(row.started_at, row.environment or "", row.branch or "")
    for begin in range(0, len(topics), rolling.TOPICS_AT_ONCE):
        rolling.correct(connection, dialect, place, topics[begin : begin + rolling.TOPICS_AT_ONCE])
    dialect.free_space(connection)
    return True


def expired(connection: Connection, days: int, branch_days: int | None, kept_branches: Sequence[str]) -> list[int]:
    """The runs that began more than so many days ago; those of other branches have days of their own. None pinned."""
    runs, today = tables.runs.c, now()
    is_old = runs.started_at < today - days * DAY
    if branch_days is not None:
        is_old = or_(is_old, (runs.started_at < today - branch_days * DAY) & runs.branch.not_in(kept_branches))
    return list(connection.execute(select(runs.id).where(is_old, runs.pinned.is_(False))).scalars())

"""Taking runs out again, and correcting every summary they were in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select

from choreo_bdd_chronicle.store import rolling, tables
from choreo_bdd_chronicle.store.dialect import Dialect


def remove(connection: Connection, dialect: Dialect, run: int) -> bool:
    """Remove a run with all that hangs on it; false when there is none."""
    runs, measured = tables.runs, tables.run_topics
    row = connection.execute(select(runs).where(runs.c.id == run)).first()
    if row is None:
        return False
    touched = connection.execute(select(measured.c.topic_id).where(measured.c.run_id == run).distinct()).scalars()
    topics = [int(each) for each in touched]
    connection.execute(delete(runs).where(runs.c.id == run))  # what hangs on it goes with it
    place = rolling.Place(row.started_at, row.environment or "", row.branch or "")
    for begin in range(0, len(topics), rolling.TOPICS_AT_ONCE):
        rolling.correct(connection, dialect, place, topics[begin : begin + rolling.TOPICS_AT_ONCE])
    dialect.free_space(connection)
    return True


def expired(
    connection: Connection, before: int, *, branches_before: int | None = None, kept_branches: Sequence[str] = ()
) -> list[int]:
    """The runs that began before a moment and are not pinned; on branches not among the kept ones, an own moment."""
    runs = tables.runs.c
    is_old = runs.started_at < before
    if branches_before is not None:
        is_old = or_(is_old, (runs.started_at < branches_before) & runs.branch.not_in(kept_branches))
    return list(connection.execute(select(runs.id).where(is_old, runs.pinned.is_(False))).scalars())

"""How far detection has come in each line of runs: what is new is looked at first, what came too fast step by step.

A look is over ``RUNS`` runs that follow each other. Of more that came since the last look only the latest are seen, and
the stretch before them is written down: each further look takes the latest ``RUNS - 2 * _EDGE`` runs off its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, false, func, insert, or_, select, update

from choreo_bdd_chronicle.check.moments import instant
from choreo_bdd_chronicle.detect import Run
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.ingesting import Line

RUNS = 60
"""So many of a line's runs are looked at together."""
_EDGE = 15
"""What changed amid a stretch is judged with at least so many runs before and after it, where there are any."""
_LINE = (tables.watched.c.tenant_id, tables.watched.c.environment, tables.watched.c.branch)
_COLUMNS = tuple(tables.runs.c[name] for name in ("id", "started_at", "git_sha", "branch", "environment"))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A line's runs that began in this time, both ends with it, in microseconds since 1970."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Which run, of those looked at, arrived last, and which runs were left for later."""

    last_run: int = 0
    left: Stretch | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a line: its runs, the oldest first, and how far detection has come before it and with it.

    ``judged`` are those that a look at the past is about; ``None`` when it is about how things stand now.
    """

    line: Line
    runs: Sequence[Run]
    before: Progress
    after: Progress
    judged: Sequence[Run] | None = None


def behind(connection: Connection) -> list[Line]:
    """The lines with runs that are yet to be looked at."""
    runs, progress = tables.runs.c, tables.watched.c
    line = (runs.tenant_id, func.coalesce(runs.environment, ""), func.coalesce(runs.branch, ""))
    its = and_(*(mine == known for mine, known in zip(line, _LINE, strict=True)))
    is_behind = or_(progress.last_run.is_(None), runs.id > progress.last_run, progress.since.is_not(None))
    rows = connection.execute(
        select(*line).outerjoin_from(tables.runs, tables.watched, its).where(is_behind).distinct()
    )
    return [Line(*row) for row in rows]


def next_look(connection: Connection, line: Line, *, is_past: bool = False) -> Look | None:
    """The look at a line's latest runs, when some came since the last one, or else at what is left, if anything is.

    The other way round when ``is_past``.
    """
    before = _progress(connection, line)
    ways = (_earlier, _latest) if is_past else (_latest, _earlier)
    return ways[0](connection, line, before) or ways[1](connection, line, before)


def advance(connection: Connection, look: Look) -> bool:
    """Write down how far a look has come; false when another server has looked in the meantime."""
    if _progress(connection, look.line) != look.before:
        return False
    left = look.after.left
    values = {
        "last_run": look.after.last_run, "since": left.since if left else None, "until": left.until if left else None,
    }  # fmt: skip
    if not connection.execute(update(tables.watched).where(_is_of(look.line)).values(values)).rowcount:
        connection.execute(insert(tables.watched).values(**asdict(look.line), **values))
    return True


def run_of(row: Row[Any]) -> Run:
    """A row of the runs as detection knows it; its id is the table's own."""
    return Run(str(row.id), instant(row.started_at), row.git_sha, row.branch or None, row.environment or None)


def _latest(connection: Connection, line: Line, before: Progress) -> Look | None:
    rows = _rows_until(connection, line, None, RUNS)
    runs, began = tables.runs.c, tables.runs.c.started_at
    is_unseen = began < rows[_EDGE].started_at if len(rows) == RUNS else false()
    unseen = case((is_unseen, began))
    by_arrival = _within(line, runs.tenant_id + 0)  # by no index of the line: few of all its runs are new
    new = select(func.max(runs.id), func.min(unseen), func.max(unseen)).where(by_arrival, runs.id > before.last_run)
    last, since, until = connection.execute(new).one()
    if last is None:
        return None
    left = before.left
    if since is not None:
        left = Stretch(min(since, left.since), max(until, left.until)) if left else Stretch(since, until)
    return Look(line, [run_of(row) for row in rows], before, Progress(last, left))


def _earlier(connection: Connection, line: Line, before: Progress) -> Look | None:
    left, began = before.left, tables.runs.c.started_at
    if left is None:
        return None
    after = select(*_COLUMNS).where(_within(line), began > left.until).order_by(began, tables.runs.c.id).limit(_EDGE)
    later = connection.execute(after).all()
    rows = [*_rows_until(connection, line, left.until, RUNS - len(later)), *later]
    edge = rows[_EDGE].started_at if len(rows) == RUNS else left.since
    rest = Stretch(left.since, edge - 1) if left.since < edge else None
    left_ones = [row for row in rows if edge <= row.started_at <= left.until]
    judged = [run_of(row) for row in (*left_ones, *later[:1])]  # what changed with the run after them is news, too
    return Look(line, [run_of(row) for row in rows], before, Progress(before.last_run, rest), judged)


def _rows_until(connection: Connection, line: Line, until: int | None, count: int) -> list[Row[Any]]:
    """The latest runs of a line that began until then, the oldest first."""
    runs = tables.runs.c
    wanted = select(*_COLUMNS).where(_within(line))
    if until is not None:
        wanted = wanted.where(runs.started_at <= until)
    rows = connection.execute(wanted.order_by(runs.started_at.desc(), runs.id.desc()).limit(count))
    return list(rows)[::-1]


def _progress(connection: Connection, line: Line) -> Progress:
    columns = tables.watched.c
    row = connection.execute(select(columns.last_run, columns.since, columns.until).where(_is_of(line))).one_or_none()
    if row is None:
        return Progress()
    return Progress(row.last_run, None if row.since is None else Stretch(row.since, row.until))


def _within(line: Line, tenant_id: ColumnElement[int] = tables.runs.c.tenant_id) -> ColumnElement[bool]:
    runs = tables.runs.c
    return and_(
        tenant_id == line.tenant_id,
        _same(runs.environment, line.environment),
        _same(runs.branch, line.branch),
    )


def _same(column: Any, value: str) -> Any:
    return column == value if value else or_(column.is_(None), column == "")


def _is_of(line: Line) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(_LINE, astuple(line), strict=True)))

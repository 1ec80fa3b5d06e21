"""PostgreSQL, for whoever outgrows a file: several processes on one database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from threading import Event
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, make_url, text
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.store import tables
from choreo_bdd_chronicle.store.dialect import InUseError, Part
from choreo_bdd_chronicle.summarise.days import Month

_READERS = 16
_WRITING = 0x63686F72  # any number that no other program locks: "chor"

_FEW = 64
"""Reports that are written together are no more than that, so that what refers to them comes after them."""
_MONTHS = 120
"""So many months back have a partition of their own: a clock that is far off must not make thousands."""
_ELSE = f"{tables.run_topics.name}_else"
_LOCK_TRIES = 20
_LOCK_WAIT_MS = 500
"""Less than the second after which PostgreSQL breaks a deadlock, which may cost a reader its answer."""
_WITHIN = "started_at >= :begin AND started_at < :end"
_CHANNEL = "chronicle_events"
_PATIENCE_SECONDS = 1.0
_TOPICS = text("SELECT name, id FROM topics WHERE tenant_id = :tenant AND name = ANY(:names)")


class PostgresDialect:
    """Rows are copied in; whoever writes holds one lock, so that summaries and event numbers stay in step."""

    keeps_months = True

    def __init__(self) -> None:
        self._months: set[Month] = set()

    def engine(self, url: str) -> Engine:
        """Connections through psycopg, each tried before it is used, so that a restarted server is found again."""
        address = make_url(url).set(drivername="postgresql+psycopg")
        return create_engine(
            address,
            pool_size=_READERS,
            max_overflow=_READERS,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged
        )

    def begin_writing(self, connection: Connection) -> None:
        """Wait until no other process writes; the others are told at the commit."""
        with _driven(connection) as driver, driver.pipeline():
            driver.execute(f"SELECT pg_advisory_xact_lock({_WRITING})")
            driver.execute(f"NOTIFY {_CHANNEL}")

    def lock(self, connection: Connection, tables: Sequence[str]) -> None:
        """Lock all at once, or let go of all again: whoever reads some of them may wait for the others."""
        connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}"))
        for _ in range(_LOCK_TRIES):
            try:
                with connection.begin_nested():
                    connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
            except OperationalError as problem:
                if not isinstance(problem.orig, psycopg.errors.LockNotAvailable):
                    raise
            else:
                connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
                return
        raise InUseError

    def new_ids(self, connection: Connection, tables: Sequence[Table], count: int) -> Sequence[Sequence[int]]:
        """From the tables' sequences."""
        columns = ", ".join(f"nextval(pg_get_serial_sequence('{table.name}', 'id'))" for table in tables)
        wanted = text(f"SELECT {columns} FROM generate_series(1, :count)")
        rows = connection.execute(wanted, {"count": count}).all()
        return [sorted(row[place] for row in rows) for place in range(len(tables))]

    def topic_ids(self, connection: Connection, tenant: int, names: Sequence[str]) -> dict[str, int]:
        """The names go as one value, however many they are."""
        found = connection.execute(_TOPICS, {"tenant": tenant, "names": list(names)})
        return {name: int(number) for name, number in found}

    def insert(self, connection: Connection, parts: Sequence[Part]) -> None:
        """A few rows of all tables in one message, then ``COPY``, which takes thousands in the time of a few inserts.

        Each answer that is waited for costs a change of processes, and on a busy machine a turn of the interpreter.
        """
        with _driven(connection) as driver:
            with driver.pipeline(), psycopg.RawCursor(driver) as cursor:
                for table, rows in parts:
                    if 0 < len(rows) <= _FEW:
                        cursor.execute(_insert(table, len(rows)), tuple(chain.from_iterable(rows)))
            for table, rows in parts:
                if len(rows) > _FEW:
                    with driver.cursor() as cursor, cursor.copy(_copy(table)) as copy:
                        for row in rows:
                            copy.write_row(row)

    def make_room(self, connection: Connection, moments: Iterable[int]) -> None:
        """A partition for each month of the last ten years in which a run began; anything else shares one."""
        latest = Month.of(now()).before(-1)
        earliest = latest.before(_MONTHS)
        for month in {Month.of(moment) for moment in moments if earliest.begin <= moment < latest.end}:
            if month not in self._months:
                if _has_room(connection, month):
                    self._months.add(month)  # what was only just made may still be taken back
                else:
                    _make_partition(connection, month)

    def drop_month(self, connection: Connection, month: Month) -> None:
        """Drop its partition; runs of that month that came before it was there went into the one for all else."""
        self._months.discard(month)
        connection.execute(text(f"DROP TABLE IF EXISTS {_partition(month)}"))
        connection.execute(text(f"DELETE FROM {_ELSE} WHERE {_WITHIN}"), {"begin": month.begin, "end": month.end})

    def notify(self, connection: Connection) -> None:
        """``NOTIFY``, which PostgreSQL sends at the commit."""
        connection.execute(text(f"NOTIFY {_CHANNEL}"))

    def listen(self, engine: Engine, wake: Callable[[], None], is_over: Event) -> None:
        """``LISTEN`` on a connection of its own; a lost one is made again."""
        while not is_over.is_set():
            try:
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text(f"LISTEN {_CHANNEL}"))
                    driver: Any = connection.connection.driver_connection
                    wake()  # for what was written while nobody listened
                    while not is_over.is_set():
                        for _ in driver.notifies(timeout=_PATIENCE_SECONDS, stop_after=1):
                            wake()
            except (SQLAlchemyError, psycopg.Error):
                is_over.wait(_PATIENCE_SECONDS)

    def free_space(self, connection: Connection) -> None:
        """Nothing: PostgreSQL's own vacuum does."""


@contextmanager
def _driven(connection: Connection) -> Iterator[Any]:
    """The driver's own connection, whose errors are those of all other statements within the block."""
    try:
        yield connection.connection.driver_connection
    except psycopg.Error as problem:
        if isinstance(problem, (psycopg.OperationalError, psycopg.InterfaceError)):
            raise OperationalError("writing rows", None, problem) from problem
        raise DatabaseError("writing rows", None, problem) from problem


def _partition(month: Month) -> str:
    return f"{tables.run_topics.name}_{month.year}_{month.number:02}"


def _has_room(connection: Connection, month: Month) -> bool:
    """Whether a month has its partition, or cannot have one as some of it was put into the one for all else."""
    found = connection.execute(
        text(f"SELECT to_regclass('{_partition(month)}') IS NOT NULL OR EXISTS (SELECT FROM {_ELSE} WHERE {_WITHIN})"),
        {"begin": month.begin, "end": month.end},
    )
    return bool(found.scalar_one())


def _make_partition(connection: Connection, month: Month) -> None:
    made = f"CREATE TABLE {_partition(month)} PARTITION OF {tables.run_topics.name}"
    connection.execute(text(f"{made} FOR VALUES FROM ({month.begin}) TO ({month.end})"))


@lru_cache(256)
def _insert(table: Table, count: int) -> str:
    width = len(table.columns)
    rows = (f"({', '.join(f'${place * width + column + 1}' for column in range(width))})" for place in range(count))
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES {', '.join(rows)}"


def _copy(table: Table) -> str:
    return f"COPY {table.name} ({_names(table)}) FROM STDIN"


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)

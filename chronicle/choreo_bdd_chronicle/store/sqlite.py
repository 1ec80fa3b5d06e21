"""SQLite: one file, with nothing to set up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from threading import Event
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event

from choreo_bdd_chronicle.store.dialect import Part
from choreo_bdd_chronicle.summarise.days import Month

_READERS = 16
_BUSY_MS = 30_000
_ROWS_AT_ONCE = 500
"""SQLite takes 32,766 values a statement, and no table has more than 60 columns."""
_TOPICS = """SELECT json_group_array(json_array(name, id)) FROM topics
WHERE tenant_id = ? AND name IN (SELECT value FROM json_each(?))"""


class SqliteDialect:
    """A file in WAL mode: readers never wait for the writer. A commit is on disk when it returns."""

    keeps_months = False

    def engine(self, url: str) -> Engine:
        """Connections to the file; SQLAlchemy opens transactions, not the driver."""
        engine = create_engine(
            url, pool_size=_READERS, max_overflow=_READERS, hide_parameters=True
        )  # errors are logged
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def begin_writing(self, connection: Connection) -> None:
        """Nothing: the transaction took the file's one write lock when it began."""

    def lock(self, connection: Connection, tables: Sequence[str]) -> None:
        """Nothing: whoever reads goes on with what was there, and the transaction has kept out writers already."""

    def new_ids(self, connection: Connection, tables: Sequence[Table], count: int) -> Sequence[Sequence[int]]:
        """The next ones: nobody else writes, and rows put in with a number move the file's count on."""
        last = ", ".join("(SELECT seq FROM sqlite_sequence WHERE name = ?)" for _ in tables)
        found = connection.exec_driver_sql(f"SELECT {last}", tuple(table.name for table in tables)).one()
        return [range((each or 0) + 1, (each or 0) + 1 + count) for each in found]

    def topic_ids(self, connection: Connection, tenant: int, names: Sequence[str]) -> dict[str, int]:
        """All in one row: the driver lets go of the interpreter for each that it fetches."""
        return dict(json.loads(connection.exec_driver_sql(_TOPICS, (tenant, json.dumps(names))).scalar_one()))

    def insert(self, connection: Connection, parts: Sequence[Part]) -> None:
        """Many rows a statement: between two of them the interpreter may be given away, and is waited for again."""
        for table, rows in parts:
            for begin in range(0, len(rows), _ROWS_AT_ONCE):
                some = rows[begin : begin + _ROWS_AT_ONCE]
                connection.exec_driver_sql(_insert(table, len(some)), tuple(chain.from_iterable(some)))

    def make_room(self, connection: Connection, moments: Iterable[int]) -> None:
        """Nothing: a file has all in one table."""

    def drop_month(self, connection: Connection, month: Month) -> None:
        """Nothing: they go row by row, with their runs."""

    def notify(self, connection: Connection) -> None:
        """Nothing: the file is one process's own."""

    def listen(self, engine: Engine, wake: Callable[[], None], is_over: Event) -> None:
        """Nothing: nobody else writes."""

    def free_space(self, connection: Connection) -> None:
        """Cut the free pages off the file; the driver carries the pragma out for one page at a time."""
        for _ in range(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()):
            connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")


@lru_cache(256)
def _insert(table: Table, count: int) -> str:
    names = ", ".join(column.name for column in table.columns)
    row = f"({', '.join('?' * len(table.columns))})"
    return f"INSERT INTO {table.name} ({names}) VALUES {', '.join([row] * count)}"


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "auto_vacuum=INCREMENTAL",  # before all else: it counts only in a file that is still empty
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

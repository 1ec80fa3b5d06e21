"""PostgreSQL, for whoever outgrows a file: several processes on one database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

_READERS = 16
_WRITING = 0x63686F72  # any number that no other program locks: "chor"

_CHANNEL = "chronicle_events"
_PATIENCE_SECONDS = 1.0


class PostgresDialect:
    """Rows are copied in; whoever writes holds one lock, so that summaries and event numbers stay in step."""

    def engine(self, url: str) -> Engine:
        """Connections through psycopg, each tried before it is used, so that a restarted server is found again."""
        address = make_url(url).set(drivername="postgresql+psycopg")
        return create_engine(address, pool_size=_READERS, max_overflow=_READERS, pool_pre_ping=True)

    def begin_writing(self, connection: Connection) -> None:
        """Wait until no other process writes."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITING})

    def new_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        """From the table's sequence."""
        wanted = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return sorted(connection.execute(wanted, {"name": table.name, "count": count}).scalars())

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """``COPY``, which takes thousands of rows in the time of a few inserts."""
        if not rows:
            return
        names = ", ".join(column.name for column in table.columns)
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

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

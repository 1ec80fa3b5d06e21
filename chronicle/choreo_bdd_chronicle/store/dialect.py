"""What the two databases do differently, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table


class Dialect(Protocol):
    """One database's own ways."""

    def engine(self, url: str) -> Engine:
        """Connections to the database at ``url``."""

    def begin_writing(self, connection: Connection) -> None:
        """Make sure, at the start of a transaction, that nobody else writes until its end."""

    def new_ids(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        """So many numbers for new rows of a table that counts its rows, rising, and never given out before."""

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Put in many rows at once, each with a value for every column of the table, in order."""

    def notify(self, connection: Connection) -> None:
        """Wake other processes on this database when the transaction is committed."""

    def listen(self, engine: Engine, wake: Callable[[], None], is_over: Event) -> None:
        """Call ``wake`` whenever another process has written, until ``is_over``; returns at once where none can."""

    def free_space(self, connection: Connection) -> None:
        """Give back to the disk what was deleted."""

"""What the two databases do differently, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Event
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table

from choreo_bdd_chronicle.summarise.days import Month

Part = tuple[Table, Sequence[Sequence[Any]]]
"""A table and rows for it."""


class InUseError(Exception):
    """Tables that are to be changed stay in somebody else's use."""


class Dialect(Protocol):
    """One database's own ways."""

    keeps_months: bool
    """Whether measurements are kept by the months of their runs, each of which can be dropped."""

    def engine(self, url: str) -> Engine:
        """Connections to the database at ``url``."""

    def begin_writing(self, connection: Connection) -> None:
        """Make sure, at the start of a transaction, that nobody else writes until its end.

        Other processes on the database are woken at its commit.
        """

    def lock(self, connection: Connection, tables: Sequence[str]) -> None:
        """Keep readers from these tables until the end of the transaction, too. Raises ``InUseError``."""

    def new_ids(self, connection: Connection, tables: Sequence[Table], count: int) -> Sequence[Sequence[int]]:
        """So many numbers for new rows of each of these tables, which count theirs: rising, never given out before."""

    def topic_ids(self, connection: Connection, tenant: int, names: Sequence[str]) -> dict[str, int]:
        """The numbers of those of these topics of a tenant that are known, by name."""

    def insert(self, connection: Connection, parts: Sequence[Part]) -> None:
        """Put in rows of several tables, a table with what refers to it after it; of one table at most 64 come first.

        Each row has a value for every column of its table, in order.
        """

    def make_room(self, connection: Connection, moments: Iterable[int]) -> None:
        """See to it that measurements of runs that began at these moments are kept by their months, where they are."""

    def drop_month(self, connection: Connection, month: Month) -> None:
        """Let go of all measurements of a month at once."""

    def notify(self, connection: Connection) -> None:
        """Wake other processes on this database when the transaction is committed."""

    def listen(self, engine: Engine, wake: Callable[[], None], is_over: Event) -> None:
        """Call ``wake`` whenever another process has written, until ``is_over``; returns at once where none can."""

    def free_space(self, connection: Connection) -> None:
        """Give back to the disk what was deleted."""

"""The one interface to what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Condition, Event, Thread
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url, select
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError

from choreo_bdd_chronicle.store import ingesting, rolling
from choreo_bdd_chronicle.store.dialect import Dialect, InUseError
from choreo_bdd_chronicle.store.ingesting import Receipt, Submission
from choreo_bdd_chronicle.store.migrating import LaterReleaseError, is_current, upgrade
from choreo_bdd_chronicle.store.sqlite import SqliteDialect
from choreo_bdd_chronicle.store.writer import Writer

Result = TypeVar("Result")

_PATIENCE_S = 5.0
"""What takes longer is not waited for: a query when the store closes, summaries when somebody asks."""


class StoreError(Exception):
    """A database cannot be opened; the text says which and why, without its password."""


class Store:
    """Reports and what was made of them. Reading goes on while one thread writes. Close it in the end."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._wakers: list[Callable[[], None]] = []
        self._is_over = Event()
        self._readers = 0
        self._reader_left = Condition()
        self._writer = Writer(engine, dialect, self._wake)
        self._listener = Thread(
            target=dialect.listen, args=(engine, self._wake, self._is_over), name="chronicle-listener", daemon=True
        )
        self._listener.start()

    def on_change(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from another thread, after something was written, here or by another process."""
        self._wakers.append(wake)

    def awaiting(self) -> AbstractContextManager[None]:
        """Within the block a report is made ready: those kept at about the same time share a commit."""
        return self._writer.announced()

    def keep(self, submission: Submission) -> Future[Receipt]:
        """Write a report, whole or not at all; the receipt is there once it is on disk."""
        return self._writer.submit_to(self._keep, submission)

    def change(self, work: Callable[[Connection, Dialect], Result]) -> Future[Result]:
        """Have something else written in a transaction of its own."""
        return self._writer.submit(lambda connection: work(connection, self._dialect))

    def sum_up(self) -> None:
        """Have every run that is kept now in the summaries, with other work in between.

        Raises ``SQLAlchemyError``, ``BusyError`` and, when it takes long, ``TimeoutError``.
        """
        with self.reading() as connection:
            waiting = rolling.waits(connection)
        last = waiting[1] if waiting else 0
        while waiting and waiting[0] <= last:
            waiting = self.change(_sum_some).result(_PATIENCE_S)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of everything. Raises ``SQLAlchemyError``, once the store is closed too."""
        with self._reader_left:
            if self._is_over.is_set():
                raise InvalidRequestError("the store is closed")
            self._readers += 1
        try:
            with self._engine.begin() as connection:
                yield connection
        finally:
            with self._reader_left:
                self._readers -= 1
                self._reader_left.notify_all()

    def ping(self) -> None:
        """Ask the database for the least it can answer. Raises ``SQLAlchemyError`` when it does not."""
        with self.reading() as connection:
            connection.execute(select(1))

    def is_current(self) -> bool:
        """Whether the tables are those of this release."""
        return is_current(self._engine)

    def close(self) -> None:
        """Write what waits, let whoever reads come to an end, then let go of the database."""
        with self._reader_left:  # a connection in use while the others are closed would be nobody's any more
            self._is_over.set()
            self._reader_left.wait_for(lambda: not self._readers, timeout=_PATIENCE_S)
        self._writer.close()
        with suppress(SQLAlchemyError), self._engine.begin() as connection:
            self._dialect.notify(connection)  # so that the listener need not run out of patience
        self._listener.join()
        self._engine.dispose()

    def _keep(self, connection: Connection, submissions: Sequence[Submission]) -> Sequence[Receipt]:
        return ingesting.keep(connection, self._dialect, submissions)

    def _wake(self) -> None:
        for wake in self._wakers:
            wake()


def _sum_some(connection: Connection, dialect: Dialect) -> tuple[int, int] | None:
    rolling.catch_up(connection, dialect)
    return rolling.waits(connection)


def open_store(url: str, *, makes: bool = True) -> Store:
    """The store at ``url``, ``sqlite:///FILE`` or ``postgresql://…``, brought up to date. Raises ``StoreError``.

    A SQLite file that is not there is made, unless ``makes`` is false.
    """
    try:
        dialect = _dialect(url)
        if not makes and isinstance(dialect, SqliteDialect) and not Path(make_url(url).database or "").is_file():
            raise StoreError(f"{shown(url)}: there is no database; --data FOLDER names another")
        engine = dialect.engine(url)
        with ExitStack() as on_failure:
            on_failure.callback(engine.dispose)
            upgrade(engine, dialect)
            on_failure.pop_all()
    except (SQLAlchemyError, OSError) as problem:
        reason = getattr(problem, "orig", None) or problem
        raise StoreError(f"{shown(url)}: cannot be opened: {reason}") from problem
    except InUseError as problem:
        raise StoreError(
            f"{shown(url)}: cannot be brought up to date, as its tables are in use: end every server on it, start one, "
            f"then the others"
        ) from problem
    except LaterReleaseError as problem:
        raise StoreError(f"{shown(url)}: was written by a later release; install that one ({problem})") from problem
    return Store(engine, dialect)


def shown(url: str) -> str:
    """A database as people are told of it: a file by its path, any other by its address without the password."""
    try:
        address = make_url(url)
    except ArgumentError:
        return "the address given"
    is_file = address.get_backend_name() == "sqlite" and address.database
    return address.database if is_file and address.database else address.render_as_string(hide_password=True)


def _dialect(url: str) -> Dialect:
    name = make_url(url).get_backend_name()
    if name == "sqlite":
        return SqliteDialect()
    if name in ("postgresql", "postgres"):
        try:
            from choreo_bdd_chronicle.store.postgres import PostgresDialect  # noqa: PLC0415 - an extra of its own

            return PostgresDialect()
        except ImportError as problem:
            raise StoreError('PostgreSQL needs its driver: pip install "choreo-bdd[chronicle-postgres]"') from problem
    raise StoreError(f"{name}: no such database here; known are sqlite:///FILE and postgresql://HOST/NAME")

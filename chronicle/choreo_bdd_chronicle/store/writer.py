"""One thread that writes: what waits together is committed together, and answered when it is on disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.store.dialect import Dialect

BATCH_MAX = 64
"""So many pieces of work share one commit at most."""
WAITING_MAX = 256
"""So many pieces of work may wait; further ones are refused, to be sent again."""

Result = TypeVar("Result")
Item = TypeVar("Item")
Work = Callable[[Connection], Result]
Bulk = Callable[[Connection, Sequence[Item]], Sequence[Result]]


class BusyError(Exception):
    """More work waits than can be taken on."""


@dataclass(frozen=True, slots=True)
class _Job:
    """An item for a bulk of work; work that is done alone has no bulk, and is the item."""

    bulk: Bulk[Any, Any] | None
    item: Any
    answer: Future[Any]


class Writer:
    """Carries out work on the database, one piece after the other, each whole or not at all."""

    def __init__(self, engine: Engine, dialect: Dialect, written: Callable[[], None]) -> None:
        self._written = written
        self._engine = engine.execution_options(writes=True)
        self._dialect = dialect
        self._jobs: queue.Queue[_Job | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="chronicle-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Result]) -> Future[Result]:
        """Have work done in a transaction; its result is there once it is on disk. Raises ``BusyError``."""
        return self._queue(_Job(None, work, Future()))

    def submit_to(self, bulk: Bulk[Item, Result], item: Item) -> Future[Result]:
        """The same for an item that is written together with its neighbours for the same ``bulk``.

        A bulk that fails is done again for each item alone, so that none costs the others theirs.
        """
        return self._queue(_Job(bulk, item, Future()))

    def close(self) -> None:
        """Finish what waits, then end."""
        self._jobs.put(None)
        self._thread.join()

    def _queue(self, job: _Job) -> Future[Any]:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise BusyError(f"{WAITING_MAX} reports wait to be written") from None
        return job.answer

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._jobs.get()]
            while len(batch) < BATCH_MAX and not self._jobs.empty():
                batch.append(self._jobs.get_nowait())
            is_open = None not in batch
            wanted = [job for job in batch if job is not None and job.answer.set_running_or_notify_cancel()]
            if wanted:
                self._write(wanted)

    def _write(self, jobs: list[_Job]) -> None:
        done: list[tuple[_Job, Any]] = []
        try:
            with self._engine.begin() as connection:
                self._dialect.begin_writing(connection)
                for some in _neighbours(jobs):
                    self._perform(connection, some, done)
        except Exception as problem:  # noqa: BLE001 - whatever it was, it is told to those who wait
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(problem)
            return
        for job, result in done:
            job.answer.set_result(result)
        self._written()

    def _perform(self, connection: Connection, jobs: list[_Job], done: list[tuple[_Job, Any]]) -> None:
        try:
            with connection.begin_nested():
                results = _results(connection, jobs)
        except Exception as problem:
            if isinstance(problem, SQLAlchemyError) and (connection.invalidated or not connection.in_transaction()):
                raise
            if len(jobs) == 1:
                jobs[0].answer.set_exception(problem)
                return
            for job in jobs:
                self._perform(connection, [job], done)
        else:
            done.extend(zip(jobs, results, strict=True))


def _neighbours(jobs: Iterable[_Job]) -> Iterator[list[_Job]]:
    """Jobs that follow each other and are for the same bulk; others alone."""
    for bulk, some in groupby(jobs, key=lambda job: job.bulk):
        if bulk is None:
            yield from ([job] for job in some)
        else:
            yield list(some)


def _results(connection: Connection, jobs: Sequence[_Job]) -> Sequence[Any]:
    bulk = jobs[0].bulk
    return [jobs[0].item(connection)] if bulk is None else bulk(connection, [job.item for job in jobs])

"""One thread that writes: what waits together is committed together, and answered when it is on disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from choreo_bdd_chronicle.store.dialect import Dialect

BATCH_MAX = 64
"""So many pieces of work share one commit at most."""
WAITING_MAX = 256
"""So many pieces of work may wait; further ones are refused, to be sent again."""
GATHERED_S = 0.01
"""So long a batch waits at most until half of the work that is announced is here: a commit for four costs hardly more
than one for one, and the other half is made ready meanwhile."""

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
        self._announced = 0
        self._announcing = threading.Lock()
        self._is_half_here = threading.Event()
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

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Within the block a piece of work is made ready, and at its end it is submitted or given up."""
        with self._announcing:
            self._announced += 1
        try:
            yield
        finally:
            with self._announcing:
                self._announced -= 1
                if self._has_half():
                    self._is_half_here.set()

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
            self._gather()
            while len(batch) < BATCH_MAX and not self._jobs.empty():
                batch.append(self._jobs.get_nowait())
            is_open = None not in batch
            wanted = [job for job in batch if job is not None and job.answer.set_running_or_notify_cancel()]
            for some in _neighbours(wanted):
                self._write(some)

    def _gather(self) -> None:
        self._is_half_here.clear()
        if not self._has_half() and self._jobs.qsize() < BATCH_MAX:
            self._is_half_here.wait(GATHERED_S)

    def _has_half(self) -> bool:
        return self._announced <= self._jobs.qsize() + 1  # one was taken by the batch that waits

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Carry out jobs in one transaction; those of a bulk that fails are tried alone.

        Not so when the commit fails: nobody knows then whether it was carried out.
        """
        is_worth_another = False
        try:
            with self._engine.begin() as connection:
                self._dialect.begin_writing(connection)
                try:
                    results = _results(connection, jobs)
                except Exception:
                    is_worth_another = len(jobs) > 1 and connection.in_transaction() and not connection.invalidated
                    raise
        except Exception as problem:  # noqa: BLE001 - whatever it was, it is told to those who wait
            if is_worth_another:
                for job in jobs:
                    self._write([job])
                return
            for job in jobs:
                job.answer.set_exception(problem)
            return
        for job, result in zip(jobs, results, strict=True):
            job.answer.set_result(result)
        self._written()


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

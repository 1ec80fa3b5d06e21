"""Detection behind the answers: one thread that looks at what came in, each line of runs once for many reports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.detect import Finding, TopicSeries
from choreo_bdd_chronicle.store import Store, findings
from choreo_bdd_chronicle.store.ingesting import Line
from choreo_bdd_chronicle.store.writer import BusyError

_RESTS = 19
"""So many times as long as a look took is rested after it."""
_REST_MAX_S = 10.0
_log = logging.getLogger("choreo_bdd_chronicle")


class Watcher:
    """Looks for changes in the lines it is told of, gathered for ``pause`` seconds. Close it before its store.

    It rests for longer than it works, so that whoever sends reports is not kept waiting by it.
    """

    def __init__(self, store: Store, pause: float) -> None:
        self._store = store
        self._pause = pause
        self._waiting: dict[Line, None] = {}
        self._changed = threading.Condition()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chronicle-watcher", daemon=True)
        self._thread.start()

    def look_at(self, line: Line) -> None:
        """A line has a new run."""
        with self._changed:
            self._waiting[line] = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop after the line at hand; what waits is found when its next run comes."""
        self._is_over.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        rest = self._pause
        while line := self._next(rest):
            from choreo_bdd_chronicle.detect import detecting  # noqa: PLC0415 - numpy, which a start can do without

            begun = time.monotonic()  # loading it was no look, after which to rest for nineteen times as long
            try:
                self._look(line, detecting.detect)
            except (SQLAlchemyError, BusyError) as problem:
                _log.warning("detection is put off until the next run: %s", problem)
            except Exception:  # noqa: BLE001 - one line that cannot be judged does not end the watch over the others
                _log.exception("detection failed")
            rest = max(self._pause, min(_REST_MAX_S, _RESTS * (time.monotonic() - begun)))

    def _next(self, rest: float) -> Line | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over.is_set())
        self._is_over.wait(rest)
        with self._changed:
            if self._is_over.is_set():
                return None
            line = next(iter(self._waiting))
            del self._waiting[line]
            return line

    def _look(self, line: Line, detect: Callable[[Sequence[TopicSeries]], list[Finding]]) -> None:
        with self._store.reading() as connection:
            runs = findings.runs_of(connection, line)
            series = findings.series_of(connection, runs)
        found = detect(series)
        self._store.change(lambda connection, dialect: findings.settle(connection, dialect, line, runs, found)).result()

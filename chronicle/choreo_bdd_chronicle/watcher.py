"""Detection behind the answers: one thread that looks at what came in, line by line, few runs at a time."""

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
"""And so long after one that the database did not let happen."""
_log = logging.getLogger("choreo_bdd_chronicle")


class Watcher:
    """Looks for changes in the lines it is told of, gathered for ``pause`` seconds, and in what an earlier one left.

    It rests for longer than it works, so that whoever sends reports is not kept waiting by it. What waits for a look
    stands in the store: whenever this ends, each run is looked at once. Close it before its store.
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
        """Stop after the look at hand; what waits is looked at by the next one."""
        self._is_over.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        self._take_up()
        rest = self._pause
        while line := self._next(rest):
            from choreo_bdd_chronicle.detect import detecting  # noqa: PLC0415 - numpy, which a start can do without

            begun = time.monotonic()  # loading it was no look, after which to rest for nineteen times as long
            least = self._pause
            try:
                if look(self._store, line, detecting.detect):
                    self.look_at(line)  # behind the others: a backlog of one keeps none of them waiting
                    least = 0.0
            except (SQLAlchemyError, BusyError) as problem:
                _log.warning("detection is put off for %g seconds: %s", _REST_MAX_S, problem)
                self.look_at(line)
                least = _REST_MAX_S
            except Exception:  # noqa: BLE001 - one line that cannot be judged does not end the watch over the others
                _log.exception("detection failed; it is put off until the next run")
            rest = max(least, min(_REST_MAX_S, _RESTS * (time.monotonic() - begun)))

    def _take_up(self) -> None:
        """What waited when an earlier server ended."""
        try:
            with self._store.reading() as connection:
                left = findings.lines(connection)
        except SQLAlchemyError as problem:
            _log.warning("detection of what is kept already is put off until the next run: %s", problem)
            return
        for line in left:
            self.look_at(line)

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


def look(store: Store, line: Line, detect: Callable[[Sequence[TopicSeries]], list[Finding]]) -> bool:
    """Take one step over the new runs of a line, and keep what it shows; false when there are none.

    Runs that cannot be judged are passed over, so that those after them are judged. Raises ``SQLAlchemyError`` and
    ``BusyError``, and the same runs still wait.
    """
    with store.reading() as connection:
        found = findings.next_look(connection, line)
        if found is None:
            return False
        series = findings.series_of(connection, found.runs)
    try:
        shown = detect(series)
        store.change(lambda connection, dialect: findings.settle(connection, dialect, found, shown)).result()
    except (SQLAlchemyError, BusyError):
        raise
    except Exception:  # noqa: BLE001 - whatever it was, it would be the same each time
        _log.exception("detection failed on %s", line)
        store.change(lambda connection, _: findings.pass_over(connection, found)).result()
    return True

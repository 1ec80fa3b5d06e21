"""Detection behind the answers: one thread that looks at what came in, each line of runs once for many reports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.detect import Finding, TopicSeries
from choreo_bdd_chronicle.store import Store
from choreo_bdd_chronicle.store.ingesting import Line
from choreo_bdd_chronicle.store.looks import findings, watched
from choreo_bdd_chronicle.store.writer import BusyError

Detect = Callable[[Sequence[TopicSeries]], list[Finding]]

_RESTS = 19
"""So many times as long as a look took is rested after it."""
_SOONER = 5
"""So many times shorter a rest is at whose end no report has come, and the past can be looked at."""
_PAST_TURN = 10
"""Each so many-th look is one at the past though new runs wait: on a busy server they always do."""
_REST_MAX_S = 10.0
"""And so long after one that the database did not let happen."""
_log = logging.getLogger("choreo_bdd_chronicle")


class Watcher:
    """Looks for changes in the lines it is told of, gathered for ``pause`` seconds, and in what an earlier one left.

    New runs come first, then, look by look, those of which more came than one look is over. It rests for longer than it
    works, so that whoever sends reports is not kept waiting by it. How far it has come is written down with what was
    found, so that whatever ends it, nothing is left out. Close it before its store.
    """

    def __init__(self, store: Store, pause: float) -> None:
        self._store = store
        self._pause = pause
        self._new: dict[Line, None] = {}
        self._left: dict[Line, None] = {}
        self._turn = 0
        self._changed = threading.Condition()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chronicle-watcher", daemon=True)
        self._thread.start()

    def look_at(self, line: Line) -> None:
        """A line has a new run."""
        with self._changed:
            self._new[line] = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop after the look at hand; what is left is looked at by the next one."""
        self._is_over.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        self._take_up()
        rest = self._pause
        while turn := self._next(rest):
            from choreo_bdd_chronicle.detect import detecting  # noqa: PLC0415 - numpy, which a start can do without

            line, is_past = turn
            begun = time.monotonic()  # loading it was no look, after which to rest for nineteen times as long
            least = self._pause
            try:
                if look(self._store, line, detecting.detect, is_past=is_past):
                    self._left[line] = None
            except (SQLAlchemyError, BusyError) as problem:
                _log.warning("detection is put off for %g seconds: %s", _REST_MAX_S, problem)
                self.look_at(line)
                least = _REST_MAX_S
            except Exception:  # noqa: BLE001 - one line that fails does not end the watch over the others
                _log.exception("detection failed; it is put off until the next run")
            rest = max(least, min(_REST_MAX_S, _RESTS * (time.monotonic() - begun)))

    def _take_up(self) -> None:
        """What was left when an earlier server ended."""
        try:
            with self._store.reading() as connection:
                self._left.update(dict.fromkeys(watched.behind(connection)))
        except SQLAlchemyError as problem:
            _log.warning("what was not looked at before is put off until its next run: %s", problem)

    def _next(self, rest: float) -> tuple[Line, bool] | None:
        """The next line to look at, and whether at its past; ``None`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._new or self._left or self._is_over.is_set())
        self._is_over.wait(rest / _SOONER)
        if self._new:
            self._is_over.wait(rest - rest / _SOONER)
        with self._changed:
            if self._is_over.is_set():
                return None
            self._turn += 1
            is_past = bool(self._left) and (not self._new or self._turn % _PAST_TURN == 0)
            waiting = self._left if is_past else self._new
            line = next(iter(waiting))
            del waiting[line]
            return line, is_past


def look(store: Store, line: Line, detect: Detect, *, is_past: bool = False) -> bool:
    """Take one look at a line, rather at new runs or at the past, and keep what it shows; whether another is to follow.

    Runs that cannot be judged are passed over, so that others are judged. Raises ``SQLAlchemyError`` and ``BusyError``,
    and the same runs are still to be looked at.
    """
    with store.reading() as connection:
        taken = watched.next_look(connection, line, is_past=is_past)
        if taken is None:
            return False
        series = findings.series_of(connection, taken.runs)
    try:
        found = detect(series)
    except Exception:  # noqa: BLE001 - whatever it was, it would be the same each time
        _log.exception("runs of branch %r in environment %r cannot be judged", line.branch, line.environment)
        kept = store.change(lambda connection, _: watched.advance(connection, taken))
    else:
        kept = store.change(lambda connection, dialect: findings.settle(connection, dialect, taken, found))
    return not kept.result() or taken.after.left is not None

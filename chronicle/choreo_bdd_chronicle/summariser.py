"""Summaries behind the answers: one thread that takes what came in into days and topics' lives."""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.store import Store
from choreo_bdd_chronicle.store.writer import BusyError

_PAUSE_S = 0.25
"""So long runs are gathered at least: what many have in common is summed up once."""
_RESTS = 19
"""So many times as long as it took is rested after it: who asks for summaries has what is missing summed up."""
_REST_MAX_S = 5.0
_log = logging.getLogger("choreo_bdd_chronicle")


class Summariser:
    """Sums up whatever is kept and not yet in the summaries, also what another process or an earlier one left.

    Close it before its store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = threading.Event()
        self._is_over = threading.Event()
        self._news.set()
        self._thread = threading.Thread(target=self._run, name="chronicle-summariser", daemon=True)
        store.on_change(self._news.set)
        self._thread.start()

    def close(self) -> None:
        """Stop; what waits is summed up at the next start, or when somebody asks."""
        self._is_over.set()
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        rest = _PAUSE_S
        while True:
            self._news.wait()
            if self._is_over.wait(rest):
                return
            self._news.clear()
            if self._is_over.is_set():  # close() may have told of it since, which was just cleared
                return
            begun = time.monotonic()
            try:
                self._store.sum_up()
            except (SQLAlchemyError, BusyError, TimeoutError) as problem:
                _log.warning("summaries are put off until the next run: %s", problem or "the database is busy")
            rest = max(_PAUSE_S, min(_REST_MAX_S, _RESTS * (time.monotonic() - begun)))

"""Judging in slices: however much there is to judge, the loop gets back to its sockets and stamps what arrives."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

_SLICE_S = 0.002


class Inbox:
    """Work in order of arrival: done at once, until a turn of the loop has given to it what it may have.

    What is left waits for the loop's next turns, so that judging never delays a stamp (spec/steps.md 5).
    ``clock`` is the thread's own time, in seconds: a machine busy with something else has not judged.
    """

    __slots__ = ("_clock", "_is_busy", "_is_scheduled", "_spent_s", "_waiting")

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._spent_s = 0.0
        self._is_busy = False
        self._is_scheduled = False

    def put(self, work: Callable[[], None]) -> None:
        """Do this now, or soon: when this turn has had enough, or after the work that has led to it."""
        self._waiting.append(work)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._next_turn)
        if not self._is_busy:
            self._work()

    def flush(self) -> None:
        """Do all that waits, now."""
        for _ in range(len(self._waiting)):
            if self._waiting:
                self._waiting.popleft()()

    def _work(self) -> None:
        self._is_busy = True
        try:
            while self._waiting and self._spent_s < _SLICE_S:
                began = self._clock()
                self._waiting.popleft()()
                self._spent_s += self._clock() - began
        finally:
            self._is_busy = False

    def _next_turn(self) -> None:
        self._spent_s = 0.0
        self._work()
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._next_turn)
        else:
            self._spent_s = 0.0

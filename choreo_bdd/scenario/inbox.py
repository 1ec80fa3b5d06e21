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

    __slots__ = ("_clock", "_is_scheduled", "_spent_s", "_waiting")

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._spent_s = 0.0
        self._is_scheduled = False

    def put(self, work: Callable[[], None]) -> None:
        """Do this now, or soon when others wait or this turn has had enough."""
        if self._waiting or self._spent_s >= _SLICE_S:
            self._waiting.append(work)
        else:
            self._do(work)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._next_turn)

    def flush(self) -> None:
        """Do all that waits, now."""
        while self._waiting:
            self._waiting.popleft()()

    def _do(self, work: Callable[[], None]) -> None:
        began = self._clock()
        work()
        self._spent_s += self._clock() - began

    def _next_turn(self) -> None:
        self._spent_s = 0.0
        while self._waiting and self._spent_s < _SLICE_S:
            self._do(self._waiting.popleft())
        self._is_scheduled = bool(self._waiting)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._next_turn)
        else:
            self._spent_s = 0.0

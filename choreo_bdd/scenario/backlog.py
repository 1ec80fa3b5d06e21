"""Judging in slices: however much there is to judge, the loop gets back to its sockets and stamps what arrives."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator

Work = Iterator[object]
"""Judging, piece by piece: a message of which 200 checks have to say something takes longer than a slice."""

_SLICE_S = 0.001
_FREE_S = 0.0005
"""So little judging, added up, is nothing that a stamp could wait for: the loop is not watched for it."""
_QUIET_TURNS = 8
"""After so many turns without anything new, what clients have read has come through their own queues and tasks."""
_TURNS_AT_MOST = 200
"""So long is waited for that: whatever never ends must not keep all verdicts waiting."""


class Backlog:
    """Work in order of arrival: done at once, until it has had a slice of the loop; none is begun before the last ends.

    What is left waits for its next slice until the loop has been quiet for some turns: a message takes several of them
    from its socket to here, and judging never delays a stamp.
    ``own_time`` is the thread's, in seconds: a machine busy with something else has not judged. It is a call into the
    system, so it is asked when a slice begins, and when by the wall clock, which costs nothing, that slice has ended.
    """

    __slots__ = (
        "_began",
        "_clock",
        "_is_busy",
        "_is_scheduled",
        "_own_time",
        "_quiet_turns",
        "_spent_s",
        "_turns",
        "_waiting",
    )

    def __init__(
        self, own_time: Callable[[], float] = time.thread_time, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._own_time = own_time
        self._clock = clock
        self._began = 0.0
        self._waiting: deque[Work] = deque()
        self._spent_s = 0.0
        self._quiet_turns = self._turns = 0
        self._is_busy = False
        self._is_scheduled = False

    def put(self, work: Work) -> None:
        """Do this now, or soon: when judging has had its slice, or after the work that has led to it."""
        self._waiting.append(work)
        self._quiet_turns = 0
        if not self._is_busy:
            self._work()

    def flush(self) -> None:
        """Do all that waits, now."""
        for _ in range(len(self._waiting)):
            if self._waiting:
                deque(self._waiting.popleft(), maxlen=0)

    def _work(self) -> None:
        self._is_busy = True
        try:
            while self._waiting and (self._spent_s < _SLICE_S or not self._has_spent(_SLICE_S)):
                if not self._spent_s:
                    self._began = self._own_time()
                began = self._clock()
                self._do_a_piece()
                self._spent_s += self._clock() - began
        finally:
            self._is_busy = False
            if not self._is_scheduled and (self._waiting or (self._spent_s >= _FREE_S and self._has_spent(_FREE_S))):
                self._is_scheduled = True
                asyncio.get_running_loop().call_soon(self._next_turn)

    def _do_a_piece(self) -> None:
        work = self._waiting.popleft()
        for _ in work:
            self._waiting.appendleft(work)
            return

    def _has_spent(self, limit_s: float) -> bool:
        """Whether judging has taken as long as the wall clock says: neither clock alone tells."""
        self._spent_s = min(self._spent_s, self._own_time() - self._began)
        return self._spent_s >= limit_s

    def _next_turn(self) -> None:
        self._quiet_turns += 1
        self._turns += 1
        if self._quiet_turns < _QUIET_TURNS and self._turns < _TURNS_AT_MOST:
            asyncio.get_running_loop().call_soon(self._next_turn)
            return
        self._is_scheduled = False
        self._spent_s, self._quiet_turns, self._turns = 0.0, 0, 0
        self._work()

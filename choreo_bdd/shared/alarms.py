"""Wake-ups of an event loop, nearly all of which are given up long before their time: one timer serves them all."""

from __future__ import annotations

import asyncio
import math
from heapq import heapify, heappop, heappush
from itertools import count

from choreo_bdd.shared.per_loop import one_per_loop

_ROOM = 100
"""So many may wait before it is worth looking which of them nobody waits for any more."""


class Alarms:
    """Those of one loop: each a promise that is kept at its loop time, unless it is done by then."""

    __slots__ = ("_due", "_loop", "_numbers", "_rings_at", "_room", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._room = _ROOM
        self._rings_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, moment: float, promise: asyncio.Future[None]) -> None:
        """Keep a promise at a loop time."""
        heappush(self._due, (moment, next(self._numbers), promise))
        if len(self._due) > self._room:
            self._due = [each for each in self._due if not each[2].done()]
            heapify(self._due)
            self._room = max(_ROOM, 2 * len(self._due))
        if moment < self._rings_at:
            self._ring_at(moment)

    def _ring_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at, self._timer = moment, self._loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        now, due = max(self._rings_at, self._loop.time()), self._due
        while due and (due[0][0] <= now or due[0][2].done()):
            promise = heappop(due)[2]
            if not promise.done():
                promise.set_result(None)
        self._rings_at, self._timer = math.inf, None
        if due:
            self._ring_at(due[0][0])


alarms = one_per_loop(Alarms)
"""Those of the running loop."""

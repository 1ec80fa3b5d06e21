"""Who waits for something to become true, and who wakes them. On the loop's thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from choreo_bdd.shared.alarms import alarms


class Changes:
    """That something has changed, and the conditions that wait for it."""

    __slots__ = ("_alarms", "_waiters")

    def __init__(self) -> None:
        self._alarms = alarms()
        self._waiters: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Have every condition looked at again."""
        for waiter in tuple(self._waiters):
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], deadline: float) -> None:
        """Wait until a condition holds, at the longest until a loop time; it is looked at whenever this is told."""
        loop = asyncio.get_running_loop()
        while not condition() and loop.time() < deadline:
            changed: asyncio.Future[None] = loop.create_future()
            self._waiters.add(changed)
            self._alarms.set(deadline, changed)
            try:
                await changed
            finally:
                self._waiters.discard(changed)

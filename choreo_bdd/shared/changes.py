"""Who waits for something to become true, and who wakes them. On the loop's thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Changes:
    """That something has changed, and the conditions that wait for it."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Have every condition looked at again."""
        for waiter in tuple(self._waiters):
            _release(waiter)

    async def until(self, condition: Callable[[], bool], deadline: float) -> None:
        """Wait until a condition holds, at the longest until a loop time; it is looked at whenever this is told."""
        loop = asyncio.get_running_loop()
        while not condition() and loop.time() < deadline:
            changed: asyncio.Future[None] = loop.create_future()
            timer = loop.call_at(deadline, _release, changed)
            self._waiters.add(changed)
            try:
                await changed
            finally:
                timer.cancel()
                self._waiters.discard(changed)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)

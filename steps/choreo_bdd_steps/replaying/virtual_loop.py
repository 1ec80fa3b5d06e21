"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer instead of sleeping."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _VirtualSelector(selectors.DefaultSelector):
    """Polls instead of sleeping, and adds the sleep it was asked for to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0  # not zero, so that code which takes time 0.0 for "no time" is not flattered

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:  # no timer is set: only another thread or a socket can go on from here
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += max(timeout, 0.0)
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """``time()`` moves only while every task sleeps, and then by exactly what the shortest sleep asks for."""

    def __init__(self) -> None:
        self._jumping = _VirtualSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds, from an arbitrary moment on."""
        return self._jumping.now


class VirtualLoop:
    """A loop in the caller's own thread, for a session; between two pieces of work its time stands still."""

    def __init__(self) -> None:
        self._loop = VirtualClockLoop()

    def time(self) -> float:
        """The loop's own time."""
        return self._loop.time()

    def start(self) -> None:
        """It is always ready."""

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self._loop.run_until_complete(coroutine)

    def stop(self) -> None:
        """Cancel what still runs and close the loop."""
        if self._loop.is_closed():
            return
        self._loop.run_until_complete(_ended(asyncio.all_tasks(self._loop)))
        self._loop.close()


async def _ended(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""What runs beside a connection: tasks that are kept until they have ended, and that end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_through(work: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine that waits for nothing to its end, here and now; ``RuntimeError`` for one that does."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("it waits for something")


class Tasks:
    """All of one connection."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something on the loop that runs now."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def cancel(self) -> None:
        """Tell each of them to end."""
        for task in tuple(self._running):
            task.cancel()

    async def ended(self, *, patience_s: float | None = None) -> None:
        """Wait until all have ended, ``patience_s`` at the longest."""
        if self._running:
            await asyncio.wait(self._running, timeout=patience_s)

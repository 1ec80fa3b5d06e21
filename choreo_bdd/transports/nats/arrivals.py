"""What one NATS connection brings, kept in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Take = Callable[[Any, float], None]
"""Takes what the client has read, and the loop time at which it has."""


class _Diverted(asyncio.Queue[Any]):
    """Stands in for a subscription's own queue."""

    def __init__(self, put: Callable[[Any], None]) -> None:
        super().__init__()
        self._hand_on = put

    def put_nowait(self, item: Any) -> None:
        """Let nothing wait here."""
        self._hand_on(item)


class Arrivals:
    """What one connection has brought, in its order, stamped as it was read.

    The client keeps a queue and a task for each subscription, in which the order between two subjects is lost.
    """

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[Take, Any, float]] = asyncio.Queue()

    def divert(self, handle: Any, take: Take) -> None:
        """Have the messages of a subscription taken here."""
        loop = asyncio.get_running_loop()
        handle._pending_queue = _Diverted(lambda raw: self._queue.put_nowait((take, raw, loop.time())))

    async def run(self) -> None:
        """Hand over what comes, until cancelled."""
        while True:
            take, raw, at = await self._queue.get()
            try:
                take(raw, at)
            finally:
                self._queue.task_done()

    async def drained(self) -> None:
        """Wait until all that has been read is handed over."""
        await self._queue.join()


def end_subscription(handle: Any) -> None:
    """End the task of a subscription: a client whose connection was reset fails before it comes to that."""
    task: asyncio.Task[None] | None = getattr(handle, "_wait_for_msgs_task", None)
    if task is not None:
        task.cancel()

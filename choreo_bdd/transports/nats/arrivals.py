"""What one NATS connection brings, handed over as it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from choreo_bdd.transports.shared.arrival import Arrival

Take = Callable[[Any, float], None]
"""Takes what the client has read, and the loop time at which it came."""


class _DivertingQueue(asyncio.Queue[Any]):
    """Stands in for a subscription's own queue."""

    def __init__(self, put: Callable[[Any], None]) -> None:
        super().__init__()
        self._hand_on = put

    def put_nowait(self, item: Any) -> None:
        """Let nothing wait here."""
        self._hand_on(item)


class Arrivals:
    """What one connection brings, in its order, stamped with the time at which its bytes came.

    The client keeps a queue and a task for each subscription, in which the order between two subjects is lost; here a
    message is handed over while the client reads it, so that whatever comes behind it finds it handed over.
    """

    def __init__(self) -> None:
        self._arrival: Arrival | None = None

    def watch(self, client: Any, reader: asyncio.StreamReader | None) -> None:
        """Note from now on when bytes come; without a reader (WebSocket), when the client hands messages over."""
        if reader is None:
            return
        self._arrival = arrival = Arrival(reader)
        process = client._process_msg

        async def processed(*message: Any) -> None:
            await process(*message)
            await arrival.give_way()  # the client takes apart all it has read without a look at what comes meanwhile

        client._process_msg = processed

    def divert(self, handle: Any, take: Take) -> None:
        """Have the messages of a subscription taken here."""
        handle._pending_queue = _DivertingQueue(lambda raw: take(raw, self._came_at()))

    def _came_at(self) -> float:
        return asyncio.get_running_loop().time() if self._arrival is None else self._arrival.of_the_last_read


def end_subscription(handle: Any) -> None:
    """End the task of a subscription: a client whose connection was reset fails before it comes to that."""
    task: asyncio.Task[None] | None = getattr(handle, "_wait_for_msgs_task", None)
    if task is not None:
        task.cancel()

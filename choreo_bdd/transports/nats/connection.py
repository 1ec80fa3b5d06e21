"""What the client leaves open about its connection: when bytes have left, and when the server has answered."""

from __future__ import annotations

import asyncio
from typing import Any

CONFIRM_S = 10.0
_EAGER_TURNS = 10
_PATIENT_S = 0.001


def end_subscription(handle: Any) -> None:
    """End the task of a subscription: a client whose connection was reset fails before it comes to that."""
    task: asyncio.Task[None] | None = getattr(handle, "_wait_for_msgs_task", None)
    if task is not None:
        task.cancel()


async def until_written(client: Any) -> None:
    """Wait until the client's buffer has gone to the socket, which its flusher does in the next turns of the loop."""
    turns = 0
    while client.pending_data_size and client.is_connected:
        turns += 1
        await asyncio.sleep(0 if turns < _EAGER_TURNS else _PATIENT_S)


async def answered(client: Any) -> None:
    """Have the server answer behind everything sent so far.

    The client's ``flush`` writes its PING past commands that are still in its buffer: on its own it proves nothing.
    """
    async with asyncio.timeout(CONFIRM_S):
        await until_written(client)
        await client.flush(timeout=round(CONFIRM_S))

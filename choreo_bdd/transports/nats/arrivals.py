"""What one NATS connection brings, handed over as it is read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from choreo_bdd.transports.shared.arrival import Arrival
from choreo_bdd.transports.shared.tasks import run_through

_MESSAGE = re.compile(rb"MSG (\S+) (\d+) (\d+)\r\n")
"""The line before a message without headers that nobody asks an answer to."""
_AWAITING_CONTROL_LINE = 1
"""The state of the client's parser in which it is between two commands."""
_LINE_END = b"\r\n"
_PONG = b"PONG\r\n"


Take = Callable[[Any, float], None]
"""Takes what the client has read, and the loop time at which it came."""


class _Plain(NamedTuple):
    """As much of the client's message as there is to one without headers and reply subject."""

    subject: str
    data: bytes
    reply: str = ""
    headers: None = None


class _DivertingQueue(asyncio.Queue[Any]):
    """Stands in for a subscription's own queue."""

    def __init__(self, take: Take, came_at: Callable[[], float]) -> None:
        super().__init__()
        self.take = take
        self._came_at = came_at

    def put_nowait(self, item: Any) -> None:
        """Let nothing wait here."""
        self.take(item, self._came_at())


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
        arrival.rest_of = partial(self._rest_of, client, reader, arrival)

    def _rest_of(self, client: Any, reader: Any, arrival: Arrival, data: bytes) -> bytes:
        """Take plain messages while the client waits for them, and spare the turns of the loop in which it would.

        What is anything else, and all behind it, is the client's.
        """
        parser, at, came_at = client._ps, 0, arrival.of_the_last_read
        if reader._waiter is None or parser.buf or parser.state != _AWAITING_CONTROL_LINE:
            return data
        while at < len(data):
            if data.startswith(_PONG, at):
                run_through(client._process_pong())
                at += len(_PONG)
                continue
            line = _MESSAGE.match(data, at)
            if line is None or arrival.must_give_way:
                break
            subject, number, size = line.groups()
            begin, end = line.end(), line.end() + int(size)
            waiting = getattr(client._subs.get(int(number)), "_pending_queue", None)
            if data[end : end + 2] != _LINE_END or not isinstance(waiting, _DivertingQueue):
                break
            at = end + 2
            waiting.take(_Plain(subject.decode(), data[begin:end]), came_at)
        return data[at:]

    def divert(self, handle: Any, take: Take) -> None:
        """Have the messages of a subscription taken here."""
        handle._pending_queue = _DivertingQueue(take, self._came_at)

    def _came_at(self) -> float:
        return asyncio.get_running_loop().time() if self._arrival is None else self._arrival.of_the_last_read


def end_subscription(handle: Any) -> None:
    """End the task of a subscription: a client whose connection was reset fails before it comes to that."""
    task: asyncio.Task[None] | None = getattr(handle, "_wait_for_msgs_task", None)
    if task is not None:
        task.cancel()

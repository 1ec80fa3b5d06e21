"""One ordered way out per transport: call order is wire order, and every message's fate is told."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.shared.fitting import fits
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.base import Dated, OnSent, Ready, Sender

_LOG = logging.getLogger("choreo_bdd.transports")


class Outgoing:
    """A message on its way: ``sent`` when the bytes have left, then ``confirm`` or ``fail``."""

    __slots__ = ("_has_left", "_on_sent", "headers", "key", "payload", "ready", "topic")

    def __init__(
        self, topic: str, payload: bytes, headers: Mapping[str, str], key: str | None, on_sent: OnSent | None
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.headers = headers
        self.key = key
        self.ready: Ready = asyncio.get_running_loop().create_future()
        self._on_sent = on_sent
        self._has_left = False

    def is_given_up(self) -> bool:
        """Whether whoever published it does not want it to leave any more; its promise is cancelled then."""
        if not getattr(self._on_sent, "is_given_up", False):  # of a ``Revocable``; looked up once, it is a property
            return False
        self.ready.cancel()
        return True

    def sent(self, at: float | None = None) -> None:
        """The bytes have left: at the loop time ``at`` or a little later, if it is known.

        Now is too late on a busy machine: whoever gets the bytes may be let run before us, and answer.
        """
        if self._has_left:
            return
        self._has_left = True
        if self._on_sent is not None:
            if at is not None and fits(self._on_sent, Dated):
                self._on_sent.leaving(at)
            self._on_sent()

    def unheard(self, words: str) -> None:
        """The broker says that it has reached nobody, which is no failure of whoever speaks."""
        if fits(self._on_sent, Sender):
            self._on_sent.unheard(words)

    def confirm(self) -> None:
        """The message can no longer be lost on this side."""
        self.sent()
        if not self.ready.done():
            self.ready.set_result(None)

    def fail(self, transport: str, reason: str) -> None:
        """The message did not get through."""
        break_promise(self.ready, PublishFailed(transport, self.topic, reason))


Write = Callable[[Sequence[Outgoing]], Awaitable[None]]
AtOnce = Callable[[Outgoing, float], bool]
"""Writes a message at this loop time, now, if the client can without waiting; false where it has done nothing."""

_APART_S = 0.0001
"""What follows sooner belongs to a burst, which is written faster as one batch."""


class Outbound:
    """A queue and the one task that empties it, batch by batch, through ``write``.

    Where nothing is under way a message is written ``at_once``, if that is possible; what follows close behind it goes
    as one batch.
    """

    def __init__(self, transport: str, write: Write, *, at_once: AtOnce = lambda *_: False) -> None:
        self._transport = transport
        self._write = write
        self._at_once = at_once
        self._latest = -math.inf
        self._clock = asyncio.get_running_loop().time
        self._queue: deque[Outgoing] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, outgoing: Outgoing) -> Ready:
        """Write a message, or queue it; its promise."""
        if self._idle.is_set():
            now = self._clock()
            if now - self._latest >= _APART_S and not outgoing.is_given_up() and self._at_once(outgoing, now):
                self._latest = now
                return outgoing.ready
        self._queue.append(outgoing)
        self._idle.clear()
        self._wake.set()
        return outgoing.ready

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch = [outgoing for outgoing in self._queue if not outgoing.is_given_up()]
            self._queue.clear()
            try:
                await self._write(batch)
            except Exception as error:  # noqa: BLE001 - handed to whoever published
                for outgoing in batch:
                    outgoing.fail(self._transport, f"{type(error).__name__}: {error}")
            except asyncio.CancelledError:
                for outgoing in batch:
                    outgoing.fail(self._transport, "disconnected while it was being sent")
                raise
            if not self._queue:
                self._idle.set()

    async def stop(self, *, timeout_s: float) -> None:
        """Let the queue empty, ``timeout_s`` at the longest; what is left then has failed."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            _LOG.warning("%s closes with %d message(s) unsent", self._transport, len(self._queue))
        self._task.cancel()
        await asyncio.wait([self._task])
        while self._queue:
            self._queue.popleft().fail(self._transport, "disconnected before it was sent")

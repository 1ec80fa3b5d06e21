"""``GET /stream``: events as they happen, to any number of listeners without a connection held for one of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from choreo_bdd_chronicle.store import Store, events
from choreo_bdd_chronicle.store.events import Event

WAITING_MAX = 100
"""A listener that is so many events behind is cut off; it comes back and catches up by ``Last-Event-ID``."""
TOLD_AT_ONCE = 25
"""So many listeners are told before anybody else has a turn."""
KEEP_ALIVE_SECONDS = 15.0
_KEEP_ALIVE = b": still here\n\n"
_FULL = b'event: error\ndata: {"detail":"Too many listeners; come back later."}\n\n'


class Listener:
    """One client: what it was not yet sent."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        self._is_lagging = False

    def tell(self, number: int, frame: bytes) -> None:
        """Have a frame sent; a client that is too far behind gets no further ones."""
        if self._frames.qsize() >= WAITING_MAX:
            self._is_lagging = True
        if not self._is_lagging:
            self._frames.put_nowait((number, frame))

    def end(self) -> None:
        """Let the client go when it has what waits."""
        self._frames.put_nowait(None)

    async def next(self) -> tuple[int, bytes] | None:
        """The next frame; ``None`` when there will be no more."""
        if self._is_lagging and self._frames.empty():
            return None
        return await self._frames.get()


class Broadcaster:
    """Reads each event once from the store and hands it to the listeners of its tenant."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._listeners: defaultdict[int, set[Listener]] = defaultdict(set)
        self._count = 0
        self._news = asyncio.Event()
        self._last = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what happens from now on."""
        loop = asyncio.get_running_loop()
        self._last = await to_thread.run_sync(self._latest)
        self._store.on_change(partial(_wake, loop, self._news))
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.end()

    def end(self) -> None:
        """Let every listener go, as soon as it has what waits for it."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    async def frames(self, tenant: int, seen: int | None) -> AsyncIterator[bytes]:
        """The event stream of a tenant, with what came after the event ``seen`` first."""
        if self._count >= self._most:
            yield _FULL
            return
        if not self._count:
            latest = await to_thread.run_sync(self._latest)
            if not self._count:  # nobody heard of what happened until now, and this one asks for what comes
                self._last = latest
        listener = Listener()
        self._listeners[tenant].add(listener)
        self._count += 1
        try:
            yield _KEEP_ALIVE
            async for frame in self._sent(listener, tenant, seen):
                yield frame
        finally:
            self._count -= 1
            self._listeners[tenant].discard(listener)

    async def _sent(self, listener: Listener, tenant: int, seen: int | None) -> AsyncIterator[bytes]:
        last = -1 if seen is None else seen
        while seen is not None and (missed := await to_thread.run_sync(self._since, seen, tenant)):
            for event in missed:
                yield _frame(event)
            seen = last = missed[-1].number
        while True:
            try:
                told = await asyncio.wait_for(listener.next(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield _KEEP_ALIVE
                continue
            if told is None:
                return
            if told[0] > last:
                yield told[1]

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                while self._count and (found := await to_thread.run_sync(self._since, self._last, None)):
                    await self._tell(found)
            except SQLAlchemyError:
                continue  # told with the next that can be read

    async def _tell(self, found: Sequence[Event]) -> None:
        for event in found:
            frame, listeners = _frame(event), tuple(self._listeners.get(event.tenant_id, ()))
            self._last = event.number
            for begin in range(0, len(listeners), TOLD_AT_ONCE):
                for listener in listeners[begin : begin + TOLD_AT_ONCE]:
                    listener.tell(event.number, frame)
                await asyncio.sleep(0)  # so that who asks something in between is answered

    def _latest(self) -> int:
        with self._store.reading() as connection:
            return events.latest(connection)

    def _since(self, number: int, tenant: int | None) -> Sequence[Event]:
        with self._store.reading() as connection:
            return events.since(connection, number, tenant)


def _frame(event: Event) -> bytes:
    return f"id: {event.number}\nevent: {event.kind}\ndata: {event.data}\n\n".encode()


def _wake(loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended, and with it everybody's interest
        loop.call_soon_threadsafe(news.set)

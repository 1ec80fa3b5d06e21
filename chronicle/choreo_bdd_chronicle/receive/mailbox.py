"""Results of the writing thread for those who await them: all of one commit are fetched by waking the loop once."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from choreo_bdd_chronicle.store import Store

Result = TypeVar("Result")


class Mailbox:
    """Where results wait until the loop fetches them. Each wake costs a system call and a turn of the interpreter."""

    def __init__(self, store: Store) -> None:
        self._arrived: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        store.on_change(self._wake)

    async def fetch(self, found: Future[Result]) -> Result:
        """The result once it is there; raises what it was refused with."""
        self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Result] = self._loop.create_future()
        found.add_done_callback(lambda done: self._put(waiting, done))
        if found.done():  # perhaps it was told of before
            self._wake()
        return await waiting

    def _put(self, waiting: asyncio.Future[Any], found: Future[Any]) -> None:
        self._arrived.append((waiting, found))
        if found.exception() is not None:  # nothing was written, so that nobody tells of it
            self._wake()

    def _wake(self) -> None:
        if self._arrived and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        while self._arrived:
            waiting, found = self._arrived.popleft()
            if waiting.done():
                continue
            problem = found.exception()
            if problem is None:
                waiting.set_result(found.result())
            else:
                waiting.set_exception(problem)

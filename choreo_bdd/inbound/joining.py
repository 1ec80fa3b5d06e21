"""Joining a topic that others listen to already: behind all that was on its way before, which is none of the joiner's.

A subscription of one's own begins at its confirmation; one that is shared has begun long ago, and may be behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.inbound.listening import Listener
from choreo_bdd.shared.fitting import fits
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.base import Fencing, Ready, Transport


class SharedRoute(Protocol):
    """A subscribed topic that may be joined."""

    topic: str
    ready: Ready | None

    def announce(self, listener: Listener) -> None:
        """Note a listener that does not hear yet."""
        ...

    def let_in(self, listener: Listener) -> None:
        """Let it hear from now on, if it still wants to."""
        ...


class _Joiner:
    __slots__ = ("listener", "ready", "route")

    def __init__(self, route: SharedRoute, listener: Listener) -> None:
        self.route = route
        self.listener = listener
        self.ready: Ready = asyncio.get_running_loop().create_future()

    def fail(self, transport: str, reason: str) -> None:
        break_promise(self.ready, SubscriptionFailed(transport, self.route.topic, reason))

    def let_in(self) -> None:
        self.route.let_in(self.listener)
        if not self.ready.done():
            self.ready.set_result(None)


class Joining:
    """Those of one harness who wait to be let in; what comes in one turn of the loop shares one fence."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: list[_Joiner] = []
        self._task: asyncio.Task[None] | None = None

    def must_wait(self, route: SharedRoute) -> bool:
        """Whether something may be on its way on this route: not where a subscription is live at once, or untold."""
        return route.ready is not None and fits(self._transport, Fencing)

    def join(self, route: SharedRoute, listener: Listener) -> Ready:
        """Let a listener hear what comes behind a fence; resolves then, or says why that cannot be known."""
        assert route.ready is not None  # as must_wait() has found
        joiner = _Joiner(route, listener)
        route.announce(listener)
        if route.ready.done():
            self._queue(joiner)
        else:
            route.ready.add_done_callback(lambda _: self._queue(joiner))
        return joiner.ready

    def _queue(self, joiner: _Joiner) -> None:
        self._waiting.append(joiner)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._let_in())

    async def _let_in(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._fence(batch)
            except asyncio.CancelledError:
                self._refuse(batch, "the harness was disconnected before it was live")
                raise
            except Exception as error:  # noqa: BLE001 - handed to whoever joined
                self._refuse(batch, str(error))
            else:
                for joiner in batch:
                    joiner.let_in()

    async def _fence(self, batch: Sequence[_Joiner]) -> None:
        assert fits(self._transport, Fencing)  # as must_wait() has found
        await self._transport.fence({joiner.route.topic for joiner in batch})

    def _refuse(self, batch: Sequence[_Joiner], reason: str) -> None:
        for joiner in batch:
            joiner.fail(type(self._transport).__name__, reason)

    def stop(self) -> None:
        """Refuse whoever still waits."""
        waiting, self._waiting = self._waiting, []
        self._refuse(waiting, "the harness was disconnected before it was live")
        task, self._task = self._task, None  # whoever joins from now on has a task of its own
        if task is not None:
            task.cancel()

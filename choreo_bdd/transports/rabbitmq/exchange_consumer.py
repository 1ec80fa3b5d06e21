"""An exchange and a queue of our own behind it: what is routed to any of its topics comes through there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiormq

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.declared_exchange import DeclaredExchange, Lend
from choreo_bdd.transports.rabbitmq.exchange import Exchange
from choreo_bdd.transports.rabbitmq.own_queue import Listening, OnEnd, OwnQueue

OpenChannel = Callable[[], Awaitable[aiormq.Channel]]


class Source(Protocol):
    """What messages are heard from: an exchange, or what the broker traces."""

    async def listen(self, topic: str, key: str, deliver: Callable[[Message], None], on_end: OnEnd) -> Listening:
        """Live once this returns; raises why it cannot be."""
        ...

    def remove(self, listening: Listening) -> None:
        """Let somebody hear no more, at once."""
        ...

    async def drop(self, listening: Listening) -> None:
        """Have the broker send no more of it, once nobody wants it."""
        ...

    async def fence(self) -> None:
        """Return once all that is due to those who listen has been handed over; raises why that is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription: who hears, and from where; of a pattern, ``beside`` it where further topics under it go.

    ``unheard`` says why some of those cannot be heard.
    """

    source: Source
    listening: Listening
    beside: tuple[Subscription, ...] = ()
    unheard: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Subscription, ...]:
        """Itself, and those beside it."""
        return (self, *self.beside)


class ExchangeConsumer:
    """One exchange of a connection. ``lane`` tells what comes through it from what comes through the others."""

    def __init__(self, exchange: Exchange, *, lane: str | None, open_channel: OpenChannel, lend: Lend) -> None:
        self.exchange = exchange
        self._lane = lane
        self._open_channel = open_channel
        self._lend = lend
        self._own_queue: OwnQueue | None = None
        self._declared: DeclaredExchange | None = None
        self._opening = asyncio.Lock()
        self._may_mark = True

    async def found(self) -> tuple[OwnQueue, DeclaredExchange]:
        """Our own queue and the exchange; ``TransportError`` where that is missing."""
        async with self._opening:
            if self._own_queue is None or self._declared is None or self._own_queue.ended is not None:
                queue = OwnQueue(await self._open_channel(), self._lane)
                await queue.open()
                if self._declared is not None:
                    await self._declared.leave()
                self._own_queue, self._declared = (
                    queue,
                    DeclaredExchange(self.exchange, queue=queue.queue, lend=self._lend),
                )
        await self._declared.find()
        return self._own_queue, self._declared

    async def leave(self) -> None:
        """Take away what we have tied to the exchange."""
        if self._declared is not None:
            await self._declared.leave()

    # --- who hears ------------------------------------------------------------------------------------------------

    async def listen(self, topic: str, key: str, deliver: Callable[[Message], None], on_end: OnEnd) -> Listening:
        """Hear what is routed by a key, or a pattern of them."""
        queue, declared = await self.found()
        listening = queue.add(topic, deliver, on_end, key=key)
        try:
            if self._may_mark and not await self._bound_behind_a_marker(queue, listening):
                self._may_mark = False
            if not listening.is_live:
                async with self._lend() as channel:
                    await queue.bind(channel, listening, self.exchange.name, may_mark=False)
        except BaseException:
            queue.remove(listening)
            raise
        if (deaf := declared.why_deaf(key)) is not None:
            asyncio.get_running_loop().call_soon(on_end, deaf)  # once it is known to be confirmed
        return listening

    async def _bound_behind_a_marker(self, queue: OwnQueue, listening: Listening) -> bool:
        """False for a user who may put no marker into our own queue: he may not use the default exchange."""
        try:
            async with self._lend() as channel:
                await queue.bind(channel, listening, self.exchange.name, may_mark=True)
        except (aiormq.ChannelAccessRefused, aiormq.ChannelInvalidStateError):
            return False
        return True

    def remove(self, listening: Listening) -> None:
        """Let somebody hear no more, at once."""
        if self._own_queue is not None:
            self._own_queue.remove(listening)

    async def drop(self, listening: Listening) -> None:
        """Unbind what nobody wants any more."""
        if self._own_queue is not None:
            async with self._lend() as channel:
                await self._own_queue.drop(channel, listening, self.exchange.name)

    # --- fences ---------------------------------------------------------------------------------------------------

    async def fence(self) -> None:
        """Return once all that came before has been handed over, and the exchange is still the same."""
        await asyncio.gather(self.settle(), self._require_unchanged())

    async def settle(self) -> None:
        """Have a marker come out of our own queue behind all the rest, or ask how much is left in it."""
        assert self._own_queue is not None  # somebody listens there
        if self._may_mark:
            try:
                async with self._lend() as channel:
                    await self._own_queue.marked(channel)
            except (aiormq.ChannelAccessRefused, aiormq.ChannelInvalidStateError):
                self._may_mark = False
            else:
                return
        await self._own_queue.drained()

    async def _require_unchanged(self) -> None:
        assert self._own_queue is not None  # as above
        assert self._declared is not None
        try:
            await self._declared.require_unchanged()
        except TransportError as error:
            for each in self._own_queue.listening:
                each.on_end(str(error))
            raise

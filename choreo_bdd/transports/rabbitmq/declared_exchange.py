"""What a connection knows of its exchange: that it is there, of which type, and that it still is the same one."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import count

import aiormq

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports.rabbitmq.exchange import Exchange
from choreo_bdd.transports.rabbitmq.refusals import type_of_existing
from choreo_bdd.transports.rabbitmq.routes import queue_of

_ROUTING = ("topic", "direct")
"""The types of exchange that hold the routing key against a binding; a fanout exchange hands out everything."""
_THE_BROKERS_OWN = "amq."


def witness_name(exchange: str, number: int) -> str:
    """The name of the witness of an exchange that so many others are beside."""
    return f"choreo.witness.{hashlib.sha256(exchange.encode()).hexdigest()[:12]}.{number}"


Lend = Callable[[], AbstractAsyncContextManager[aiormq.Channel]]
_Refusal = (aiormq.ChannelPreconditionFailed, aiormq.ChannelAccessRefused)


class NoSuchExchange(TransportError):
    """The exchange is not there, and may not be made."""


class DeclaredExchange:
    """The exchange of one connection; ``lend`` gives a channel to ask on.

    A broker tells nobody that an exchange was deleted, and a new one of the same name has none of our bindings. So a
    *witness* is tied to it: an exchange of ours that sends to it, and that the broker deletes with that binding.
    """

    def __init__(self, exchange: Exchange, *, queue: str, lend: Lend) -> None:
        self.exchange = exchange
        self._queue = queue
        self._lend = lend
        self._finding = asyncio.Lock()
        self._is_found = False
        self._witness: str | None = None
        self.type: str | None = None
        """``None`` where the broker does not tell."""

    async def find(self) -> None:
        """Make sure of the exchange; ``TransportError`` says what is missing, or not as the configuration says."""
        async with self._finding:
            while not self._is_found:
                self._is_found = await self._found()

    async def _found(self) -> bool:
        """Take hold of it; false if a temporary one went, with its last user, while we did."""
        exchange = self.exchange
        if not exchange.is_made:
            await self._require()
        try:
            self.type = await self._declared()
            if exchange.is_own:  # a temporary exchange goes with its last binding: this one lasts as we do
                async with self._lend() as channel:
                    await channel.queue_bind(self._queue, exchange.name, routing_key=self._queue)
        except aiormq.ChannelNotFoundEntity:
            return False
        if exchange.kind is not None and self.type not in (exchange.kind, None):
            raise TransportError(
                f"the exchange {exchange.name!r} is a {self.type} exchange, and no {exchange.kind} exchange as the "
                f"configuration says"
            )
        await self._post_witness()
        return True

    async def _declared(self) -> str | None:
        """Declare it as it may be made; of one that is there a refusal tells the type. It is left as it is."""
        exchange, kind = self.exchange, self.exchange.kind or "topic"
        durable = exchange.durable and not exchange.is_own
        try:
            async with self._lend() as channel:
                await channel.exchange_declare(
                    exchange.name, exchange_type=kind, durable=durable, auto_delete=exchange.is_own
                )
        except _Refusal as refusal:
            await self._require()
            return type_of_existing(refusal, asked=kind)
        return kind

    async def _require(self) -> None:
        try:
            async with self._lend() as channel:
                await channel.exchange_declare(self.exchange.name, passive=True)
        except aiormq.ChannelNotFoundEntity as error:
            raise NoSuchExchange(self.exchange.missing()) from error

    # --- the witness ----------------------------------------------------------------------------------------------

    async def _post_witness(self) -> None:
        if self.exchange.name.startswith(_THE_BROKERS_OWN):  # cannot be deleted
            return
        with contextlib.suppress(aiormq.AMQPError):  # a user who may not do so goes without
            witness = await self._place()
            async with self._lend() as channel:
                await channel.exchange_delete(witness)  # left by a run that was killed
                await channel.exchange_declare(witness, exchange_type="fanout", auto_delete=True, internal=True)
                await channel.exchange_bind(destination=self.exchange.name, source=witness)
            self._witness = witness

    async def _place(self) -> str:
        """A name for the witness that no other connection uses now, and that a later run uses again.

        The broker keeps the exchange of a run that was killed. A queue of the same name, which goes with its connection
        however that ends, tells that the place is taken.
        """
        for number in count():
            place = witness_name(self.exchange.name, number)
            try:
                async with self._lend() as channel:
                    await channel.queue_declare(place, exclusive=True)
            except aiormq.exceptions.ChannelLockedResource:
                continue
            return place
        raise AssertionError("count() never ends")

    async def require_unchanged(self) -> None:
        """``TransportError`` when the exchange has gone since it was found, even where there is one again."""
        for name in filter(None, (self.exchange.name, self._witness)):
            try:
                async with self._lend() as channel:
                    await channel.exchange_declare(name, passive=True)
            except aiormq.ChannelNotFoundEntity as error:
                self._is_found, self._witness = False, None
                raise TransportError(
                    f"the exchange {self.exchange.name!r} was deleted meanwhile, and our bindings with it"
                ) from error

    async def leave(self) -> None:
        """Take the witness away."""
        witness, self._witness = self._witness, None
        if witness is not None:
            with contextlib.suppress(aiormq.AMQPError):  # it has gone with the exchange, or the connection has
                async with self._lend() as channel:
                    await channel.exchange_delete(witness)
                    await channel.queue_delete(witness)

    # --- what it does with topics ---------------------------------------------------------------------------------

    @property
    def routes(self) -> bool:
        """Whether it hands out by routing key."""
        return self.type in _ROUTING

    def why_deaf(self, topic: str) -> str | None:
        """Why nothing can come of a subscription that the broker has taken; ``None`` for one as it should be."""
        is_pattern = topic_patterns.is_pattern(topic) or "#" in topic.split(".")
        if self.type != "direct" or queue_of(topic) is not None or not is_pattern:
            return None
        direct = f"{self.exchange.name!r} is a direct exchange, which knows no patterns"
        return f"{direct}: it takes {topic!r} for a routing key"

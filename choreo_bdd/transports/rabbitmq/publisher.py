"""The way out of a RabbitMQ connection: in call order, each message confirmed, and known if it has reached nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import aiormq

from choreo_bdd.transports.rabbitmq.messages import properties_of
from choreo_bdd.transports.rabbitmq.refusals import CONFIRM_S, NAME, why, words_of
from choreo_bdd.transports.rabbitmq.routes import Routes
from choreo_bdd.transports.shared.outbound import Outgoing

OnUnheard = Callable[[Outgoing], None]
"""Called with a message that the broker has routed to nobody."""

_RETURNED = "RabbitMQ returned the message as unroutable"


class Publisher:
    """Publishes on a channel of its own, each message by the route of its topic."""

    def __init__(
        self,
        routes: Routes,
        open_channel: Callable[[], Awaitable[aiormq.Channel]],
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        on_unheard: OnUnheard,
    ) -> None:
        self._routes = routes
        self._open_channel = open_channel
        self._spawn = spawn
        self._on_unheard = on_unheard
        self._channel: aiormq.Channel | None = None
        self._under_way: set[Outgoing] = set()
        self.blocked: str | None = None
        """Why the broker takes nothing from us for the moment, in its own words."""

    async def open(self) -> None:
        """Open the channel, so that the first message does not wait for it."""
        await self._channel_now()

    async def _channel_now(self) -> aiormq.Channel:
        if self._channel is None or self._channel.is_closed:
            self._channel = await self._open_channel()
        return self._channel

    def set_blocked(self, reason: str | None) -> None:
        """The broker blocks the connection, or with ``None`` takes messages again; what is under way has failed."""
        self.blocked = None if reason is None else f"the broker takes no messages for the moment: {reason}"
        if self.blocked is not None:
            for outgoing in tuple(self._under_way):
                outgoing.fail(NAME, self.blocked)

    async def write(self, batch: Sequence[Outgoing]) -> None:
        """Send messages in this order; each learns its fate when the broker confirms it."""
        if self.blocked is not None:
            for outgoing in batch:
                outgoing.fail(NAME, self.blocked)
            return
        channel = await self._channel_now()
        left_at = asyncio.get_running_loop().time()
        for outgoing in batch:
            self._spawn(self._publish(channel, outgoing))
        await asyncio.sleep(0)  # by now all of them queue for the channel, so whoever comes next finds them written
        await self._tell_sent(channel, batch, left_at)

    def write_now(self, outgoing: Outgoing) -> bool:
        """Send a message, where the channel is open and the broker takes messages."""
        channel = self._channel
        if self.blocked is not None or channel is None or channel.is_closed:
            return False
        left_at = asyncio.get_running_loop().time()
        self._spawn(self._publish(channel, outgoing))
        self._spawn(self._tell_sent(channel, [outgoing], left_at))  # begins behind it
        return True

    async def _tell_sent(self, channel: aiormq.Channel, batch: Sequence[Outgoing], left_at: float) -> None:
        """Say that messages have left, once those that queue for the channel by now are written."""
        try:
            async with channel.lock:
                pass
        except aiormq.ChannelInvalidStateError:
            return  # the broker has closed the channel: each message's own attempt tells why
        for outgoing in batch:
            if not outgoing.ready.done():
                outgoing.sent(left_at)

    async def _publish(self, channel: aiormq.Channel, outgoing: Outgoing) -> None:
        route = self._routes.of(outgoing.topic)
        reason = "the connection was closed before the broker confirmed it"
        self._under_way.add(outgoing)
        try:
            await channel.basic_publish(
                outgoing.payload,
                exchange="" if route.exchange is None else route.exchange.name,
                routing_key=route.key_of(outgoing.topic),
                properties=properties_of(outgoing.headers, most=channel.max_content_size),
                mandatory=route.asks_for(outgoing.headers),
                timeout=CONFIRM_S,
            )
        except aiormq.PublishError as error:
            reason = words_of(error)
            if route.exchange is not None and route.fails_unheard:
                reason = f"nobody listens on {outgoing.topic!r}: {_RETURNED}, and its topic is mandatory"
            elif not route.fails_unheard:  # nobody listening is no error of the one who speaks, a missing queue is
                outgoing.unheard(_RETURNED)
                self._on_unheard(outgoing)
                outgoing.confirm()
        except Exception as error:  # noqa: BLE001 - told to whoever published this one
            reason = await why(channel, error)
        else:
            outgoing.confirm()
        finally:
            self._under_way.discard(outgoing)
            outgoing.fail(NAME, reason)  # does nothing once it is confirmed


def heed_blocking(connection: Any, told: Callable[[str | None], None]) -> None:
    """Call ``told`` with the broker's words when it blocks the connection, and with ``None`` when it goes on.

    The client keeps them for its log.
    """
    block = connection._Connection__handle_connection_blocked
    unblock = connection._Connection__handle_connection_unblocked

    async def blocked(frame: Any) -> None:
        told(str(frame.reason or "no reason given"))
        await block(frame)

    async def unblocked(frame: Any) -> None:
        told(None)
        await unblock(frame)

    connection._Connection__handle_connection_blocked = blocked
    connection._Connection__handle_connection_unblocked = unblocked

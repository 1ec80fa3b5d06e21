"""The way out of a RabbitMQ connection: in call order, each message confirmed, and known if it has reached nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import aiormq

from choreo_bdd.transports.rabbitmq.messages import new_id, properties_of, to_publish
from choreo_bdd.transports.rabbitmq.refusals import CONFIRM_S, NAME, reason_of, words_of
from choreo_bdd.transports.rabbitmq.routes import Route, Routes
from choreo_bdd.transports.shared.outbound import Outgoing

OnUnheard = Callable[[Outgoing], None]
"""Called with a message that the broker has routed to nobody."""

_RETURNED = "RabbitMQ returned the message as unroutable"
_CLOSED = "the connection was closed before the broker confirmed it"
_AT_ONCE_BYTES = 1 << 16
"""What is larger waits until the socket takes it."""


class _Due:
    """Stands for a future among the confirmations that the client waits for: it is told at once, and holds no task."""

    __slots__ = ("_outgoing", "_told")

    def __init__(self, outgoing: Outgoing, told: Callable[[BaseException | None], None]) -> None:
        self._outgoing = outgoing
        self._told = told

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self._outgoing.ready.done()

    def cancelled(self) -> bool:
        """As ``done``: the client need not tell of an answer that comes too late."""
        return self._outgoing.ready.done()

    def set_result(self, _: object) -> None:
        """The broker has taken the message."""
        self._told(None)

    def set_exception(self, error: BaseException) -> None:
        """The broker has refused it, or returns it."""
        self._told(error)


class Publisher:
    """Publishes on a channel of its own, each message by the route of its topic.

    What goes out is written past the client's queue and tasks, and what the broker answers the client still reads.
    """

    def __init__(
        self,
        routes: Routes,
        open_channel: Callable[[], Awaitable[aiormq.Channel]],
        *,
        writer: Callable[[], asyncio.StreamWriter],
        on_unheard: OnUnheard,
    ) -> None:
        self._routes = routes
        self._open_channel = open_channel
        self._writer_now = writer
        self._on_unheard = on_unheard
        self._channel: aiormq.Channel | None = None
        self._writer: asyncio.StreamWriter
        self._under_way: dict[Outgoing, tuple[aiormq.Channel, float]] = {}
        """What is not confirmed, the oldest first: the channel it went by, and when."""
        self._watchdog: asyncio.TimerHandle | None = None
        self.blocked: str | None = None
        """Why the broker takes nothing from us for the moment, in its own words."""

    async def open(self) -> None:
        """Open the channel, so that the first message does not wait for it."""
        self._writer = self._writer_now()
        await self._channel_now()

    async def _channel_now(self) -> aiormq.Channel:
        if self._channel is None or self._channel.is_closed:
            self._channel = channel = await self._open_channel()
            channel.closing.add_done_callback(partial(self._closed, channel))
        return self._channel

    def _closed(self, channel: aiormq.Channel, closing: asyncio.Future[None]) -> None:
        error = None if closing.cancelled() else closing.exception()
        lost = [outgoing for outgoing, (by, _) in self._under_way.items() if by is channel]
        self._give_up(lost, _CLOSED if error is None else words_of(error))

    def set_blocked(self, reason: str | None) -> None:
        """The broker blocks the connection, or with ``None`` takes messages again; what is under way has failed."""
        self.blocked = None if reason is None else f"the broker takes no messages for the moment: {reason}"
        if self.blocked is not None:
            self._give_up(tuple(self._under_way), self.blocked)

    async def write(self, batch: Sequence[Outgoing]) -> None:
        """Send messages in this order; each learns its fate when the broker confirms it."""
        if self.blocked is not None:
            self._give_up(batch, self.blocked)
            return
        channel = await self._channel_now()
        await self._writer.drain()
        left_at = asyncio.get_running_loop().time()
        packed = ((outgoing, self._packed(channel, outgoing, left_at)) for outgoing in batch)
        written = {outgoing: frames for outgoing, frames in packed if frames}
        self._writer.write(b"".join(written.values()))
        await self._writer.drain()
        for outgoing in written:
            if not outgoing.ready.done():
                outgoing.sent(left_at)

    def write_now(self, outgoing: Outgoing, now: float) -> bool:
        """Send a message, where the channel is open, and broker and socket take messages."""
        channel = self._channel
        if self.blocked is not None or channel is None or channel.is_closed or len(outgoing.payload) > _AT_ONCE_BYTES:
            return False
        if self._writer.transport.get_write_buffer_size():
            return False
        if frames := self._packed(channel, outgoing, now):
            self._writer.write(frames)
            outgoing.sent(now)
        return True

    def _packed(self, channel: aiormq.Channel, outgoing: Outgoing, now: float) -> bytes:
        """The frames of a message whose confirmation is due from now on; empty for one that cannot be sent."""
        route, headers = self._routes.of(outgoing.topic), outgoing.headers
        try:
            properties = properties_of(headers, most=channel.max_content_size)
            properties.message_id = message_id = properties.message_id or new_id()
            frames = to_publish(
                channel.number,
                exchange="" if route.exchange is None else route.exchange.name,
                key=route.key_of(outgoing.topic),
                mandatory=route.asks_for(headers),
                properties=properties,
                body=outgoing.payload,
                most=channel.max_content_size,
            )
        except Exception as error:  # noqa: BLE001 - told to whoever published this one
            outgoing.fail(NAME, reason_of(error))
            return b""
        channel.delivery_tag = tag = channel.delivery_tag + 1
        told = partial(self._answered, channel, (message_id, tag), outgoing, route)
        channel.confirmations[tag] = _Due(outgoing, told)  # type: ignore[assignment] # it does what the client asks of one
        channel.message_id_delivery_tag[message_id] = tag
        self._under_way[outgoing] = channel, now
        if self._watchdog is None:
            self._watchdog = asyncio.get_running_loop().call_at(now + CONFIRM_S, self._check)
        return frames

    # --- what the broker says -------------------------------------------------------------------------------------

    def _answered(
        self,
        channel: aiormq.Channel,
        id_and_tag: tuple[str, int],
        outgoing: Outgoing,
        route: Route,
        error: BaseException | None,
    ) -> None:
        message_id, tag = id_and_tag
        if channel.message_id_delivery_tag.get(message_id) == tag:  # else another one has that id by now
            del channel.message_id_delivery_tag[message_id]
        self._under_way.pop(outgoing, None)
        if error is None:
            outgoing.confirm()
        elif not isinstance(error, aiormq.PublishError):
            outgoing.fail(NAME, reason_of(error))
        elif route.exchange is not None and route.fails_unheard:
            topic = outgoing.topic
            outgoing.fail(NAME, f"nobody listens on {topic!r}: {_RETURNED}, and its topic is mandatory")
        elif route.fails_unheard:
            outgoing.fail(NAME, words_of(error))
        else:  # nobody listening is no error of the one who speaks, a missing queue is
            outgoing.unheard(_RETURNED)
            self._on_unheard(outgoing)
            outgoing.confirm()

    def _check(self) -> None:
        """Give up what the broker has not confirmed for too long, and look again when the next is due."""
        self._watchdog, now = None, asyncio.get_running_loop().time()
        late = [outgoing for outgoing, (_, left_at) in self._under_way.items() if left_at + CONFIRM_S <= now]
        self._give_up(late, words_of(TimeoutError()))
        if self._under_way:
            due_at = min(left_at for _, left_at in self._under_way.values()) + CONFIRM_S
            self._watchdog = asyncio.get_running_loop().call_at(due_at, self._check)

    def _give_up(self, messages: Sequence[Outgoing], reason: str) -> None:
        for outgoing in messages:
            self._under_way.pop(outgoing, None)
            outgoing.fail(NAME, reason)

    async def settled(self, *, patience_s: float) -> None:
        """Wait for the confirmations that are due, ``patience_s`` at the longest."""
        if self._under_way:
            await asyncio.wait([each.ready for each in self._under_way], timeout=patience_s)

    def stop(self) -> None:
        """Wait for nothing any more; what is not confirmed has failed."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        self._give_up(tuple(self._under_way), _CLOSED)


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

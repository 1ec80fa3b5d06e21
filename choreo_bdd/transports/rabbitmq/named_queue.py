"""A queue of the system under test: what a scenario uses is taken, and all the rest is left where it was."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import cast

import aiormq

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Kept, Message
from choreo_bdd.transports.rabbitmq.arrivals import came_at
from choreo_bdd.transports.rabbitmq.messages import REPLY_PREFIX, message_of
from choreo_bdd.transports.rabbitmq.own_queue import OnEnd
from choreo_bdd.transports.rabbitmq.refusals import last_word, words_of

OpenChannel = Callable[[], Awaitable[aiormq.Channel]]

_AGAIN_S = 0.01
_STREAM_PREFETCH = 1000
_QUORUM_AT_ONCE = 2000
"""So many messages that are not acknowledged a quorum queue gives a consumer, and no more."""
_STREAM_OFFSET = "x-stream-offset"


class NamedQueue:
    """A consumer on a channel of its own.

    A message is acknowledged once somebody has used it. What nobody has is given back when the consumer leaves, and
    stands in the queue as before.
    """

    def __init__(self, name: str, topic: str, on_end: OnEnd) -> None:
        self.name = name
        self._topic = topic
        self._on_end = on_end
        self._channel: aiormq.Channel | None = None
        self._tag = ""
        self._is_stream = False
        self._leftovers = 0
        self._unused: set[int] = set()
        self._used: list[int] = []
        self._acknowledging: asyncio.Task[None] | None = None
        self._ended: str | None = None
        self._reached = -1
        self.others = 0
        """How many other consumers it had, as the broker told last."""

    # --- opening --------------------------------------------------------------------------------------------------

    async def open(self, open_channel: OpenChannel, deliver: Callable[[Message], None]) -> None:
        """Begin; raises whatever the client raises."""
        self._channel = channel = await open_channel()
        if self.name.startswith(REPLY_PREFIX):  # an inbox of our own, made when somebody listens on it
            await channel.queue_declare(self.name, exclusive=True, auto_delete=True, nowait=True)
        declared = await channel.queue_declare(self.name, passive=True)
        self._leftovers, self.others = declared.message_count or 0, declared.consumer_count or 0
        try:
            await self._consume(channel, deliver)
        except aiormq.ChannelPreconditionFailed as refusal:
            if "prefetch" not in words_of(refusal):  # only a stream wants to be told how much at a time
                raise
            await self._consume_stream(open_channel, deliver)

    async def _consume(self, channel: aiormq.Channel, deliver: Callable[[Message], None]) -> None:
        early: list[aiormq.abc.DeliveredMessage] = []
        is_live = False

        async def arrived(delivered: aiormq.abc.DeliveredMessage) -> None:
            if is_live:
                deliver(self._message(delivered))
            else:
                early.append(delivered)

        consuming = await channel.basic_consume(self.name, arrived)
        self._tag = consuming.consumer_tag or ""
        self._watch(channel)
        if self._leftovers:  # by now others may have taken some of them
            waiting = await self._handed_out(channel)
            await asyncio.sleep(0)  # what has been read before that answer is handed over by a task each
            self._leftovers = min(self._leftovers, len(early) + waiting)
        is_live = True
        for delivered in early:
            deliver(self._message(delivered))

    async def _consume_stream(self, open_channel: OpenChannel, deliver: Callable[[Message], None]) -> None:
        """Read a stream from now on. An acknowledgement takes nothing from it: it asks for more."""
        self._channel = channel = await open_channel()
        self._is_stream, self._leftovers, self._ended = True, 0, None
        self._reached = await _end_of_stream(await open_channel(), self.name)

        async def arrived(delivered: aiormq.abc.DeliveredMessage) -> None:
            deliver(message_of(delivered, self._topic, came_at(delivered), lane=self._topic))
            self._reached = max(self._reached, _offset(delivered))
            await channel.basic_ack(cast(int, delivered.delivery_tag), wait=False)

        await channel.basic_qos(prefetch_count=_STREAM_PREFETCH)
        await channel.basic_consume(self.name, arrived, arguments={_STREAM_OFFSET: "next"})
        self._watch(channel)

    def _watch(self, channel: aiormq.Channel) -> None:
        channel.on_consumer_cancel_callbacks.add(self._cancelled)
        channel.closing.add_done_callback(self._closed)

    # --- messages -------------------------------------------------------------------------------------------------

    def _message(self, delivered: aiormq.abc.DeliveredMessage) -> Message:
        tag = cast(int, delivered.delivery_tag)
        self._unused.add(tag)
        is_leftover = self._leftovers > 0
        self._leftovers -= is_leftover
        kept = Kept(lambda: self._use(tag), is_leftover=is_leftover)
        return message_of(delivered, self._topic, came_at(delivered), kept, lane=self._topic)

    def _use(self, tag: int) -> None:
        if tag not in self._unused or self._ended is not None:
            return
        self._unused.discard(tag)
        self._used.append(tag)
        if self._acknowledging is None or self._acknowledging.done():
            self._acknowledging = asyncio.get_running_loop().create_task(self._acknowledge())

    async def _acknowledge(self) -> None:
        assert self._channel is not None  # whoever delivers is open
        with contextlib.suppress(aiormq.AMQPError):  # the channel has gone, and the queue has the message again
            while self._used:
                await self._channel.basic_ack(self._used.pop(0), wait=False)

    # --- fences ---------------------------------------------------------------------------------------------------

    async def drained(self, open_channel: OpenChannel) -> None:
        """Wait until the queue has nothing left that it could hand to us."""
        if self._is_stream:
            end = await _end_of_stream(await open_channel(), self.name)
            while self._reached < end:
                self.require_live()
                await asyncio.sleep(_AGAIN_S)
            return
        assert self._channel is not None  # as it has been confirmed
        while True:
            self.require_live()
            waiting = await self._handed_out(self._channel)
            if not waiting:
                self.require_live()
                self._require_alone()
                return
            if len(self._unused) >= _QUORUM_AT_ONCE and not self._used:
                raise TransportError(
                    f"the queue {self.name!r} has given us {len(self._unused):,} messages that nobody uses, and keeps "
                    f"{waiting:,} more until then, as quorum queues do: purge what was left in it"
                )
            await asyncio.sleep(_AGAIN_S)

    def _require_alone(self) -> None:
        """``TransportError`` where what came may have gone to somebody else."""
        remark = self.remark()
        if remark is not None:
            raise TransportError(remark)

    async def _handed_out(self, channel: aiormq.Channel) -> int:
        """Wait for all that the queue has handed to us so far; returns how many messages it still has.

        The second answer on the consuming channel comes behind what the queue had handed out before the first.
        """
        declared = await channel.queue_declare(self.name, passive=True)
        self.others = max(0, (declared.consumer_count or 0) - 1)
        await channel.queue_declare(self.name, passive=True)
        return declared.message_count or 0

    def remark(self) -> str | None:
        """What to know of a message that did not come."""
        if not self.others:
            return None
        consumers = "another consumer" if self.others == 1 else f"{self.others} other consumers"
        return f"the queue {self.name!r} has {consumers}, who may have taken what came"

    # --- its end --------------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        """Give back what nobody has used and end; harmless when it has ended."""
        channel, is_over = self._channel, self._ended is not None
        self._ended = "it has ended"
        if channel is None or is_over:
            return
        if self._acknowledging is not None:
            await asyncio.wait([self._acknowledging])
        with contextlib.suppress(Exception):
            if self._tag:
                await channel.basic_cancel(self._tag)
                await channel.basic_nack(0, multiple=True, requeue=True)
                await channel.queue_declare(self.name, passive=True)  # its answer comes behind what was given back
            await channel.close()

    def require_live(self) -> None:
        """``TransportError`` when it has ended."""
        if self._ended is not None:
            raise TransportError(self._ended)

    def _cancelled(self, _: object) -> None:
        self._end("the server cancelled it; was its queue deleted?")

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._end(f"the server closed its channel: {last_word(closing)}")

    def _end(self, reason: str) -> None:
        if self._ended is None:
            self._ended = reason
            self._on_end(reason)


async def _end_of_stream(channel: aiormq.Channel, name: str) -> int:
    """The offset of the last message of a stream, -1 where it has none.

    A second reader is handed the last chunk before it gets any other answer.
    """
    reached = -1

    async def arrived(delivered: aiormq.abc.DeliveredMessage) -> None:
        nonlocal reached
        reached = max(reached, _offset(delivered))

    try:
        await channel.basic_qos(prefetch_count=_STREAM_PREFETCH)
        await channel.basic_consume(name, arrived, arguments={_STREAM_OFFSET: "last"})
        await channel.queue_declare(name, passive=True)
        await asyncio.sleep(0)  # what has been read before that answer is handed over by a task each
    finally:
        with contextlib.suppress(aiormq.AMQPError):
            await channel.close()
    return reached


def _offset(delivered: aiormq.abc.DeliveredMessage) -> int:
    value = (delivered.header.properties.headers or {}).get(_STREAM_OFFSET)
    return value if isinstance(value, int) else -1

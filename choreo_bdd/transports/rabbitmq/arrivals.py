"""What is delivered on a channel: stamped and, where that is wanted, handed over as the client reads it.

The client itself hands a message over some queues and a task later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import aiormq
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from choreo_bdd.transports.shared.arrival import Arrival

_BUFFER_BYTES = 1 << 23
"""So much may have come that is not read yet: what waits in a socket has no time."""

_LOG = logging.getLogger("choreo_bdd.transports.rabbitmq")

Take = Callable[[DeliveredMessage, float], None]
"""Takes a delivery, and the loop time at which the last of its bytes came."""

_CAME_AT: WeakKeyDictionary[object, float] = WeakKeyDictionary()
"""Loop time at which the latest bytes came of each delivery that the client hands over."""


class _Reading:
    """A delivery of which not everything has been read."""

    __slots__ = ("_body", "_delivery", "_header", "_missing", "_take")

    def __init__(self, delivery: spec.Basic.Deliver, take: Take) -> None:
        self._delivery = delivery
        self._take = take
        self._header: ContentHeader | None = None
        self._body: list[bytes] = []
        self._missing = 0

    def is_whole_with(self, frame: ContentHeader | ContentBody) -> bool:
        """Take a frame of it; whether it was the last."""
        if isinstance(frame, ContentHeader):
            self._header, self._missing = frame, frame.body_size
        else:
            self._body.append(frame.value or b"")
            self._missing -= len(self._body[-1])
        return self._missing <= 0

    def hand_over(self, channel: aiormq.Channel, at: float) -> None:
        """Hand it to whoever takes it; what that raises is logged."""
        assert self._header is not None  # it is whole
        try:
            self._take(DeliveredMessage(self._delivery, self._header, b"".join(self._body), channel), at)
        except Exception as error:  # noqa: BLE001 - one message that cannot be read ends no connection
            _LOG.error("rabbitmq_delivery_failed: %s raised over what was delivered", type(error).__name__)


class Dialling(aiormq.TransportFactory):
    """Opens the socket as the client itself would; notes when bytes come, and can cut it when closing gets stuck."""

    arrival: Arrival

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the server, encrypted for ``amqps``."""
        provider = options.pop("ssl_context_provider")
        context = await provider.get_context() if url.scheme == "amqps" else None
        reader, self._writer = await asyncio.open_connection(
            url.host, url.port, ssl=context, limit=_BUFFER_BYTES, **options
        )
        self.arrival = Arrival(reader)
        return reader, self._writer

    def writer(self) -> asyncio.StreamWriter:
        """Where the client writes."""
        assert self._writer is not None  # the client is connected
        return self._writer

    def cut(self) -> None:
        """Close the socket without a word."""
        if self._writer is not None:
            self._writer.transport.abort()


class _Stamping:
    """Stands for the way on which the client hands on the frames of a channel.

    The channel holds it, and nothing else does: whoever takes a channel's messages holds the channel in turn.
    """

    def __init__(self, channel: aiormq.Channel, arrival: Arrival) -> None:
        self._channel = channel
        self._arrival = arrival
        self._put = channel.frames.put
        self._delivery: spec.Basic.Deliver | None = None
        self._reading: _Reading | None = None
        self.takers: dict[str, Take] = {}
        """By consumer, who takes what is read for it."""

    async def __call__(self, item: tuple[int, object]) -> None:
        frame, arrival = item[1], self._arrival
        if isinstance(frame, spec.Basic.Deliver):
            take = self.takers.get(frame.consumer_tag or "")
            self._delivery, self._reading = (frame, None) if take is None else (None, _Reading(frame, take))
        elif not isinstance(frame, ContentHeader | ContentBody):
            self._delivery = self._reading = None
        elif self._reading is not None and self._reading.is_whole_with(frame):
            self._reading.hand_over(self._channel, arrival.of_the_last_read)
            await arrival.give_way()
            return
        if self._reading is None:
            if self._delivery is not None:
                _CAME_AT[self._delivery] = arrival.of_the_last_read
            await self._put(item)
        await arrival.give_way()


def stamp(channel: aiormq.Channel, arrival: Arrival) -> None:
    """Note from now on when what is delivered on a channel came; ``arrival`` knows when the connection's bytes did."""
    channel.frames.put = _Stamping(channel, arrival)  # type: ignore[method-assign] # the client hands each frame on by it


async def consume(channel: aiormq.Channel, queue: str, take: Take) -> None:
    """Have what comes out of a queue of a stamped channel taken as it is read, in its order; it is acknowledged."""
    stamping, tag = channel.frames.put, f"choreo.{queue}"
    assert isinstance(stamping, _Stamping)
    stamping.takers[tag] = take
    await channel.basic_consume(queue, _taken, no_ack=True, consumer_tag=tag)


async def _taken(_: DeliveredMessage) -> None:
    """The client has nothing to hand over."""


def came_at(delivered: DeliveredMessage) -> float:
    """Loop time at which the last of the bytes came of a delivery that the client hands over."""
    return _CAME_AT[delivered.delivery]

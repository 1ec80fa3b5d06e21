"""A subscription to one queue: a consumer on a channel of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import cast

import aiormq
from aiormq import spec

from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.messages import message_of
from choreo_bdd.transports.rabbitmq.refusals import last_word

OnEnd = Callable[[str], None]
"""Called with the reason when the broker ends what we have not ended ourselves."""

_DEFAULT_EXCHANGE = ""
_MARKER = "choreo.fence"
_AGAIN_S = 0.01


class Subscription:
    """A consumer on a channel of its own; closing the channel is what ends both, and the queue if it was ours."""

    def __init__(self, channel: aiormq.Channel, on_end: OnEnd) -> None:
        self._channel = channel
        self._on_end = on_end
        self._is_over = False
        self._why_over = "it has ended"
        self._queue = ""
        self._markers: dict[str, asyncio.Future[None]] = {}
        self.is_shared = False

    async def consume(
        self,
        queue: str,
        deliver: Callable[[Message], None],
        *,
        named: str | None = None,
        meant: Callable[[aiormq.abc.DeliveredMessage], bool] | None = None,
    ) -> None:
        """Begin. Messages of a queue somebody else has ``named`` are acknowledged one by one, once handed over.

        ``meant`` says which of them concern the subscription, where the exchange does not see to that.
        """
        channel = self._channel
        loop = asyncio.get_running_loop()
        self._queue, self.is_shared = queue, named is not None

        async def on_message(delivered: aiormq.abc.DeliveredMessage) -> None:
            if named is None and delivered.header.properties.message_type == _MARKER:
                self._passed(delivered.header.properties.message_id)
                return
            if meant is None or meant(delivered):
                deliver(message_of(delivered, named, loop.time()))
            if named is not None:
                await channel.basic_ack(cast(int, delivered.delivery_tag), wait=False)

        channel.on_consumer_cancel_callbacks.add(self._cancelled)
        await channel.basic_consume(queue, on_message, no_ack=named is None)
        channel.closing.add_done_callback(self._closed)

    async def close(self) -> None:
        """End it; harmless when it has ended."""
        self._is_over = True
        with contextlib.suppress(Exception):
            await self._channel.close()

    async def marked(self, channel: aiormq.Channel) -> None:
        """Put a marker into our own queue through ``channel``, and wait until it comes out behind all the rest."""
        self._require_live()
        token = secrets.token_hex(8)
        passed = self._markers[token] = asyncio.get_running_loop().create_future()
        properties = spec.Basic.Properties(message_type=_MARKER, message_id=token, delivery_mode=1)
        try:
            # mandatory: a queue that is gone returns it
            await channel.basic_publish(
                b"", exchange=_DEFAULT_EXCHANGE, routing_key=self._queue, properties=properties, mandatory=True
            )
            await passed
        finally:
            del self._markers[token]

    async def drained(self) -> None:
        """Wait until a queue that is not ours to write to has nothing left for us.

        The second answer on the consuming channel comes behind what the queue had handed out before the first.
        """
        while True:
            self._require_live()
            waiting = (await self._channel.queue_declare(self._queue, passive=True)).message_count
            await self._channel.queue_declare(self._queue, passive=True)
            if not waiting:
                self._require_live()
                return
            await asyncio.sleep(_AGAIN_S)

    def _passed(self, token: str | None) -> None:
        passed = self._markers.get(token or "")
        if passed is not None and not passed.done():
            passed.set_result(None)

    def _require_live(self) -> None:
        if self._is_over:
            raise TransportError(self._why_over)

    def _cancelled(self, _: object) -> None:
        self._end("the server cancelled it; was its queue deleted?")

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self._end(f"the server closed its channel: {last_word(closing)}")

    def _end(self, reason: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._why_over = reason
            for passed in self._markers.values():
                if not passed.done():
                    passed.set_exception(TransportError(reason))
            self._on_end(reason)

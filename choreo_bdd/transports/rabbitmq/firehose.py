"""What is put into queues by the default exchange, watched without taking: the broker's own tracing tells of it.

Nobody can bind to the default exchange. Where a virtual host is traced (``rabbitmqctl trace_on``) the broker sends a
copy of every message that is published to ``amq.rabbitmq.trace``; whether it is, a marker of our own shows.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiormq
from aiormq import spec

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.rabbitmq.arrivals import came_at
from choreo_bdd.transports.rabbitmq.declared_exchange import Lend
from choreo_bdd.transports.rabbitmq.exchange_consumer import OpenChannel
from choreo_bdd.transports.rabbitmq.messages import message_from
from choreo_bdd.transports.rabbitmq.own_queue import Listening, OnEnd
from choreo_bdd.transports.rabbitmq.refusals import last_word

_EXCHANGE = "amq.rabbitmq.trace"
_TO_THE_DEFAULT_EXCHANGE = "publish."
_LANE = "the trace of the default exchange"
_PROPERTIES = (
    "content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
    "expiration", "message_id", "timestamp", "user_id", "app_id",
)  # fmt: skip


class Firehose:
    """The copies of what goes to the default exchange, and who hears of which queue."""

    def __init__(self, *, open_channel: OpenChannel, lend: Lend) -> None:
        self._open_channel = open_channel
        self._lend = lend
        self._opening = asyncio.Lock()
        self._queue: str | None = None
        self._listening: list[Listening] = []
        self._markers: dict[str, asyncio.Future[bool]] = {}
        self._traced: set[str] = set()
        self._ended: str | None = None

    async def listen(self, topic: str, key: str, deliver: Callable[[Message], None], on_end: OnEnd) -> Listening:
        """Hear what is put into the queue ``key``, or into those of a pattern; ``Untraced`` where nothing is traced."""
        async with self._opening:
            if self._queue is None or self._ended is not None:
                await self._open()
        listening = Listening(topic, key, deliver, on_end)
        self._listening.append(listening)
        try:
            await self.fence()
        except BaseException as error:
            self.remove(listening)
            if isinstance(error, Untraced):
                raise Untraced(
                    f"what is published into the queue {key!r} goes by the default exchange, to which nobody can bind: "
                    f"have the broker trace it (rabbitmqctl trace_on), or take messages out with consume: true"
                ) from error
            raise
        listening.is_live = True
        return listening

    def remove(self, listening: Listening) -> None:
        """Let somebody hear no more."""
        if listening in self._listening:
            self._listening.remove(listening)

    async def drop(self, listening: Listening) -> None:
        """Nothing: there is one binding for all queues."""

    async def fence(self) -> None:
        """Have a marker come out of our queue behind all the rest; its own trace shows that we are still told."""
        if self._ended is not None:
            raise TransportError(self._ended)
        token = secrets.token_hex(8)
        passed = self._markers[token] = asyncio.get_running_loop().create_future()
        properties = spec.Basic.Properties(message_id=token, delivery_mode=1)
        try:
            async with self._lend() as channel:
                await channel.basic_publish(
                    b"", exchange="", routing_key=self._queue or "", properties=properties, mandatory=True
                )
                if not await passed:
                    raise Untraced("the broker traces no messages any more, so nothing can be watched in queues")
        finally:
            del self._markers[token]
            self._traced.discard(token)

    async def _open(self) -> None:
        channel = await self._open_channel()
        self._queue, self._ended = f"choreo.{secrets.token_hex(6)}", None
        await channel.queue_declare(self._queue, exclusive=True, auto_delete=True)
        await channel.queue_bind(self._queue, _EXCHANGE, _TO_THE_DEFAULT_EXCHANGE)
        channel.on_consumer_cancel_callbacks.add(lambda _: self._end("the server cancelled the watch of its trace"))
        await channel.basic_consume(self._queue, self._arrived, no_ack=True)
        channel.closing.add_done_callback(lambda closing: self._end(f"the server closed it: {last_word(closing)}"))

    async def _arrived(self, delivered: aiormq.abc.DeliveredMessage) -> None:
        if delivered.exchange != _EXCHANGE:  # a marker of ours; its own trace has come before it
            token = delivered.header.properties.message_id or ""
            passed = self._markers.get(token)
            if passed is not None and not passed.done():
                passed.set_result(token in self._traced)
            return
        try:
            self._traced_one(delivered)
        except Exception as error:  # noqa: BLE001 - what cannot be read has been missed, which nobody may pass over
            self._end(f"a trace of the broker cannot be read: {type(error).__name__}: {error}")

    def _traced_one(self, delivered: aiormq.abc.DeliveredMessage) -> None:
        told: Mapping[str, Any] = delivered.header.properties.headers or {}
        keys = [str(key) for key in told.get("routing_keys", ())]
        properties = _properties(told.get("properties", {}))
        if properties.message_id in self._markers:
            self._traced.add(properties.message_id)
        received_at = came_at(delivered)
        for each in tuple(self._listening):
            for key in dict.fromkeys(keys):
                if each.is_live and topic_patterns.matches(each.key, key):
                    each.deliver(
                        message_from(
                            properties,
                            delivered.body,
                            routing_key=key,
                            topic=key if each.key == each.topic else each.topic,
                            received_at=received_at,
                            lane=_LANE,
                        )
                    )

    def _end(self, reason: str) -> None:
        if self._ended is not None:
            return
        self._ended = reason
        for passed in self._markers.values():
            break_promise(passed, TransportError(reason))
        for each in tuple(self._listening):
            each.on_end(reason)


class Untraced(TransportError):
    """The broker sends no copies."""


def _properties(told: Mapping[str, Any]) -> spec.Basic.Properties:
    """The properties of a message, of what its trace says of them."""
    known = {name: told[name] for name in _PROPERTIES if name in told}
    if isinstance(known.get("timestamp"), int):
        known["timestamp"] = datetime.fromtimestamp(known["timestamp"], UTC)
    return spec.Basic.Properties(**known, message_type=told.get("type"))

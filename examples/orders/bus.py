"""The bus as the services see it: topics and JSON objects, over an in-memory broker or over NATS."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, Self

Message = dict[str, Any]
"""A JSON object."""

Handler = Callable[[Message], Awaitable[None]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_LOG = logging.getLogger("orders.bus")
_GRACE_S = 1.0
_CONNECT_S = 5


class Bus(Protocol):
    """What a service needs of a bus."""

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """Call ``handler`` for every JSON object on ``topic``; returns once the subscription is live."""
        ...

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send a JSON object, or bytes as they are."""
        ...


class Inbox:
    """Gives each message a task of its own, so that a slow one never holds up the next."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, topic: str, data: bytes, handler: Handler) -> None:
        """Start the handler on a message; what is not a JSON object is logged and dropped."""
        try:
            message = json.loads(data)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            _LOG.warning("dropped %d bytes on %s: not a JSON object", len(data), topic)
            return
        task = asyncio.get_running_loop().create_task(_handle(topic, message, handler))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Let the messages in hand finish within a second, then give them up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE_S)
        for task in self._tasks:
            task.cancel()


async def _handle(topic: str, message: Message, handler: Handler) -> None:
    try:
        await handler(message)
    except Exception:  # noqa: BLE001 - one message that cannot be handled must not end the service
        _LOG.exception("a message on %s could not be handled", topic)


def encode(payload: Message | bytes) -> bytes:
    """The bytes on the wire."""
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


class MemoryBroker(Protocol):
    """A broker in the same process; the in-memory transport of choreo_bdd is one."""

    def subscribe(self, topic: str, callback: Callable[[str, bytes], None]) -> object:
        """Call back, on the event loop's thread, with each message."""
        ...

    def unsubscribe(self, topic: str, callback: Callable[[str, bytes], None]) -> None:
        """Undo one ``subscribe``."""
        ...

    def publish(self, topic: str, payload: bytes, *, headers: Mapping[str, str] = ...) -> object:
        """Hand a message to all subscribers."""
        ...


class MemoryBus:
    """The bus inside one process; belongs to the event loop it is used on."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._inbox = Inbox()
        self._subscriptions: list[tuple[str, Callable[[str, bytes], None]]] = []

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """Call ``handler`` for every JSON object on ``topic``."""

        def callback(spoken: str, data: bytes) -> None:
            self._inbox.take(spoken, data, handler)

        self._broker.subscribe(topic, callback)
        self._subscriptions.append((topic, callback))

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send a JSON object, or bytes as they are."""
        self._broker.publish(topic, encode(payload), headers=headers)

    async def close(self) -> None:
        """Stop listening and let the messages in hand finish."""
        while self._subscriptions:
            self._broker.unsubscribe(*self._subscriptions.pop())
        await self._inbox.drain()


class NatsBus:
    """The bus on a NATS server, over a connection of its own."""

    def __init__(self, client: Any, lost: asyncio.Event) -> None:
        self._client = client
        self._inbox = Inbox()
        self.lost = lost
        """Set when the connection has ended, by ``close`` or by the server."""

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect within five seconds; raises what the client raises."""
        import nats  # noqa: PLC0415 - the memory bus works without the client

        lost = asyncio.Event()

        async def on_closed() -> None:
            lost.set()

        async def on_error(error: Exception) -> None:
            _LOG.warning("NATS client: %s", type(error).__name__)

        async with asyncio.timeout(_CONNECT_S):
            client = await nats.connect(
                url,
                connect_timeout=_CONNECT_S,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # the client takes 0 for "for ever", at the first connect too
                reconnect_time_wait=0.1,
                error_cb=on_error,
                closed_cb=on_closed,
            )
        return cls(client, lost)

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """Call ``handler`` for every JSON object on ``topic``; the server has confirmed when this returns."""

        async def callback(message: Any) -> None:
            self._inbox.take(message.subject, message.data, handler)

        await self._client.subscribe(topic, cb=callback)
        await self._client.flush()

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send a JSON object, or bytes as they are."""
        await self._client.publish(topic, encode(payload), headers=dict(headers) or None)

    async def close(self) -> None:
        """Let the messages in hand finish, then disconnect."""
        await self._inbox.drain()
        await self._client.close()

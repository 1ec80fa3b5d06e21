"""Redis and Valkey: topic = channel of Pub/Sub, or stream."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.topic_patterns import is_pattern, settings_by_topic
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.redis.auth import context_of, login_of
from choreo_bdd.transports.redis.messages import EntryLayout, Layout, Layouts, ListEnd
from choreo_bdd.transports.shared.credentials import AuthDescriptor, AuthSource
from choreo_bdd.transports.shared.dialling import no_url, require_port
from choreo_bdd.transports.shared.keys import refuse_key
from choreo_bdd.transports.shared.lifecycle import Kind, Lifecycle
from choreo_bdd.transports.shared.probes import there_and_back

if TYPE_CHECKING:
    from choreo_bdd.transports.redis.connection import Connection

_NAME = "RedisTransport"
_SCHEMES = ("redis://", "rediss://", "unix://")
_KIND = Kind(
    transport=_NAME,
    server="Redis server",
    client="redis",
    extra="redis",
    allowlist="redis_servers",
    question="Is a Redis server running there, and are the credentials right?",
)


class RedisTransport:
    """A transport over two connections to one server. A lost one is reported, not hidden; ``connect`` again after it.

    Pub/Sub carries bytes only. With ``streams=True`` topics are streams: messages have headers, a key, an offset and
    the broker's time. An entry keeps the payload in the field ``payload_field``, the key in ``key`` and each header in
    a field of its own; ``stream_maxlen`` trims each stream published to, to about that many entries. Subscriptions
    hear what is appended after they were made.

    ``topics`` tells single topics apart, and patterns of them: how their entries are laid out, ``ListEnd`` for lists,
    or ``None`` for a channel of Pub/Sub; the first that fits counts. Lists are watched with MONITOR, which takes
    nothing from them.

    Patterns know ``*`` (one segment) and ``>`` (the rest). Over streams they also cover streams that appear later:
    at once those this transport publishes to, others within about 0.1 s.
    """

    def __init__(
        self,
        *,
        url: str,
        allowlist_path: str | Path | None = None,
        connect_timeout_s: float = 5.0,
        auth: AuthSource | None = None,
        streams: bool = False,
        payload_field: str = "payload",
        stream_maxlen: int | None = None,
        topics: Sequence[tuple[str, Layout]] = (),
    ) -> None:
        if not isinstance(url, str) or not url.startswith(_SCHEMES):
            raise no_url(_KIND.transport, url, "redis://localhost:6379/0, rediss://… or unix://…")
        require_port(_KIND.transport, url)
        self.allowlist_path = allowlist_path
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._life: Lifecycle[Connection] = Lifecycle(_KIND, [url], auth=auth, patience_s=connect_timeout_s)
        self._layouts = Layouts(
            EntryLayout(payload_field, stream_maxlen) if streams else None, settings_by_topic(topics)
        )

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns, and over streams headers."""
        usual = self._layouts.usual
        return TransportCapabilities(
            topic_patterns=True,
            message_headers=usual is not None and usual.payload_field is not None,
            cheap_patterns=usual is None,
        )

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        await self._life.connect(
            self._log_in,
            load=partial(import_module, "redis.asyncio"),
            reason_of=self._reason,
            allowlist_path=self.allowlist_path,
        )

    async def _log_in(self, descriptor: AuthDescriptor | None) -> Connection:
        from choreo_bdd.transports.redis.connection import open_connection  # noqa: PLC0415 - needs the client

        login, context = login_of(descriptor), context_of(descriptor)
        if context is None and self._url.startswith("redis://"):
            self._life.warn_of_plaintext(is_sent_in_clear=bool(login))
        async with asyncio.timeout(self._connect_timeout_s):
            connection = await open_connection(
                self._url, login, context, layouts=self._layouts, timeout_s=self._connect_timeout_s
            )
        connection.on_lost(self._life.lose)
        return connection

    def _reason(self, error: Exception) -> str:
        # What the client wraps says more than its wrapping, which differs from version to version.
        root = error.__context__ if isinstance(error.__context__, OSError) else error
        if isinstance(root, TimeoutError):
            return f"no answer within {self._connect_timeout_s:g} s"
        if isinstance(error, ValueError):  # whose text may quote parts of the URL, credentials among them
            return type(error).__name__
        return f"{type(root).__name__}: {root}"

    async def disconnect(self) -> None:
        """Send what is queued, close the connections and end every task; harmless when called again.

        Registrations end with their connection: what is still unconfirmed fails.
        """
        await self._life.disconnect()

    @property
    def lost(self) -> str | None:
        """Why the connection is down although nobody closed it; ``None`` while all is well."""
        return self._life.lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the connection goes down by itself."""
        self._life.on_lost(listener)

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Deliver messages on a channel or stream, or a pattern of them, to ``callback``."""
        return self._life.subscribe(topic, callback)

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        self._life.unsubscribe(topic, callback)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> Ready:
        """Queue a message; call order is wire order. The promise resolves when the server has taken it.

        Raises ``PublishFailed`` for a key or headers that cannot travel: Pub/Sub has none of them.
        """
        self._life.require()
        self._require_room(topic, headers, key)
        return self._life.publish(topic, payload, on_sent, headers, key)

    def _require_room(self, topic: str, headers: Mapping[str, str], key: str | None) -> None:
        layout = self._layouts.of(topic)
        if isinstance(layout, ListEnd):
            refuse_key(_NAME, topic, key, "an element of a list has none; put it into the payload")
            if headers:
                raise PublishFailed(_NAME, topic, "an element of a list has no headers; put the data into the payload")
            return
        if layout is None:
            refuse_key(_NAME, topic, key, "put it into the payload, or use streams=True")
        elif layout.payload_field is None:
            refuse_key(_NAME, topic, key, "the entry's fields are the payload; name its own field: payload_field")
        if not headers:
            return
        if layout is None:
            raise PublishFailed(
                _NAME,
                topic,
                "Redis Pub/Sub carries bytes and no headers; put the data into the payload, or use streams=True",
            )
        if layout.payload_field is None:
            raise PublishFailed(
                _NAME, topic, "the entry's fields are the payload, so it has no headers; name its own field"
            )
        taken = layout.reserved(headers)
        if taken is not None:
            raise PublishFailed(
                _NAME, topic, f"the entry's field {taken!r} is taken, so no header can have that name; rename it"
            )

    async def fence(self, topics: Collection[str]) -> None:
        """Have the server answer behind all it had for these topics; ``TransportError`` if it does not."""
        await self._life.fence(topics)

    async def probe(self) -> None:
        """Have a message go there and back: on a channel of our own, or in a stream that nobody ever sees.

        A topic that is there as something else than it is told to be is an error, and so is a server without keyspace
        events that are told to come.
        """
        name = f"choreo.probe.{secrets.token_hex(8)}"
        connection = self._life.require()
        if self._layouts.usual is None:
            await there_and_back(self, name)
        else:
            await connection.probe_streams(name)
        for topic, layout in self._layouts.topics:
            if topic.startswith("__key"):
                await connection.require_notifications(topic)
            elif layout is not None and not is_pattern(topic):
                await connection.require_type(topic, "list" if isinstance(layout, ListEnd) else "stream")

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._life.subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._life.clear()

    def __repr__(self) -> str:
        return f"RedisTransport(url={self._life.shown!r}, streams={self._layouts.usual is not None})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("RedisTransport cannot be pickled: it holds a live connection")

"""Redis and Valkey: topic = channel of Pub/Sub, or stream."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError, PublishFailed, TransportError
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.redis.auth import context_of, login_of
from choreo_bdd.transports.redis.messages import EntryLayout, Layouts
from choreo_bdd.transports.shared.credentials import (
    AuthSource,
    Credentials,
    carries_credentials,
    cleared_after,
    warn_of_plaintext,
    without_credentials,
)
from choreo_bdd.transports.shared.fences import fence
from choreo_bdd.transports.shared.keys import refuse_key
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions

if TYPE_CHECKING:
    from choreo_bdd.transports.redis.command_client import Link

_NAME = "RedisTransport"
_SEND_S = 1.0


class RedisTransport:
    """A transport over two connections to one server. A lost one is reported, not hidden; ``connect`` again after it.

    Pub/Sub carries bytes only. With ``streams=True`` topics are streams: messages have headers, a key, an offset and
    the broker's time. An entry keeps the payload in the field ``payload_field``, the key in ``key`` and each header in
    a field of its own; ``stream_maxlen`` trims each stream published to, to about that many entries. Subscriptions
    hear what is appended after they were made.

    ``topics`` tells single topics apart, and patterns of them: how their entries are laid out, or ``None`` for a
    channel of Pub/Sub; the first that fits counts.

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
        topics: Sequence[tuple[str, EntryLayout | None]] = (),
    ) -> None:
        if not url:
            raise ValueError("RedisTransport needs a URL, such as redis://localhost:6379/0")
        if auth is not None and carries_credentials(url):
            raise ConflictingAuthError("RedisTransport got credentials both in its URL and through auth=; give one")
        self.allowlist_path = allowlist_path
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._credentials = Credentials(_NAME, auth)
        self._layouts = Layouts(EntryLayout(payload_field, stream_maxlen) if streams else None, tuple(topics))
        self._subscriptions = Subscriptions(_NAME)
        self._link: Link | None = None
        self._outbound: Outbound | None = None
        self._lost: str | None = None
        self._loss_listeners: list[OnLost] = []

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
        if self.allowlist_path is not None:
            load_allowlist(self.allowlist_path).enforce(
                "redis_servers", [self._url], label="Redis server", normalise=without_credentials
            )
        _require_client()
        await self.disconnect()
        try:
            link = await self._log_in()
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, there is no connection
            hides_cause = self._credentials.given or carries_credentials(self._url)
            raise TransportError(self._connect_failure(error)) from (None if hides_cause else error)
        self._link, self._lost = link, None
        self._outbound = Outbound(_NAME, link.send)
        link.on_lost(self._on_lost)

    async def _log_in(self) -> Link:
        """Resolve the credentials, translate and use them, and clear them whatever comes of it."""
        from choreo_bdd.transports.redis.command_client import open_link  # noqa: PLC0415 - needs the client

        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            login, context = login_of(descriptor), context_of(descriptor)
            if context is None and (login or carries_credentials(self._url)) and self._url.startswith("redis://"):
                warn_of_plaintext(_NAME, self._url)
            async with asyncio.timeout(self._connect_timeout_s):
                return await open_link(
                    self._url, login, context, layouts=self._layouts, timeout_s=self._connect_timeout_s
                )

    def _connect_failure(self, error: Exception) -> str:
        # What the client wraps says more than its wrapping, which differs from version to version.
        root = error.__context__ if isinstance(error.__context__, OSError) else error
        reason = f"{type(root).__name__}: {root}"
        if isinstance(root, TimeoutError):
            reason = f"no answer within {self._connect_timeout_s:g} s"
        elif isinstance(error, ValueError):  # whose text may quote parts of the URL, credentials among them
            reason = type(error).__name__
        return (
            f"RedisTransport could not connect to {safe_url(self._url)}: {reason}. "
            f"Is a Redis server running there, and are the credentials right?"
        )

    async def disconnect(self) -> None:
        """Send what is queued, close the connections and end every task; harmless when called again.

        Registrations end with their connection: what is still unconfirmed fails.
        """
        outbound, self._outbound = self._outbound, None
        link, self._link = self._link, None
        if outbound is not None:
            await outbound.stop(timeout_s=_SEND_S)
        if link is not None:
            await link.close()
        self._subscriptions.clear()

    def _on_lost(self, reason: str) -> None:
        self._lost = reason
        for registration in self._subscriptions:
            registration.fail(_NAME, reason)
        for listener in self._loss_listeners:
            listener(reason)

    @property
    def lost(self) -> str | None:
        """Why the connection is down although nobody closed it; ``None`` while all is well."""
        return self._lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the connection goes down by itself."""
        self._loss_listeners.append(listener)

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Deliver messages on a channel or stream, or a pattern of them, to ``callback``."""
        _, link = self._require_connected()
        registration = self._subscriptions.add(topic, callback)
        link.mode.add(registration)
        return registration.ready

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self._subscriptions.remove(topic, callback)
        if registration is not None and self._link is not None:
            self._link.mode.remove(registration)

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
        outbound, _ = self._require_connected()
        self._require_room(topic, headers, key)
        return outbound.put(Outgoing(topic, payload, headers, key, on_sent))

    def _require_room(self, topic: str, headers: Mapping[str, str], key: str | None) -> None:
        layout = self._layouts.of(topic)
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
        link = self._link

        def why_down() -> str | None:
            return "it is not connected" if link is None or link is not self._link else self._lost

        async def ask(registrations: Sequence[Registration]) -> None:
            assert link is not None  # as why_down() has found
            await link.mode.fence(registrations)

        await fence(_NAME, topics, self._subscriptions, ask, why_down=why_down)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        for registration in self._subscriptions.clear():
            if self._link is not None:
                self._link.mode.remove(registration)

    # --- details --------------------------------------------------------------------------------------------------

    def _require_connected(self) -> tuple[Outbound, Link]:
        if self._outbound is None or self._link is None:
            raise RuntimeError("RedisTransport is not connected: await connect() first")
        if self._lost is not None:
            raise TransportError(f"RedisTransport cannot go on: {self._lost}")
        return self._outbound, self._link

    def __repr__(self) -> str:
        return f"RedisTransport(url={safe_url(self._url)!r}, streams={self._layouts.usual is not None})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("RedisTransport cannot be pickled: it holds a live connection")


def _require_client() -> Any:
    try:
        import redis.asyncio as client  # noqa: PLC0415 - the client is loaded when it is first needed
    except ModuleNotFoundError as error:
        raise TransportError(
            "RedisTransport needs the redis client, the extra choreo_bdd[redis]: pip install 'choreo-bdd[redis]'"
        ) from error
    return client

"""NATS: topic = subject; a subscription is live once the server has answered a flush behind it."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from choreo_bdd.message import NO_HEADERS
from choreo_bdd.topic_patterns import ByTopic, settings_by_topic
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.nats.auth import client_options, is_sent_in_clear
from choreo_bdd.transports.nats.connection import NAME, Connection
from choreo_bdd.transports.shared.credentials import AuthDescriptor, AuthSource
from choreo_bdd.transports.shared.dialling import first_to_answer, servers_of
from choreo_bdd.transports.shared.keys import refuse_key
from choreo_bdd.transports.shared.lifecycle import Kind, Lifecycle
from choreo_bdd.transports.shared.probes import there_and_back

_KIND = Kind(
    transport=NAME,
    server="NATS server",
    client="nats-py",
    extra="nats",
    allowlist="nats_servers",
    question="Is a NATS server running there, and are the credentials right?",
)


class NatsTransport:
    """A transport over one NATS connection. A lost connection is reported, not hidden; ``connect`` again after it.

    ``streams`` names the JetStream stream of subjects, or patterns of them, the first that fits: publishing there is
    done when the stream has confirmed, and they are read from the stream, from now on. No stream is ever made.
    """

    def __init__(
        self,
        *,
        servers: Iterable[str],
        allowlist_path: str | Path | None = None,
        name: str = "choreo",
        connect_timeout_s: float = 5.0,
        auth: AuthSource | None = None,
        streams: Sequence[tuple[str, str | None]] = (),
    ) -> None:
        self._servers = servers_of(_KIND.transport, servers, "nats://localhost:4222")
        self._streams: ByTopic[str | None] = ByTopic(None, settings_by_topic(streams))
        self.allowlist_path = allowlist_path
        self._name = name
        self._connect_timeout_s = connect_timeout_s
        self._life: Lifecycle[Connection] = Lifecycle(_KIND, self._servers, auth=auth, patience_s=connect_timeout_s)

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True, cheap_patterns=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        await self._life.connect(self._log_in, load=_client, reason_of=_reason, allowlist_path=self.allowlist_path)

    async def _log_in(self, descriptor: AuthDescriptor | None) -> Connection:
        options = {} if descriptor is None else client_options(descriptor)
        in_clear = descriptor is not None and is_sent_in_clear(descriptor)
        self._life.warn_of_plaintext(is_sent_in_clear=in_clear, encrypted=("tls://", "wss://"))
        return await first_to_answer(
            [partial(self._dial, server, options) for server in self._servers],
            patience_s=self._connect_timeout_s,
            release=Connection.close,
        )

    async def _dial(self, server: str, options: Mapping[str, Any]) -> Connection:
        connection = Connection(_client()(), self._life.subscriptions, lose=self._life.lose, streams=self._streams)
        await connection.open(server, name=self._name, patience_s=self._connect_timeout_s, options=options)
        return connection

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again.

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
        """Deliver messages on a subject, wildcards included, to ``callback``."""
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

        Raises ``PublishFailed`` for a key, which NATS does not have.
        """
        if key is not None:
            refuse_key(_KIND.transport, topic, key, "put it into a header or the payload")
        return self._life.publish(topic, payload, on_sent, headers)

    async def fence(self, topics: Collection[str]) -> None:
        """Have the server answer behind all it had for us, and hand that over; ``TransportError`` if it does not."""
        await self._life.fence(topics)

    async def probe(self) -> None:
        """Find all streams that are named, and have a message go there and back on an inbox that no stream keeps."""
        await self._life.require().require_streams()
        await there_and_back(self, f"_INBOX.choreo.{secrets.token_hex(8)}")

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._life.subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._life.clear()

    def __repr__(self) -> str:
        return f"NatsTransport(servers={self._life.shown!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("NatsTransport cannot be pickled: it holds a live connection")


def _client() -> Callable[[], Any]:
    from nats.aio.client import Client  # noqa: PLC0415 - the client is loaded when it is first needed

    return Client


def _reason(error: Exception) -> str:
    """What the server or the handshake says, or the kind of the error: other texts may quote a login."""
    is_known = type(error).__module__ == "nats.errors" or isinstance(error, ssl.SSLError)
    return (is_known and str(error)) or type(error).__name__

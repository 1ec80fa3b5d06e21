"""RabbitMQ: topic = routing key on one exchange; all topics come through one queue of the connection's own."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from choreo_bdd.message import NO_HEADERS
from choreo_bdd.topic_patterns import settings_by_topic
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.rabbitmq.auth import RabbitPlain, login
from choreo_bdd.transports.rabbitmq.exchange import OWN, Exchange
from choreo_bdd.transports.rabbitmq.routes import Route, Routes
from choreo_bdd.transports.shared.credentials import AuthDescriptor, AuthSource
from choreo_bdd.transports.shared.dialling import no_url
from choreo_bdd.transports.shared.keys import refuse_key
from choreo_bdd.transports.shared.lifecycle import Kind, Lifecycle

if TYPE_CHECKING:
    from choreo_bdd.transports.rabbitmq.connection import Connection

_KIND = Kind(
    transport="RabbitTransport",
    server="RabbitMQ server",
    client="aio-pika",
    extra="rabbitmq",
    allowlist="amqp_brokers",
    question="Is a RabbitMQ server running there, and are the credentials right?",
)


class RabbitTransport:
    """A transport over one exchange of a RabbitMQ server.

    ``exchange_name`` names an exchange that is there already; ``exchange`` may say more of it, and that it may be
    made. Without either it is ``choreo``, a temporary topic exchange that goes with its last user. Of an exchange that
    does not route by key (fanout, headers) a topic hears the messages whose routing key it names, and ``>`` all of
    them. A direct exchange knows no patterns.

    ``topics`` gives single topics, and patterns of them, a way of their own (``Route``): the first that fits counts, a
    pattern that is listened to among them.

    All topics of an exchange come through one queue, so that their order is the broker's. A topic that begins with
    ``queue:`` names an existing queue instead: what a scenario uses is taken from it, and all the rest given back;
    publishing puts a message into it, and ``PublishFailed`` says when there is no such queue. A stream is read from
    now on.

    Message properties are headers too, both ways, named ``amqp.correlation_id``, ``amqp.message_id``,
    ``amqp.reply_to``, ``amqp.content_type``, ``amqp.type`` and so on.
    A lost connection is reported, not hidden; ``connect`` again after it.
    """

    def __init__(
        self,
        *,
        url: str,
        allowlist_path: str | Path | None = None,
        exchange_name: str = OWN,
        connect_timeout_s: float = 5.0,
        auth: AuthSource | None = None,
        exchange: Exchange | None = None,
        topics: Sequence[tuple[str, Route]] = (),
    ) -> None:
        if not _is_amqp_url(url):
            raise no_url(_KIND.transport, url, "amqp://localhost:5672/ or amqps://…")
        if exchange is not None and not isinstance(exchange, Exchange):
            raise ValueError(f"exchange is an Exchange, not {exchange!r}; its name alone is given as exchange_name")
        if exchange is not None and exchange_name not in (OWN, exchange.name):
            raise ValueError(f"two exchanges: exchange_name={exchange_name!r} and exchange={exchange!r}; give one")
        self._url = url
        self.allowlist_path = allowlist_path
        self._routes = Routes(exchange or Exchange(exchange_name), settings_by_topic(topics))
        self._connect_timeout_s = connect_timeout_s
        self._life: Lifecycle[Connection] = Lifecycle(_KIND, [url], auth=auth, patience_s=connect_timeout_s)

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True, cheap_patterns=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        await self._life.connect(self._log_in, load=_connection, reason_of=_reason, allowlist_path=self.allowlist_path)

    async def _log_in(self, descriptor: AuthDescriptor | None) -> Connection:
        url, context = (self._url, None) if descriptor is None else login(self._url, descriptor)
        self._life.warn_of_plaintext(is_sent_in_clear=isinstance(descriptor, RabbitPlain), encrypted=("amqps://",))
        connection = _connection()(
            url,
            context=context,
            routes=self._routes,
            subscriptions=self._life.subscriptions,
            lose=self._life.lose,
        )
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await connection.open()
        except BaseException:
            await connection.abandon()
            raise
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
        """Deliver messages on a routing key or pattern, or of a queue (``queue:NAME``), to ``callback``."""
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
        """Queue a message; call order is wire order. The promise resolves when the broker has confirmed it.

        Raises ``PublishFailed`` for a key: the topic is AMQP's routing key.
        """
        refuse_key(_KIND.transport, topic, key, "the topic is AMQP's routing key; put it into a header or the payload")
        return self._life.publish(topic, payload, on_sent, headers)

    async def fence(self, topics: Collection[str]) -> None:
        """Have all that is due to the topics handed over; ``TransportError`` if the broker does not say so."""
        await self._life.fence(topics)

    async def probe(self) -> None:
        """Find all exchanges and queues that are named, and have a message go through our own queue alone."""
        await self._life.require().probe()

    def remark(self, topic: str) -> str | None:
        """Why a message may be missing: its queue has other consumers, or nobody but our own watch has heard it."""
        return None if self._life.connection is None else self._life.connection.remark(topic)

    def overlooks(self, topic: str) -> str | None:
        """What is under a pattern and not heard by it: a queue that nothing traces, or that is consumed."""
        return None if self._life.connection is None else self._life.connection.overlooks(topic)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._life.subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._life.clear()

    def __repr__(self) -> str:
        return f"RabbitTransport(url={self._life.shown!r}, exchange_name={self._routes.usual.name!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("RabbitTransport cannot be pickled: it holds a live connection")


def _connection() -> type[Connection]:
    from choreo_bdd.transports.rabbitmq.connection import Connection  # noqa: PLC0415 - it loads the client

    return Connection


def _reason(error: Exception) -> str:
    from choreo_bdd.transports.rabbitmq.refusals import words_of  # noqa: PLC0415 - as above

    return words_of(error)


def _is_amqp_url(url: str) -> bool:
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may hold a part of the password
        return False

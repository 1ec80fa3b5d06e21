"""RabbitMQ: topic = routing key on one exchange; a subscription is an exclusive queue, live once it is consumed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError, SubscriptionFailed, TransportError
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.rabbitmq.auth import RabbitPlain, login
from choreo_bdd.transports.rabbitmq.exchange import OWN, Exchange
from choreo_bdd.transports.rabbitmq.messages import QUEUE_PREFIX, REPLY_TO
from choreo_bdd.transports.shared.credentials import (
    AuthSource,
    Credentials,
    carries_credentials,
    cleared_after,
    warn_of_plaintext,
    without_credentials,
)
from choreo_bdd.transports.shared.fences import fence
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions

if TYPE_CHECKING:
    from choreo_bdd.transports.rabbitmq.connection import Connection

_NAME = "RabbitTransport"
_TEARDOWN_S = 2.0


class RabbitTransport:
    """A transport over one exchange of a RabbitMQ server.

    ``exchange_name`` names an exchange that is there already; ``exchange`` may say more of it, and that it may be
    made. Without either it is ``choreo``, a temporary topic exchange that goes with its last user. Of an exchange that
    does not route by key (fanout, headers) a topic hears the messages whose routing key it names, and ``>`` all of
    them. A direct exchange knows no patterns.

    All topics come through one queue, so that their order is the broker's. A topic that begins with ``queue:`` names
    an existing queue instead: what a scenario uses is taken from it, and all the rest given back; publishing puts a
    message into it, and ``PublishFailed`` says when there is no such queue. A stream is read from now on.

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
    ) -> None:
        if not _is_amqp_url(url):
            raise ValueError(
                f"RabbitTransport needs a URL such as amqp://localhost:5672/ or amqps://…, not {safe_url(url)!r}"
            )
        if exchange is not None and exchange_name not in (OWN, exchange.name):
            raise ValueError(f"two exchanges: exchange_name={exchange_name!r} and exchange={exchange!r}; give one")
        if auth is not None and carries_credentials(url):
            raise ConflictingAuthError("RabbitTransport got credentials both in the URL and through auth=; give one")
        self._url = url
        self.allowlist_path = allowlist_path
        self._exchange = exchange or Exchange(exchange_name)
        self._connect_timeout_s = connect_timeout_s
        self._credentials = Credentials(_NAME, auth)
        self._connection: Connection | None = None
        self._outbound: Outbound | None = None
        self._subscriptions = Subscriptions(_NAME)
        self._lost: str | None = None
        self._loss_listeners: list[OnLost] = []
        self._unheard: set[str] = set()
        """Topics on which the last message reached nobody."""

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        if self.allowlist_path is not None:
            load_allowlist(self.allowlist_path).enforce(
                "amqp_brokers", [self._url], label="RabbitMQ server", normalise=without_credentials
            )
        try:
            from choreo_bdd.transports.rabbitmq.connection import Connection  # noqa: PLC0415 - it loads the client
            from choreo_bdd.transports.rabbitmq.refusals import words_of  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise TransportError(
                "RabbitTransport needs the aio-pika client, the extra choreo_bdd[rabbitmq]: "
                "pip install 'choreo-bdd[rabbitmq]'"
            ) from error
        await self.disconnect()  # what is left of a connection that was lost
        try:
            self._connection = await self._log_in(Connection)
        except TransportError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client raises: it could not connect
            late = isinstance(error, TimeoutError)
            failure = self._connect_failure(
                f"no answer within {self._connect_timeout_s:g} s" if late else words_of(error)
            )
            has_secrets = self._credentials.given or carries_credentials(self._url)
            raise failure from (None if has_secrets else error)
        self._lost = None
        self._outbound = Outbound(_NAME, self._connection.write)

    async def _log_in(self, new_connection: type[Connection]) -> Connection:
        """Resolve the credentials, translate and use them, and clear them whatever comes of it."""
        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            url, context = (self._url, None) if descriptor is None else login(self._url, descriptor)
            is_plain = isinstance(descriptor, RabbitPlain) or carries_credentials(self._url)
            if is_plain and urlsplit(self._url).scheme == "amqp":
                warn_of_plaintext(_NAME, self._url)
            connection = new_connection(
                url, context=context, exchange=self._exchange, on_lost=self._on_lost, on_routed=self._on_routed
            )
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    await connection.open()
            except BaseException:
                await connection.close(timeout_s=_TEARDOWN_S)
                raise
        return connection

    def _connect_failure(self, reason: str) -> TransportError:
        return TransportError(
            f"RabbitTransport could not connect to {safe_url(self._url)}: {reason}. "
            f"Is a RabbitMQ server running there, and are the credentials right?"
        )

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again."""
        connection, self._connection = self._connection, None
        outbound, self._outbound = self._outbound, None
        if outbound is not None:
            await outbound.stop(timeout_s=_TEARDOWN_S / 2)
        if connection is not None:
            await connection.close(timeout_s=_TEARDOWN_S / 2)

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
        """Deliver messages on a routing key or pattern, or of a queue (``queue:NAME``), to ``callback``."""
        connection, _ = self._require_connected()
        registration = self._subscriptions.add(topic, callback)
        connection.spawn(self._establish(connection, registration))
        return registration.ready

    async def _establish(self, connection: Connection, registration: Registration) -> None:
        def ended(reason: str) -> None:
            registration.fail(_NAME, reason)
            if connection is self._connection and self._lost is None and not registration.is_removed:
                registration.interrupt(_NAME, reason)

        reason = "the connection was closed before it was confirmed"
        try:
            registration.handle = await connection.subscribe(registration.topic, registration.deliver, ended)
            registration.confirm()
        except SubscriptionFailed as failure:
            reason = failure.reason
        finally:
            registration.fail(_NAME, reason)  # does nothing once it is confirmed
        if registration.is_removed and registration.handle is not None:
            connection.leave(registration.handle)

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self._subscriptions.remove(topic, callback)
        if registration is not None and registration.handle is not None and self._connection is not None:
            self._connection.leave(registration.handle)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,  # noqa: ARG002 - the topic is AMQP's routing key
    ) -> Ready:
        """Queue a message; call order is wire order. The promise resolves when the broker has confirmed it."""
        _, outbound = self._require_connected()
        return outbound.put(Outgoing(topic, payload, headers, None, on_sent))

    async def fence(self, topics: Collection[str]) -> None:
        """Have all that the topics' queues hold handed over; ``TransportError`` if the broker does not answer."""
        connection = self._connection

        def why_down() -> str | None:
            if connection is None or connection is not self._connection:
                return "it is not connected"
            return self._lost or connection.blocked

        async def ask(registrations: Sequence[Registration]) -> None:
            assert connection is not None  # as why_down() has found
            await connection.fence([registration.handle for registration in registrations])

        await fence(_NAME, topics, self._subscriptions, ask, why_down=why_down)

    async def probe(self) -> None:
        """Find the exchange, and have a message go through our own queue alone."""
        connection, _ = self._require_connected()
        await connection.probe()

    def _on_routed(self, outgoing: Outgoing, to_somebody: bool) -> None:
        if to_somebody:
            self._unheard.discard(outgoing.topic)
            return
        self._unheard.add(outgoing.topic)
        inbox = f"{QUEUE_PREFIX}{outgoing.headers.get(REPLY_TO, '')}"
        for registration in self._subscriptions:
            if registration.topic == inbox:
                registration.despair(_nobody(outgoing.topic))

    def remark(self, topic: str) -> str | None:
        """Why a message may be missing: nobody took what was published there, or its queue has other consumers."""
        if topic in self._unheard:
            return _nobody(topic)
        queues = [each.handle for each in self._subscriptions if each.topic == topic and each.is_live]
        return next((each.remark() for each in queues if topic.startswith(QUEUE_PREFIX) and each is not None), None)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._subscriptions.clear()

    # --- details --------------------------------------------------------------------------------------------------

    def _require_connected(self) -> tuple[Connection, Outbound]:
        if self._connection is None or self._outbound is None:
            raise RuntimeError("RabbitTransport is not connected: await connect() first")
        if self._lost is not None:
            raise TransportError(f"RabbitTransport cannot go on: {self._lost}")
        return self._connection, self._outbound

    def __repr__(self) -> str:
        return f"RabbitTransport(url={safe_url(self._url)!r}, exchange_name={self._exchange.name!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("RabbitTransport cannot be pickled: it holds a live connection")


def _nobody(topic: str) -> str:
    return f"nobody listens on {topic!r}: RabbitMQ returned the message as unroutable"


def _is_amqp_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may hold a part of the password
        return False

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
    from choreo_bdd.transports.rabbitmq.connection import Wire

_NAME = "RabbitTransport"
_TEARDOWN_S = 2.0


class RabbitTransport:
    """A transport over one exchange of a RabbitMQ server.

    Unless an exchange named ``exchange_name`` exists, of whatever type, a temporary topic exchange is made that goes
    with its last user. Of an exchange that does not route by key (fanout, headers) a topic hears the messages whose
    routing key it names, and ``>`` all of them. A direct exchange knows no patterns.

    A topic that begins with ``queue:`` names an existing queue instead: subscribing takes the queue's messages,
    publishing puts one into it, and ``PublishFailed`` says when there is no such queue.

    Message properties are headers too, both ways, named ``amqp.correlation_id``, ``amqp.message_id``,
    ``amqp.reply_to``, ``amqp.content_type``, ``amqp.type`` and so on.
    A lost connection is reported, not hidden; ``connect`` again after it.
    """

    def __init__(
        self,
        *,
        url: str,
        allowlist_path: str | Path | None = None,
        exchange_name: str = "choreo",
        connect_timeout_s: float = 5.0,
        auth: AuthSource | None = None,
    ) -> None:
        if not _is_amqp_url(url):
            raise ValueError(
                f"RabbitTransport needs a URL such as amqp://localhost:5672/ or amqps://…, not {safe_url(url)!r}"
            )
        if not exchange_name:
            raise ValueError(
                "RabbitTransport needs the name of an exchange; a queue is reached by the topic queue:NAME"
            )
        if auth is not None and carries_credentials(url):
            raise ConflictingAuthError("RabbitTransport got credentials both in the URL and through auth=; give one")
        self._url = url
        self.allowlist_path = allowlist_path
        self._exchange = exchange_name
        self._connect_timeout_s = connect_timeout_s
        self._credentials = Credentials(_NAME, auth)
        self._wire: Wire | None = None
        self._outbound: Outbound | None = None
        self._subscriptions = Subscriptions(_NAME)
        self._lost: str | None = None
        self._loss_listeners: list[OnLost] = []

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
            from choreo_bdd.transports.rabbitmq.connection import Wire  # noqa: PLC0415 - it loads the client
            from choreo_bdd.transports.rabbitmq.refusals import words_of  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise TransportError(
                "RabbitTransport needs the aio-pika client, the extra choreo_bdd[rabbitmq]: "
                "pip install 'choreo-bdd[rabbitmq]'"
            ) from error
        await self.disconnect()  # what is left of a connection that was lost
        try:
            self._wire = await self._log_in(Wire)
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
        self._outbound = Outbound(_NAME, self._wire.write)

    async def _log_in(self, new_wire: type[Wire]) -> Wire:
        """Resolve the credentials, translate and use them, and clear them whatever comes of it."""
        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            url, context = (self._url, None) if descriptor is None else login(self._url, descriptor)
            is_plain = isinstance(descriptor, RabbitPlain) or carries_credentials(self._url)
            if is_plain and urlsplit(self._url).scheme == "amqp":
                warn_of_plaintext(_NAME, self._url)
            wire = new_wire(url, context=context, exchange=self._exchange, on_lost=self._on_lost)
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    await wire.open()
            except BaseException:
                await wire.close(timeout_s=_TEARDOWN_S)
                raise
        return wire

    def _connect_failure(self, reason: str) -> TransportError:
        return TransportError(
            f"RabbitTransport could not connect to {safe_url(self._url)}: {reason}. "
            f"Is a RabbitMQ server running there, and are the credentials right?"
        )

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again."""
        wire, self._wire = self._wire, None
        outbound, self._outbound = self._outbound, None
        if outbound is not None:
            await outbound.stop(timeout_s=_TEARDOWN_S / 2)
        if wire is not None:
            await wire.close(timeout_s=_TEARDOWN_S / 2)

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
        wire, _ = self._require_connected()
        registration = self._subscriptions.add(topic, callback)
        wire.spawn(self._establish(wire, registration))
        return registration.ready

    async def _establish(self, wire: Wire, registration: Registration) -> None:
        def ended(reason: str) -> None:
            registration.fail(_NAME, reason)
            if wire is self._wire and self._lost is None and not registration.is_removed:
                registration.interrupt(_NAME, reason)

        reason = "the connection was closed before it was confirmed"
        try:
            registration.handle = await wire.subscribe(registration.topic, registration.deliver, ended)
            registration.confirm()
            if (deaf := wire.why_deaf(registration.topic)) is not None:
                registration.interrupt(_NAME, deaf)
        except SubscriptionFailed as failure:
            reason = failure.reason
        finally:
            registration.fail(_NAME, reason)  # does nothing once it is confirmed
        if registration.is_removed and registration.handle is not None:
            await registration.handle.close()

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self._subscriptions.remove(topic, callback)
        if registration is not None and registration.handle is not None and self._wire is not None:
            self._wire.spawn(registration.handle.close())

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
        refuse_key(_NAME, topic, key, "the topic is AMQP's routing key; put it into a header or the payload")
        _, outbound = self._require_connected()
        return outbound.put(Outgoing(topic, payload, headers, None, on_sent))

    async def fence(self, topics: Collection[str]) -> None:
        """Have all that the topics' queues hold handed over; ``TransportError`` if the broker does not answer."""
        wire = self._wire

        def why_down() -> str | None:
            return "it is not connected" if wire is None or wire is not self._wire else self._lost

        async def ask(registrations: Sequence[Registration]) -> None:
            assert wire is not None  # as why_down() has found
            await wire.fence([registration.handle for registration in registrations])

        await fence(_NAME, topics, self._subscriptions, ask, why_down=why_down)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._subscriptions.clear()

    # --- details --------------------------------------------------------------------------------------------------

    def _require_connected(self) -> tuple[Wire, Outbound]:
        if self._wire is None or self._outbound is None:
            raise RuntimeError("RabbitTransport is not connected: await connect() first")
        if self._lost is not None:
            raise TransportError(f"RabbitTransport cannot go on: {self._lost}")
        return self._wire, self._outbound

    def __repr__(self) -> str:
        return f"RabbitTransport(url={safe_url(self._url)!r}, exchange_name={self._exchange!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("RabbitTransport cannot be pickled: it holds a live connection")


def _is_amqp_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text may hold a part of the password
        return False

"""Kafka: one shared consumer without a group; a subscription is live once the end of its partitions is known."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError, HostNotInAllowlist, TransportError
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.kafka.auth import client_options, is_sent_in_clear
from choreo_bdd.transports.kafka.topic_policy import TopicPolicy
from choreo_bdd.transports.shared.advertised import Reach
from choreo_bdd.transports.shared.credentials import (
    AuthDescriptor,
    AuthSource,
    Credentials,
    carries_credentials,
    cleared_after,
    warn_of_plaintext,
)
from choreo_bdd.transports.shared.fences import fence
from choreo_bdd.transports.shared.outbound import Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions

if TYPE_CHECKING:
    from choreo_bdd.transports.kafka.clients import Clients
    from choreo_bdd.transports.kafka.connection import Connection

_NAME = "KafkaTransport"
_CATEGORY = "kafka_brokers"
_TEARDOWN_S = 2.0
_SCHEME = "kafka://"


class KafkaTransport:
    """A transport over one Kafka cluster.

    A subscription starts at the end of the log and has no consumer group, so nothing is left on the broker. Messages
    without a key go to a topic's first partition, in call order. A message without a value (a tombstone) is delivered
    with an empty payload. With ``isolation_level="read_committed"`` (the default) a message of a transaction arrives
    when that is committed, and never if it is aborted. A broker that goes away and comes back loses nothing; ``lost``
    says while none answers.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str | Iterable[str],
        allowlist_path: str | Path | None = None,
        client_id: str = "choreo",
        connect_timeout_s: float = 10.0,
        request_timeout_ms: int = 4000,
        auth: AuthSource | None = None,
        create_topics: bool | TopicPolicy = True,
        isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed",
        max_message_bytes: int = 1_048_576,
    ) -> None:
        if isolation_level not in ("read_committed", "read_uncommitted"):
            raise ValueError(f"isolation_level is read_committed or read_uncommitted, not {isolation_level!r}")
        if max_message_bytes < 1:
            raise ValueError(f"max_message_bytes is a number of bytes, at least 1, not {max_message_bytes!r}")
        self._servers = bootstrap_servers.split(",") if isinstance(bootstrap_servers, str) else list(bootstrap_servers)
        if not any(self._servers):
            raise ValueError("KafkaTransport needs at least one bootstrap server, such as localhost:9092")
        if any(carries_credentials(_as_url(server)) for server in self._servers):
            if auth is not None:
                raise ConflictingAuthError("KafkaTransport got credentials both in a server address and through auth=")
            raise ValueError("a Kafka server is host:port and carries no credentials; give them as auth=KafkaAuth...")
        self.allowlist_path = allowlist_path
        self._credentials = Credentials(_NAME, auth)
        self._client_id = client_id
        self._isolation_level = isolation_level
        self._max_message_bytes = max_message_bytes
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_ms = request_timeout_ms
        self._policy = create_topics if isinstance(create_topics, TopicPolicy) else TopicPolicy(create=create_topics)
        self._subscriptions = Subscriptions(_NAME)
        self._connection: Connection | None = None
        self._loss_listeners: list[OnLost] = []

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, deaf to what came before; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        allowlist = None if self.allowlist_path is None else load_allowlist(self.allowlist_path)
        if allowlist is not None:
            allowlist.enforce(_CATEGORY, self._servers, label="Kafka broker", normalise=_host_and_port)
        reach = Reach(_CATEGORY, [_host_and_port(server) for server in self._servers], allowlist)
        try:
            from choreo_bdd.transports.kafka import connection as wire  # noqa: PLC0415 - loads the client
        except ModuleNotFoundError as error:
            raise TransportError(
                "KafkaTransport needs the aiokafka client, the extra choreo_bdd[kafka]: pip install 'choreo-bdd[kafka]'"
            ) from error
        await self.disconnect()
        self._connection = wire.Connection(
            await self._log_in(reach),
            self._subscriptions,
            policy=self._policy,
            request_timeout_s=self._request_timeout_ms / 1000,
            prove_reading=self._credentials.given,
            tell_lost=self._tell_lost,
        )

    async def _log_in(self, reach: Reach) -> Clients:
        """Resolve the credentials, translate and use them, and clear them whatever comes of it."""
        from choreo_bdd.transports.kafka.clients import Clients  # noqa: PLC0415 - as above

        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            clients = Clients.create(
                self._options(descriptor),
                self._client_id,
                isolation_level=self._isolation_level,
                max_message_bytes=self._max_message_bytes,
                reach=reach,
            )
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    await clients.start()
            except BaseException as error:
                await clients.stop(timeout_s=_TEARDOWN_S)
                if not isinstance(error, Exception) or isinstance(error, HostNotInAllowlist):
                    raise
                failure = TransportError(self._connect_failure(error))
                raise failure from (None if self._credentials.given else error)
        return clients

    def _options(self, descriptor: AuthDescriptor | None) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client."""
        options: dict[str, Any] = {
            "bootstrap_servers": [_host_and_port(server) for server in self._servers],
            "request_timeout_ms": self._request_timeout_ms,
        }
        if descriptor is None:
            return options
        if is_sent_in_clear(descriptor):
            for server in self._servers:
                warn_of_plaintext(_NAME, server)
        return {**options, **client_options(descriptor)}

    def _connect_failure(self, error: Exception) -> str:
        if isinstance(error, TransportError):
            reason = str(error)
        elif isinstance(error, TimeoutError):
            reason = f"no answer within {self._connect_timeout_s:g} s"
        else:
            reason = type(error).__name__
        return (
            f"KafkaTransport could not connect to {self._shown_servers}: {reason}. "
            f"Is a Kafka broker running there, and are TLS and credentials as it wants them?"
        )

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again.

        Registrations end with their connection: what is still unconfirmed fails.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        self._subscriptions.clear()

    heals_itself = True
    """The client keeps trying, and the log keeps the messages: ``lost`` clears when a broker can be reached again."""

    @property
    def lost(self) -> str | None:
        """Why no broker can be reached although nobody closed the connection; ``None`` while all is well (again)."""
        return None if self._connection is None else self._connection.lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the brokers can no longer be reached, or a topic no longer be read."""
        self._loss_listeners.append(listener)

    def _tell_lost(self, reason: str) -> None:
        for listener in self._loss_listeners:
            listener(reason)

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Deliver messages on a topic, or a pattern of topics, to ``callback``; new topics as they appear."""
        connection = self._require_connected()
        registration = self._subscriptions.add(topic, callback)
        connection.arm(registration)
        return registration.ready

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self._subscriptions.remove(topic, callback)
        if registration is not None and self._connection is not None:
            self._connection.disarm(registration)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> Ready:
        """Queue a message; call order is wire order. The promise resolves when all replicas in sync have it."""
        outbound = self._require_connected().outbound
        return outbound.put(Outgoing(topic, payload, headers, key, on_sent))

    async def fence(self, topics: Collection[str]) -> None:
        """Read these topics as far as their logs reach now; ``TransportError`` if no broker tells or hands it out."""
        connection = self._connection

        def why_down() -> str | None:
            return "it is not connected" if connection is None or connection is not self._connection else self.lost

        async def ask(registrations: Sequence[Registration]) -> None:
            assert connection is not None  # as why_down() has found
            await connection.fence(registrations)

        await fence(_NAME, topics, self._subscriptions, ask, why_down=why_down)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        for registration in self._subscriptions.clear():
            if self._connection is not None:
                self._connection.disarm(registration)

    # --- details --------------------------------------------------------------------------------------------------

    def _require_connected(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("KafkaTransport is not connected: await connect() first")
        if self._connection.lost is not None:
            raise TransportError(f"KafkaTransport cannot go on: {self._connection.lost}")
        return self._connection

    @property
    def _shown_servers(self) -> str:
        return ", ".join(safe_url(_as_url(server)).removeprefix(_SCHEME) for server in self._servers)

    def __repr__(self) -> str:
        return f"KafkaTransport(bootstrap_servers={self._shown_servers!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("KafkaTransport cannot be pickled: it holds a live connection")


def _as_url(server: str) -> str:
    return server if "://" in server else f"{_SCHEME}{server}"


def _host_and_port(server: str) -> str:
    """``scheme://host:port`` as ``host:port``."""
    return server.rpartition("://")[2]

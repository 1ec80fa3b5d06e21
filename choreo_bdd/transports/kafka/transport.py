"""Kafka: one shared consumer without a group; a subscription is live once the end of its partitions is known."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.redaction import safe_url
from choreo_bdd.shared.causes import causes_of
from choreo_bdd.topic_patterns import ByTopic, settings_by_topic
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.kafka.auth import client_options, is_sent_in_clear
from choreo_bdd.transports.kafka.topic_policy import TopicPolicy, TopicWay, Ways
from choreo_bdd.transports.shared.advertised import AddressGuard
from choreo_bdd.transports.shared.credentials import AuthDescriptor, AuthSource, carries_credentials
from choreo_bdd.transports.shared.dialling import servers_of
from choreo_bdd.transports.shared.lifecycle import Kind, Lifecycle

if TYPE_CHECKING:
    from choreo_bdd.transports.kafka.connection import Connection

_KIND = Kind(
    transport="KafkaTransport",
    server="Kafka broker",
    client="aiokafka",
    extra="kafka",
    allowlist="kafka_brokers",
    question="Is a Kafka broker running there, and are TLS and credentials as it wants them?",
)
_TEARDOWN_S = 2.0
_SCHEME = "kafka://"


class KafkaTransport:
    """A transport over one Kafka cluster.

    A subscription starts at the end of the log and has no consumer group, so nothing is left on the broker. Messages
    without a key go to a topic's first partition, in call order. A record without a value (a tombstone) is a message
    with ``NO_PAYLOAD``, in both directions. With ``isolation_level="read_committed"`` (the default) a message of a
    transaction arrives when that is committed, and never if it is aborted. A broker that goes away and comes back
    loses nothing; ``lost`` says while none answers.

    ``topics`` gives single topics, and patterns of them, a partition to publish to, or has them never made
    (``TopicWay``); the first that fits counts.
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
        topics: Sequence[tuple[str, TopicWay]] = (),
    ) -> None:
        if isolation_level not in ("read_committed", "read_uncommitted"):
            raise ValueError(f"isolation_level is read_committed or read_uncommitted, not {isolation_level!r}")
        if not isinstance(max_message_bytes, int) or max_message_bytes < 1:
            raise ValueError(f"max_message_bytes is a number of bytes, at least 1, not {max_message_bytes!r}")
        if not isinstance(request_timeout_ms, int) or request_timeout_ms < 1:
            raise ValueError(f"request_timeout_ms is a number of milliseconds, at least 1, not {request_timeout_ms!r}")
        self._servers = servers_of(_KIND.transport, bootstrap_servers, "localhost:9092")
        if any(carries_credentials(_as_url(server)) for server in self._servers):
            if auth is not None:
                raise ConflictingAuthError("KafkaTransport got credentials both in a server address and through auth=")
            raise ValueError("a Kafka server is host:port and carries no credentials; give them as auth=KafkaAuth...")
        self.allowlist_path = allowlist_path
        self._client_id = client_id
        self._isolation_level = isolation_level
        self._max_message_bytes = max_message_bytes
        self._connect_timeout_s = connect_timeout_s
        self._request_timeout_ms = request_timeout_ms
        self._policy = create_topics if isinstance(create_topics, TopicPolicy) else TopicPolicy(create=create_topics)
        self._ways: Ways = ByTopic(TopicWay(), settings_by_topic(topics))
        self._life: Lifecycle[Connection] = Lifecycle(
            _KIND, self._servers, auth=auth, patience_s=connect_timeout_s, normalise=_host_and_port, show=_shown
        )

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, deaf to what came before; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True, tombstones=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        await self._life.connect(
            self._log_in,
            load=partial(import_module, "choreo_bdd.transports.kafka.connection"),
            reason_of=_reason,
            allowlist_path=self.allowlist_path,
        )

    async def _log_in(self, descriptor: AuthDescriptor | None) -> Connection:
        from aiokafka.errors import KafkaConnectionError  # noqa: PLC0415 - it is the client

        from choreo_bdd.transports.kafka.clients import Clients  # noqa: PLC0415 - it loads the client
        from choreo_bdd.transports.kafka.connection import Connection  # noqa: PLC0415 - as above
        from choreo_bdd.transports.kafka.dialling import answering, ask  # noqa: PLC0415 - as above

        options, patience_s = self._options(descriptor), self._connect_timeout_s
        deadline = asyncio.get_running_loop().time() + patience_s
        servers = [_host_and_port(server) for server in self._servers]
        chosen = await answering(servers, options, patience_s=patience_s)
        clients = Clients.create(
            {**options, "bootstrap_servers": [chosen]},
            self._client_id,
            isolation_level=self._isolation_level,
            max_message_bytes=self._max_message_bytes,
            guard=self._guard(),
        )
        try:
            async with asyncio.timeout_at(deadline):
                await clients.start()
        except BaseException as error:
            await clients.stop(timeout_s=_TEARDOWN_S)
            if isinstance(error, KafkaConnectionError):
                async with asyncio.timeout_at(deadline):
                    await ask(chosen, options)
            raise
        request_timeout_s = self._request_timeout_ms / 1000
        return Connection(
            clients, self._life, policy=self._policy, ways=self._ways, request_timeout_s=request_timeout_s
        )

    def _guard(self) -> AddressGuard:
        allowlist = None if self.allowlist_path is None else load_allowlist(self.allowlist_path)
        return AddressGuard(_KIND.allowlist, [_host_and_port(server) for server in self._servers], allowlist)

    def _options(self, descriptor: AuthDescriptor | None) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client and connection."""
        options: dict[str, Any] = {"request_timeout_ms": self._request_timeout_ms}
        if descriptor is None:
            return options
        self._life.warn_of_plaintext(is_sent_in_clear=is_sent_in_clear(descriptor))
        return {**options, **client_options(descriptor)}

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again.

        Registrations end with their connection: what is still unconfirmed fails.
        """
        await self._life.disconnect()
        self._life.recovered()

    heals_itself = True
    """The client keeps trying, and the log keeps the messages: ``lost`` clears when a broker can be reached again."""

    @property
    def lost(self) -> str | None:
        """Why no broker can be reached although nobody closed the connection; ``None`` while all is well (again)."""
        return self._life.lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the brokers can no longer be reached, or a topic no longer be read."""
        self._life.on_lost(listener)

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Deliver messages on a topic, or a pattern of topics, to ``callback``; new topics as they appear."""
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
        """Queue a message; call order is wire order. The promise resolves when all replicas in sync have it."""
        return self._life.publish(topic, payload, on_sent, headers, key)

    async def fence(self, topics: Collection[str]) -> None:
        """Read these topics as far as their logs reach now; ``TransportError`` if no broker tells or hands it out."""
        await self._life.fence(topics)

    async def probe(self) -> None:
        """Have the cluster list its topics, those that are named among them: whatever is sent to it, it keeps."""
        await self._life.require().probe()

    def remark(self, topic: str) -> str | None:
        """Why a message may be missing: nobody has made the topic that was published to before we did."""
        return None if self._life.connection is None else self._life.connection.remark(topic)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._life.subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._life.clear()

    def __repr__(self) -> str:
        return f"KafkaTransport(bootstrap_servers={self._life.shown!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("KafkaTransport cannot be pickled: it holds a live connection")


def _reason(error: Exception) -> str:
    from aiokafka.errors import AuthenticationFailedError, BrokerResponseError  # noqa: PLC0415 - it loads the client

    from choreo_bdd.transports.kafka.clients import Unreachable  # noqa: PLC0415 - as above

    if isinstance(error, Unreachable):
        return str(error)
    if isinstance(error, AuthenticationFailedError | BrokerResponseError):
        return str(error)  # what the broker answers
    handshake = next((each for each in causes_of(error) if isinstance(each, ssl.SSLError)), None)
    if handshake is not None:
        return str(handshake)
    return type(error.__cause__ if isinstance(error.__cause__, OSError) else error).__name__


def _as_url(server: str) -> str:
    return server if "://" in server else f"{_SCHEME}{server}"


def _shown(server: str) -> str:
    return safe_url(_as_url(server)).removeprefix(_SCHEME)


def _host_and_port(server: str) -> str:
    """``scheme://host:port`` as ``host:port``."""
    return server.rpartition("://")[2]

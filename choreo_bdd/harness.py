"""Harness: one transport, one codec, one correlation policy."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from choreo_bdd.codecs import Codec, JSONCodec
from choreo_bdd.contracts import Guard, MessageContract, UnknownTopics
from choreo_bdd.correlation import CorrelationPolicy, NoCorrelationPolicy
from choreo_bdd.exceptions import TransportError
from choreo_bdd.inbound.dispatcher import SurpriseEntry
from choreo_bdd.inbound.router import Router
from choreo_bdd.matchers import Matcher
from choreo_bdd.message import NO_HEADERS, NO_PAYLOAD, NoPayload
from choreo_bdd.scenario.facade import ScenarioContext
from choreo_bdd.scenario.options import DEFAULTS, ScopeOptions
from choreo_bdd.scenario.sending.replies import ReplyPayload, ReplyPlan
from choreo_bdd.scenario.sending.standing_replies import AnswerChains, StandIn
from choreo_bdd.shared.fitting import fits
from choreo_bdd.topic_patterns import ByTopic
from choreo_bdd.transports.base import (
    Allowlisted,
    Fencing,
    Healing,
    Losable,
    OnSent,
    Ready,
    Remarking,
    Transport,
    TransportCallback,
    promise_of,
    publish_extras,
)

_LOG = logging.getLogger("choreo_bdd.harness")
_BYTES = (bytes, bytearray, memoryview)
_RECOVERY_S = 5.0
_RECOVERY_POLL_S = 0.1
_USERS: WeakValueDictionary[int, Harness] = WeakValueDictionary()
"""Which harness is connected through a transport, by the transport's identity."""


class Harness:
    """A facade over one transport. It knows nothing of brokers, addresses or credentials.

    Topics, or patterns of them, may have ``codecs`` of their own, and ``headers`` that every message sent there carries
    unless it has its own; the first that fits counts (correlation: ``CorrelationByTopic``).

    With a ``contract`` every message is held against it, going out and coming in; ``unknown_topics`` is what becomes
    of a message on a topic that it does not describe.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        codec: Codec | None = None,
        correlation: CorrelationPolicy | None = None,
        contract: MessageContract | None = None,
        unknown_topics: UnknownTopics = "error",
        codecs: Sequence[tuple[str, Codec]] = (),
        headers: Sequence[tuple[str, Mapping[str, str]]] = (),
    ) -> None:
        self._transport = transport
        self._codecs: ByTopic[Codec] = ByTopic(codec if codec is not None else JSONCodec(), tuple(codecs))
        self._headers: ByTopic[Mapping[str, str]] = ByTopic(NO_HEADERS, tuple(headers))
        self._correlation: CorrelationPolicy = correlation if correlation is not None else NoCorrelationPolicy()
        self._losable = transport if fits(transport, Losable) else None
        self._allowlisted = transport if fits(transport, Allowlisted) else None
        self._heals_itself = fits(transport, Healing) and transport.heals_itself
        self._connected = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connecting: asyncio.Lock | None = None
        self._hears_of_loss = False
        self._awaits_healing = False
        self._healing: asyncio.Lock | None = None
        self._stand_ins: list[StandIn] = []
        self._chains = AnswerChains()
        self._guard = None if contract is None else Guard(contract, unknown_topics)
        self.router = Router(transport, self._codecs.of, self._correlation, self._guard)

    @property
    def transport_name(self) -> str:
        """Class name of the transport."""
        return type(self._transport).__name__

    @property
    def transport(self) -> Transport:
        """The transport."""
        return self._transport

    @property
    def codec(self) -> Codec:
        """The codec of all topics that have none of their own."""
        return self._codecs.usual

    def codec_of(self, topic: str) -> Codec:
        """The codec of a topic."""
        return self._codecs.of(topic)

    def headers_of(self, topic: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        """What a message with these headers is sent with on a topic."""
        own = self._headers.of(topic)
        return {**own, **headers} if own else headers

    @property
    def correlation(self) -> CorrelationPolicy:
        """The correlation policy."""
        return self._correlation

    @property
    def allowlist_path(self) -> str | None:
        """The allowlist its transport holds addresses against, if any."""
        path = None if self._allowlisted is None else self._allowlisted.allowlist_path
        return None if path is None else str(path)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect the transport, once; what it raises passes through and leaves the harness disconnected.

        From then on it belongs to this event loop: on another one ``RuntimeError`` says so, as it does when another
        harness holds the transport's connection to its broker: each would end the other's.
        """
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        self.require_own_loop()
        async with self._connecting:
            if self._connected:
                return
            self._take_transport()
            try:
                await self._transport.connect()
            except BaseException:
                self._free_transport()
                raise
            self._connected, self._loop = True, asyncio.get_running_loop()
            if self._losable is not None and not self._hears_of_loss:
                self._losable.on_lost(self.router.connection_lost)
                self._hears_of_loss = True
            self._stand_ins = [each for each in self._stand_ins if not each.is_stopped]
            for each in self._stand_ins:
                await each.arm()
        correlation = self._correlation
        if (
            isinstance(correlation, NoCorrelationPolicy)
            and not correlation.is_meant
            and self.transport_name != "MockTransport"
        ):
            _LOG.warning(
                "correlator_noop_against_real_transport: %s has no correlation policy, so scenarios that share a "
                "topic see each other's messages",
                self.transport_name,
            )

    def _take_transport(self) -> None:
        if self._losable is None:  # a bus without a connection of its own may be shared
            return
        if _USERS.setdefault(id(self._transport), self) is not self:
            raise RuntimeError(
                f"this {self.transport_name} is in use by another harness, which would lose its subscriptions and its "
                f"connection to this one: give each harness a transport of its own, share the one harness, or "
                f"disconnect the other one first"
            )

    def _free_transport(self) -> None:
        if _USERS.get(id(self._transport)) is self:
            del _USERS[id(self._transport)]

    async def disconnect(self) -> None:
        """Disconnect and forget every subscription; a no-op while disconnected."""
        self._awaits_healing = False
        if self._connected:
            await self.force_disconnect()

    async def force_disconnect(self) -> None:
        """Disconnect whatever the state; the transport's exception propagates, the state has changed by then.

        A transport that another harness is connected through is left alone.
        """
        self.require_own_loop()
        if _USERS.get(id(self._transport), self) is not self:
            return
        for each in self._stand_ins:
            each.rest()
        if self.lost is None:  # who listens has been told of a loss already, and that is the cause
            self.router.connection_lost("the harness was disconnected while this scenario was under way")
        try:
            await self._transport.disconnect()
        finally:
            self._connected, self._loop = False, None
            self._free_transport()
            with contextlib.suppress(Exception):
                self._transport.clear_subscriptions()
            self.router.reset()

    def is_connected(self) -> bool:
        """Whether ``connect`` has succeeded and ``disconnect`` has not been called since."""
        return self._connected

    def require_connected(self) -> None:
        """``RuntimeError`` unless connected, and on the event loop it was connected on."""
        if not self._connected:
            raise RuntimeError(f"the harness over {self.transport_name} is not connected: await connect() first")
        self.require_own_loop()

    def require_own_loop(self) -> None:
        """``RuntimeError`` on another event loop than the one it was connected on; a thread without one is on none."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._loop is not None and here is not self._loop:
            raise RuntimeError(
                f"the harness over {self.transport_name} was connected on another event loop: connect and use it on "
                f'one, as with @pytest_asyncio.fixture(scope="session", loop_scope="session") and '
                f'@pytest.mark.asyncio(loop_scope="session") on its tests'
            )

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        """Deliver raw messages on a topic to ``callback(topic, payload)``."""
        self.require_connected()
        if inspect.iscoroutinefunction(callback):
            raise TypeError(
                f"subscribe({topic!r}) needs a plain callback: nobody would await an async one. "
                f"Let it start a task: asyncio.ensure_future(…)"
            )
        return promise_of(self._transport.subscribe(topic, callback))

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        self.require_own_loop()
        self._transport.unsubscribe(topic, callback)

    def publish(
        self,
        topic: str,
        payload: Any,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> None:
        """Send a payload: bytes as they are, anything else through the codec; no correlation id is added.

        ``None`` is no payload at all where the bus knows that, a tombstone on Kafka; ``NO_PAYLOAD`` says so anywhere.

        Raises ``ContractBroken`` for a message that the contract does not allow.
        """
        self.require_connected()
        headers = self.headers_of(topic, headers)
        data = self.outgoing(topic, self.meant(payload), headers)
        ready = promise_of(self._transport.publish(topic, data, on_sent=on_sent, **publish_extras(headers, key)))
        if ready is not None:
            ready.add_done_callback(partial(self._tell_lost, topic))

    def _tell_lost(self, topic: str, ready: Ready) -> None:
        """Say that a message nobody waits for did not leave."""
        if not ready.cancelled() and (error := ready.exception()) is not None:
            _LOG.error("publish(%r) over %s failed: %s", topic, self.transport_name, error)

    def meant(self, payload: Any) -> Any:
        """What a caller means by a payload: ``None`` is no payload at all where the bus knows that (a tombstone)."""
        return NO_PAYLOAD if payload is None and self._transport.capabilities.tombstones else payload

    def encode(self, payload: Any, topic: str = "") -> bytes:
        """Bytes of a payload, by the topic's codec; ``TypeError`` for what that cannot carry."""
        if isinstance(payload, NoPayload):
            return payload
        if isinstance(payload, _BYTES):
            return bytes(payload)
        return self._codecs.of(topic).encode(payload)

    def outgoing(self, topic: str, payload: Any, headers: Mapping[str, str]) -> bytes:
        """Bytes of a payload that may be sent; ``TypeError`` as for ``encode``, ``ContractBroken`` for any other.

        A payload given as bytes is on purpose what it is: only its topic is held against the contract.
        """
        data = self.encode(payload, topic)
        if self._guard is not None:
            self._guard.require_topic(topic)
            if not isinstance(payload, _BYTES):
                self._guard.require_message(topic, self.codec_of(topic).decode(data), headers)
        return data

    def send(
        self, topic: str, data: bytes, *, on_sent: Callable[[], None], headers: Mapping[str, str], key: str | None
    ) -> Ready | None:
        """Hand bytes to the transport; returns its promise, ``None`` when the message has left at once."""
        self.require_connected()
        if not headers and key is None:  # nearly always, and in half of the time
            return promise_of(self._transport.publish(topic, data, on_sent=on_sent))
        return promise_of(self._transport.publish(topic, data, on_sent=on_sent, **publish_extras(headers, key)))

    async def fence(self, topics: Collection[str]) -> None:
        """Return once all that the broker had on these topics has been delivered; else ``TransportError``.

        A transport that cannot ask its broker is taken at its word.
        """
        self.require_own_loop()
        if fits(self._transport, Fencing):
            await self.router.fenced(topics, self._transport.fence(topics))

    def remark(self, topic: str) -> str | None:
        """What its transport knows of a topic that whoever misses a message should hear."""
        return self.router.remarked(topic, self._transport.remark(topic) if fits(self._transport, Remarking) else None)

    def active_subscription_count(self) -> int:
        """How many subscriptions the transport holds."""
        return self._transport.active_subscription_count()

    def is_healthy(self) -> bool:
        """Whether it is connected and its connection has not gone down by itself."""
        return self._connected and self.lost is None

    @property
    def lost(self) -> str | None:
        """Why the connection is down although nobody closed it; ``None`` while all is well."""
        return None if self._losable is None else self._losable.lost

    async def heal(self) -> None:
        """Connect again if the connection was lost; scenarios do so when they begin. Raises what connecting raises."""
        self.require_own_loop()
        if self.is_healthy() and not self._awaits_healing:
            return
        if self._healing is None:
            self._healing = asyncio.Lock()
        async with self._healing:  # scenarios that begin at the same time heal it once
            if self._heals_itself:
                await self._recovered()
            elif self._connected and self.lost is not None:
                with contextlib.suppress(Exception):
                    await self.force_disconnect()
                self._awaits_healing = True
            if self._awaits_healing:
                await self.connect()
                self._awaits_healing = False

    async def _recovered(self) -> None:
        """Give a transport that recovers by itself a moment to do so; ``TransportError`` when it has not."""
        deadline = asyncio.get_running_loop().time() + _RECOVERY_S
        while self.lost is not None:
            if asyncio.get_running_loop().time() >= deadline:
                raise TransportError(f"{self.transport_name} cannot go on: {self.lost}")
            await asyncio.sleep(_RECOVERY_POLL_S)

    def surprise_log(self) -> list[SurpriseEntry]:
        """Messages on subscribed topics that no scenario owned."""
        return self.router.dispatcher.surprise_log()

    def scenario(self, name: str, *, options: ScopeOptions = DEFAULTS) -> ScenarioContext:
        """A scenario: ``async with harness.scenario("…") as s``."""
        return ScenarioContext(self, name, options)

    async def stand_in(
        self,
        topic: str,
        reply_topic: str,
        payload: ReplyPayload,
        matcher: Matcher | None = None,
        *,
        times: float = math.inf,
        delay_ms: float = 0.0,
    ) -> StandIn:
        """Answer messages on ``topic`` outside any scenario, from now until ``stop()`` of what this returns.

        ``payload`` is sent as it is, or is a plain or async callable of the decoded trigger; ``times`` is how many
        triggers are answered. The answer carries its trigger's correlation id. Returns once it is proven to listen;
        ``SubscriptionFailed`` when it cannot. Stand-ins that answer nothing but each other stop after 1,000 answers in
        a row; their report and the log say so.
        """
        self.require_connected()
        stand_in = StandIn(
            self, topic, matcher, ReplyPlan(reply_topic, payload, None, times, delay_ms / 1000), self._chains
        )
        try:
            await stand_in.arm()
        except BaseException:
            stand_in.stop()
            raise
        self._stand_ins.append(stand_in)
        return stand_in

    def __repr__(self) -> str:
        return f"<Harness {self.transport_name} connected={self._connected}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Harness cannot be pickled: it holds a live connection")

"""NATS: topic = subject; a subscription is live once the server has answered a flush behind it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError, TransportError
from choreo_bdd.message import NO_HEADERS, Message
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.nats.auth import client_options, is_sent_in_clear
from choreo_bdd.transports.nats.connection import Arrivals, answered, end_subscription, until_written
from choreo_bdd.transports.nats.messages import REPLY_TO, headers_of, last_words, require_fitting, says_nobody_listens
from choreo_bdd.transports.shared.credentials import (
    AuthDescriptor,
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

_NAME = "NatsTransport"
_TEARDOWN_S = 2.0
_CONFIRM_AFTER_S = 0.001
_PING_S = 2.0
_WATCH_S = 0.2
_PINGS_UNANSWERED = 2
"""After so many the server counts as lost, although its connection still stands."""

_GIVEN_UP = "disconnected before the server confirmed it"
_REFUSED = re.compile(r"permissions violation for (subscription to|publish to) \"([^\"]+)\"", re.IGNORECASE)


class NatsTransport:
    """A transport over one NATS connection. A lost connection is reported, not hidden; ``connect`` again after it."""

    def __init__(
        self,
        *,
        servers: Iterable[str],
        allowlist_path: str | Path | None = None,
        name: str = "choreo",
        connect_timeout_s: float = 5.0,
        auth: AuthSource | None = None,
    ) -> None:
        self._servers = [servers] if isinstance(servers, str) else list(servers)
        if not self._servers:
            raise ValueError("NatsTransport needs at least one server URL, such as nats://localhost:4222")
        if auth is not None and any(carries_credentials(url) for url in self._servers):
            raise ConflictingAuthError("NatsTransport got credentials both in a server URL and through auth=; give one")
        self.allowlist_path = allowlist_path
        self._credentials = Credentials(_NAME, auth)
        self._name = name
        self._connect_timeout_s = connect_timeout_s
        self._client: Any = None
        self._arrivals = Arrivals()
        self._outbound: Outbound | None = None
        self._subscriptions = Subscriptions(_NAME)
        self._asked: dict[str, str] = {}
        """By subscribed inbox, the subject that a reply was asked for on last."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: set[tuple[str, str]] = set()
        self._lost: str | None = None
        self._loss_listeners: list[OnLost] = []
        self._unconfirmed: list[Outgoing] = []
        self._confirming: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns and headers."""
        return TransportCapabilities(topic_patterns=True, message_headers=True, cheap_patterns=True)

    # --- lifecycle ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Check the allowlist, then connect within ``connect_timeout_s``; ``TransportError`` when that fails."""
        if self.allowlist_path is not None:
            load_allowlist(self.allowlist_path).enforce(
                "nats_servers", self._servers, label="NATS server", normalise=without_credentials
            )
        try:
            from nats.aio.client import Client  # noqa: PLC0415 - the client is loaded when it is first needed
        except ModuleNotFoundError as error:
            raise TransportError(
                "NatsTransport needs the nats-py client, the extra choreo_bdd[nats]: pip install 'choreo-bdd[nats]'"
            ) from error
        await self.disconnect()  # what is left of a connection that was lost
        client = Client()
        self._closing, self._lost = False, None
        self._refused.clear()
        try:
            await self._log_in(client)
        except TransportError:
            await self._abandon(client)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, there is no connection
            await self._abandon(client)
            hides_cause = self._credentials.given or any(carries_credentials(url) for url in self._servers)
            raise TransportError(self._connect_failure(error)) from (None if hides_cause else error)
        except BaseException:
            await self._abandon(client)
            raise
        self._client = client
        self._arrivals = Arrivals()
        self._spawn(self._arrivals.run())
        self._outbound = Outbound(_NAME, self._write)
        self._spawn(self._watch(client))

    async def _log_in(self, client: Any) -> None:
        """Resolve the credentials, translate and use them, and clear them whatever comes of it."""
        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            options = {} if descriptor is None else client_options(descriptor)
            self._warn_of_plaintext(descriptor)
            async with asyncio.timeout(self._connect_timeout_s):
                await client.connect(
                    servers=self._servers,
                    name=self._name,
                    connect_timeout=max(1, round(self._connect_timeout_s)),
                    allow_reconnect=False,
                    max_reconnect_attempts=1,  # 0 would mean for ever
                    reconnect_time_wait=0,
                    ping_interval=_PING_S,
                    max_outstanding_pings=_PINGS_UNANSWERED,
                    error_cb=self._on_error,
                    closed_cb=self._on_closed,
                    **options,
                )

    def _warn_of_plaintext(self, descriptor: AuthDescriptor | None) -> None:
        in_clear = descriptor is not None and is_sent_in_clear(descriptor)
        for url in self._servers:
            if (in_clear or carries_credentials(url)) and not url.startswith(("tls://", "wss://")):
                warn_of_plaintext(_NAME, url)

    def _connect_failure(self, error: BaseException) -> str:
        urls = ", ".join(safe_url(url) for url in self._servers)
        reason = (
            f"no answer within {self._connect_timeout_s:g} s"
            if isinstance(error, TimeoutError)
            else f"{type(error).__name__}"
        )
        return (
            f"NatsTransport could not connect to {urls}: {reason}. "
            f"Is a NATS server running there, and are the credentials right?"
        )

    async def _abandon(self, client: Any) -> None:
        self._closing = True
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_TEARDOWN_S):
                await client.close()

    async def disconnect(self) -> None:
        """Send what is queued, close the connection and end every task; harmless when called again.

        Registrations end with their connection: what is still unconfirmed fails.
        """
        outbound, self._outbound = self._outbound, None
        self._closing = True
        if outbound is not None:
            await outbound.stop(timeout_s=_TEARDOWN_S / 2)
        if self._confirming is not None:
            await asyncio.wait([self._confirming], timeout=_TEARDOWN_S / 2)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_TEARDOWN_S)
        client, self._client = self._client, None
        if client is not None:
            await self._abandon(client)
        for registration in self._subscriptions:
            end_subscription(registration.handle)
        self._subscriptions.clear()
        self._asked.clear()

    async def _on_error(self, error: Exception) -> None:
        refused = _REFUSED.search(str(error))
        if refused is not None:
            self._refused.add((refused[1].split()[0].lower(), refused[2]))

    async def _watch(self, client: Any) -> None:
        """Notice an end the client does not tell of: when the connection is reset, its last write fails before it."""
        while client.is_connected:  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(_WATCH_S)
        await self._on_closed()

    async def _on_closed(self) -> None:
        if self._closing or self._lost is not None:
            return
        self._lost = f"the connection to the NATS server was lost{last_words(self._client)}"
        for registration in self._subscriptions:
            registration.fail(_NAME, self._lost)
        for listener in self._loss_listeners:
            listener(self._lost)

    @property
    def lost(self) -> str | None:
        """Why the connection is down although nobody closed it; ``None`` while all is well."""
        return self._lost

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the connection goes down by itself."""
        self._loss_listeners.append(listener)

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Deliver messages on a subject, wildcards included, to ``callback``."""
        self._require_connected()
        registration = self._subscriptions.add(topic, callback)
        self._spawn(self._establish(registration))
        return registration.ready

    async def _establish(self, registration: Registration) -> None:
        client = self._client

        def take(raw: Any, at: float) -> None:
            if says_nobody_listens(raw):
                if raw.subject == registration.topic:
                    asked = self._asked.get(raw.subject, "the subject of the request")
                    registration.despair(f"nobody listens on {asked}: the NATS server says there are no responders")
                return
            registration.deliver(Message(raw.subject, raw.data, at, headers_of(raw)))

        async def on_message(raw: Any) -> None:
            take(raw, asyncio.get_running_loop().time())

        try:
            require_fitting(registration.topic)
            registration.handle = await client.subscribe(
                registration.topic, cb=on_message, pending_msgs_limit=0, pending_bytes_limit=0
            )
            self._arrivals.divert(registration.handle, take)
            await self._round_trip(client)
        except Exception as error:  # noqa: BLE001 - told to whoever waits for this subscription
            registration.fail(_NAME, f"{type(error).__name__}: {error}")
            return
        if ("subscription", registration.topic) in self._refused:
            registration.fail(_NAME, "the server denies this subject to us (permissions violation)")
        elif registration.is_removed:
            await self._drop(registration)
        else:
            registration.confirm()

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self._subscriptions.remove(topic, callback)
        self._asked.pop(topic, None)
        if registration is not None and registration.handle is not None and self._client is not None:
            self._spawn(self._drop(registration))

    async def _drop(self, registration: Registration) -> None:
        handle, registration.handle = registration.handle, None
        if handle is None:
            return
        try:
            await handle.unsubscribe()
        except Exception:  # noqa: BLE001 - the connection is gone; then so is the subscription
            end_subscription(handle)

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
        refuse_key(_NAME, topic, key, "put it into a header or the payload")
        outbound = self._require_connected()
        return outbound.put(Outgoing(topic, payload, headers, None, on_sent))

    async def _write(self, batch: Sequence[Outgoing]) -> None:
        client = self._client
        written: list[Outgoing] = []
        for outgoing in batch:
            try:
                require_fitting(outgoing.topic)
                headers = dict(outgoing.headers)
                reply_to = headers.pop(REPLY_TO, "")
                if any(each.topic == reply_to for each in self._subscriptions):
                    self._asked[reply_to] = repr(outgoing.topic)
                await client.publish(outgoing.topic, outgoing.payload, reply=reply_to, headers=headers or None)
            except Exception as error:  # noqa: BLE001 - told to whoever published this one
                outgoing.fail(_NAME, f"{type(error).__name__}: {error}")
            else:
                written.append(outgoing)
        await until_written(client)
        for outgoing in written:
            outgoing.sent()
        self._unconfirmed += written
        if self._confirming is None or self._confirming.done():
            self._confirming = self._spawn(self._confirm(client))

    async def _confirm(self, client: Any) -> None:
        """Ask for one confirmation of all that has been written, a moment later: not in the way of the answers."""
        try:
            await asyncio.sleep(_CONFIRM_AFTER_S)
            while self._unconfirmed:
                with contextlib.suppress(Exception):  # told to whoever published what it concerns
                    await self._round_trip(client)
        finally:
            self._settle(self._unconfirmed, _GIVEN_UP)
            self._unconfirmed = []

    async def _round_trip(self, client: Any) -> None:
        """Have the server answer behind everything sent so far, which confirms the messages written by now."""
        written, self._unconfirmed = self._unconfirmed, []
        reason = _GIVEN_UP
        try:
            await answered(client)
        except Exception as error:
            reason = f"the server did not confirm ({type(error).__name__})"
            raise
        else:
            self._settle(written)
        finally:
            self._settle(written, reason)  # does nothing to what is confirmed

    def _settle(self, written: Sequence[Outgoing], reason: str | None = None) -> None:
        for outgoing in written:
            if reason is not None:
                outgoing.fail(_NAME, reason)
            elif ("publish", outgoing.topic) in self._refused:
                outgoing.fail(_NAME, "the server denies this subject to us (permissions violation)")
            else:
                outgoing.confirm()

    async def fence(self, topics: Collection[str]) -> None:
        """Have the server answer behind all it had for us, and hand that over; ``TransportError`` if it does not."""
        client = self._client

        def why_down() -> str | None:
            return "the connection is closed" if client is None or client is not self._client else self._lost

        async def ask(registrations: Sequence[Registration]) -> None:
            # a PONG that comes for a flush which was cancelled would break the client
            await asyncio.shield(self._spawn(self._round_trip(client)))
            for registration in registrations:
                if ("subscription", registration.topic) in self._refused:
                    raise TransportError(f"the server denies {registration.topic!r} to us (permissions violation)")
            await self._arrivals.drained()

        await fence(_NAME, topics, self._subscriptions, ask, why_down=why_down)

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._subscriptions)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._subscriptions.clear()

    # --- details --------------------------------------------------------------------------------------------------

    def _require_connected(self) -> Outbound:
        if self._outbound is None:
            raise RuntimeError("NatsTransport is not connected: await connect() first")
        if self._lost is not None:
            raise TransportError(f"NatsTransport cannot go on: {self._lost}")
        return self._outbound

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def __repr__(self) -> str:
        return f"NatsTransport(servers={[safe_url(url) for url in self._servers]})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("NatsTransport cannot be pickled: it holds a live connection")

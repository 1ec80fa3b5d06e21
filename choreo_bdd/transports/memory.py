"""The in-memory bus: a first-class sibling of the broker transports, with nothing to install."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from choreo_bdd.environment import load_allowlist
from choreo_bdd.message import NO_HEADERS, Message, NoPayload
from choreo_bdd.transports.base import OnSent, Ready, TransportCallback, TransportCapabilities
from choreo_bdd.transports.shared.credentials import AuthSource, Credentials, cleared_after
from choreo_bdd.transports.shared.listeners import Listeners

_LOG = logging.getLogger("choreo_bdd.transports.mock")
_SENT_KEPT = 10_000
_SENT_BYTES_KEPT = 16_000_000
_CAPABILITIES = TransportCapabilities(topic_patterns=True, message_headers=True, cheap_patterns=True)


class MockTransport:
    """Delivers inside ``publish``, in subscription order.

    Subscriptions are live at once. ``publish`` may be called from any thread; delivery happens on the loop that
    ``connect`` ran on.
    """

    def __init__(
        self,
        *,
        allowlist_path: str | Path | None = None,
        endpoint: str | None = None,
        auth: AuthSource | None = None,
    ) -> None:
        self._credentials = Credentials("MockTransport", auth)
        self._has_warned = False
        self._allowlist_path = allowlist_path
        self._endpoint = endpoint
        self._connected = False
        self._listeners = Listeners()
        self._order = count()
        self._sent: deque[tuple[str, bytes]] = deque()
        self._sent_bytes = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0

    @property
    def capabilities(self) -> TransportCapabilities:
        """Broadcast, ordered, lossy without a subscriber; knows patterns and headers."""
        return _CAPABILITIES

    async def connect(self) -> None:
        """Check the endpoint against the allowlist, when both are given, and open the bus."""
        if self._allowlist_path is not None and self._endpoint is not None:
            load_allowlist(self._allowlist_path).enforce("mock_endpoints", [self._endpoint], label="mock endpoint")
        await self._ignore_credentials()
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._connected = True

    async def _ignore_credentials(self) -> None:
        """Take credentials the way NATS does, so that a fixture can be checked; there is nobody to show them to."""
        if not self._credentials.given:
            return
        from choreo_bdd.transports.nats import auth  # noqa: F401, PLC0415 - registers the variants that are known

        descriptor = await self._credentials.resolve()
        with cleared_after(descriptor):
            variant = type(descriptor).__name__
        if not self._has_warned:
            self._has_warned = True
            _LOG.warning("mock_transport_ignored_auth", extra={"variant": variant})

    async def disconnect(self) -> None:
        """Close the bus; subscriptions stay until they are cleared."""
        self._connected = False

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        """Deliver messages on a topic, or a pattern of topics, from now on."""
        self._listeners.add(topic, callback)
        return None

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback on this topic."""
        self._listeners.remove(topic, callback)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        on_sent: OnSent | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> Ready | None:
        """Deliver to every subscriber before returning; ``on_sent`` is called first."""
        if not self._connected or self._loop is None:
            raise RuntimeError("MockTransport is not connected: call connect() before publish()")
        data = payload if isinstance(payload, NoPayload) else bytes(payload)
        message = (topic, data, on_sent, dict(headers), key)
        if threading.get_ident() == self._thread_id:
            self._deliver(*message)
        else:
            self._loop.call_soon_threadsafe(self._deliver, *message)
        return None

    async def fence(self, topics: Collection[str]) -> None:  # noqa: ARG002 - the protocol's signature
        """Let what other threads have published be delivered; nothing of this process's own can be on its way else."""
        await asyncio.sleep(0)  # their deliveries stand before us in the loop's queue

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        return len(self._listeners)

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        self._listeners.clear()

    def sent(self) -> list[tuple[str, bytes]]:
        """Topic and payload of the messages published so far, oldest first.

        Kept are the last 10,000, and of those as many as have 16 MB of payload together; the last one always is.
        """
        return list(self._sent)

    def _keep(self, topic: str, payload: bytes) -> None:
        self._sent.append((topic, payload))
        self._sent_bytes += len(payload)
        while len(self._sent) > _SENT_KEPT or (self._sent_bytes > _SENT_BYTES_KEPT and len(self._sent) > 1):
            self._sent_bytes -= len(self._sent.popleft()[1])

    def _deliver(
        self, topic: str, payload: bytes, on_sent: OnSent | None, headers: Mapping[str, str], key: str | None
    ) -> None:
        self._keep(topic, payload)
        if on_sent is not None:
            on_sent()
        assert self._loop is not None  # set by connect(), which publish() checked
        # a listener that publishes in its turn is heard by some before this message is
        message = Message(topic, payload, self._loop.time(), headers, key, order=next(self._order))
        for listener in self._listeners.hearing(topic):
            try:
                listener.deliver(message)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - pytest.fail, or a cancellation of its own, stops nobody else
                _LOG.warning(
                    "mock_transport_subscriber_failed", extra={"topic": topic, "error_class": type(error).__name__}
                )

    def __repr__(self) -> str:
        return f"MockTransport(connected={self._connected})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("MockTransport cannot be pickled: it belongs to one event loop")

    def __getstate__(self) -> Any:
        return self.__reduce__()

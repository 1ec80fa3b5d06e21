"""The table of a transport's registrations, and the promise that each is live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from choreo_bdd.exceptions import SubscriptionFailed
from choreo_bdd.message import Message
from choreo_bdd.shared.fitting import fits
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.base import Asking, Bystander, Interruptible, Ready, TransportCallback, sink_of

_LOG = logging.getLogger("choreo_bdd.transports")


class Registration:
    """One callback on one topic. ``handle`` is the client's own object, once there is one."""

    __slots__ = ("_deliver", "callback", "handle", "has_ended", "is_removed", "ready", "topic")

    def __init__(self, topic: str, callback: TransportCallback) -> None:
        self.topic = topic
        self.callback = callback
        self.ready: Ready = asyncio.get_running_loop().create_future()
        self.handle: Any = None
        self.is_removed = False
        self.has_ended = False
        self._deliver = sink_of(callback)

    def deliver(self, message: Message) -> None:
        """Hand over a message, unless the registration has been removed; what the callback raises is logged."""
        if self.is_removed:
            return
        try:
            self._deliver(message)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - pytest.fail, or a cancellation of its own, is its own affair
            _LOG.warning("transport_subscriber_failed: %s on topic %r", type(error).__name__, message.topic)

    @property
    def is_live(self) -> bool:
        """Whether the broker has confirmed it, and has not ended it since."""
        return (
            not self.has_ended and self.ready.done() and not self.ready.cancelled() and self.ready.exception() is None
        )

    def confirm(self) -> None:
        """The broker has confirmed the subscription."""
        if not self.ready.done():
            self.ready.set_result(None)

    def fail(self, transport: str, reason: str) -> None:
        """The subscription will not come to be."""
        break_promise(self.ready, SubscriptionFailed(transport, self.topic, reason))

    def interrupt(self, transport: str, reason: str) -> None:
        """The broker has ended this subscription while it was live: log it, and tell a callback that can be told."""
        self.has_ended = True
        _LOG.warning("transport_subscription_ended: %s hears no more of %r: %s", transport, self.topic, reason)
        if fits(self.callback, Interruptible):
            self.callback.interrupted(f"the subscription to {self.topic!r} has ended: {reason}")

    def unanswered(self, asked: str) -> None:
        """The request whose answer is waited for here has reached nobody: tell a callback that can be told."""
        if fits(self.callback, Asking):
            self.callback.unanswered(asked)

    @property
    def is_bystander(self) -> bool:
        """Whether it is there for diagnosis only."""
        return fits(self.callback, Bystander) and self.callback.is_bystander


class Subscriptions:
    """All registrations of one transport, in order."""

    def __init__(self, transport: str) -> None:
        self._transport = transport
        self._registrations: list[Registration] = []

    def add(self, topic: str, callback: TransportCallback) -> Registration:
        """Note a registration that is not live yet."""
        registration = Registration(topic, callback)
        self._registrations.append(registration)
        return registration

    def remove(self, topic: str, callback: TransportCallback) -> Registration | None:
        """Take out one registration of this callback; a promise still open is broken with a reason."""
        for index, registration in enumerate(self._registrations):
            if registration.topic == topic and registration.callback == callback:  # a bound method is never `is` itself
                del self._registrations[index]
                self._drop(registration, "removed before it was confirmed")
                return registration
        return None

    def clear(self) -> list[Registration]:
        """Take out all of them."""
        dropped, self._registrations = self._registrations, []
        for registration in dropped:
            self._drop(registration, "the transport was closed before it was confirmed")
        return dropped

    def _drop(self, registration: Registration, reason: str) -> None:
        registration.is_removed = True
        registration.fail(self._transport, reason)

    def __iter__(self) -> Iterator[Registration]:
        return iter(tuple(self._registrations))

    def __len__(self) -> int:
        return len(self._registrations)

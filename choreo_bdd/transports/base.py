"""What every transport promises."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from choreo_bdd.exceptions import ConflictingAuthError, PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.message import Message
from choreo_bdd.redaction import safe_url
from choreo_bdd.shared.fitting import fits
from choreo_bdd.transports.abilities import (
    Allowlisted,
    Asking,
    Bystander,
    Dated,
    Fencing,
    Healing,
    Interruptible,
    Losable,
    MessageSink,
    OnLost,
    Overlooking,
    Probing,
    Remarking,
    Revocable,
    Sender,
)

__all__ = [
    "Allowlisted",
    "Asking",
    "Bystander",
    "ConflictingAuthError",
    "Dated",
    "Fencing",
    "Healing",
    "Interruptible",
    "Losable",
    "MessageSink",
    "OnLost",
    "OnSent",
    "Overlooking",
    "Probing",
    "PublishFailed",
    "Ready",
    "Remarking",
    "Revocable",
    "Sender",
    "SubscriptionFailed",
    "Transport",
    "TransportCallback",
    "TransportCapabilities",
    "TransportError",
    "safe_url",
    "sink_of",
]

TransportCallback = Callable[[str, bytes], None]
"""Called with topic and payload, on the loop's thread."""

OnSent = Callable[[], None]
"""Called once the message can no longer be lost on this side. A ``Revocable`` one says whether it is still wanted, a
``Dated`` one is told when it left, a ``Sender`` that it has reached nobody."""

Ready = asyncio.Future[None]
"""Resolves when the broker has confirmed, or carries the error that says why it has not."""


@dataclass(frozen=True, slots=True)
class TransportCapabilities:
    """What a transport does with messages."""

    broadcast_fanout: bool = True
    loses_messages_without_subscriber: bool = True
    ordered_per_topic: bool = True
    topic_patterns: bool = False
    """Whether ``*`` (one segment) and ``>`` (the rest) in a subscribed topic are understood."""
    message_headers: bool = False
    """Whether ``publish`` takes ``headers`` and deliveries carry them."""
    tombstones: bool = False
    """Whether a message without a payload is a thing of its own on this bus, so that to publish ``None`` means one."""
    cheap_patterns: bool = False
    """Whether listening to a pattern costs no more than to a topic, so that several may be watched for diagnosis."""


@runtime_checkable
class Transport(Protocol):
    """The structural contract: any object with these members is a transport.

    ``subscribe`` may return an awaitable that resolves when the broker has confirmed the subscription and raises when
    it has not; ``publish`` likewise for the message. Returning ``None`` means: done at once.
    """

    @property
    def capabilities(self) -> TransportCapabilities:
        """What this transport does with messages."""
        ...

    async def connect(self) -> None:
        """Open the connection; raises on failure and leaves nothing open then."""
        ...

    async def disconnect(self) -> None:
        """Release everything; harmless when called again or after a failed ``connect``."""
        ...

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready | None:
        """Deliver messages on ``topic`` to ``callback``."""
        ...

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback; an unknown one is ignored."""
        ...

    def publish(self, topic: str, payload: bytes, *, on_sent: OnSent | None = None) -> Ready | None:
        """Send a message; ``on_sent`` is called once it has left."""
        ...

    def active_subscription_count(self) -> int:
        """How many registrations there are."""
        ...

    def clear_subscriptions(self) -> None:
        """Forget every registration."""
        ...


def sink_of(callback: TransportCallback) -> Callable[[Message], None]:
    """How to hand a message to a callback: whole where it asks for that, else topic and payload."""
    if fits(callback, MessageSink):
        return callback.deliver

    def plain(message: Message) -> None:
        callback(message.topic, message.payload)
        message.used()  # whoever asks for no more than this takes it as it comes

    return plain


def promise_of(returned: object) -> Ready | None:
    """What ``subscribe`` or ``publish`` of any transport returned, as a future; ``None`` where that is no awaitable."""
    if isinstance(returned, asyncio.Future):
        return returned
    if returned is None or not inspect.isawaitable(returned):  # which asks an abstract class; None is the usual answer
        return None
    return asyncio.ensure_future(returned)


def publish_extras(headers: Mapping[str, str], key: str | None) -> dict[str, Any]:
    """Keyword arguments for ``publish``: only what is there, so that plain transports are never asked for more."""
    extras: dict[str, Any] = {}
    if headers:
        extras["headers"] = headers
    if key is not None:
        extras["key"] = key
    return extras

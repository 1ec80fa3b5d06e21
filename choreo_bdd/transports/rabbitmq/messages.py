"""How topics and messages look in AMQP 0-9-1."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from aiormq import spec
from aiormq.abc import DeliveredMessage

from choreo_bdd.message import NO_HEADERS, Message

REPLY_PREFIX = "choreo.reply."
"""A queue named so is an inbox of our own for replies, made when somebody listens on it."""
QUEUE_PREFIX = "queue:"
"""A topic that begins so names a queue of the broker, not a routing key."""

_PROPERTIES = {
    "amqp.app_id": "app_id",
    "amqp.content_encoding": "content_encoding",
    "amqp.content_type": "content_type",
    "amqp.correlation_id": "correlation_id",
    "amqp.expiration": "expiration",
    "amqp.message_id": "message_id",
    "amqp.reply_to": "reply_to",
    "amqp.type": "message_type",
    "amqp.user_id": "user_id",
}
_ROUTING_KEY = "amqp.routing_key"


def queue_of(topic: str) -> str | None:
    """The queue a topic names; ``None`` for a routing key."""
    return topic.removeprefix(QUEUE_PREFIX) if topic.startswith(QUEUE_PREFIX) else None


def binding_key(pattern: str) -> str:
    """A topic pattern as a binding key; AMQP's own ``#`` passes as it is."""
    head, dot, last = pattern.rpartition(".")
    return f"{head}{dot}*.#" if last == ">" else pattern  # `#` alone would also stand for no segment at all


@lru_cache(maxsize=1024)
def _routes(key: str) -> re.Pattern[str]:
    words = [r"[^.]*" if word == "*" else re.escape(word) for word in key.split(".")]
    text = r"\.".join(words)
    return re.compile(text.replace(r"\.\#", r"(\.[^.]*)*").replace(r"\#\.", r"([^.]*\.)*").replace(r"\#", ".*"))


def is_meant(topic: str, delivered: DeliveredMessage) -> bool:
    """Whether a delivery has a routing key that a topic exchange would route to this topic or pattern.

    ``>`` stands for all of them, a message without a routing key included.
    """
    also = (delivered.header.properties.headers or NO_HEADERS).get("CC")  # the broker's own way to name more keys
    copied = (key for key in also if isinstance(key, str)) if isinstance(also, list) else ()
    keys = (delivered.routing_key or "", *copied)
    return topic == ">" or any(_routes(binding_key(topic)).fullmatch(key) for key in keys)


def message_of(delivered: DeliveredMessage, topic: str | None, received_at: float) -> Message:
    """A delivery as our message. Its topic is the routing key, unless it came from the queue that ``topic`` names."""
    routing_key = delivered.routing_key or ""
    properties = delivered.header.properties
    headers = {name: _text(value) for name, value in (properties.headers or NO_HEADERS).items()}
    for name, attribute in _PROPERTIES.items():
        value = getattr(properties, attribute)
        if value:
            headers[name] = value
    if topic is not None:
        headers[_ROUTING_KEY] = routing_key
    stamped = properties.timestamp
    return Message(
        routing_key if topic is None else topic,
        delivered.body,
        received_at,
        headers or NO_HEADERS,
        broker_time=None if stamped is None else stamped.timestamp(),
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, default=str)


def properties_of(headers: Mapping[str, str]) -> spec.Basic.Properties:
    """Message properties for our headers: those named like a property become it, the others travel as headers."""
    properties = spec.Basic.Properties(delivery_mode=1)
    plain = {}
    for name, value in headers.items():
        if name in _PROPERTIES:
            setattr(properties, _PROPERTIES[name], value)
        elif name != _ROUTING_KEY:
            plain[name] = value
    if plain:
        properties.headers = dict(plain)
    return properties

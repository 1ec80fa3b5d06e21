"""How topics and messages look in AMQP 0-9-1."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from itertools import accumulate
from operator import and_, or_
from typing import Any

from aiormq import spec
from aiormq.abc import ChannelFrame, DeliveredMessage, FrameType
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from choreo_bdd.message import NO_HEADERS, Kept, Message
from choreo_bdd.transports.rabbitmq.routes import ROUTING_KEY

REPLY_PREFIX = "choreo.reply."
"""A queue named so is an inbox of our own for replies, made when somebody listens on it."""

REPLY_TO = "amqp.reply_to"
"""The header that names the queue an answer is to go to."""

_PROPERTIES = {
    "amqp.app_id": "app_id",
    "amqp.content_encoding": "content_encoding",
    "amqp.content_type": "content_type",
    "amqp.correlation_id": "correlation_id",
    "amqp.delivery_mode": "delivery_mode",
    "amqp.expiration": "expiration",
    "amqp.message_id": "message_id",
    "amqp.priority": "priority",
    REPLY_TO: "reply_to",
    "amqp.type": "message_type",
    "amqp.user_id": "user_id",
}
_NUMBERS = ("amqp.delivery_mode", "amqp.priority")
_OCTET = 255
_NAME_BYTES = 128
_CONTENT_BYTES = 12
"""Of a header frame beside its properties: class, weight and the size of the body."""
_WORTH_COUNTING = 16
"""Headers of fewer characters than this share of a frame cannot fill it: that saves counting each message's bytes."""
_KEY_BYTES = 255
_ID_BYTES = 16


def binding_key(pattern: str) -> str:
    """A topic pattern as a binding key; AMQP's own ``#`` passes as it is."""
    head, dot, last = pattern.rpartition(".")
    return f"{head}{dot}*.#" if last == ">" else pattern  # `#` alone would also stand for no segment at all


def _routes(binding: str, key: str) -> bool:
    """Whether a binding key stands for a routing key, in time that grows with the product of their words."""
    words = key.split(".")
    reached = [True] + [False] * len(words)  # by what was read of the binding: so many words of the key
    for part in binding.split("."):
        if part == "#":
            reached = list(accumulate(reached, or_))
        else:
            fits = (part in ("*", word) for word in words)
            reached = [False, *map(and_, reached, fits)]
    return reached[-1]


def routing_keys(delivered: DeliveredMessage) -> tuple[str, ...]:
    """The keys a message was routed by: its own, and those that its header ``CC``, the broker's own way, names."""
    also = (delivered.header.properties.headers or NO_HEADERS).get("CC")
    copied = (key for key in also if isinstance(key, str)) if isinstance(also, list) else ()
    return (delivered.routing_key or "", *copied)


def is_meant(topic: str, keys: Iterable[str]) -> bool:
    """Whether a topic exchange would route one of these keys to this topic or pattern.

    ``>`` stands for all messages, one without a routing key included.
    """
    return topic == ">" or any(_routes(binding_key(topic), key) for key in keys)


def message_of(
    delivered: DeliveredMessage,
    topic: str | None,
    received_at: float,
    kept: Kept | None = None,
    *,
    lane: str | None = None,
) -> Message:
    """A delivery as our message. Its topic is the routing key, unless ``topic`` is another name for where it was."""
    return message_from(
        delivered.header.properties,
        delivered.body,
        routing_key=delivered.routing_key or "",
        topic=topic,
        received_at=received_at,
        kept=kept,
        lane=lane,
    )


def message_from(
    properties: spec.Basic.Properties,
    body: bytes,
    *,
    routing_key: str,
    topic: str | None,
    received_at: float,
    kept: Kept | None = None,
    lane: str | None = None,
) -> Message:
    """A message of these parts; ``lane`` is the queue it came through."""
    headers = {name: _text(value) for name, value in (properties.headers or NO_HEADERS).items()}
    for name, attribute in _PROPERTIES.items():
        value = getattr(properties, attribute)
        if value:
            headers[name] = str(value)
    if topic is not None:
        headers[ROUTING_KEY] = routing_key
    stamped = properties.timestamp
    return Message(
        routing_key if topic is None else topic,
        body,
        received_at,
        headers or NO_HEADERS,
        broker_time=None if stamped is None else stamped.timestamp(),
        kept=kept,
        lane=lane,
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, default=str)


def properties_of(headers: Mapping[str, str], *, most: int) -> spec.Basic.Properties:
    """Message properties for our headers: those named like a property become it, the others travel as headers.

    ``ValueError`` for a property that is a number, and is none here, for a name that AMQP would cut off, and for
    headers of more than the ``most`` bytes of a frame, on which the broker would hang up.
    """
    properties = spec.Basic.Properties(delivery_mode=1)
    plain = {}
    for name, value in headers.items():
        if name in _NUMBERS:
            setattr(properties, _PROPERTIES[name], _number(name, value))
        elif name in _PROPERTIES:
            setattr(properties, _PROPERTIES[name], value)
        elif name != ROUTING_KEY:
            plain[name] = value
    if plain:
        properties.headers = dict(plain)
        if (long := next((name for name in plain if len(name.encode()) > _NAME_BYTES), None)) is not None:
            raise ValueError(
                f"the name of a header has {_NAME_BYTES} bytes at most in AMQP, and {long[:40]!r}… has more"
            )
    if sum(len(name) + len(value) for name, value in headers.items()) > most // _WORTH_COUNTING:
        size = _CONTENT_BYTES + len(properties.marshal())
        if size > most:
            raise ValueError(f"the headers are too large: {size} bytes, where the broker takes {most} (frame_max)")
    return properties


def _number(name: str, value: str) -> int:
    if not value.isdecimal() or int(value) > _OCTET:
        raise ValueError(f"{name} is a number from 0 to {_OCTET}, not {value!r}")
    return int(value)


# --- on the wire ------------------------------------------------------------------------------------------------------


def new_id() -> str:
    """An id that no other message has: by it the broker's word on one that it returns is told apart.

    The client's own repeat themselves where a test seeds ``random``, and a service may take such a message for known.
    """
    return secrets.token_hex(_ID_BYTES)


def to_publish(
    channel: int,
    *,
    exchange: str,
    key: str,
    mandatory: bool,
    properties: spec.Basic.Properties,
    body: bytes,
    most: int,
) -> bytes:
    """All frames of a message, of whose body ``most`` bytes fit in one; ``ValueError`` for what AMQP cannot carry."""
    if (size := len(key.encode())) > _KEY_BYTES:
        raise ValueError(f"the routing key is too long: {size} bytes, where AMQP takes at most {_KEY_BYTES} bytes")
    frames: list[FrameType] = [
        spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory),
        ContentHeader(properties=properties, body_size=len(body)),
        *(ContentBody(body[start : start + most]) for start in range(0, len(body), most)),
    ]
    return ChannelFrame.marshall(channel, frames).payload

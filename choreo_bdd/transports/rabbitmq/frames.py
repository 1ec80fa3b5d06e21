"""The bytes of a message that is published: those that the client would send."""

from __future__ import annotations

import struct
from functools import lru_cache
from random import getrandbits

import pamqp.frame
from aiormq import spec
from pamqp.header import ContentHeader

_KEY_BYTES = 255
_HEAD = struct.Struct(">BHI")
"""Of a frame: its type, its channel and the size of what follows."""
_END = b"\xce"
_HEADER, _BODY = 2, 3
_PLAIN = struct.Struct(">HHQHBB32s")
"""A content header whose only properties are how long a message is kept and its id."""
_CLASS = 60
_KEPT_AND_ID = 1 << 12 | 1 << 7


@lru_cache(maxsize=1024)
def _method(channel: int, exchange: str, key: str, mandatory: bool) -> bytes:
    if (size := len(key.encode())) > _KEY_BYTES:
        raise ValueError(f"the routing key is too long: {size} bytes, where AMQP takes at most {_KEY_BYTES} bytes")
    return pamqp.frame.marshal(spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory), channel)


def new_id() -> str:
    """An id that no other message under way has: by it the broker's word on one that it returns is told apart."""
    return f"{getrandbits(128):032x}"


def to_publish(
    channel: int,
    *,
    exchange: str,
    key: str,
    mandatory: bool,
    properties: spec.Basic.Properties | None,
    message_id: str,
    body: bytes,
    most: int,
) -> bytes:
    """All frames of a message; one of ours without ``properties`` has an id of ``new_id``. ``most`` fits in a frame.

    ``ValueError`` for what AMQP cannot carry.
    """
    size = len(body)
    if properties is None:
        head = _PLAIN.pack(_CLASS, 0, size, _KEPT_AND_ID, 1, 32, message_id.encode())
        header = b"%b%b%b" % (_HEAD.pack(_HEADER, channel, len(head)), head, _END)
    else:
        header = pamqp.frame.marshal(ContentHeader(properties=properties, body_size=size), channel)
    parts = [_method(channel, exchange, key, mandatory), header]
    for start in range(0, size, most):
        part = body[start : start + most]
        parts += (_HEAD.pack(_BODY, channel, len(part)), part, _END)
    return b"".join(parts)

"""One message object, end to end: transports make it, policies, matchers, replies and the timeline read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class NoPayload(bytes):
    """An empty payload that is none at all: a tombstone where the bus knows one (Kafka), elsewhere an empty message."""

    __slots__ = ()


NO_PAYLOAD = NoPayload()


def _no_headers() -> Mapping[str, str]:
    return NO_HEADERS


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a transport delivered it.

    ``received_at`` is loop time in seconds, taken when the client library handed the bytes over; ``broker_time`` is
    the broker's own stamp in epoch seconds, where it keeps one. ``order`` is where a message stands among those of all
    topics of its broker, where that does not show in the order of arrival; several may stand at the same place.
    ``repr`` never shows payload, headers or key.
    """

    topic: str
    payload: bytes = field(repr=False)
    received_at: float = 0.0
    headers: Mapping[str, str] = field(default_factory=_no_headers, repr=False)
    key: str | None = field(default=None, repr=False)
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None
    order: int | None = None

    def follows(self, other: Message, *, handed_over_later: bool) -> bool | None:
        """Whether it came after another one over the same transport; ``None`` where the broker does not tell."""
        is_one_log = self.topic == other.topic and self.partition == other.partition
        if is_one_log and self.offset is not None and other.offset is not None:
            return self.offset > other.offset
        if self.order is None or other.order is None:
            return (self.received_at, handed_over_later) > (other.received_at, False)
        here, there = (self.order, self.received_at), (other.order, other.received_at)
        return None if here == there else here > there


@dataclass(frozen=True, slots=True)
class Encoded:
    """A payload as it went out; decoded when somebody looks, so that publishing copies nothing."""

    data: bytes = field(repr=False)
    decode: Callable[[bytes], Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message as results and reports keep it: named by the transport it came over, its payload decoded.

    ``content`` is the decoded payload, or an ``Encoded`` one; read ``payload``.
    """

    topic: str
    transport: str | None
    content: Any = field(repr=False)
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=_no_headers, repr=False)
    key: str | None = field(default=None, repr=False)
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None

    @property
    def payload(self) -> Any:
        """The decoded payload; bytes that the codec cannot read are given as they are."""
        if not isinstance(self.content, Encoded):
            return self.content
        try:
            return self.content.decode(self.content.data)
        except Exception:  # noqa: BLE001 - raw bytes may be published past any codec
            return self.content.data

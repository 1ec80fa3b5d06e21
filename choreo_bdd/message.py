"""One message object, end to end: transports make it, policies, matchers, replies and the timeline read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from msgspec import Struct, structs

_TOLD_APART_S = 0.1
"""What comes through different lanes so far apart has come in this order; nearer, only stamps may tell."""

_STAMP_S = 0.001
"""As fine as the coarser stamps of one server are: those of entries of Redis streams."""

_ONE_CLOCK_S = 2.0
"""Stamps that lie further apart than the arrivals by so much are of clocks that do not agree, and tell nothing."""

_UNSHOWN = frozenset({"payload", "content", "json", "headers", "key", "kept"})

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class NoPayload(bytes):
    """An empty payload that is none at all: a tombstone where the bus knows one (Kafka), elsewhere an empty message.

    A message that arrives with it has the value ``None``, whatever the codec; one with empty bytes is the codec's.
    """

    __slots__ = ()


NO_PAYLOAD = NoPayload()


class HeaderValues(str):
    """The values of a header that came several times: as text all of them, separated by commas."""

    __slots__ = ("values",)

    values: tuple[str, ...]

    def __new__(cls, values: Iterable[str]) -> Self:
        """Of these values, in their order."""
        several = tuple(values)
        made = super().__new__(cls, ", ".join(several))
        made.values = several
        return made


def values_of(text: str) -> tuple[str, ...]:
    """Each value of a header; one for a header that came once."""
    return text.values if isinstance(text, HeaderValues) else (text,)


def headers_from(pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Headers as they came; of those that share a name no value is lost."""
    headers = dict(pairs)
    if len(headers) == len(pairs):
        return headers or NO_HEADERS
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else HeaderValues(values) for name, values in several.items()}


class Kept(NamedTuple):
    """A message that its broker keeps until somebody says that it has been used; what nobody uses goes back to it.

    ``is_leftover`` says that it was there before anybody of ours listened.
    """

    use: Callable[[], None]
    is_leftover: bool = False


def _shown(message: Message | MessageRecord) -> str:
    """Where it was and when, and nothing of what it says."""
    told = [f"{name}={getattr(message, name)!r}" for name in message.__struct_fields__ if name not in _UNSHOWN]
    return f"{type(message).__name__}({', '.join(told)})"


class Message(Struct, frozen=True):
    """A message as a transport delivered it.

    ``received_at`` is loop time in seconds, taken when the client library handed the bytes over; ``broker_time`` is
    the broker's own stamp in epoch seconds, where it keeps one. ``order`` is where a message stands among those of all
    topics of its broker, where that does not show in the order of arrival; several may stand at the same place.
    ``repr`` never shows payload, headers or key.
    """

    topic: str
    payload: bytes
    received_at: float = 0.0
    headers: Mapping[str, str] = NO_HEADERS
    key: str | None = None
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None
    order: int | None = None
    kept: Kept | None = None
    lane: str | None = None
    """What it came through, where a broker hands out several things each by itself, such as queues."""

    @property
    def is_leftover(self) -> bool:
        """Whether it was in its queue before anybody of ours listened there."""
        return self.kept is not None and self.kept.is_leftover

    def used(self) -> None:
        """Say that it has done something here: a broker that keeps it until then takes it away."""
        if self.kept is not None:
            self.kept.use()

    def is_like(self, other: Message) -> bool:
        """Whether it may be the same one, heard through another subscription: alike in all but when that was."""
        return self.topic == other.topic and self._apart_from_arrival == other._apart_from_arrival

    @property
    def _apart_from_arrival(self) -> Message:
        return structs.replace(self, received_at=0.0, kept=None)

    def __repr__(self) -> str:
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field

    def follows(self, other: Message, *, handed_over_later: bool) -> bool | None:
        """Whether it came after another one over the same transport; ``None`` where the broker does not tell."""
        is_one_log = self.topic == other.topic and self.partition == other.partition
        if is_one_log and self.offset is not None and other.offset is not None:
            return self.offset > other.offset
        if self.lane != other.lane and abs(self.received_at - other.received_at) < _TOLD_APART_S:
            return self._is_stamped_later(other)
        if self.order is None or other.order is None:
            return (self.received_at, handed_over_later) > (other.received_at, False)
        if self._is_of_another_clock(other):
            return None if self.received_at == other.received_at else self.received_at > other.received_at
        here, there = (self.order, self.received_at), (other.order, other.received_at)
        return None if here == there else here > there

    def _is_stamped_later(self, other: Message) -> bool | None:
        """By stamps that are of one clock, as far as their arrivals tell; ``None`` where they are not, or too near."""
        if self.broker_time is None or other.broker_time is None:
            return None
        apart_s = self.broker_time - other.broker_time
        belied_s = abs(apart_s - (self.received_at - other.received_at))
        return None if abs(apart_s) < _STAMP_S or belied_s > _TOLD_APART_S else apart_s > 0

    def _is_of_another_clock(self, other: Message) -> bool:
        """Whether two places that are nothing but stamps, in ms, of who sent the messages belie the arrival."""
        if self.order is None or other.order is None or not (self._is_stamped and other._is_stamped):
            return False
        stamped_s = (self.order - other.order) / 1000
        return abs(stamped_s - (self.received_at - other.received_at)) > _ONE_CLOCK_S

    @property
    def _is_stamped(self) -> bool:
        return self.broker_time is not None and self.order == round(self.broker_time * 1000)


class Encoded(Struct, frozen=True):
    """A payload as it went out; decoded when somebody looks, so that publishing copies nothing."""

    data: bytes
    decode: Callable[[bytes], Any]

    def __repr__(self) -> str:
        return f"<Encoded {len(self.data)} bytes>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field


class MessageRecord(Struct, frozen=True):
    """A message as results and reports keep it: named by the transport it came over, its payload decoded.

    ``content`` is the decoded payload, or an ``Encoded`` one; read ``payload``. ``json`` is what it travelled as, if
    that is read as JSON, and is JSON unless ``payload`` is those bytes, too.
    """

    topic: str
    transport: str | None
    content: Any
    size: int = 0
    headers: Mapping[str, str] = NO_HEADERS
    key: str | None = None
    partition: int | None = None
    offset: int | None = None
    broker_time: float | None = None
    json: bytes | None = None

    def __repr__(self) -> str:
        return _shown(self)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field

    @property
    def payload(self) -> Any:
        """The decoded payload; bytes that the codec cannot read are given as they are."""
        if not isinstance(self.content, Encoded):
            return self.content
        if isinstance(self.content.data, NoPayload):
            return None
        try:
            return self.content.decode(self.content.data)
        except Exception:  # noqa: BLE001 - raw bytes may be published past any codec
            return self.content.data

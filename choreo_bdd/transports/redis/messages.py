"""Redis stream entries as messages, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from choreo_bdd import topic_patterns
from choreo_bdd.message import NO_HEADERS, Message, headers_from
from choreo_bdd.transports.shared.outbound import Outgoing

Id = tuple[int, int]
"""An entry id: milliseconds since the epoch, and a number within the millisecond."""

START: Id = (0, 0)
KEY_FIELD = "key"
_SEQUENCES = 1000


@dataclass(frozen=True, slots=True)
class EntryLayout:
    """Where an entry keeps what: the payload in ``payload_field``, the key in ``key``, headers in all other fields.

    Without a ``payload_field`` the fields are the payload: an object of texts, with neither key nor headers. ``maxlen``
    has every publish trim its stream to about that many entries. ``ValueError`` for what cannot be meant.
    """

    payload_field: str | None = "payload"
    maxlen: int | None = None

    def __post_init__(self) -> None:
        if self.payload_field in ("", KEY_FIELD):
            raise ValueError(f"the payload cannot be kept in the field {self.payload_field!r}: choose another name")
        if self.maxlen is not None and self.maxlen < 1:
            raise ValueError(f"stream_maxlen is a number of entries, at least 1, not {self.maxlen!r}")

    def reserved(self, headers: Mapping[str, str]) -> str | None:
        """A header that cannot travel because its name is taken, if there is one."""
        return next((name for name in (self.payload_field, KEY_FIELD) if name is not None and name in headers), None)

    def command(self, outgoing: Outgoing) -> tuple[str | bytes | int, ...]:
        """How a message is appended to its stream; ``ValueError`` for a payload that has no fields to be an entry."""
        cap: tuple[str | int, ...] = () if self.maxlen is None else ("MAXLEN", "~", self.maxlen)
        if self.payload_field is None:
            return ("XADD", outgoing.topic, *cap, "*", *(part for pair in _fields(outgoing.payload) for part in pair))
        key = () if outgoing.key is None else (KEY_FIELD, outgoing.key)
        headers = (part for pair in outgoing.headers.items() for part in pair)
        return ("XADD", outgoing.topic, *cap, "*", self.payload_field, outgoing.payload, *key, *headers)

    def message(self, topic: str, entry: Id, fields: Sequence[bytes], received_at: float) -> Message:
        """An entry as it is delivered.

        An entry without the payload field is a foreign producer's own record: all of it, as a JSON object of texts,
        is the payload. ``offset`` is milliseconds * 1000 + sequence number (999 at most), which a report can hold.
        """
        field = None if self.payload_field is None else self.payload_field.encode()
        pairs = list(zip(fields[::2], fields[1::2], strict=True))
        payload = next((value for name, value in reversed(pairs) if name == field), None)
        headers = dict(headers_from([(_text(name), _text(value)) for name, value in pairs if name != field]))
        if payload is None:
            payload = json.dumps(headers, ensure_ascii=False).encode()
        if self.payload_field is None:
            headers = {}
        milliseconds, sequence = entry
        place = milliseconds * _SEQUENCES + min(sequence, _SEQUENCES - 1)
        return Message(
            topic,
            payload,
            received_at,
            key=headers.pop(KEY_FIELD, None),
            headers=headers or NO_HEADERS,
            offset=place,
            broker_time=milliseconds / 1000,
            order=place,
        )


@dataclass(frozen=True, slots=True)
class ListEnd:
    """Where a list takes what is pushed: on the left, as most queues do, or on the right."""

    is_right: bool = False

    def command(self, outgoing: Outgoing) -> tuple[str | bytes, ...]:
        """How a message is pushed."""
        return "RPUSH" if self.is_right else "LPUSH", outgoing.topic, outgoing.payload


Layout = EntryLayout | ListEnd | None
"""What a topic is: a stream, a list, or a channel of Pub/Sub."""


@dataclass(frozen=True, slots=True)
class Layouts:
    """Which topics are streams, and how their entries are laid out, and which are lists; ``None`` is a channel.

    Of ``topics``, patterns each, the first that fits counts; all others are as ``usual`` says.
    """

    usual: EntryLayout | None
    topics: tuple[tuple[str, Layout], ...] = ()

    def of(self, topic: str) -> Layout:
        """The layout of a topic."""
        by_topic: topic_patterns.ByTopic[Layout] = topic_patterns.ByTopic(self.usual, self.topics)
        return by_topic.of(topic)

    def under(self, topic: str) -> Iterator[Layout]:
        """The layouts of the topics that a name or pattern may mean."""
        by_topic: topic_patterns.ByTopic[Layout] = topic_patterns.ByTopic(self.usual, self.topics)
        return (layout for _, layout in by_topic.under(topic))

    @property
    def has_channels(self) -> bool:
        """Whether any topic is a channel of Pub/Sub."""
        return self.usual is None or any(layout is None for _, layout in self.topics)

    @property
    def has_streams(self) -> bool:
        """Whether any topic is a stream."""
        return any(isinstance(layout, EntryLayout) for layout in (self.usual, *(each for _, each in self.topics)))

    @property
    def has_lists(self) -> bool:
        """Whether any topic is a list."""
        return any(isinstance(layout, ListEnd) for _, layout in self.topics)


def _fields(payload: bytes) -> Iterator[tuple[str, str]]:
    """A JSON object as the fields of an entry: texts as they are, all else as JSON."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise ValueError("the fields of this stream's entries are the payload, and this one is no JSON") from error
    if not isinstance(value, dict) or not value:
        raise ValueError(
            "the fields of this stream's entries are the payload, so it has to be an object with at least one; to keep "
            "it in one field, name that: payload_field"
        )
    for name, each in value.items():
        yield name, each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)


def id_of(text: bytes) -> Id:
    """An entry id as Redis writes it."""
    milliseconds, _, sequence = text.partition(b"-")
    return int(milliseconds), int(sequence)


def text_of(entry: Id) -> str:
    """An entry id as Redis reads it."""
    return f"{entry[0]}-{entry[1]}"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")

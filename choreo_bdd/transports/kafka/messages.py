"""How messages look in Kafka."""

from __future__ import annotations

from aiokafka.structs import ConsumerRecord

from choreo_bdd.message import NO_HEADERS, NO_PAYLOAD, Message, headers_from


def message_of(record: ConsumerRecord, received_at: float) -> Message:
    """A record as a message. One without a value (a tombstone) has the payload that is none."""
    return Message(
        record.topic,
        NO_PAYLOAD if record.value is None else record.value,
        received_at,
        headers_from([(name, _text(value) or "") for name, value in record.headers]) if record.headers else NO_HEADERS,
        _text(record.key),
        record.partition,
        record.offset,
        record.timestamp / 1000 if record.timestamp >= 0 else None,
        record.timestamp if record.timestamp >= 0 else None,  # what one fetch brings of several topics has no other
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")

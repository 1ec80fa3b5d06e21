"""Listening to live traffic: what comes on some topics, decoded, with its correlation id."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from choreo_bdd.correlation import Envelope
from choreo_bdd.harness import Harness
from choreo_bdd.message import NO_HEADERS, Message
from choreo_bdd.topic_patterns import matches
from choreo_bdd.transports.base import promise_of
from choreo_bdd_project.config import TransportConfig, for_topic
from choreo_bdd_project.reply_addresses import ReplyAddress, reply_address
from choreo_bdd_steps.run.session import Session

_ON_THE_WAY = frozenset({"traceparent", "tracestate", "baggage", "amqp.routing_key"})
"""Headers that say how a message came here, and nothing of what it is."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that came; ``conversation`` is its correlation id, ``None`` where it carries none.

    ``reply_to`` is the topic on which its sender wants an answer. Neither stands in payload or headers: the library
    puts both there itself.
    """

    at: float
    transport: str
    topic: str
    payload: Any = field(repr=False)
    conversation: str | None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS, repr=False)
    reply_to: str | None = None


class _Listener:
    """Takes what comes on one transport; what its codec cannot read is counted."""

    def __init__(self, name: str, harness: Harness, transport: TransportConfig, seen: list[Seen]) -> None:
        self._name = name
        self._harness = harness
        self._transport = transport
        self._address = reply_address(transport, "")
        self._seen = seen
        self.unreadable = 0

    def __call__(self, topic: str, payload: bytes) -> None:
        """Take a delivery of a transport that knows only topic and payload."""
        self.deliver(Message(topic, bytes(payload), asyncio.get_running_loop().time()))

    def deliver(self, message: Message) -> None:
        """Take a whole message, once however many patterns it fits."""
        try:
            payload = self._harness.codec_of(message.topic).decode(message.payload)
            read = self._harness.correlation.read(Envelope(message.topic, payload, message.headers))
        except Exception:  # noqa: BLE001 - whatever a codec or a policy raises, the message cannot be told
            self.unreadable += 1
            return
        field_name, header = _carriers(self._transport, message.topic)
        address = self._address
        seen = Seen(
            message.received_at,
            self._name,
            message.topic,
            without(without(payload, _path(field_name)), _path(address.field)),
            None if read is None else str(read),
            message.key,
            _telling(message.headers, {header, address.header}),
            _wanted_at(address, message.headers, payload),
        )
        if seen not in self._seen[-8:]:
            self._seen.append(seen)


def without(payload: Any, path: Sequence[str | int]) -> Any:
    """A payload with nothing at a path, and without the object around it that would then be empty."""
    if not path or not isinstance(payload, Mapping) or path[0] not in payload:
        return payload
    rest = without(payload[path[0]], path[1:]) if len(path) > 1 else {}
    others = {name: value for name, value in payload.items() if name != path[0]}
    return others if rest == {} else {**payload, path[0]: rest}


def _carriers(transport: TransportConfig, topic: str) -> tuple[str | None, str | None]:
    """The field and the header that carry the correlation id on a topic."""
    settings = next((each for each in transport.topics if matches(each.pattern, topic)), None)
    told = transport if settings is None else for_topic(transport, settings)
    return told.correlation_field, told.correlation_header


def _path(field_name: str | None) -> tuple[str, ...]:
    return tuple(field_name.split(".")) if field_name else ()


def _telling(headers: Mapping[str, str], own: set[str | None]) -> Mapping[str, str]:
    left_out = _ON_THE_WAY | {name.lower() for name in own if name is not None}
    return {name: value for name, value in headers.items() if name.lower() not in left_out}


def _wanted_at(address: ReplyAddress, headers: Mapping[str, str], payload: Any) -> str | None:
    if address.header is not None:
        return headers.get(address.header)
    found = payload.get(address.field) if isinstance(payload, Mapping) else None
    return found if isinstance(found, str) else None


def listen(
    session: Session, transports: Sequence[str], topics: Sequence[str], seconds: float
) -> tuple[list[Seen], int]:
    """What comes for so long, in order of time, and how many messages could not be read.

    Raises what connecting and subscribing raise.
    """
    seen: list[Seen] = []
    listeners = []
    for name in transports:
        harness = session.harness(name)
        listener = _Listener(name, harness, session.config.transports[name], seen)
        listeners.append(listener)
        session.run(_subscribed(harness, topics, listener))
    session.run(asyncio.sleep(seconds))
    return sorted(seen, key=lambda each: each.at), sum(listener.unreadable for listener in listeners)


async def _subscribed(harness: Harness, topics: Sequence[str], listener: _Listener) -> None:
    for topic in topics:
        ready = promise_of(harness.transport.subscribe(topic, listener))
        if ready is not None:
            await ready

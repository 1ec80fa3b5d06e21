"""Listening to live traffic: what comes on some topics, decoded, with its correlation id."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from choreo_bdd.correlation import Envelope
from choreo_bdd.harness import Harness
from choreo_bdd.message import Message
from choreo_bdd.transports.base import promise_of
from choreo_bdd_steps.run.session import Session


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that came; ``conversation`` is its correlation id, ``None`` where it carries none."""

    at: float
    transport: str
    topic: str
    payload: Any = field(repr=False)
    conversation: str | None


class _Listener:
    """Takes what comes on one transport; what its codec cannot read is counted."""

    def __init__(self, name: str, harness: Harness, seen: list[Seen]) -> None:
        self._name = name
        self._harness = harness
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
        seen = Seen(message.received_at, self._name, message.topic, payload, None if read is None else str(read))
        if seen not in self._seen[-8:]:
            self._seen.append(seen)


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
        listener = _Listener(name, harness, seen)
        listeners.append(listener)
        session.run(_subscribed(harness, topics, listener))
    session.run(asyncio.sleep(seconds))
    return sorted(seen, key=lambda each: each.at), sum(listener.unreadable for listener in listeners)


async def _subscribed(harness: Harness, topics: Sequence[str], listener: _Listener) -> None:
    for topic in topics:
        ready = promise_of(harness.transport.subscribe(topic, listener))
        if ready is not None:
            await ready

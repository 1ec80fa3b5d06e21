"""What a harness hears and who listens: a message decoded once, one that nobody can read, and a listener."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from choreo_bdd.codecs.base import Refused
from choreo_bdd.contracts import Problem
from choreo_bdd.message import Message, MessageRecord


class Unreadable(Exception):
    """A message whose payload or id could not be read; ``stage_event`` is what a Stage logs about it."""

    def __init__(self, stage_event: str, original: BaseException) -> None:
        self.error_class = type(original).__name__
        self.reason = str(original) if isinstance(original, Refused) else self.error_class
        """Why, as far as that tells nothing of the payload."""
        self.stage_event = stage_event
        super().__init__(self.error_class)


class Delivery(NamedTuple):
    """A message, decoded once, with the correlation id it carries and what is wrong with it under its contract.

    A named tuple because one is made for each message: it takes a third of the time of a frozen data class.
    """

    message: Message
    value: Any
    correlation_id: str | None = None
    problems: tuple[Problem, ...] = ()
    turn: int = 0
    """How many its bus had handed over before it: tells apart what came in the same moment, in one read of a socket."""
    is_json: bool = False
    """Whether the value was read from the payload as JSON."""

    def __repr__(self) -> str:
        """Nothing of the payload."""
        return f"Delivery({self.message!r})"

    @property
    def size(self) -> int:
        """In bytes, as it travelled."""
        return len(self.message.payload)

    def record(self, transport: str | None) -> MessageRecord:
        """The message as results keep it; ``transport`` is its name on a Stage."""
        message = self.message
        return MessageRecord(
            message.topic,
            transport,
            self.value,
            self.size,
            message.headers,
            message.key,
            message.partition,
            message.offset,
            message.broker_time,
            message.payload if self.is_json else None,
        )


class Listener(Protocol):
    """Whoever listens to topics of one transport."""

    @property
    def correlation_id(self) -> str | None:
        """The id of the messages it wants; ``None`` for all of them."""
        ...

    def receive(self, delivery: Delivery) -> None:
        """Take a message that concerns this listener."""
        ...

    def unreadable(self, message: Message, error: Unreadable) -> None:
        """Take note that a message on one of its topics could not be decoded, or its id not read."""
        ...

    def connection_lost(self, reason: str) -> None:
        """Take note that nothing can arrive any more."""
        ...

    def unanswered(self, asked: str) -> None:
        """Take note that no answer comes to what was asked on a topic: nobody listens there."""
        ...

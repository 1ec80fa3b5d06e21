"""Watching similar topics, so that a message on a misspelt one can be named as the cause of what did not arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.base import Ready, Transport, promise_of

_KEPT = 64

TakeDown = Callable[[str, Message], None]
"""Takes note of a message, with the topic or pattern it was heard on."""


class NearbyTopic:
    """One pattern watched for diagnosis only: keeps its latest messages and judges nothing."""

    __slots__ = ("_pattern", "_take_down", "ready", "seen", "users")

    is_bystander = True

    def __init__(self, pattern: str, take_down: TakeDown) -> None:
        self._pattern = pattern
        self._take_down = take_down
        self.seen: deque[Message] = deque(maxlen=_KEPT)
        self.users = 0
        self.ready: Ready | None = None

    def __call__(self, topic: str, payload: bytes) -> None:
        """Take a delivery of a transport that knows only topic and payload."""
        self.deliver(Message(topic, bytes(payload), asyncio.get_running_loop().time()))

    def deliver(self, message: Message) -> None:
        """Keep the message for a while."""
        self.seen.append(message)
        self._take_down(self._pattern, message)


class NearbyTopics:
    """The patterns watched on one transport."""

    def __init__(self, transport: Transport, take_down: TakeDown) -> None:
        self._transport = transport
        self._take_down = take_down
        self._watched: dict[str, NearbyTopic] = {}

    @property
    def is_cheap(self) -> bool:
        """Whether watching a pattern costs no more than listening to a topic."""
        return self._transport.capabilities.cheap_patterns

    def beside(self, topic: str) -> tuple[str, ...]:
        """The patterns of similar topics that this transport can watch without much ado."""
        patterns = topic_patterns.siblings(topic)
        return patterns if self.is_cheap else patterns[:1]

    def add(self, pattern: str) -> Ready | None:
        """Keep the latest messages of a pattern; counted, so each call needs a ``remove``."""
        nearby = self._watched.get(pattern)
        if nearby is None:
            nearby = NearbyTopic(pattern, self._take_down)
            nearby.ready = promise_of(self._transport.subscribe(pattern, nearby))
            self._watched[pattern] = nearby
        nearby.users += 1
        return nearby.ready

    def remove(self, pattern: str) -> None:
        """Give back one ``add``."""
        nearby = self._watched.get(pattern)
        if nearby is None:
            return
        nearby.users -= 1
        if nearby.users == 0:
            del self._watched[pattern]
            self._transport.unsubscribe(pattern, nearby)

    def seen(self, pattern: str) -> Sequence[Message]:
        """The latest messages on a watched pattern."""
        nearby = self._watched.get(pattern)
        return () if nearby is None else tuple(nearby.seen)

    def clear(self) -> None:
        """Forget every pattern: the transport has dropped its subscriptions."""
        self._watched.clear()

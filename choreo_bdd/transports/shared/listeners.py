"""Who listens to a transport whose subscriptions are live at once; brokers, which confirm, have ``Subscriptions``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.base import TransportCallback, sink_of


class Listener(NamedTuple):
    """One callback on a topic, or on a pattern of topics; ``deliver`` hands it a message."""

    topic: str
    callback: TransportCallback
    deliver: Callable[[Message], None]
    is_pattern: bool


class Listeners:
    """All of them, in the order in which they came; whoever goes through them may add and remove some meanwhile."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def add(self, topic: str, callback: TransportCallback) -> Listener:
        """Note a callback."""
        listener = Listener(topic, callback, sink_of(callback), topic_patterns.is_pattern(topic))
        self._listeners += (listener,)
        return listener

    def remove(self, topic: str, callback: TransportCallback) -> Listener | None:
        """Take out one registration of this callback on this topic, if there is one."""
        for index, listener in enumerate(self._listeners):
            if listener.topic == topic and listener.callback == callback:  # a bound method is never `is` itself
                self._listeners = self._listeners[:index] + self._listeners[index + 1 :]
                return listener
        return None

    def clear(self) -> None:
        """Take out all of them."""
        self._listeners = ()

    def hearing(self, topic: str) -> list[Listener]:
        """Those that messages on a topic are for."""
        return [
            each
            for each in self._listeners
            if each.topic == topic or (each.is_pattern and topic_patterns.matches(each.topic, topic))
        ]

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._listeners)

    def __len__(self) -> int:
        return len(self._listeners)

"""Which way the messages of a topic go: its exchange, routing key and queue (spec/steps.md 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.exchange import Exchange

QUEUE_PREFIX = "queue:"
"""A topic that begins so names a queue of the broker, not a routing key."""

_DELAY = "x-delay"


def queue_of(topic: str) -> str | None:
    """The queue a topic names; ``None`` for a routing key."""
    return topic.removeprefix(QUEUE_PREFIX) if topic.startswith(QUEUE_PREFIX) else None


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a topic.

    It goes by ``exchange``, or without one by the broker's default exchange, whose routing keys are queues. The topic
    is the routing key unless ``routing_key`` says another; a pattern there is only listened to. With a ``queue`` the
    topic stands for that queue: ``consume`` takes messages out of it, otherwise they are watched as they are published.

    ``mandatory`` makes a message that reaches no queue a failed publish; false has nobody ask, and ``None`` notes it.
    """

    exchange: Exchange | None = None
    routing_key: str | None = None
    queue: str | None = None
    consume: bool = False
    mandatory: bool | None = None

    def key_of(self, topic: str) -> str:
        """The routing key that a message on the topic is published with."""
        if self.exchange is None and self.queue is not None:
            return self.queue
        is_single = self.routing_key is not None and not topic_patterns.is_pattern(self.routing_key)
        return self.routing_key if self.routing_key is not None and is_single else topic

    def heard(self, topic: str) -> str:
        """The routing key, or the pattern of them, that is listened to for the topic."""
        return topic if self.routing_key is None else self.routing_key

    def asks_for(self, headers: Mapping[str, str]) -> bool:
        """Whether the broker is asked if a message reaches a queue.

        One that an exchange is to delay is returned by it although it goes out later (the delayed-message plugin).
        """
        return self.mandatory is True or (self.mandatory is None and _DELAY not in headers)

    @property
    def fails_unheard(self) -> bool:
        """Whether a message that reaches no queue has not been published: by default exchange the queue lacks then."""
        return self.mandatory is True or (self.exchange is None and self.mandatory is None)


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways of all topics: those of ``topics``, patterns each, of which the first that fits counts, else ``usual``.

    A topic that begins with ``queue:`` stands for a queue, whatever is said of others.
    """

    usual: Exchange
    topics: tuple[tuple[str, Route], ...] = ()
    _by_topic: topic_patterns.ByTopic[Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_topic", topic_patterns.ByTopic(Route(self.usual), self.topics))

    def of(self, topic: str) -> Route:
        """The way of a topic or pattern."""
        queue = queue_of(topic)
        if queue is not None:
            return Route(queue=queue, consume=True)
        return self._by_topic.of(topic)

    def beside(self, topic: str) -> tuple[Route, ...]:
        """The ways of topics under a pattern that have another exchange than the pattern."""
        mine = self.of(topic)
        if not topic_patterns.is_pattern(topic) or queue_of(topic) is not None or mine.routing_key is not None:
            return ()
        beside = (
            route.exchange
            for _, route in self._by_topic.under(topic)
            if route.exchange is not None and route.queue is None and route.routing_key is None
        )
        return tuple(Route(exchange) for exchange in dict.fromkeys(beside) if exchange != mine.exchange)

    def only_by(
        self, ways: Sequence[Route], number: int, deliver: Callable[[Message], None]
    ) -> Callable[[Message], None]:
        """Of several ways only what goes by this one: each topic has one, and elsewhere its name means nothing."""
        if len(ways) == 1:
            return deliver
        exchange = ways[number].exchange

        def of_its_own(message: Message) -> None:
            if self.of(message.topic).exchange == exchange:
                deliver(message)

        return of_its_own

    def must_not_hear(self, topic: str) -> bool:
        """Whether a queue bound for the topic or pattern would be the somebody that a mandatory topic asks for."""
        mine = self.of(topic)
        return any(
            route.mandatory is True
            and route.exchange == mine.exchange
            and topic_patterns.overlap(route.key_of(asked), mine.heard(topic))
            for asked, route in self.topics
        )

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange there is a way by, the usual one first."""
        told = (route.exchange for _, route in self.topics if route.exchange is not None)
        return tuple(dict.fromkeys((self.usual, *told)))

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that is named: also by a topic of the default exchange, whose name it has."""
        told = (
            route.queue or (None if route.exchange or topic_patterns.is_pattern(topic) else route.key_of(topic))
            for topic, route in self.topics
        )
        return tuple(dict.fromkeys(filter(None, told)))

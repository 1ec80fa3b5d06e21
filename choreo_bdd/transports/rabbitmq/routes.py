"""Which way the messages of a topic go: its exchange, routing key and queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from choreo_bdd import topic_patterns
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.exchange import Exchange

QUEUE_PREFIX = "queue:"
"""A topic that begins so names a queue of the broker, not a routing key."""

ROUTING_KEY = "amqp.routing_key"
"""The header that has a message's routing key where its topic is another name."""

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
        if self.exchange is None:
            return self.key_of(topic)
        return topic if self.routing_key is None else self.routing_key

    def is_plain(self, topic: str) -> bool:
        """Whether the topic is the routing key of its messages at an exchange that can be listened to."""
        return self.exchange is not None and not self.consume and self.heard(topic) == topic

    def leads(self, topic: str, exchange: Exchange | None) -> bool:
        """Whether a message on the topic goes by that exchange; by the default one its name has to be the queue's."""
        return self.exchange == exchange and (exchange is not None or self.key_of(topic) == topic)

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
class Way:
    """Where a topic, or of a pattern what goes this way, is listened to."""

    topic: str
    route: Route


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

    def ways(self, topic: str) -> tuple[Way, ...]:
        """Where a topic is listened to and, for a pattern, those of its topics that go another way.

        The first is its own. One that is taken out of its queue is left to whoever names it.
        """
        mine = self.of(topic)
        found = {Way(topic, mine): None}
        if topic_patterns.is_pattern(topic) and queue_of(topic) is None and mine.routing_key is None:
            for name, route in self._elsewhere(topic):
                if not route.consume and (name != topic or route.exchange != mine.exchange):
                    found[Way(name, route)] = None
        return tuple(found)

    def _elsewhere(self, pattern: str) -> Iterator[tuple[str, Route]]:
        """The ways of what is under a pattern: by a name of its own, or as the pattern at an exchange."""
        for name, route in self._by_topic.under(pattern):
            if name is None or topic_patterns.is_pattern(name) or route.is_plain(name):
                yield pattern, Route(route.exchange)
            elif self.of(name) is route:  # and is not hidden behind a pattern before it
                yield name, route

    def untouched(self, topic: str) -> tuple[str, ...]:
        """Which topics under a pattern are taken out of a queue, in words: listening to the pattern takes nothing."""
        if not topic_patterns.is_pattern(topic) or queue_of(topic) is not None:
            return ()
        taken = [(name, route.queue) for name, route in self._elsewhere(topic) if route.consume]
        return tuple(
            f"{name!r} is taken out of the queue {queue!r} (consume: true), and only by its own name: expect none of "
            f"{name!r} in a check beside, and use a pattern that leaves it out"
            for name, queue in taken
        )

    def only_by(
        self, ways: Sequence[Way], number: int, deliver: Callable[[Message], None]
    ) -> Callable[[Message], None]:
        """Of several ways only what goes by this one: each topic has one, and elsewhere its name means nothing."""
        if len(ways) == 1:
            return deliver
        pattern, way = ways[0].topic, ways[number]
        heard_as_pattern = {each.route.exchange for each in ways if each.topic == pattern}

        def of_its_own(message: Message) -> None:
            if way.topic == pattern:
                is_its_own = self.of(message.topic).leads(message.topic, way.route.exchange)
            else:  # a routing key under the pattern has been heard as such
                key = message.headers.get(ROUTING_KEY, "")
                is_heard = topic_patterns.matches(pattern, key) and self.of(key).leads(key, way.route.exchange)
                is_its_own = not (is_heard and way.route.exchange in heard_as_pattern)
            if is_its_own:
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

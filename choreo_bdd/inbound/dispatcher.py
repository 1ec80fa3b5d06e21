"""Route, don't filter: decode once, read the id once, hand the message to the scenarios concerned.

``Dispatcher`` knows which scenario owns which correlation id and keeps the surprise log of messages nobody owned.
``Router`` is a harness's inbound side: one transport subscription a topic, shared by all its scenarios.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from choreo_bdd.codecs import Codec
from choreo_bdd.contracts import Guard, Problem
from choreo_bdd.correlation import CorrelationPolicy, Envelope
from choreo_bdd.inbound.nearby_topics import Watches
from choreo_bdd.loop import LoopPoster
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd.transports.base import Ready, Transport, promise_of

_LOG = logging.getLogger("choreo_bdd.scenario")

Classification = Literal["no_extractor", "no_correlation_field", "unknown_scope", "timeout_race"]
Extractor = Callable[[bytes], "str | None"]

_SURPRISES_KEPT = 1000
_LEFT_SCOPES_KEPT = 10_000
_FOREIGN_KEPT = 64
_UNSAFE_EXTRACTORS = {
    **dict.fromkeys(("pickle", "marshal", "shelve"), ("load", "loads", "open")),
    "yaml": ("load", "load_all", "full_load", "full_load_all", "unsafe_load", "unsafe_load_all"),
}


@dataclass(frozen=True, slots=True)
class SurpriseEntry:
    """A message that no scenario owned. It keeps the size, never the payload."""

    topic: str
    correlation_id: str
    classification: Classification
    size: int


class Dispatcher:
    """Who owns which correlation id (spec/harness.md 6.1); must be used on the loop's thread."""

    def __init__(self, *, poster: LoopPoster | None = None) -> None:
        self._poster = poster
        self._owners: dict[str, Any] = {}
        self._ids: dict[int, set[str]] = {}
        self._left: OrderedDict[str, None] = OrderedDict()
        self._extractors: dict[str, Extractor] = {}
        self._surprises: deque[tuple[str, str, Classification, int]] = deque(maxlen=_SURPRISES_KEPT)
        self.surprised = 0
        """How many surprises there have been, those the log had to forget included."""

    def __init_subclass__(cls) -> None:
        if "dispatch" in cls.__dict__:
            raise TypeError(f"{cls.__name__} redefines dispatch(): routing has one implementation")

    def register_scope(self, scope: Any, correlation_id: str) -> None:
        """From now on ``scope`` owns this id."""
        self._owners[correlation_id] = scope
        self._ids.setdefault(id(scope), set()).add(correlation_id)
        self._left.pop(correlation_id, None)

    def deregister_scope(self, scope: Any) -> None:
        """Forget all ids of this scope, but remember that they once were somebody's."""
        for correlation_id in self._ids.pop(id(scope), ()):
            if self._owners.get(correlation_id) is scope:
                del self._owners[correlation_id]
                self._left[correlation_id] = None
        while len(self._left) > _LEFT_SCOPES_KEPT:
            self._left.popitem(last=False)

    def register_extractor(self, topic: str, extractor: Extractor) -> None:
        """Say how to read the id from raw bytes on a topic; deserialisers that run code are refused."""
        name = getattr(extractor, "__name__", type(extractor).__name__)
        package = str(getattr(extractor, "__module__", "")).partition(".")[0].lstrip("_")
        if name in _UNSAFE_EXTRACTORS.get(package, ()):
            raise ValueError(f"{package}.{name} may run code from a message; use a safe parser")
        self._extractors[topic] = extractor

    def dispatch(self, *, topic: str, payload: bytes, source: str, resolver: Callable[[Any, bytes], None]) -> None:
        """Call ``resolver(scope, payload)`` for the owner of the message, or write one surprise entry.

        ``source`` names where the message came from; it is not interpreted.
        """
        del source
        extractor = self._extractors.get(topic)
        correlation_id = extractor(payload) if extractor is not None else None
        if correlation_id is not None and correlation_id in self._owners:
            resolver(self._owners[correlation_id], payload)
        elif extractor is None:
            self.surprise(topic, "", len(payload), "no_extractor")
        else:
            self.surprise(topic, correlation_id or "", len(payload))

    def owner(self, correlation_id: str) -> Any | None:
        """The live scope of an id."""
        return self._owners.get(correlation_id)

    def is_known(self, correlation_id: str) -> bool:
        """Whether the id belongs, or lately belonged, to a scope of ours."""
        return correlation_id in self._owners or correlation_id in self._left

    def unowned(self, message: Message, correlation_id: str) -> None:
        """Note a message that none of its topic's listeners owns, unless another scope of ours does."""
        if correlation_id not in self._owners:
            self.surprise(message.topic, correlation_id, len(message.payload))

    def surprise(
        self, topic: str, correlation_id: str, size: int, classification: Classification | None = None
    ) -> None:
        """Note a message nobody owned; without a classification it follows from the id."""
        if classification is None:
            classification = (
                "no_correlation_field"
                if not correlation_id
                else "timeout_race"
                if correlation_id in self._left
                else "unknown_scope"
            )
        self._surprises.append((topic, correlation_id, classification, size))
        self.surprised += 1

    def surprise_log(self, *, since: int = 0) -> list[SurpriseEntry]:
        """A copy of the surprise log, oldest first (the last 1,000); ``since`` leaves out the first so many."""
        kept = list(self._surprises)[max(0, since - (self.surprised - len(self._surprises))) :]
        return [SurpriseEntry(*surprise) for surprise in kept]


class Delivery(NamedTuple):
    """A message, decoded once, with the correlation id it carries and what is wrong with it under its contract.

    A named tuple because one is made for each message: it takes a third of the time of a frozen data class.
    """

    message: Message
    value: Any
    correlation_id: str | None = None
    problems: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        """Nothing of the payload."""
        return f"Delivery({self.message!r})"

    def record(self, transport: str | None) -> MessageRecord:
        """The message as results keep it; ``transport`` is its name on a Stage."""
        message = self.message
        return MessageRecord(
            message.topic,
            transport,
            self.value,
            len(message.payload),
            message.headers,
            message.key,
            message.partition,
            message.offset,
            message.broker_time,
        )


class Listener(Protocol):
    """A scenario's ear on one transport."""

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


class Route:
    """One subscribed topic: the transport's callback, and the listeners behind it."""

    __slots__ = ("_all", "_broadcast", "_by_id", "_router", "foreign", "ready", "topic")

    def __init__(self, router: Router, topic: str) -> None:
        self._router = router
        self.topic = topic
        self.ready: Ready | None = None
        self.foreign: deque[Delivery] = deque(maxlen=_FOREIGN_KEPT)
        self._all: list[Listener] = []
        self._by_id: dict[str, list[Listener]] = {}
        self._broadcast: list[Listener] = []

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Everybody who listens."""
        return tuple(self._all)

    def add(self, listener: Listener) -> None:
        """Let a listener hear this topic."""
        self._all.append(listener)
        self._bucket(listener).append(listener)

    def remove(self, listener: Listener) -> bool:
        """Let it go; true when nobody listens any more."""
        if listener in self._all:
            self._all.remove(listener)
            bucket = self._bucket(listener)
            bucket.remove(listener)
            if not bucket and listener.correlation_id is not None:
                del self._by_id[listener.correlation_id]
        return not self._all

    def _bucket(self, listener: Listener) -> list[Listener]:
        if listener.correlation_id is None:
            return self._broadcast
        return self._by_id.setdefault(listener.correlation_id, [])

    def __call__(self, topic: str, payload: bytes) -> None:
        """Take a delivery of a transport that knows only topic and payload."""
        self.deliver(Message(topic, bytes(payload), asyncio.get_running_loop().time()))

    def deliver(self, message: Message) -> None:
        """Decode, read the id, and hand the message to the listeners concerned."""
        try:
            delivery = self._router.read(message, subscribed=self.topic)
        except Unreadable as error:
            for listener in tuple(self._all):
                listener.unreadable(message, error)
            return
        for listener in self._concerned(delivery):
            listener.receive(delivery)

    def interrupted(self, reason: str) -> None:
        """Take note that the broker has ended this subscription; whoever opens the topic next gets a new one."""
        self.ready = asyncio.get_running_loop().create_future()
        self.ready.cancel()
        for listener in self.listeners:
            listener.connection_lost(reason)

    def _concerned(self, delivery: Delivery) -> Sequence[Listener]:
        if not self._by_id:
            return tuple(self._broadcast)
        correlation_id = delivery.correlation_id
        if correlation_id is None and not self._router.strict:
            return tuple(self._all)
        owners = self._by_id.get(correlation_id) if correlation_id is not None else None
        if owners is None:
            self.foreign.append(delivery)
            self._router.dispatcher.unowned(delivery.message, correlation_id or "")
            return tuple(self._broadcast)
        if len(self._by_id) > 1:
            self.foreign.append(delivery)
        return (*owners, *self._broadcast)


class Unreadable(Exception):
    """A message whose payload or id could not be read; ``stage_event`` is what a Stage logs about it."""

    def __init__(self, stage_event: str, original: BaseException) -> None:
        self.error_class = type(original).__name__
        self.stage_event = stage_event
        super().__init__(self.error_class)


class Router:
    """The inbound side of one harness."""

    def __init__(
        self, transport: Transport, codec: Codec, policy: CorrelationPolicy, guard: Guard | None = None
    ) -> None:
        self._transport = transport
        self._guard = guard
        self._codec = codec
        self._policy = policy
        self._routes: dict[str, Route] = {}
        self.watches = Watches(transport)
        self.dispatcher = Dispatcher()
        self.strict = bool(getattr(policy, "strict", False))

    def read(self, message: Message, *, subscribed: str = ">") -> Delivery:
        """Decode a message, read its id and hold it against the contract, each once.

        ``subscribed`` is the topic or pattern it was heard on.
        """
        try:
            value = self._codec.decode(message.payload)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a codec raises makes the message unreadable, no more
            _LOG.warning("codec %s raised %s on topic %r", _name(self._codec), _name(error), message.topic)
            raise Unreadable("stage_codec_decode_failed", error) from None
        try:
            envelope = Envelope(message.topic, value, message.headers)
            correlation_id = self._policy.read(envelope)
            hash(correlation_id)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - as above, for a policy
            _LOG.warning(
                "correlation policy %s raised %s on topic %r", _name(self._policy), _name(error), message.topic
            )
            raise Unreadable("stage_correlation_read_failed", error) from None
        problems = () if self._guard is None else self._guard.problems(message, value, subscribed=subscribed)
        return Delivery(message, value, correlation_id, problems)

    def open(self, topic: str, listener: Listener) -> Ready | None:
        """Let a listener hear a topic; subscribes at the transport for the first one, and again after a refusal.

        Returns what proves the subscription live, ``None`` where it is live at once.
        """
        route = self._routes.get(topic)
        if route is None:
            route = Route(self, topic)
            route.ready = promise_of(self._transport.subscribe(topic, route))
            self._routes[topic] = route
        elif _failed(route.ready):
            self._transport.unsubscribe(topic, route)
            route.ready = promise_of(self._transport.subscribe(topic, route))
        route.add(listener)
        return route.ready

    def close(self, topic: str, listener: Listener) -> None:
        """Let a listener go; unsubscribes at the transport after the last one. Transport errors propagate."""
        route = self._routes.get(topic)
        if route is not None and route.remove(listener):
            del self._routes[topic]
            self._transport.unsubscribe(topic, route)

    def seen_since(self, pattern: str, since: float) -> Iterator[Delivery]:
        """Readable messages a watch has kept since a loop time, on topics nobody subscribed to by name."""
        for message in self.watches.seen(pattern):
            if message.received_at >= since and message.topic not in self._routes:
                try:
                    yield self.read(message)
                except Unreadable:
                    continue

    def foreign_since(self, topic: str, since: float) -> tuple[Delivery, ...]:
        """Messages on a topic since a loop time that carried somebody else's id, or none."""
        route = self._routes.get(topic)
        if route is None:
            return ()
        return tuple(delivery for delivery in route.foreign if delivery.message.received_at >= since)

    def connection_lost(self, reason: str) -> None:
        """Tell everybody who listens that nothing can arrive any more."""
        for route in tuple(self._routes.values()):
            for listener in route.listeners:
                listener.connection_lost(reason)

    def reset(self) -> None:
        """Forget every route: the transport has dropped its subscriptions."""
        self._routes.clear()
        self.watches.clear()


def _failed(ready: Ready | None) -> bool:
    return ready is not None and ready.done() and (ready.cancelled() or ready.exception() is not None)


def _name(thing: object) -> str:
    return type(thing).__name__

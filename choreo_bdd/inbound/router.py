"""Route, don't filter: decode once, read the id once, hand the message to the scenarios concerned.

``Router`` is a harness's inbound side: one transport subscription a topic, shared by all its scenarios.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from itertools import count, islice

from choreo_bdd.codecs import Codec
from choreo_bdd.codecs.base import reads_json
from choreo_bdd.contracts import Guard
from choreo_bdd.correlation import CorrelationPolicy, Envelope, policy_of
from choreo_bdd.inbound.dispatcher import Dispatcher
from choreo_bdd.inbound.joining import Joining
from choreo_bdd.inbound.listening import Delivery, Listener, Unreadable
from choreo_bdd.inbound.nearby_topics import NearbyTopics
from choreo_bdd.message import HeaderValues, Message, NoPayload
from choreo_bdd.observers.traffic import Fenced, Lost, Traffic
from choreo_bdd.shared.fitting import fits
from choreo_bdd.shared.policy_facts import is_strict
from choreo_bdd.transports.base import Overlooking, Ready, Transport, promise_of

_LOG = logging.getLogger("choreo_bdd.scenario")

_FOREIGN_KEPT = 64
_NOBODYS_KEPT = 10_000
"""More than of others': one of these may break an absence, whatever comes behind it."""


class Route:
    """One subscribed topic: the transport's callback, and the listeners behind it."""

    __slots__ = (
        "_adopted",
        "_all",
        "_announced",
        "_broadcast",
        "_by_id",
        "_router",
        "foreign",
        "nobodys",
        "ready",
        "topic",
    )

    def __init__(self, router: Router, topic: str) -> None:
        self._router = router
        self.topic = topic
        self.ready: Ready | None = None
        self.foreign: deque[Delivery] = deque(maxlen=_FOREIGN_KEPT)
        """What carried an id, but not one of everybody who listens."""
        self.nobodys: deque[Delivery] = deque(maxlen=_NOBODYS_KEPT)
        """What carried no id where one is expected."""
        self._all: list[Listener] = []
        self._announced: list[Listener] = []
        self._by_id: dict[str, list[Listener]] = {}
        self._adopted: dict[Listener, list[str]] = {}
        self._broadcast: list[Listener] = []

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Everybody who listens, or is about to."""
        return (*self._all, *self._announced)

    def announce(self, listener: Listener) -> None:
        """Note a listener that does not hear yet."""
        self._announced.append(listener)

    def let_in(self, listener: Listener) -> None:
        """Let it hear from now on, unless it has left meanwhile."""
        if listener in self._announced:
            self._announced.remove(listener)
            self.add(listener)

    def add(self, listener: Listener) -> None:
        """Let a listener hear this topic."""
        self._all.append(listener)
        self._bucket(listener).append(listener)

    def remove(self, listener: Listener) -> bool:
        """Let it go; true when nobody listens any more."""
        if listener in self._announced:
            self._announced.remove(listener)
            self._leave(listener, self._adopted.pop(listener, []))
        elif listener in self._all:
            self._all.remove(listener)
            if listener.correlation_id is None:
                self._broadcast.remove(listener)
            else:
                self._leave(listener, [listener.correlation_id, *self._adopted.pop(listener, [])])
        return not self.listeners

    def _leave(self, listener: Listener, correlation_ids: Sequence[str]) -> None:
        for each in correlation_ids:
            self._by_id[each].remove(listener)
            if not self._by_id[each]:
                del self._by_id[each]

    def adopt(self, listener: Listener, correlation_id: str) -> None:
        """Let a listener that wants one id hear another one, too."""
        bucket = self._by_id.setdefault(correlation_id, [])
        if listener not in bucket:
            bucket.append(listener)
            self._adopted.setdefault(listener, []).append(correlation_id)

    def _bucket(self, listener: Listener) -> list[Listener]:
        if listener.correlation_id is None:
            return self._broadcast
        return self._by_id.setdefault(listener.correlation_id, [])

    def __call__(self, topic: str, payload: bytes) -> None:
        """Take a delivery of a transport that knows only topic and payload."""
        self.deliver(Message(topic, bytes(payload), asyncio.get_running_loop().time()))

    def deliver(self, message: Message) -> None:
        """Decode, read the id, and hand the message to the listeners concerned."""
        if self._router.traffic is not None:
            self._router.traffic.hear(self.topic, message)
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
        loop = asyncio.get_running_loop()
        if self._router.traffic is not None:
            self._router.traffic.lost.append(Lost(loop.time(), reason, self.topic))
        self.ready = loop.create_future()
        self.ready.cancel()
        for listener in self.listeners:
            listener.connection_lost(reason)

    def unanswered(self, asked: str) -> None:
        """Take note that the broker knows of nobody who could answer here."""
        if self._router.traffic is not None:
            lost = Lost(asyncio.get_running_loop().time(), asked, self.topic, is_unanswered=True)
            self._router.traffic.lost.append(lost)
        for listener in self.listeners:
            listener.unanswered(asked)

    def _concerned(self, delivery: Delivery) -> Sequence[Listener]:
        if not self._by_id:
            return tuple(self._broadcast)
        correlation_id = delivery.correlation_id
        if correlation_id is None and not (self._router.strict and self._router.correlates(delivery.message.topic)):
            return tuple(self._all)
        owners = self._by_id.get(correlation_id) if correlation_id is not None else None
        if isinstance(correlation_id, HeaderValues):  # a proxy may have added its own: either is this message's
            concerned = (each for one in correlation_id.values for each in self._by_id.get(one, ()))
            owners = list(dict.fromkeys(concerned)) or None  # who is named twice has one message all the same
        if owners is None:
            (self.nobodys if correlation_id is None else self.foreign).append(delivery)
            self._router.dispatcher.unowned(delivery.message, correlation_id or "")
            return tuple(self._broadcast)
        if len(self._by_id) > 1:
            self.foreign.append(delivery)
        return (*owners, *self._broadcast)


class Router:
    """The inbound side of one harness."""

    def __init__(
        self,
        transport: Transport,
        codec_of: Callable[[str], Codec],
        policy: CorrelationPolicy,
        guard: Guard | None,
    ) -> None:
        self._transport = transport
        self._guard = guard
        self._codec_of = codec_of
        self._policy = policy
        self._routes: dict[str, Route] = {}
        self._joining = Joining(transport)
        self._turns = count()
        self.nearby = NearbyTopics(transport, self.take_down)
        self.dispatcher = Dispatcher()
        self.traffic: Traffic | None = None
        """Where arrivals are taken down, if anybody wants them."""
        self.strict = is_strict(policy)

    def take_down(self, subscribed: str, message: Message) -> None:
        """Note an arrival beside the checks, where that is wanted: what a check's own pattern hears is noted by it."""
        if self.traffic is not None and subscribed not in self._routes:
            self.traffic.hear(subscribed, message)

    async def fenced(self, topics: Collection[str], answer: Awaitable[None]) -> None:
        """Wait until the broker has said that all has come on these topics, and note that, if anybody wants it."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            await answer
        except Exception as error:
            if self.traffic is not None:
                now = loop.time()
                self.traffic.lost += [Lost(now, str(error), topic, is_untold=True) for topic in topics]
            raise
        if self.traffic is not None:
            self.traffic.fence(Fenced(asked_at, loop.time(), tuple(topics)))

    def remarked(self, topic: str, told: str | None) -> str | None:
        """Note what a transport has to say of a topic, where that is wanted; it is handed on."""
        if self.traffic is not None and told is not None:
            self.traffic.remarks[topic] = told
        return told

    def overlooked(self, topic: str) -> str | None:
        """What cannot be heard of a topic, so that nobody can say that nothing came; it is noted as above."""
        told = self._transport.overlooks(topic) if fits(self._transport, Overlooking) else None
        if self.traffic is not None and told is not None:
            self.traffic.overlooked[topic] = told
        return told

    def read(self, message: Message, *, subscribed: str = ">") -> Delivery:
        """Decode a message, read its id and hold it against the contract, each once.

        ``subscribed`` is the topic or pattern it was heard on.
        """
        codec = self._codec_of(message.topic)
        try:
            value = codec.decode(message.payload) if message.payload else _read_nothing(codec, message.payload)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a codec raises makes the message unreadable, no more
            _LOG.warning("codec %s raised %s on topic %r", _name(codec), _name(error), message.topic)
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
        guard = None if isinstance(message.payload, NoPayload) else self._guard  # what is not there has no shape
        problems = () if guard is None else guard.problems(message, value, subscribed=subscribed)
        return Delivery(message, value, correlation_id, problems, next(self._turns), reads_json(codec))

    def correlates(self, topic: str) -> bool:
        """Whether the messages of a topic are told apart by their ids."""
        return policy_of(self._policy, topic).routes_by_correlation

    def open(self, topic: str, listener: Listener) -> Ready | None:
        """Let a listener hear a topic; subscribes at the transport for the first one, and again after a refusal.

        Who comes to a subscription that others have hears what is sent from then on, as over one of its own.
        Returns what proves it live, ``None`` where it is live at once.
        """
        if self.traffic is not None:
            self.traffic.listen(topic, asyncio.get_running_loop().time())
        route = self._routes.get(topic)
        if route is None:
            route = Route(self, topic)
            route.ready = promise_of(self._transport.subscribe(topic, route))
            self._routes[topic] = route
        elif _failed(route.ready):
            self._transport.unsubscribe(topic, route)
            route.ready = promise_of(self._transport.subscribe(topic, route))
        elif self._joining.must_wait(route) and not (self.strict and listener.correlation_id is not None):
            return self._joining.join(route, listener)  # an id of its own, and no message without one: none is older
        route.add(listener)
        return route.ready

    def close(self, topic: str, listener: Listener) -> None:
        """Let a listener go; unsubscribes at the transport after the last one. Transport errors propagate."""
        route = self._routes.get(topic)
        if route is not None and route.remove(listener):
            del self._routes[topic]
            self._transport.unsubscribe(topic, route)

    def adopt(self, topic: str, listener: Listener, correlation_id: str) -> None:
        """Let a listener to a topic hear another id, too."""
        self._routes[topic].adopt(listener, correlation_id)

    def seen_since(self, pattern: str, since: float) -> Iterator[Delivery]:
        """Readable messages kept of a nearby pattern since a loop time, on topics nobody subscribed to by name."""
        for message in self.nearby.seen(pattern):
            if message.received_at >= since and message.topic not in self._routes:
                try:
                    yield self.read(message)
                except Unreadable:
                    continue

    def foreign_since(self, topic: str, since: float) -> tuple[Delivery, ...]:
        """The latest messages on a topic since a loop time that carried somebody else's id, or none."""
        route = self._routes.get(topic)
        if route is None or not (route.foreign or route.nobodys):
            return ()
        latest = sorted(
            (*route.foreign, *islice(reversed(route.nobodys), _FOREIGN_KEPT)), key=lambda each: each.message.received_at
        )
        return _since(since, latest)

    def nobodys_since(self, topic: str, since: float) -> tuple[Delivery, ...]:
        """All messages on a topic since a loop time that carried no id where one is expected."""
        route = self._routes.get(topic)
        return () if route is None else _since(since, route.nobodys)

    def connection_lost(self, reason: str) -> None:
        """Tell everybody who listens that nothing can arrive any more."""
        if self.traffic is not None:
            self.traffic.lost.append(Lost(asyncio.get_running_loop().time(), reason))
        for route in tuple(self._routes.values()):
            for listener in route.listeners:
                listener.connection_lost(reason)

    def reset(self) -> None:
        """Forget every route: the transport has dropped its subscriptions."""
        self._joining.stop()
        self._routes.clear()
        self.nearby.clear()


def _since(since: float, deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    return tuple(delivery for delivery in deliveries if delivery.message.received_at >= since)


def _failed(ready: Ready | None) -> bool:
    return ready is not None and ready.done() and (ready.cancelled() or ready.exception() is not None)


def _name(thing: object) -> str:
    return type(thing).__name__


def _read_nothing(codec: Codec, payload: bytes) -> object:
    """A message without a payload is a message: a tombstone is null, and so is what a codec makes no value of."""
    if isinstance(payload, NoPayload):
        return None
    try:
        return codec.decode(b"")
    except Exception:  # noqa: BLE001 - that there is nothing to read is no fault
        return None

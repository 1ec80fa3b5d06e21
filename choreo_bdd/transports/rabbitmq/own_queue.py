"""The one queue of a connection: what is routed to any topic comes through it, in the broker's order."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence

import aiormq
from aiormq import spec

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import TransportError
from choreo_bdd.message import Message
from choreo_bdd.shared.promises import break_promise
from choreo_bdd.transports.rabbitmq.arrivals import consume
from choreo_bdd.transports.rabbitmq.messages import binding_key, is_meant, message_of, routing_keys
from choreo_bdd.transports.rabbitmq.refusals import last_word

OnEnd = Callable[[str], None]
"""Called with the reason when the broker ends what we have not ended ourselves."""

_DEFAULT_EXCHANGE = ""
_MARKER = "choreo.fence"
_AGAIN_S = 0.01


class Listening:
    """Who hears a topic; not before it is live, so that it hears nothing of what came before."""

    __slots__ = ("deliver", "is_live", "key", "on_end", "topic")

    def __init__(self, topic: str, key: str, deliver: Callable[[Message], None], on_end: OnEnd) -> None:
        self.topic = topic
        self.key = key
        """The routing key, or pattern of them, that the topic stands for."""
        self.deliver = deliver
        self.on_end = on_end
        self.is_live = False


class OwnQueue:
    """A queue of our own, and who hears which of its messages; ``lane`` tells it from the other queues of ours.

    A queue for each topic would lose the order between two topics: the broker hands out each queue by itself. There is
    one an exchange: what came by which of two that are bound to each other no message tells.
    """

    def __init__(self, channel: aiormq.Channel, lane: str | None = None) -> None:
        self._channel = channel
        self._lane = lane
        self.queue = f"choreo.{secrets.token_hex(6)}"
        self._by_key: dict[str, list[Listening]] = {}
        self._patterns: dict[str, list[Listening]] = {}
        self._markers: dict[str, asyncio.Future[None]] = {}
        self._wanted: Counter[str] = Counter()
        """By binding key, how many hear by it: two topics may be one to the broker."""
        self._binding: dict[str, asyncio.Lock] = {}
        self.ended: str | None = None
        """Why nothing comes out of it any more."""

    async def open(self) -> None:
        """Make the queue and consume it; raises whatever the client raises."""
        channel = self._channel
        await channel.queue_declare(self.queue, exclusive=True, auto_delete=True, nowait=True)
        channel.on_consumer_cancel_callbacks.add(self._cancelled)
        await consume(channel, self.queue, self._arrived)
        channel.closing.add_done_callback(self._closed)

    # --- who hears what -------------------------------------------------------------------------------------------

    def add(
        self, topic: str, deliver: Callable[[Message], None], on_end: OnEnd, *, key: str | None = None
    ) -> Listening:
        """Note who wants to hear a topic, the routing key unless ``key`` is one; ``bound`` makes it so."""
        listening = Listening(topic, topic if key is None else key, deliver, on_end)
        self._table(listening.key).setdefault(listening.key, []).append(listening)
        self._wanted[binding_key(listening.key)] += 1
        return listening

    async def bind(self, channel: aiormq.Channel, listening: Listening, exchange: str, *, may_mark: bool) -> None:
        """Have the topic's messages routed here, and hear those that come from now on.

        A marker behind the binding shows what came before; a user who ``may_mark`` nothing has the broker's word only.
        """
        key = binding_key(listening.key)
        async with self._binding.setdefault(key, asyncio.Lock()):
            if may_mark:
                await channel.queue_bind(self.queue, exchange, key, nowait=True)
                await self.marked(channel)
            else:
                await channel.queue_bind(self.queue, exchange, key)
            listening.is_live = True

    async def drop(self, channel: aiormq.Channel, listening: Listening, exchange: str) -> None:
        """Have a topic's messages routed here no more, once nobody wants them."""
        key = binding_key(listening.key)
        binding = self._binding.setdefault(key, asyncio.Lock())
        async with binding:
            if self._binding.get(key) is not binding:  # somebody who left beside this one has seen to it
                return
            if not self._wanted[key]:
                await channel.queue_unbind(self.queue, exchange, key)
            if not self._wanted[key]:  # still, after that answer
                del self._wanted[key], self._binding[key]

    def remove(self, listening: Listening) -> None:
        """Let somebody hear no more."""
        table = self._table(listening.key)
        hearing = table.get(listening.key, [])
        if listening not in hearing:  # it heard through a queue that has ended since
            return
        self._wanted[binding_key(listening.key)] -= 1
        hearing.remove(listening)
        if not hearing:
            del table[listening.key]

    def _table(self, key: str) -> dict[str, list[Listening]]:
        return self._patterns if topic_patterns.is_pattern(key) or "#" in key else self._by_key

    @property
    def listening(self) -> tuple[Listening, ...]:
        """Everybody."""
        tables = (*self._by_key.values(), *self._patterns.values())
        return tuple(each for table in tables for each in table)

    # --- messages -------------------------------------------------------------------------------------------------

    def _arrived(self, delivered: aiormq.abc.DeliveredMessage, at: float) -> None:
        if delivered.header.properties.message_type == _MARKER:
            self._passed(delivered.header.properties.message_id)
            return
        made: dict[str | None, Message] = {}
        for each in self._concerned(delivered):
            if each.is_live:
                topic = None if each.key == each.topic else each.topic
                if topic not in made:
                    made[topic] = message_of(delivered, topic, at, lane=self._lane)
                each.deliver(made[topic])

    def _concerned(self, delivered: aiormq.abc.DeliveredMessage) -> Sequence[Listening]:
        keys = routing_keys(delivered)
        heard = [each for key in dict.fromkeys(keys) for each in self._by_key.get(key, ())]
        for pattern, each in self._patterns.items():
            if is_meant(pattern, keys):
                heard += each
        return heard

    # --- fences ---------------------------------------------------------------------------------------------------

    async def marked(self, channel: aiormq.Channel) -> None:
        """Put a marker into the queue through ``channel``, and wait until it comes out behind all the rest."""
        self.require_live()
        token = secrets.token_hex(8)
        passed = self._markers[token] = asyncio.get_running_loop().create_future()
        properties = spec.Basic.Properties(message_type=_MARKER, message_id=token, delivery_mode=1)
        try:
            # mandatory: a queue that is gone returns it
            await channel.basic_publish(
                b"", exchange=_DEFAULT_EXCHANGE, routing_key=self.queue, properties=properties, mandatory=True
            )
            await passed
        finally:
            del self._markers[token]

    async def drained(self) -> None:
        """Wait until the broker has handed out all that it holds, for a user who may put no marker there.

        The second answer on the consuming channel comes behind what the queue had handed out before the first.
        """
        while True:
            self.require_live()
            waiting = (await self._channel.queue_declare(self.queue, passive=True)).message_count
            await self._channel.queue_declare(self.queue, passive=True)
            if not waiting:
                self.require_live()
                return
            await asyncio.sleep(_AGAIN_S)

    def _passed(self, token: str | None) -> None:
        passed = self._markers.get(token or "")
        if passed is not None and not passed.done():
            passed.set_result(None)

    # --- its end --------------------------------------------------------------------------------------------------

    def require_live(self) -> None:
        """``TransportError`` when it has ended."""
        if self.ended is not None:
            raise TransportError(self.ended)

    def _cancelled(self, _: object) -> None:
        self.end("the server cancelled it; was its queue deleted?")

    def _closed(self, closing: asyncio.Future[None]) -> None:
        self.end(f"the server closed its channel: {last_word(closing)}")

    def end(self, reason: str) -> None:
        """Tell everybody that nothing comes any more."""
        if self.ended is not None:
            return
        self.ended = reason
        for passed in self._markers.values():
            break_promise(passed, TransportError(reason))
        for each in self.listening:
            each.on_end(reason)

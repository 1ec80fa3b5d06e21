"""One AMQP connection: how it is opened, what runs over it, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import cast

import aiormq
from yarl import URL

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import SubscriptionFailed, TransportError
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.arrivals import Dialling, stamp
from choreo_bdd.transports.rabbitmq.declared_exchange import NoSuchExchange
from choreo_bdd.transports.rabbitmq.exchange import Exchange
from choreo_bdd.transports.rabbitmq.exchange_consumer import ExchangeConsumer, Source, Subscription
from choreo_bdd.transports.rabbitmq.firehose import Firehose, Untraced
from choreo_bdd.transports.rabbitmq.messages import REPLY_TO
from choreo_bdd.transports.rabbitmq.named_queue import NamedQueue
from choreo_bdd.transports.rabbitmq.own_queue import OnEnd
from choreo_bdd.transports.rabbitmq.publisher import Publisher, heed_blocking
from choreo_bdd.transports.rabbitmq.refusals import CONFIRM_S, NAME, end_of_connection, reason_of, words_of
from choreo_bdd.transports.rabbitmq.routes import QUEUE_PREFIX, Route, Routes, Way
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions
from choreo_bdd.transports.shared.tasks import Tasks

_LOG = logging.getLogger("choreo_bdd.transports.rabbitmq")
_ASKING_AT_ONCE = 32
"""Channels that are used at the same time for steps that are taken once."""

_TEARDOWN_S = 1.0
_LAST_WORD_S = 1.0
_HEARTBEAT_S = 5
"""A broker that misses three of them counts as lost; the client's default of 60 would find out after minutes."""


class Connection:
    """A connection to one server: opened once, and done with when it is closed or lost.

    Publishing has a channel of its own, and so has each queue that is consumed; steps that may be refused are taken
    on channels lent for them: what the broker refuses costs the channel it was asked on, and no other.
    """

    def __init__(
        self,
        url: str,
        *,
        context: ssl.SSLContext | None,
        routes: Routes,
        subscriptions: Subscriptions,
        lose: OnEnd,
    ) -> None:
        self._dialling = Dialling()
        address = URL(url)
        self._connection = aiormq.Connection(
            address if "heartbeat" in address.query else address.update_query(heartbeat=_HEARTBEAT_S),
            context=context,
            transport_factory=self._dialling,
            client_properties={"connection_name": "choreo"},
        )
        self._routes = routes
        self._idle: list[aiormq.Channel] = []
        self._asking = asyncio.Semaphore(_ASKING_AT_ONCE)
        self._consumers: dict[Exchange, ExchangeConsumer] = {}
        self._firehose = Firehose(open_channel=self._opened, lend=self._lent)
        self._establishing: dict[Registration, asyncio.Task[None]] = {}
        self._leaving: dict[str, set[asyncio.Task[None]]] = {}
        """By queue, what must have come to its end before somebody else may consume it."""
        self._subscriptions = subscriptions
        self._lose = lose
        self._is_over = False
        """Whether it is closed or lost: what ends then is no finding of a single subscription."""
        self._tasks = Tasks()
        self._publisher = Publisher(
            routes,
            partial(self._channel, confirms=True),
            writer=self._dialling.writer,
            on_unheard=self._tell_unheard,
        )
        self.outbound: Outbound

    # --- opening and closing --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, log in, and look for the exchange; raises whatever the client raises.

        One that is not there may come yet: it is asked for again when somebody needs it.
        """
        await self._connection.connect()
        heed_blocking(self._connection, self._set_blocked)
        await self._publisher.open()
        for exchange in self._routes.exchanges:
            if exchange.is_made or exchange == self._routes.usual:
                try:
                    await self._consumer_of(exchange).found()
                except NoSuchExchange as missing:
                    _LOG.warning("rabbitmq_exchange_missing: %s", missing)
        self._connection.closing.add_done_callback(self._ended)
        self.outbound = Outbound(NAME, self._publisher.write, at_once=self._publisher.write_now)

    def _consumer_of(self, exchange: Exchange) -> ExchangeConsumer:
        """An exchange, and our own queue behind it."""
        consumer = self._consumers.get(exchange)
        if consumer is None:
            lane = None if exchange == self._routes.usual else exchange.name
            consumer = ExchangeConsumer(exchange, lane=lane, open_channel=self._opened, lend=self._lent)
            self._consumers[exchange] = consumer
        return consumer

    async def close(self) -> None:
        """Send what is queued and let what is under way come to its end, then close; a dead broker is cut off."""
        await self.outbound.stop(timeout_s=_TEARDOWN_S)
        await self.abandon()

    async def abandon(self) -> None:
        """Close what has been opened of it."""
        self._is_over = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _TEARDOWN_S
        if not self._connection.is_closed:
            for consumer in self._consumers.values():
                self._tasks.spawn(consumer.leave())
            await self._publisher.settled(patience_s=_TEARDOWN_S)
        await self._tasks.ended(patience_s=max(0.0, deadline - loop.time()))
        self._tasks.cancel()
        self._publisher.stop()
        closing = loop.create_task(self._connection.close())
        await asyncio.wait([closing], timeout=max(0.0, deadline - loop.time()))
        if not closing.done():
            self._dialling.cut()
            await asyncio.wait([closing], timeout=_LAST_WORD_S)

    def _ended(self, closing: asyncio.Future[None]) -> None:
        if not self._is_over:
            self._is_over = True
            self._lose(f"the connection to the RabbitMQ server was lost: {end_of_connection(closing)}")

    def _set_blocked(self, reason: str | None) -> None:
        """The broker reads nothing from us any more, or with ``None`` again: no subscription waits for its answer."""
        self._publisher.set_blocked(reason)
        if self._publisher.blocked is not None:
            for registration in self._establishing:
                registration.fail(NAME, self._publisher.blocked)

    # --- subscribing ----------------------------------------------------------------------------------------------

    def arm(self, registration: Registration) -> None:
        """Have a topic's messages come into our own queue, or consume the queue it names.

        One that is there for diagnosis only hears nothing where it would answer for a mandatory topic.
        """
        if registration.is_bystander and self._routes.must_not_hear(registration.topic):
            registration.confirm()
            return
        if self._publisher.blocked is not None:
            registration.fail(NAME, self._publisher.blocked)
            return
        task = self._establishing[registration] = self._tasks.spawn(self._establish(registration))
        task.add_done_callback(lambda _: self._establishing.pop(registration, None))

    async def _establish(self, registration: Registration) -> None:
        if registration.is_removed:
            return

        def ended(reason: str) -> None:
            registration.fail(NAME, reason)
            if not self._is_over and not registration.is_removed:
                registration.interrupt(NAME, reason)

        reason = "the connection was closed before it was confirmed"
        try:
            registration.handle = await self._subscribe(registration, ended)
            registration.confirm()
        except SubscriptionFailed as failure:
            reason = failure.reason
        finally:
            registration.fail(NAME, reason)  # does nothing once it is confirmed
        if registration.is_removed:
            self.disarm(registration)
            if (name := self._consumed(registration.topic)) is not None:
                await self._others_have_left(name)

    def disarm(self, registration: Registration) -> None:
        """End a subscription; a queue of others has back then what nobody has used."""
        heard, registration.handle = registration.handle, None
        if isinstance(heard, NamedQueue):
            self._leaves(heard.name, self._tasks.spawn(heard.leave()))
        elif heard is not None:
            self._forget(heard)
        else:
            name, opening = self._consumed(registration.topic), self._establishing.get(registration)
            if name is not None and opening is not None:
                self._leaves(name, opening)

    def _consumed(self, topic: str) -> str | None:
        """The queue that a topic is consumed from; ``None`` for one heard through a queue of our own."""
        route = self._routes.of(topic)
        return route.queue if route.consume else None

    async def _subscribe(self, registration: Registration, on_end: OnEnd) -> Subscription | NamedQueue:
        """Live once this returns; ``SubscriptionFailed`` says why it cannot be."""
        topic, deliver = registration.topic, registration.deliver
        route = self._routes.of(topic)
        try:
            async with asyncio.timeout(CONFIRM_S):
                if route.queue is not None and route.consume:
                    return await self._consume(NamedQueue(route.queue, topic, on_end), deliver)
                ways = self._routes.ways(topic)
                return await self._listen_at_each(ways[:1] if registration.is_bystander else ways, deliver, on_end)
        except Exception as error:
            raise SubscriptionFailed(NAME, topic, reason_of(error)) from error

    def _leaves(self, name: str, task: asyncio.Task[None]) -> None:
        leaving = self._leaving.setdefault(name, set())
        leaving.add(task)
        task.add_done_callback(leaving.discard)

    async def _others_have_left(self, name: str) -> None:
        """What they give back would count as new."""
        leaving = self._leaving.get(name, set()) - {asyncio.current_task()}
        if leaving:
            await asyncio.wait(leaving)

    async def _consume(self, queue: NamedQueue, deliver: Callable[[Message], None]) -> NamedQueue:
        await self._others_have_left(queue.name)
        try:
            await queue.open(self._opened, deliver)
        except BaseException:
            self._leaves(queue.name, self._tasks.spawn(queue.leave()))
            raise
        return queue

    def _source(self, route: Route) -> Source:
        return self._firehose if route.exchange is None else self._consumer_of(route.exchange)

    async def _listen_at_each(
        self, ways: Sequence[Way], deliver: Callable[[Message], None], on_end: OnEnd
    ) -> Subscription:
        """Listen where a topic goes and, for a pattern, where further topics under it do.

        A pattern is heard without the queues that nothing traces; nobody may conclude then that nothing came.
        """
        first = await self._listen(ways[0], self._routes.only_by(ways, 0, deliver), on_end)
        first = replace(first, unheard=self._routes.untouched(ways[0].topic))
        for number in range(1, len(ways)):
            try:
                more = await self._listen(ways[number], self._routes.only_by(ways, number, deliver), on_end)
            except Untraced as error:
                first = replace(first, unheard=(*first.unheard, str(error)))
            except BaseException:
                self._forget(first)
                raise
            else:
                first = replace(first, beside=(*first.beside, more))
        return first

    def _forget(self, heard: Subscription) -> None:
        for each in heard.all:
            each.source.remove(each.listening)
            self._tasks.spawn(self._drop(each))

    async def _listen(self, way: Way, deliver: Callable[[Message], None], on_end: OnEnd) -> Subscription:
        source = self._source(way.route)
        return Subscription(source, await source.listen(way.topic, way.route.heard(way.topic), deliver, on_end))

    async def _drop(self, heard: Subscription) -> None:
        # the exchange has gone, or the connection, or the broker is silent: then the binding goes with our queue
        with contextlib.suppress(aiormq.AMQPError, RuntimeError, TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                await heard.source.drop(heard.listening)

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Return once all that is due to these has been handed over; raises why that is not known."""
        if self._publisher.blocked is not None:
            raise TransportError(self._publisher.blocked)
        heard = [each.handle for each in registrations]
        asked = [each.drained(self._opened) for each in heard if isinstance(each, NamedQueue)]
        sources = dict.fromkeys(part.source for each in heard if isinstance(each, Subscription) for part in each.all)
        try:
            await asyncio.gather(*asked, *(source.fence() for source in sources))
        except aiormq.AMQPError as error:
            raise TransportError(words_of(error)) from error

    async def probe(self) -> None:
        """Find what topics name, and have a message of ours come out of our own queue; raises why that cannot be."""
        consumer = self._consumer_of(self._routes.usual)
        await consumer.found()
        await consumer.settle()
        for exchange in self._routes.exchanges:
            if not exchange.is_made:  # one that may be made is there when it is needed
                async with self._asking_for(exchange.missing()) as channel:
                    await channel.exchange_declare(exchange.name, passive=True)
        for queue in self._routes.queues:
            missing = f"there is no queue {queue!r}: start what declares it first, or correct its name"
            async with self._asking_for(missing) as channel:
                await channel.queue_declare(queue, passive=True)

    @asynccontextmanager
    async def _asking_for(self, missing: str) -> AsyncIterator[aiormq.Channel]:
        """``TransportError`` where the broker knows no such thing; asking makes none."""
        try:
            async with self._lent() as channel:
                yield channel
        except aiormq.ChannelNotFoundEntity as error:
            raise TransportError(missing) from error

    def remark(self, topic: str) -> str | None:
        """Why a message may be missing: its queue has other consumers, or nobody but our own watch has heard it."""
        queues = (each.handle for each in self._subscriptions if each.topic == topic)
        remarks = (each.remark() for each in queues if isinstance(each, NamedQueue))
        return next(remarks, None) or self.overlooks(topic) or self._remark_on_watching(topic)

    def overlooks(self, topic: str) -> str | None:
        """Of a pattern, what it cannot hear although it is under it, and why."""
        heard = (each.handle for each in self._subscriptions if each.topic == topic)
        unheard = next((each.unheard for each in heard if isinstance(each, Subscription) and each.unheard), ())
        return f"not all that is under {topic!r} is heard: {'; '.join(unheard)}" if unheard else None

    def _remark_on_watching(self, topic: str) -> str | None:
        way = self._routes.of(topic)
        if topic_patterns.is_pattern(topic) or way.mandatory is not None:
            return None
        hearing = [
            each
            for each in self._subscriptions
            if topic_patterns.matches(each.topic, topic) and self._routes.of(each.topic).exchange == way.exchange
        ]
        if not hearing or not all(each.is_bystander for each in hearing):
            return None
        return (
            f"whether anybody listens on {topic!r} is not known: RabbitMQ would say so, but this run watches "
            f"{hearing[0].topic!r} for misspelt topics, and is somebody; `mandatory: true` of that topic has it asked"
        )

    def _tell_unheard(self, outgoing: Outgoing) -> None:
        """Nobody has heard a message: if it was a request, no answer comes."""
        inbox = f"{QUEUE_PREFIX}{outgoing.headers.get(REPLY_TO, '')}"
        for registration in self._subscriptions:
            if registration.topic == inbox:
                registration.unanswered(outgoing.topic)

    # --- details --------------------------------------------------------------------------------------------------

    async def _opened(self) -> aiormq.Channel:
        channel = await self._channel(confirms=False)
        stamp(channel, self._dialling.arrival)
        return channel

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[aiormq.Channel]:
        """A channel for a step or two; what a refusal has closed is not lent again."""
        async with self._asking:
            channel = self._idle.pop() if self._idle else await self._channel(confirms=True)
            try:
                yield channel
            except BaseException as error:
                self._tasks.spawn(_closed(channel))  # whatever it was: an answer may still be due on it
                if isinstance(error, aiormq.ChannelInvalidStateError):
                    await asyncio.wait([channel.closing], timeout=_LAST_WORD_S)
                    if said := channel.closing.done() and channel.closing.exception():
                        raise said from error
                raise
            if not channel.is_closed:
                self._idle.append(channel)

    async def _channel(self, *, confirms: bool) -> aiormq.Channel:
        limit = self._connection.connection_tune.channel_max
        if limit and len(self._connection.channels) >= limit:  # asking for one more would cost the connection
            raise aiormq.AMQPError(f"the server allows {limit} channels, and each queue that is consumed takes one")
        channel = await self._connection.channel(publisher_confirms=confirms, timeout=CONFIRM_S)
        return cast(aiormq.Channel, channel)


async def _closed(channel: aiormq.Channel) -> None:
    with contextlib.suppress(Exception):
        await channel.close()

"""One AMQP connection: how it is opened, what runs over it, how it ends."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, cast

import aiormq
from yarl import URL

from choreo_bdd import topic_patterns
from choreo_bdd.exceptions import SubscriptionFailed, TransportError
from choreo_bdd.message import Message
from choreo_bdd.transports.rabbitmq.messages import REPLY_PREFIX, binding_key, is_meant, properties_of, queue_of
from choreo_bdd.transports.rabbitmq.refusals import CONFIRM_S, last_word, type_of_existing, why, words_of
from choreo_bdd.transports.rabbitmq.subscription import OnEnd, Subscription
from choreo_bdd.transports.shared.outbound import Outgoing

NAME = "RabbitTransport"
_ROUTING = ("topic", "direct")
"""The types of exchange that hold the routing key against a binding; a fanout exchange hands out everything."""
_LAST_WORD_S = 1.0
_HEARTBEAT_S = 5
"""A broker that misses three of them counts as lost; the client's default of 60 would find out after minutes."""


class _Dialling(aiormq.TransportFactory):
    """Opens the socket as the client itself would, and remembers it, so that it can be cut when closing gets stuck."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        provider = options.pop("ssl_context_provider")
        context = await provider.get_context() if url.scheme == "amqps" else None
        reader, self._writer = await asyncio.open_connection(url.host, url.port, ssl=context, **options)
        return reader, self._writer

    def cut(self) -> None:
        """Close the socket without a word."""
        if self._writer is not None:
            self._writer.transport.abort()


class Wire:
    """A connection to one exchange: opened once, and done with when it is closed or lost.

    Publishing has a channel of its own, and so has each subscription: what the broker refuses costs the channel it
    was asked on, and no other.
    """

    def __init__(self, url: str, *, context: ssl.SSLContext | None, exchange: str, on_lost: OnEnd) -> None:
        self._dialling = _Dialling()
        address = URL(url)
        self._connection = aiormq.Connection(
            address if "heartbeat" in address.query else address.update_query(heartbeat=_HEARTBEAT_S),
            context=context,
            transport_factory=self._dialling,
            client_properties={"connection_name": "choreo"},
        )
        self._exchange = exchange
        self._exchange_type: str | None = "topic"
        """``None``: there is one of somebody else's, and the broker does not tell its type."""
        self._publishing: aiormq.Channel | None = None
        self._marking: aiormq.Channel | None = None
        self._may_mark = True
        self._on_lost = on_lost
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that ends with this connection at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- opening and closing --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, log in and make sure of the exchange; raises whatever the client raises."""
        await self._connection.connect()
        while not await self._settle_exchange():
            pass
        self._connection.closing.add_done_callback(self._ended)

    async def _settle_exchange(self) -> bool:
        """Take hold of the exchange; false if a temporary one went, with its last user, while we did."""
        channel = await self._publisher()
        queue = _queue_name()
        try:
            await channel.exchange_declare(self._exchange, exchange_type="topic", auto_delete=True)
            # A temporary exchange goes with its last binding. This one, of a queue that keeps nothing, lasts as we do.
            await channel.queue_declare(queue, exclusive=True, arguments={"x-max-length": 0}, nowait=True)
            await channel.queue_bind(queue, self._exchange, routing_key=queue)
        except aiormq.ChannelNotFoundEntity:
            return False
        except (aiormq.ChannelPreconditionFailed, aiormq.ChannelAccessRefused) as refusal:
            self._exchange_type = type_of_existing(refusal)
            # There is one of another kind, or we may not make any: use what is there, as it is.
            await (await self._publisher()).exchange_declare(self._exchange, passive=True)
        return True

    async def close(self, *, timeout_s: float) -> None:
        """Let what is under way come to its end, ``timeout_s`` at the longest, then close; a dead broker is cut off."""
        self._closing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in tuple(self._tasks):
            task.cancel()
        closing = loop.create_task(self._connection.close())
        await asyncio.wait([closing], timeout=max(0.0, deadline - loop.time()))
        if not closing.done():
            self._dialling.cut()
            await asyncio.wait([closing], timeout=_LAST_WORD_S)

    def _ended(self, closing: asyncio.Future[None]) -> None:
        if not self._closing:
            self._on_lost(f"the connection to the RabbitMQ server was lost: {last_word(closing)}")

    # --- subscribing ----------------------------------------------------------------------------------------------

    async def subscribe(self, topic: str, deliver: Callable[[Message], None], on_end: OnEnd) -> Subscription:
        """Consume a queue of our own bound to ``topic``, or the queue it names; live once this has returned.

        Two round trips: a channel's steps are taken in order, so the broker's word on the last holds for all.
        """
        subscription: Subscription | None = None
        queue = queue_of(topic)
        try:
            async with asyncio.timeout(CONFIRM_S):
                channel = await self._channel(confirms=False)
                subscription = Subscription(channel, on_end)
                if queue is not None:
                    if queue.startswith(REPLY_PREFIX):
                        await channel.queue_declare(queue, exclusive=True, auto_delete=True, nowait=True)
                    await subscription.consume(queue, deliver, named=topic)
                else:
                    queue = _queue_name()
                    await channel.queue_declare(queue, exclusive=True, auto_delete=True, nowait=True)
                    await channel.queue_bind(queue, self._exchange, binding_key(topic), nowait=True)
                    routes = self._exchange_type in _ROUTING
                    await subscription.consume(queue, deliver, meant=None if routes else partial(is_meant, topic))
        except Exception as error:
            reason = words_of(error)
            if subscription is not None:
                reason = await why(channel, error)
                self.spawn(subscription.close())
            raise SubscriptionFailed(NAME, topic, reason) from error
        return subscription

    def why_deaf(self, topic: str) -> str | None:
        """Why nothing can come of a subscription that the broker has taken; ``None`` for one as it should be."""
        is_pattern = topic_patterns.is_pattern(topic) or "#" in topic.split(".")
        if self._exchange_type != "direct" or queue_of(topic) is not None or not is_pattern:
            return None
        return f"{self._exchange!r} is a direct exchange, which knows no patterns: it takes {topic!r} for a routing key"

    async def fence(self, subscriptions: Sequence[Subscription]) -> None:
        """Return once all that these subscriptions' queues held has been handed over; raises why that is not known."""
        marking = await self._marker()
        try:
            await asyncio.gather(*(self._settle(subscription, marking) for subscription in subscriptions))
        except aiormq.AMQPError as error:
            raise TransportError(words_of(error)) from error

    async def _settle(self, subscription: Subscription, marking: aiormq.Channel | None) -> None:
        if subscription.is_shared or marking is None:
            await subscription.drained()
            return
        try:
            await subscription.marked(marking)
        except (aiormq.ChannelAccessRefused, aiormq.ChannelInvalidStateError):
            self._may_mark = False
            await subscription.drained()

    async def _marker(self) -> aiormq.Channel | None:
        """The channel for markers; ``None`` for a user who may not use the default exchange, or has no channel left."""
        if self._may_mark and (self._marking is None or self._marking.is_closed):
            try:
                self._marking = await self._channel(confirms=True)
            except aiormq.AMQPError:
                return None
        return self._marking if self._may_mark else None

    # --- publishing -----------------------------------------------------------------------------------------------

    async def write(self, batch: Sequence[Outgoing]) -> None:
        """Send messages in this order; each learns its fate when the broker confirms it."""
        channel = await self._publisher()
        for outgoing in batch:
            self.spawn(self._publish(channel, outgoing))
        await asyncio.sleep(0)  # by now all of them queue for the channel, so whoever comes next finds them written
        try:
            async with channel.lock:
                pass
        except aiormq.ChannelInvalidStateError:
            return  # the broker has closed the channel: each message's own attempt tells why
        for outgoing in batch:
            if not outgoing.ready.done():
                outgoing.sent()

    async def _publish(self, channel: aiormq.Channel, outgoing: Outgoing) -> None:
        queue = queue_of(outgoing.topic)
        reason = "the connection was closed before the broker confirmed it"
        try:
            await channel.basic_publish(
                outgoing.payload,
                exchange=self._exchange if queue is None else "",
                routing_key=outgoing.topic if queue is None else queue,
                properties=properties_of(outgoing.headers),
                mandatory=queue is not None,  # a topic nobody listens on is no error, a missing queue is
                timeout=CONFIRM_S,
            )
        except Exception as error:  # noqa: BLE001 - told to whoever published this one
            reason = await why(channel, error)
        else:
            outgoing.confirm()
        finally:
            outgoing.fail(NAME, reason)  # does nothing once it is confirmed

    # --- details --------------------------------------------------------------------------------------------------

    async def _publisher(self) -> aiormq.Channel:
        if self._publishing is None or self._publishing.is_closed:
            self._publishing = await self._channel(confirms=True)
        return self._publishing

    async def _channel(self, *, confirms: bool) -> aiormq.Channel:
        limit = self._connection.connection_tune.channel_max
        if limit and len(self._connection.channels) >= limit:  # asking for one more would cost the connection
            raise aiormq.AMQPError(f"the server allows {limit} channels, and each subscription takes one")
        channel = await self._connection.channel(publisher_confirms=confirms, timeout=CONFIRM_S)
        return cast(aiormq.Channel, channel)


def _queue_name() -> str:
    return f"choreo.{secrets.token_hex(6)}"

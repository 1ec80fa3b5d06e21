"""The order pipeline and a service that answers requests, on any broker, over that broker's own client.

    python -m bench.truth.services KIND URL AUDIT

A program of its own that knows nothing of the library; ``AUDIT`` is a NATS server, to which a service sends that
confuses its buses. Prints ``ready`` once everything listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from orders import pipeline
from orders.bus import NO_HEADERS, Bus, Handler, Inbox, Message, encode
from orders.defects import STAMP
from orders.port import Port

EXCHANGE = "laboratory"
AUDIT = "audit!"
"""Before a topic: it is meant on the other bus."""
QUEUE = "queue:"
TOPICS = (
    *("orders.placed", "orders.accepted", "orders.rejected", "orders.held", "orders.settled", "orders.setled"),
    "orders.dead",
    *("Orders.settled", "fraud.checked", "notifications.sent", "billing.done", "parcels.weighed"),
    *("carrier.booking.requested", "carrier.booking.confirmed", "carrier.booking.refused", "orders.shipped"),
    *("orders.delayed", "stock.asked", "stock.nobody", "latency.asked", "latency.answered"),
)


class Stock:
    """``stock.asked`` → its level, where the request wants it."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("stock", bus)

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("stock.asked", self._asked)

    async def _asked(self, message: Message) -> None:
        if "reply_to" in message:
            await self._port.send(message, message["reply_to"], {"sku": message.get("sku"), "level": 3})


async def start(bus: Bus, audit: Bus) -> None:
    """Have all of them listening."""
    both = TwoBuses(bus, audit)
    await pipeline.start(both)
    await Stock(both).start()


class Taker(Protocol):
    """Takes what comes; an ``Inbox`` of the pipeline does."""

    def take(self, topic: str, data: bytes, handler: Handler) -> None:
        """A message that has just come."""
        ...


class TwoBuses:
    """A bus, and another for the topics that say so."""

    def __init__(self, bus: Bus, audit: Bus) -> None:
        self._bus = bus
        self._audit = audit

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """Listen on the first."""
        await self._bus.subscribe(topic, handler)

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send on the one that the topic names."""
        bus = self._audit if topic.startswith(AUDIT) else self._bus
        await bus.publish(topic.removeprefix(AUDIT), payload, headers)


def _with_reply_address(handler: Handler, address: str | None) -> Handler:
    """A request carries its reply address beside the payload on some brokers; the services find it in the message."""

    async def handle(message: Message) -> None:
        await handler(message if address is None else {**message, "reply_to": address})

    return handle


class Nats:
    """Subjects."""

    def __init__(self, client: Any, inbox: Taker) -> None:
        self._client = client
        self._inbox = inbox

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """The server has confirmed when this returns."""

        async def heard(message: Any) -> None:
            self._inbox.take(topic, message.data, _with_reply_address(handler, message.reply or None))

        await self._client.subscribe(topic, cb=heard)
        await self._client.flush()

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send."""
        await self._client.publish(topic, encode(payload), headers=dict(headers) or None)


@asynccontextmanager
async def nats(url: str, inbox: Taker) -> AsyncIterator[Bus]:
    """A bus on NATS."""
    from nats import connect

    client = await connect(url)
    try:
        yield Nats(client, inbox)
    finally:
        await client.close()


class Kafka:
    """Topics of one partition, which ``kafka`` makes."""

    def __init__(self, consumer: Any, producer: Any, inbox: Taker) -> None:
        self._consumer = consumer
        self._producer = producer
        self._handlers: dict[str, list[Handler]] = {}
        self._inbox = inbox

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """All partitions are read already."""
        self._handlers.setdefault(topic, []).append(handler)

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send, with the service's own clock as the record's time."""
        stamp = int(headers[STAMP]) if STAMP in headers else None
        pairs = [(name, value.encode()) for name, value in headers.items()]
        await self._producer.send_and_wait(topic, encode(payload), headers=pairs, timestamp_ms=stamp)

    async def read(self) -> None:
        """Until cancelled."""
        async for record in self._consumer:
            for handler in self._handlers.get(record.topic, ()):
                self._inbox.take(record.topic, record.value or b"", handler)


@asynccontextmanager
async def kafka(url: str, inbox: Taker) -> AsyncIterator[Bus]:
    """A bus on Kafka."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1) for topic in TOPICS])
    await admin.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=url, fetch_max_wait_ms=100)
    async with consumer, AIOKafkaProducer(bootstrap_servers=url) as producer:
        partitions = [TopicPartition(topic, 0) for topic in TOPICS]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        for partition in partitions:
            await consumer.position(partition)
        bus = Kafka(consumer, producer, inbox)
        reading = asyncio.create_task(bus.read())
        try:
            yield bus
        finally:
            reading.cancel()


class Rabbit:
    """Routing keys of one topic exchange; replies by the default one."""

    def __init__(self, channel: Any, exchange: Any, inbox: Taker) -> None:
        self._channel = channel
        self._exchange = exchange
        self._inbox = inbox

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """The queue is bound when this returns."""
        queue = await self._channel.declare_queue(exclusive=True)
        await queue.bind(self._exchange, topic)

        async def heard(message: Any) -> None:
            address = None if message.reply_to is None else QUEUE + message.reply_to
            self._inbox.take(topic, message.body, _with_reply_address(handler, address))

        await queue.consume(heard, no_ack=True)

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Send, with the service's own clock as the message's time."""
        from aio_pika import Message as AmqpMessage

        is_reply = topic.startswith(QUEUE)
        exchange = self._channel.default_exchange if is_reply else self._exchange
        stamp = int(headers[STAMP]) // 1000 if STAMP in headers else None
        message = AmqpMessage(encode(payload), headers=dict(headers), timestamp=stamp)
        await exchange.publish(message, topic.removeprefix(QUEUE), mandatory=False)


@asynccontextmanager
async def rabbitmq(url: str, inbox: Taker) -> AsyncIterator[Bus]:
    """A bus on RabbitMQ."""
    import aio_pika

    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        yield Rabbit(channel, exchange, inbox)


class Redis:
    """Channels, which know no headers."""

    def __init__(self, client: Any, inbox: Taker) -> None:
        self._client = client
        self._inbox = inbox
        self.reading: list[asyncio.Task[None]] = []

    async def subscribe(self, topic: str, handler: Handler) -> None:
        """The server has confirmed when this returns."""
        subscription = self._client.pubsub(ignore_subscribe_messages=False)
        await subscription.subscribe(topic)
        await subscription.get_message(timeout=5)

        async def read() -> None:
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._inbox.take(topic, message["data"], handler)

        self.reading.append(asyncio.create_task(read()))

    async def publish(self, topic: str, payload: Message | bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:  # noqa: ARG002 - a bus takes them
        """Send."""
        await self._client.publish(topic, encode(payload))


@asynccontextmanager
async def redis(url: str, inbox: Taker) -> AsyncIterator[Bus]:
    """A bus on Redis."""
    from redis.asyncio import Redis as Client

    async with Client.from_url(url) as client:
        bus = Redis(client, inbox)
        try:
            yield bus
        finally:
            for task in bus.reading:
                task.cancel()


BUSES: Mapping[str, Callable[[str, Taker], contextlib.AbstractAsyncContextManager[Bus]]] = {
    "nats": nats,
    "kafka": kafka,
    "rabbitmq": rabbitmq,
    "redis": redis,
}


async def serve(kind: str, url: str, audit: str) -> None:
    """Until killed."""
    async with BUSES[kind](url, Inbox()) as bus, nats(audit, Inbox()) as other:
        await start(bus, other)
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable()  # what goes wrong here goes wrong on purpose
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(*sys.argv[1:]))

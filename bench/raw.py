"""The references: the same round trip with each broker's own client, and what any test does with what it receives.

That is to decode the message and to compare the field it waits for; nothing else. On the wire both do the same: what we
have confirmed, such as each message on RabbitMQ and Kafka, they have, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

TOPIC = "bench.raw"

RoundTrip = Callable[[int], Awaitable[float]]
"""Milliseconds from publishing a number until the code that waits for it goes on."""


def raw_round_trips(kind: str, url: str) -> AbstractAsyncContextManager[RoundTrip]:
    """Round trips over one connection of this broker's client."""
    return {"nats": _nats, "kafka": _kafka, "rabbitmq": _rabbitmq, "redis": _redis}[kind](url)


def _timed(publish: Callable[[bytes], Awaitable[Any]], arrive: Callable[[], Awaitable[bytes]]) -> RoundTrip:
    async def round_trip(number: int) -> float:
        start = time.perf_counter()
        await publish(json.dumps({"n": number}).encode())
        assert json.loads(await arrive())["n"] == number
        return (time.perf_counter() - start) * 1000

    return round_trip


@contextlib.asynccontextmanager
async def _nats(url: str) -> AsyncIterator[RoundTrip]:
    import nats

    client = await nats.connect(url)
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_message(message: Any) -> None:
        arrived.put_nowait(message.data)

    await client.subscribe(TOPIC, cb=on_message)
    await client.flush()
    yield _timed(lambda data: client.publish(TOPIC, data), arrived.get)
    await client.close()


@contextlib.asynccontextmanager
async def _redis(url: str) -> AsyncIterator[RoundTrip]:
    import redis.asyncio as redis

    client = redis.from_url(url)
    pubsub = client.pubsub()
    await pubsub.subscribe(TOPIC)
    await pubsub.get_message(timeout=5)
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def read() -> None:
        async for message in pubsub.listen():
            if message["type"] == "message":
                arrived.put_nowait(message["data"])

    reader = asyncio.create_task(read())
    yield _timed(lambda data: client.publish(TOPIC, data), arrived.get)
    reader.cancel()
    await asyncio.wait([reader])
    await pubsub.aclose()  # type: ignore[no-untyped-call]  # typed in part
    await client.aclose()


@contextlib.asynccontextmanager
async def _rabbitmq(url: str) -> AsyncIterator[RoundTrip]:
    import aio_pika

    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.declare_exchange("bench-raw", aio_pika.ExchangeType.TOPIC, auto_delete=True)
    queue = await channel.declare_queue(exclusive=True, auto_delete=True)
    await queue.bind(exchange, TOPIC)
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_message(message: Any) -> None:
        arrived.put_nowait(message.body)

    await queue.consume(on_message, no_ack=True)
    confirming: set[asyncio.Task[Any]] = set()

    async def publish(data: bytes) -> None:
        """Begin to publish, as we do: what waits for the message need not wait for the confirmation first."""
        task = asyncio.create_task(exchange.publish(aio_pika.Message(data), TOPIC, mandatory=True))
        confirming.add(task)
        task.add_done_callback(confirming.discard)

    yield _timed(publish, arrived.get)
    await connection.close()


@contextlib.asynccontextmanager
async def _kafka(url: str) -> AsyncIterator[RoundTrip]:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

    producer = AIOKafkaProducer(bootstrap_servers=url, acks="all")
    await producer.start()
    await producer.send_and_wait(TOPIC, b"first", partition=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=url, group_id=None, fetch_max_wait_ms=10, enable_auto_commit=False)
    await consumer.start()
    partition = TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    await consumer.seek_to_end(partition)
    await consumer.position(partition)

    async def arrive() -> bytes:
        value: bytes = (await consumer.getone()).value
        return value

    yield _timed(lambda data: producer.send(TOPIC, data, partition=0), arrive)
    await consumer.stop()
    await producer.stop()

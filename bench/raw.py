"""The references: the same round trip with each broker's own client, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

TOPIC = "bench.raw"
PAUSE_S = 0.001
"""Between two round trips, on both sides: a broker that has just answered is quicker than one that was left alone."""


async def raw_round_trip(kind: str, url: str, count: int) -> list[float]:
    """Milliseconds from publish until the code that waits goes on, for ``count`` messages, one at a time."""
    return await {"nats": _nats, "kafka": _kafka, "rabbitmq": _rabbitmq, "redis": _redis}[kind](url, count)


def _data(number: int) -> bytes:
    return json.dumps({"n": number}).encode()


async def _nats(url: str, count: int) -> list[float]:
    import nats

    client = await nats.connect(url)
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def on_message(_: Any) -> None:
        arrived.put_nowait(None)

    await client.subscribe(TOPIC, cb=on_message)
    await client.flush()
    times = []
    for number in range(count):
        start = time.perf_counter()
        await client.publish(TOPIC, _data(number))
        await arrived.get()
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(PAUSE_S)
    await client.close()
    return times


async def _redis(url: str, count: int) -> list[float]:
    import redis.asyncio as redis

    client = redis.from_url(url)
    pubsub = client.pubsub()
    await pubsub.subscribe(TOPIC)
    await pubsub.get_message(timeout=5)
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def read() -> None:
        async for message in pubsub.listen():
            if message["type"] == "message":
                arrived.put_nowait(None)

    reader = asyncio.create_task(read())
    times = []
    for number in range(count):
        start = time.perf_counter()
        await client.publish(TOPIC, _data(number))
        await arrived.get()
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(PAUSE_S)
    reader.cancel()
    await asyncio.wait([reader])
    await pubsub.aclose()
    await client.aclose()
    return times


async def _rabbitmq(url: str, count: int) -> list[float]:
    import aio_pika

    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=False)
    exchange = await channel.declare_exchange("bench-raw", aio_pika.ExchangeType.TOPIC, auto_delete=True)
    queue = await channel.declare_queue(exclusive=True, auto_delete=True)
    await queue.bind(exchange, TOPIC)
    arrived: asyncio.Queue[None] = asyncio.Queue()

    async def on_message(_: Any) -> None:
        arrived.put_nowait(None)

    await queue.consume(on_message, no_ack=True)
    times = []
    for number in range(count):
        start = time.perf_counter()
        await exchange.publish(aio_pika.Message(_data(number)), TOPIC)
        await arrived.get()
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(PAUSE_S)
    await connection.close()
    return times


async def _kafka(url: str, count: int) -> list[float]:
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
    times = []
    for number in range(count):
        start = time.perf_counter()
        await producer.send(TOPIC, _data(number), partition=0)
        await consumer.getone()
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(PAUSE_S)
    await consumer.stop()
    await producer.stop()
    return times

"""A publisher in another process, over the broker's own client: each line on stdin names a topic, and is answered.

Run as a program with the kind of broker and its address. It knows nothing of this project.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

PAYLOAD = b'{"n": 1}'
Publish = Callable[[str], Awaitable[Any]]


async def _nats(url: str) -> Publish:
    import nats

    client = await nats.connect(url)

    async def publish(topic: str) -> None:
        await client.publish(topic, PAYLOAD)
        await client.flush()

    return publish


async def _kafka(url: str) -> Publish:
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(bootstrap_servers=url)
    await producer.start()
    return lambda topic: producer.send_and_wait(topic, PAYLOAD)


async def _rabbitmq(url: str) -> Publish:
    import aio_pika

    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    exchange = await channel.get_exchange("choreo")
    return lambda topic: exchange.publish(aio_pika.Message(PAYLOAD), routing_key=topic, mandatory=False)


async def _redis(url: str) -> Publish:
    import redis.asyncio

    client = redis.asyncio.Redis.from_url(url)
    return lambda topic: client.publish(topic, PAYLOAD)


async def _redis_streams(url: str) -> Publish:
    import redis.asyncio

    client = redis.asyncio.Redis.from_url(url)
    return lambda topic: client.xadd(topic, {"payload": PAYLOAD})


_KINDS = {"nats": _nats, "kafka": _kafka, "rabbitmq": _rabbitmq, "redis": _redis, "redis-streams": _redis_streams}


async def main(kind: str, url: str) -> None:
    """Publish once a line, until there are no more."""
    publish = await _KINDS[kind](url)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await reader.readline():
        await publish(line.decode().strip())
        sys.stdout.write("sent\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

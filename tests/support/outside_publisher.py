"""A publisher in another process, over the broker's own client: each line on stdin is answered when it is done.

A line names a topic, for one message, and may say how many behind it: those leave as one burst, and their ``n`` counts
from 1. Run as a program with the kind of broker and its address. It knows nothing of this project.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

Publish = Callable[[str, Sequence[bytes]], Awaitable[None]]


async def _nats(url: str) -> Publish:
    import nats

    client = await nats.connect(url)

    async def publish(topic: str, payloads: Sequence[bytes]) -> None:
        for payload in payloads:
            await client.publish(topic, payload)
        await client.flush()

    return publish


async def _kafka(url: str) -> Publish:
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(bootstrap_servers=url)
    await producer.start()

    async def publish(topic: str, payloads: Sequence[bytes]) -> None:
        for sent in [await producer.send(topic, payload) for payload in payloads]:
            await sent

    return publish


async def _rabbitmq(url: str) -> Publish:
    import aio_pika

    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    exchange = await channel.get_exchange("choreo")

    async def publish(topic: str, payloads: Sequence[bytes]) -> None:
        messages = map(aio_pika.Message, payloads)
        await asyncio.gather(*(exchange.publish(each, routing_key=topic, mandatory=False) for each in messages))

    return publish


async def _redis(url: str, *, streams: bool = False) -> Publish:
    import redis.asyncio

    client = redis.asyncio.Redis.from_url(url)

    async def publish(topic: str, payloads: Sequence[bytes]) -> None:
        pipe = client.pipeline(transaction=False)
        for payload in payloads:
            pipe.xadd(topic, {"payload": payload}) if streams else pipe.publish(topic, payload)
        await pipe.execute()

    return publish


_KINDS: dict[str, Callable[[str], Awaitable[Publish]]] = {
    "nats": _nats,
    "kafka": _kafka,
    "rabbitmq": _rabbitmq,
    "redis": _redis,
    "redis-streams": partial(_redis, streams=True),
}


async def main(kind: str, url: str) -> None:
    """Publish what each line asks for, until there are no more."""
    publish = await _KINDS[kind](url)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await reader.readline():
        topic, _, count = line.decode().strip().partition(" ")
        await publish(topic, [b'{"n": %d}' % (index + 1) for index in range(int(count or 1))])
        sys.stdout.write("sent\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A worker of Taskiq over a list and a stream of Redis and over RabbitMQ, with one task.

It knows nothing of this project.

Run as a program with the addresses of both brokers; it says ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import json
import sys

import redis.asyncio
from taskiq import AsyncBroker
from taskiq.api import run_receiver_task
from taskiq_aio_pika import AioPikaBroker
from taskiq_redis import ListQueueBroker, RedisStreamBroker


def brokers_of(redis_url: str, amqp_url: str) -> dict[str, AsyncBroker]:
    """Brokers as people make them, but for the names of list and stream, which would be one key."""
    return {
        "list": ListQueueBroker(redis_url, queue_name="shop:list"),
        "stream": RedisStreamBroker(redis_url, queue_name="shop:stream"),
        "rabbit": AioPikaBroker(amqp_url),
    }


async def work(redis_url: str, amqp_url: str) -> None:
    """What charges, and says over which broker it was told to."""
    client = redis.asyncio.from_url(redis_url)
    brokers = brokers_of(redis_url, amqp_url)
    for name, broker in brokers.items():

        async def charge(cents: int, order_id: str, over: str = name) -> None:
            await client.publish("charged", json.dumps({"cents": cents, "order_id": order_id, "over": over}))

        broker.register_task(charge, task_name="shop.charge")
        broker.is_worker_process = True
        await broker.startup()  # makes queue, group and exchange, which keep what is sent from now on
    print("ready", flush=True)
    await asyncio.gather(*map(run_receiver_task, brokers.values()))


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))

"""Storing one thing in a broker of each kind and finding it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aio_pika
import aiokafka
import nats

from choreo_bdd.brokers import Broker
from tests.support import broker_clients as clients


async def _store_in_nats(broker: Broker) -> None:
    client = await nats.connect(broker.url)
    await client.jetstream().add_stream(name="orders", subjects=["orders"])
    await client.jetstream().publish("orders", b"kept")
    await client.close()


async def _find_in_nats(broker: Broker) -> bytes:
    client = await nats.connect(broker.url)
    found = await client.jetstream().get_last_msg("orders", "orders")
    await client.close()
    return bytes(found.data or b"")


async def _store_in_redis(broker: Broker) -> None:
    async with clients.redis_client(broker) as client:
        await client.set("order", b"kept")


async def _find_in_redis(broker: Broker) -> bytes:
    async with clients.redis_client(broker) as client:
        found = await client.get("order")
        assert isinstance(found, bytes)
        return found


async def _store_in_rabbitmq(broker: Broker) -> None:
    async with await clients.rabbitmq_client(broker) as connection:
        channel = await connection.channel()
        await channel.declare_queue("orders", durable=True)
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, routing_key="orders")


async def _find_in_rabbitmq(broker: Broker) -> bytes:
    async with await clients.rabbitmq_client(broker) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("orders")
        return bytes((await queue.get(no_ack=True)).body)


async def _store_in_kafka(broker: Broker) -> None:
    async with aiokafka.AIOKafkaProducer(**clients.kafka_options(broker), acks="all") as producer:
        await producer.send_and_wait("orders", b"kept")


async def _find_in_kafka(broker: Broker) -> bytes:
    return await clients.read_kafka(broker, "orders")


Store = Callable[[Broker], Awaitable[None]]
Find = Callable[[Broker], Awaitable[bytes]]
DATA: dict[str, tuple[Store, Find]] = {
    "nats": (_store_in_nats, _find_in_nats),
    "redis": (_store_in_redis, _find_in_redis),
    "rabbitmq": (_store_in_rabbitmq, _find_in_rabbitmq),
    "kafka": (_store_in_kafka, _find_in_kafka),
}

"""Plain clients of three brokers: what is reserved gets charged, what is charged gets shipped."""

from __future__ import annotations

import asyncio
import json
import os

import aio_pika
import nats
from aiokafka import AIOKafkaConsumer

from shop.faults import planted


async def main() -> None:
    rabbit = await aio_pika.connect(os.environ["RABBIT"])
    channel = await rabbit.channel()
    events = await channel.declare_exchange("shop.events", aio_pika.ExchangeType.TOPIC, durable=True)
    queue = await channel.declare_queue("bridge", exclusive=True)
    await queue.bind(events, "payments.charged")
    bus = await nats.connect(os.environ["NATS"])
    reserved = AIOKafkaConsumer(
        "orders.reserved", bootstrap_servers=os.environ["KAFKA"], group_id="bridge", auto_offset_reset="earliest"
    )
    await reserved.start()
    print("listening")

    async def charge() -> None:
        async for record in reserved:
            order = json.loads(record.value)
            if planted("bridge-drops", order["sku"] == "vase"):
                print("KeyError: 'sku'")
                continue
            body = json.dumps({"order_id": order["order_id"], "amount": order["total"]}).encode()
            await channel.default_exchange.publish(aio_pika.Message(body), "payments.charge")

    async def ship() -> None:
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    payment = json.loads(message.body)
                    if "order_id" in payment:
                        body = {"order_id": payment["order_id"], "country": "NL", "kilos": 1}
                        await bus.publish("shipping.requested", json.dumps(body).encode())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(charge())
        tasks.create_task(ship())


if __name__ == "__main__":
    asyncio.run(main())

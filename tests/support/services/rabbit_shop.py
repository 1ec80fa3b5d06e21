"""A shop over RabbitMQ, written with FastStream as people write it. It knows nothing of this project.

Run as a program with the address of the broker; it says ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from faststream import AckPolicy
from faststream.exceptions import RejectMessage
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue

EVENTS = RabbitExchange("shop.events", type=ExchangeType.TOPIC, durable=True)
NEWS = RabbitExchange("shop.news", type=ExchangeType.FANOUT, durable=True)
DEAD = RabbitExchange("shop.dead", type=ExchangeType.FANOUT, durable=True)
DEAD_LETTERS = RabbitQueue("charges.dead", durable=True)
CHARGES = RabbitQueue("payments.charge", durable=True, arguments={"x-dead-letter-exchange": "shop.dead"})
ORDERS = RabbitQueue("orders.place", durable=True)


def shop(url: str) -> RabbitBroker:
    """Orders are turned into charges, charges into events; what cannot be charged is a dead letter."""
    broker = RabbitBroker(url, logger=None)

    @broker.subscriber(ORDERS)
    @broker.publisher(CHARGES)
    async def place(order: dict[str, Any]) -> dict[str, Any]:
        return {"order_id": order["order_id"], "amount": order["amount"]}

    @broker.subscriber(CHARGES, ack_policy=AckPolicy.REJECT_ON_ERROR)
    @broker.publisher("payments.done", exchange=EVENTS, priority=3)
    async def charge(order: dict[str, Any]) -> dict[str, Any]:
        if order["amount"] < 0:
            raise RejectMessage
        await broker.publish(f"charged {order['amount']}", exchange=NEWS)
        return {"order_id": order["order_id"], "charged": order["amount"]}

    return broker


async def main(url: str) -> None:
    """Serve until ended."""
    broker = shop(url)
    await broker.connect()
    await broker.declare_exchange(DEAD)
    dead = await broker.declare_queue(DEAD_LETTERS)
    await dead.bind("shop.dead")
    await broker.declare_exchange(NEWS)
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""The till, a FastStream service on RabbitMQ: takes from a work queue, tells on an exchange."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue

from shop.faults import planted

EVENTS = RabbitExchange("shop.events", type=ExchangeType.TOPIC, durable=True)

broker = RabbitBroker(os.environ["RABBIT"], logger=None)
app = FastStream(broker, logger=None)


async def charge(payment: dict[str, Any]) -> None:
    order_id, amount, method = payment["order_id"], payment["amount"], payment.get("method", "card")
    print("charging", amount, "by", method, "for", order_id)
    is_refused = amount > 1000 and not planted("till-approves")
    told: dict[str, Any] = {"order_id": order_id, "amount": amount}
    if planted("till-id", method == "voucher"):
        del told["order_id"]
    name = "payments.refused" if is_refused else "payments.charged"
    if planted("till-topic", method == "transfer"):
        name = "payment.charged"
    await broker.publish(told, exchange=EVENTS, routing_key=name)


async def _listening() -> None:
    print("listening")


broker.subscriber(RabbitQueue("payments.charge", durable=True))(charge)
app.after_startup(_listening)

if __name__ == "__main__":
    asyncio.run(app.run())

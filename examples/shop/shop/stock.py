"""The stock, a FastStream service on Kafka: an order is reserved or rejected."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker

from shop.faults import planted

broker = KafkaBroker(os.environ["KAFKA"], logger=None)
app = FastStream(broker, logger=None)


async def placed(order: dict[str, Any]) -> None:
    order_id, sku, qty = order["order_id"], order["sku"], order["qty"]
    print("asked for", qty, sku, "for", order_id)
    if planted("stock-silent", sku == "lamp" and qty == 1):
        return
    if qty > 10:
        reason = "unknown" if planted("stock-reason") else "out of stock"
        await broker.publish({"order_id": order_id, "reason": reason}, "orders.rejected")
        return
    for _ in range(2 if planted("stock-twice", sku == "lamp" and qty == 2) else 1):
        await broker.publish({"order_id": order_id, "sku": sku, "qty": qty, "total": order["total"]}, "orders.reserved")


async def _listening() -> None:
    print("listening")


broker.subscriber("orders.placed", group_id="stock", auto_offset_reset="earliest")(placed)
app.after_startup(_listening)

if __name__ == "__main__":
    asyncio.run(app.run())

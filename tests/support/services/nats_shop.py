"""A shop over JetStream, written with FastStream as people write it. It knows nothing of this project.

Run as a program with the address of the broker; it says ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from faststream.nats import DeliverPolicy, JStream, NatsBroker

ORDERS = JStream(name="ORDERS", subjects=["orders.*"])


def shop(url: str) -> NatsBroker:
    """Each order that is kept is shipped, which is kept too; and the customer is told, which is not."""
    broker = NatsBroker(url, logger=None)

    @broker.subscriber("orders.placed", stream=ORDERS, deliver_policy=DeliverPolicy.NEW)
    @broker.publisher("orders.shipped", stream=ORDERS)
    async def ship(order: dict[str, Any]) -> dict[str, Any]:
        await broker.publish({"order_id": order["order_id"]}, "told.customer")
        return {"order_id": order["order_id"], "from": "store"}

    return broker


async def main(url: str) -> None:
    """Serve until ended."""
    broker = shop(url)
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

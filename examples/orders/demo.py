"""``python -m orders.demo``: the whole pipeline in one process; places an order and prints every message."""

from __future__ import annotations

import asyncio
import json

from choreo_bdd.transports.memory import MockTransport
from orders import pipeline
from orders.bus import MemoryBus, Message

ORDER: Message = {
    "id": "o-1",
    "customer": "c-7",
    "currency": "EUR",
    "country": "DE",
    "delivery": "courier",
    "items": [{"sku": "tea", "quantity": 2, "price": 450}, {"sku": "pot", "quantity": 1, "price": 2900}],
}


async def demo() -> None:
    """Run one order through."""
    broker = MockTransport()
    await broker.connect()
    broker.subscribe(">", lambda topic, data: print(f"{topic}\n  {json.dumps(json.loads(data))}"))
    bus = MemoryBus(broker)
    await pipeline.start(bus)
    await bus.publish("orders.placed", {"correlation_id": "demo", "order": ORDER})
    await asyncio.sleep(0.1)  # the pipeline is asynchronous and quick
    await bus.close()
    await broker.disconnect()


if __name__ == "__main__":
    asyncio.run(demo())

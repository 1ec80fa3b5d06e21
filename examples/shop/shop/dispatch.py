"""The dispatch, a plain nats-py client: books parcels, and answers what one costs."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import nats

from shop.faults import planted


async def main() -> None:
    bus = await nats.connect(os.environ["NATS"])

    async def requested(message: Any) -> None:
        parcel = json.loads(message.data)
        order_id, country = parcel["order_id"], parcel["country"]
        print("parcel of", parcel["kilos"], "kg to", country, "for", order_id)
        if parcel["kilos"] > 30 and not planted("dispatch-books-heavy"):
            return
        if planted("dispatch-wrong-id", country == "DE"):
            order_id = "somebody-elses"
        carrier = "post" if country == "NL" else "courier"
        await bus.publish("shipping.booked", json.dumps({"order_id": order_id, "carrier": carrier}).encode())

    async def quote(message: Any) -> None:
        asked = json.loads(message.data)
        price: object = 4 + asked["kilos"]
        told = {"order_id": asked["order_id"], "price": str(price) if planted("quote-shape") else price}
        await message.respond(json.dumps(told).encode())

    await bus.subscribe("shipping.requested", cb=requested)
    await bus.subscribe("shipping.quote", cb=quote)
    await bus.publish("dispatch.up", b"{}")
    await bus.flush()
    print("listening")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

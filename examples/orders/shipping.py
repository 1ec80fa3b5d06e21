"""Shipping: books a carrier, which is somebody else's service, for orders to be delivered by courier.

``orders.settled`` → ``carrier.booking.requested``; ``carrier.booking.confirmed`` → ``orders.shipped``;
``carrier.booking.refused`` → ``orders.delayed``.
"""

from __future__ import annotations

from orders.bus import Bus, Message
from orders.port import Port


class Shipping:
    """Remembers the bookings it has asked for until the carrier answers."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("shipping", bus)
        self._booked: dict[str, Message] = {}

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("orders.settled", self._settled)
        await self._port.listen("carrier.booking.confirmed", self._confirmed)
        await self._port.listen("carrier.booking.refused", self._refused)

    async def _settled(self, message: Message) -> None:
        order = message["order"]
        if order.get("delivery") != "courier":
            return
        reference = message["settlement"]["reference"]
        self._booked[reference] = order
        booking = {"reference": reference, "country": order.get("country", "DE"), "parcels": len(order["items"])}
        await self._port.send(message, "carrier.booking.requested", {"booking": booking})

    async def _confirmed(self, message: Message) -> None:
        await self._answer(message, "orders.shipped", {"tracking": message.get("tracking")})

    async def _refused(self, message: Message) -> None:
        await self._answer(message, "orders.delayed", {"reason": message.get("reason", "unknown")})

    async def _answer(self, message: Message, topic: str, body: Message) -> None:
        order = self._booked.pop(message.get("reference", ""), None)
        if order is not None:  # an answer to nothing we asked is none of our business
            await self._port.send({**message, "order": order}, topic, {"reference": message["reference"], **body})

"""Notification: ``orders.settled`` → ``notifications.sent``."""

from __future__ import annotations

from orders.bus import Bus, Message
from orders.port import Port


class Notification:
    """Tells customers what they have been charged."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("notification", bus)

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("orders.settled", self._settled)

    async def _settled(self, message: Message) -> None:
        settlement = message["settlement"]
        charged = f"{settlement['amount'] / 100:.2f} {settlement['currency']}"
        body = {
            "to": message["order"].get("customer", "unknown"),
            "channel": "email",
            "reference": settlement["reference"],
            "text": f"Order {message['order']['id']}: you have been charged {charged}.",
        }
        await self._port.send(message, "notifications.sent", body)

"""Settlement: ``fraud.checked`` → ``orders.settled``, or ``orders.held`` when the risk is high."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from orders.bus import Bus, Message
from orders.port import Port

FIXED_FEE = 25
FEE_PER_MILLE = 15


class Settlement:
    """Charges the customer: 1.5 % and 25 cents are the payment provider's."""

    def __init__(self, bus: Bus) -> None:
        self._port = Port("settlement", bus)

    async def start(self) -> None:
        """Subscribe."""
        await self._port.listen("fraud.checked", self._checked)

    async def _checked(self, message: Message) -> None:
        if message["risk"]["level"] == "high":
            await self._port.send(message, "orders.held", {"risk": message["risk"]})
            return
        body = {
            "settlement": settlement_of(message["total"], message["order"]["currency"]),
            # what the services took by their own clock, to hold a test's latency against
            "service_ms": time.time() * 1000 - message["received_ms"],
        }
        await self._port.send(message, "orders.settled", body)


def settlement_of(amount: int, currency: str) -> Message:
    """Amounts in cents, the fee rounded half up."""
    fee = FIXED_FEE + (amount * FEE_PER_MILLE + 500) // 1000
    return {
        "reference": str(uuid.uuid4()),
        "amount": amount,
        "currency": currency,
        "fee": fee,
        "net": amount - fee,
        "settled_at": datetime.now(UTC).isoformat(),
    }

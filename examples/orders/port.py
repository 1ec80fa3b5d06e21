"""A service's place on the bus: it listens and answers there, and errs there when an order asks for it."""

from __future__ import annotations

import asyncio
import time

from orders.bus import Bus, Handler, Message
from orders.defects import STAMP, Defect, Outgoing

CARRIED = ("correlation_id", "order", "received_ms")
"""Fields that go from a message to the ones it causes; ``received_ms``: when the first service saw it, epoch ms."""
REJECTED = "orders.rejected"


class Port:
    """Everything a service hears and says."""

    def __init__(self, service: str, bus: Bus) -> None:
        self._service = service
        self._bus = bus
        self._one_at_a_time = asyncio.Lock()
        self._down_until = 0.0
        self._former: Message = {}

    async def listen(self, topic: str, handler: Handler) -> None:
        """Handle every message on a topic, late or not at all when its order asks for that."""

        async def handle(message: Message) -> None:
            message.setdefault("received_ms", time.time() * 1000)
            if await self._is_up(message):
                await handler(message)

        await self._bus.subscribe(topic, handle)

    async def send(self, cause: Message, topic: str, body: Message) -> None:
        """Publish what follows from ``cause``, with the defect its order asks for.

        A wish that nobody can read refuses the order: a service that worked as if nothing had been asked of it would
        look as if the defect went unnoticed.
        """
        try:
            defect = Defect.asked_of(self._service, cause)
        except ValueError as error:
            defect = None
            if topic != REJECTED:
                topic, body = REJECTED, {"problems": [{"field": "order.simulate", "reason": str(error)}]}
        payload = {field: cause.get(field) for field in CARRIED} | body
        outgoing = Outgoing(topic, payload, self._headers(cause), former=self._former)
        self._former = payload
        for each in (outgoing,) if defect is None else defect.distort(outgoing):
            if each.after_s:
                await asyncio.sleep(each.after_s)
            await self._bus.publish(each.topic, each.payload, each.headers)

    def _headers(self, cause: Message) -> dict[str, str]:
        order = cause.get("order")
        number = order.get("id") if isinstance(order, dict) else None
        return {"sent-by": self._service, "order-id": str(number), STAMP: str(round(time.time() * 1000))}

    async def _is_up(self, message: Message) -> bool:
        """Whether the service is there for a message, once it has taken the time it was asked to take."""
        try:
            defect = Defect.asked_of(self._service, message)
        except ValueError:
            return True  # ``send`` says so
        if defect is not None:
            match defect.kind:
                case "slow":
                    await asyncio.sleep(defect.milliseconds_s)
                case "queued":
                    async with self._one_at_a_time:
                        await asyncio.sleep(defect.milliseconds_s)
                case "outage":
                    self._down_until = time.monotonic() + defect.milliseconds_s
                case "crash":
                    raise RuntimeError(f"{self._service} was asked to crash")
        return time.monotonic() >= self._down_until

"""A service's place on the bus: it listens and answers there, and errs there when an order asks for it."""

from __future__ import annotations

import asyncio
import time

from orders.bus import Bus, Handler, Message
from orders.defects import Defect

CARRIED = ("correlation_id", "order", "received_ms")
"""Fields that go from a message to the ones it causes; ``received_ms``: when the first service saw it, epoch ms."""


class Port:
    """Everything a service hears and says."""

    def __init__(self, service: str, bus: Bus) -> None:
        self._service = service
        self._bus = bus

    async def listen(self, topic: str, handler: Handler) -> None:
        """Handle every message on a topic, late when its order asks for a slow service."""

        async def handle(message: Message) -> None:
            message.setdefault("received_ms", time.time() * 1000)
            defect = Defect.asked_of(self._service, message)
            if defect is not None and defect.delay_s:
                await asyncio.sleep(defect.delay_s)
            await handler(message)

        await self._bus.subscribe(topic, handle)

    async def send(self, cause: Message, topic: str, body: Message) -> None:
        """Publish what follows from ``cause``, with the defect its order asks for."""
        payload = {field: cause.get(field) for field in CARRIED} | body
        defect = Defect.asked_of(self._service, cause)
        outgoing = (topic, payload) if defect is None else defect.distort(topic, payload)
        if outgoing is not None:
            await self._bus.publish(*outgoing)

"""A message there and back, for brokers that keep nothing of it."""

from __future__ import annotations

import asyncio
import secrets

from choreo_bdd.transports.base import Transport, promise_of


async def there_and_back(transport: Transport, topic: str) -> None:
    """Subscribe, publish, and wait until the message has come; raises what subscribing or publishing raises."""
    sample, arrived = secrets.token_hex(8).encode(), asyncio.Event()

    def receive(_topic: str, payload: bytes) -> None:
        if payload == sample:
            arrived.set()

    try:
        if (live := promise_of(transport.subscribe(topic, receive))) is not None:
            await live
        if (sent := promise_of(transport.publish(topic, sample))) is not None:
            await sent
        await arrived.wait()
    finally:
        transport.unsubscribe(topic, receive)

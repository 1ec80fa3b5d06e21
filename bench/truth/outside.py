"""A service in a process of its own, over the broker's own client, for the bars beside it. It knows nothing of us."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

EXCHANGE = "choreo"
KINDS = ("nats", "kafka", "rabbitmq", "redis", "redis-streams")
PROGRAM = ROOT / "tests/support/outside_publisher.py"


class Publisher:
    """Sends what a call asks for, and returns once the broker has it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def publish(self, topic: str, count: int = 1) -> None:
        """Send one message, or a burst of so many, whose ``n`` counts from 1."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{topic} {count}\n".encode())
        await self._process.stdout.readline()


@asynccontextmanager
async def publisher(kind: str, url: str) -> AsyncIterator[Publisher]:
    """A publisher on a broker, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        kind,
        url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield Publisher(process)
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def served(kind: str) -> AsyncIterator[tuple[str, Any]]:
    """A broker of our own, until the block ends: its address, and a transport to it that is not connected."""
    from choreo_bdd.brokers import start
    from tests.support.transport_kinds import BROKER_KINDS, make_transport

    name: Any = BROKER_KINDS[kind].broker
    broker = await asyncio.to_thread(start, name)
    with broker:
        options = {}
        if kind == "rabbitmq":
            await with_exchange(broker.url)
            options["exchange_name"] = EXCHANGE
        yield broker.url, make_transport(kind, broker.url, **options)


async def with_exchange(url: str) -> None:
    """Make the exchange of the services, as the first of them would."""
    import aio_pika

    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)

"""A service in a process of its own, over the broker's own client, for the bars beside it. It knows nothing of us."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # for the brokers' own clients and the proxy that the tests use

KINDS = ("nats", "kafka", "rabbitmq", "redis", "redis-streams")
PROGRAM = ROOT / "tests/support/outside_publisher.py"


class Publisher:
    """Sends one message a call, and returns once the broker has it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def publish(self, topic: str) -> None:
        """Send one message."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{topic}\n".encode())
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

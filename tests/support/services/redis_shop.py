"""A shop over Redis, written with FastStream as people write it. It knows nothing of this project.

Run as a program with the address of the broker; it says ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from faststream.redis import RedisBroker
from redis.asyncio import Redis


def shop(url: str) -> RedisBroker:
    """Jobs of a list become jobs of the next, each taken at once; and the keys of those that are done go soon."""
    broker = RedisBroker(url, logger=logging.getLogger("shop"))
    plain = Redis.from_url(url)

    @broker.subscriber(list="jobs.new")
    async def take(job: dict[str, Any]) -> None:
        await broker.publish({"order_id": job["order_id"], "step": 2}, list="jobs.framed")
        async with plain.pipeline(transaction=True) as both:
            both.lpush("jobs.plain", f'{{"order_id": "{job["order_id"]}", "text": "a \\"b\\" \\u00e9"}}', "[1]")
            both.set(f"done:{job['order_id']}", "1", px=50)
            await both.execute()

    @broker.subscriber(list="jobs.framed")
    async def finish(job: dict[str, Any]) -> None:
        await broker.publish({"order_id": job["order_id"], "done": True}, channel="jobs.done")

    return broker


async def main(url: str) -> None:
    """Serve until ended."""
    broker = shop(url)
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

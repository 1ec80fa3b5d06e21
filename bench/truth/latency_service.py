"""A service that takes as long as it is asked to, and says how long it took by its own clock.

    python -m bench.truth.latency_service KIND URL

Takes ``latency.asked``; ``delay_ms`` later it sends ``count`` messages ``latency.answered``, each with its number ``n``
and ``took_ms``: the time from taking the question to handing over that answer. Prints ``ready`` once it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from bench.truth.services import BUSES
from orders.bus import Bus, Inbox, Message

ASKED, ANSWERED = "latency.asked", "latency.answered"


async def start(bus: Bus) -> None:
    """Have it listening."""

    async def asked(question: Message) -> None:
        began = time.perf_counter()
        await asyncio.sleep(question["delay_ms"] / 1000)
        asker = question.get("correlation_id")
        for n in range(1, question["count"] + 1):
            took_ms = (time.perf_counter() - began) * 1000
            await bus.publish(ANSWERED, {"correlation_id": asker, "n": n, "took_ms": took_ms})

    await bus.subscribe(ASKED, asked)


async def serve(kind: str, url: str) -> None:
    """Until killed."""
    async with BUSES[kind](url, Inbox()) as bus:
        await start(bus)
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(*sys.argv[1:]))

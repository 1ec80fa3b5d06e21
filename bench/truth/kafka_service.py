"""A service on Kafka, a program of its own over the broker's own client, which measures itself. It knows nothing of us.

Takes ``asked`` and, ``delay_ms`` later, sends ``answered`` with the same fields and ``took_ms``: by its own clock the
time from taking the question to handing over the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

ASKED, ANSWERED = "latency.asked", "latency.answered"


async def serve(url: str) -> None:
    """Answer one question after the other, until killed."""
    async with (
        AIOKafkaConsumer(ASKED, bootstrap_servers=url, group_id=None) as consumer,
        AIOKafkaProducer(bootstrap_servers=url) as producer,
    ):
        print("ready", flush=True)
        async for record in consumer:
            began = time.perf_counter()
            question = json.loads(record.value)
            await asyncio.sleep(question["delay_ms"] / 1000)
            took_ms = (time.perf_counter() - began) * 1000
            await producer.send(ANSWERED, json.dumps({**question, "took_ms": took_ms}).encode())


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))

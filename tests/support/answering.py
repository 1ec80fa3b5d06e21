"""``python -m tests.support.answering URL``: a service in a process of its own, on a NATS server.

Answers each message on ``ask`` with one on ``answer`` that carries the same fields and ``service_ms``, the time it
took by its own clock; ``delay_ms`` in the question makes it wait, ``silent`` keeps it from answering, ``answer_on``
names another topic for the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import nats


async def serve(url: str) -> None:
    client = await nats.connect(url)
    tasks: set[asyncio.Task[None]] = set()

    async def answer(question: dict[str, Any], received: float) -> None:
        if question.get("delay_ms"):
            await asyncio.sleep(question["delay_ms"] / 1000)
        took_ms = (time.perf_counter() - received) * 1000
        await client.publish(
            question.get("answer_on", "answer"), json.dumps({**question, "service_ms": took_ms}).encode()
        )

    async def on_question(message: Any) -> None:
        received, question = time.perf_counter(), json.loads(message.data)
        if question.get("silent"):
            return
        if not question.get("delay_ms"):
            await answer(question, received)  # in the same turn
            return
        task = asyncio.create_task(answer(question, received))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await client.subscribe("ask", cb=on_question)
    await client.flush()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))

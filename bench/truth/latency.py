"""Latency as it is: however much is judged, and on Kafka as long as the service itself says.

    python bench/truth/latency.py [--rounds 5] [--repeats 20] [nats kafka rabbitmq redis redis-streams]

Rows: a service in a process of its own sends a burst of 200 messages; in one round a single row expects the last of
them, in the next 200 rows expect one each, in turn in the same run. No row may come out more than 5 ms above the
single row: the medians over the rounds are compared, of the single row and of the slowest of the 200.

Kafka: a service answers after 10, 50 and 200 ms and measures itself. What a scenario measures beyond that is the way
there and back through the broker; a plain client measures the same way in the same run, and the medians of the two may
be 5 ms apart. Prints both tables; exits 1 when either is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka_service import ANSWERED, ASKED
from outside import KINDS, Publisher, publisher, served

from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.correlation import NoCorrelationPolicy
from choreo_bdd.matchers import field_equals

MESSAGES = 200
ALLOWED_MS = 5.0
DELAYS_MS = (10, 50, 200)
PATIENCE_MS = 10_000
BURST = "latency.burst"
FROM_PUBLISH = ScopeOptions(latency_from="publish")


@asynccontextmanager
async def connected(kind: str) -> AsyncIterator[tuple[Harness, str]]:
    """A harness on a broker of our own, and the broker's address."""
    async with served(kind) as (url, transport):
        harness = Harness(transport, correlation=NoCorrelationPolicy(is_meant=True))
        await harness.connect()
        try:
            yield harness, url
        finally:
            await harness.disconnect()


async def burst(harness: Harness, outside: Publisher, rows: range) -> float:
    """The latency of the slowest of these rows against a burst, in ms."""
    async with harness.scenario("a burst", options=FROM_PUBLISH) as scenario:
        handles = [scenario.expect(BURST, field_equals("n", row)) for row in rows]
        await scenario.ready()
        scenario.publish("latency.go", {})
        await outside.publish(BURST, MESSAGES)
        result = await scenario.await_all(timeout_ms=PATIENCE_MS)
    if not result.passed:
        raise SystemExit(f"{sum(not handle.was_fulfilled() for handle in handles)} of {len(handles)} rows got nothing")
    return max(handle.latency_ms for handle in handles)


async def of_rows(kind: str, rounds: int) -> tuple[float, float]:
    """The latency of a single row, and of the slowest of 200, in ms."""
    single, slowest = [], []
    async with connected(kind) as (harness, url), publisher(kind, url) as outside:
        await burst(harness, outside, range(1, MESSAGES + 1))  # whatever is made at first use is there by now
        for _ in range(rounds):
            single.append(await burst(harness, outside, range(MESSAGES, MESSAGES + 1)))
            slowest.append(await burst(harness, outside, range(1, MESSAGES + 1)))
    return median(single), median(slowest)


async def beyond_the_service(harness: Harness, delay_ms: int, repeats: int) -> list[float]:
    """By how much scenarios measure more than the service does, in ms each."""
    beyond = []
    for repeat in range(repeats + 1):
        async with harness.scenario("round trip", options=FROM_PUBLISH) as scenario:
            handle = scenario.expect(ANSWERED, field_equals("repeat", repeat))
            await scenario.ready()
            scenario.publish(ASKED, {"repeat": repeat, "delay_ms": delay_ms})
            (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
        beyond.append(handle.latency_ms - handle.message["took_ms"])
    return beyond[1:]  # the first one makes the topics


async def beyond_for_a_plain_client(url: str, delay_ms: int, repeats: int) -> list[float]:
    """By how much the broker's own client measures more than the service does, in ms each."""
    beyond = []
    async with (
        AIOKafkaProducer(bootstrap_servers=url) as producer,
        AIOKafkaConsumer(ANSWERED, bootstrap_servers=url, group_id=None) as consumer,
    ):
        for _ in range(repeats + 1):
            began = time.perf_counter()
            await producer.send(ASKED, json.dumps({"delay_ms": delay_ms}).encode())
            record = await consumer.getone()
            beyond.append((time.perf_counter() - began) * 1000 - json.loads(record.value)["took_ms"])
    return beyond[1:]


@asynccontextmanager
async def answering(url: str) -> AsyncIterator[None]:
    """The service, until the block ends."""
    program = str(Path(__file__).with_name("kafka_service.py"))
    process = await asyncio.create_subprocess_exec(sys.executable, program, url, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def print_rows(kinds: list[str], rounds: int) -> bool:
    """The table of rows; whether all are right."""
    is_right = True
    print(f"{'broker':<14} {'1 row ms':>9} {f'{MESSAGES} rows ms':>12} {'more':>7}  allowed {ALLOWED_MS:g}")
    for kind in kinds:
        single, slowest = await of_rows(kind, rounds)
        print(f"{kind:<14} {single:>9.1f} {slowest:>12.1f} {slowest - single:>7.1f}", flush=True)
        is_right &= slowest - single <= ALLOWED_MS
    return is_right


async def print_service(repeats: int) -> bool:
    """The table of Kafka against its service; whether all is right."""
    is_right = True
    print(f"\n{'kafka answers after':<20} {'beyond ms':>9} {'plain client':>12} {'more':>6}  allowed {ALLOWED_MS:g}")
    async with connected("kafka") as (harness, url), answering(url):
        for delay_ms in DELAYS_MS:
            ours = median(await beyond_the_service(harness, delay_ms, repeats))
            plain = median(await beyond_for_a_plain_client(url, delay_ms, repeats))
            print(f"{f'{delay_ms} ms':<20} {ours:>9.1f} {plain:>12.1f} {ours - plain:>6.1f}", flush=True)
            is_right &= ours >= 0 and ours - plain <= ALLOWED_MS
    return is_right


async def main(kinds: list[str], rounds: int, repeats: int) -> int:
    """Print both tables."""
    is_right = await print_rows(kinds, rounds)
    if "kafka" in kinds:
        is_right &= await print_service(repeats)
    return 0 if is_right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.kinds, given.rounds, given.repeats)))

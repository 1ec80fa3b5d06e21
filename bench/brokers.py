"""Publish → verdict over real brokers beside the bare client, one after the other in turn: only the ratios count.

python -m bench.brokers [nats redis rabbitmq kafka]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.raw import raw_round_trips
from bench.rows import Row, show
from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.brokers import start
from choreo_bdd.matchers import field_equals
from tests.support.transport_kinds import make_transport

BARS = {"nats": 1.35, "redis": 1.15, "rabbitmq": 1.15, "kafka": 1.4}
_ROUNDS = 300
_WARM = 30
_PAUSE_S = 0.001
"""Between two round trips, on both sides: a broker that has just answered is quicker than one that was left alone."""


def rows(kinds: Sequence[str] = tuple(BARS)) -> Iterator[Row]:
    """A row a broker, as each is measured."""
    for kind in kinds:
        ours, bare = (statistics.median(each[_WARM:]) for each in asyncio.run(_by_turns(kind)))
        yield Row(f"publish → verdict on {kind}", ours / bare, bar=BARS[kind], beside=f"bare client: {bare:.2f} ms")


async def _by_turns(kind: Any) -> tuple[list[float], list[float]]:
    """Milliseconds through a scenario, and with the bare client, of the same moments."""
    ours: list[float] = []
    bare: list[float] = []
    with start(kind) as broker:
        harness = Harness(make_transport(kind, broker.url), correlation=DictFieldPolicy())
        await harness.connect()
        async with raw_round_trips(kind, broker.url) as round_trip:
            for number in range(_ROUNDS):
                ours.append(await _through_a_scenario(harness, number))
                await asyncio.sleep(_PAUSE_S)
                bare.append(await round_trip(number))
                await asyncio.sleep(_PAUSE_S)
        await harness.disconnect()
    return ours, bare


async def _through_a_scenario(harness: Harness, number: int) -> float:
    async with harness.scenario("bench") as scenario:
        scenario.expect("bench.topic", field_equals("n", number))
        await scenario.ready()
        await asyncio.sleep(_PAUSE_S)
        began = time.perf_counter()
        scenario.publish("bench.topic", {"n": number})
        assert (await scenario.await_all(timeout_ms=5000)).passed
        return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    raise SystemExit(show(rows(sys.argv[1:] or tuple(BARS))))

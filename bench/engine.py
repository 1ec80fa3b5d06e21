"""The engine beside its references, in one run: only the ratios count (design §8, rows 1 to 7).

python bench/engine.py                 everything on the memory bus, least processor time of many short rounds
python bench/engine.py nats redis …    also publish → match against the raw client, on brokers it starts
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.matchers import contains_fields, field_equals
from choreo_bdd.transports import MockTransport

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the table of transports that the tests use

ROUNDS = 40


def row(name: str, ours: float, reference: float | None, goal: str, unit: str = "µs") -> None:
    ratio = "" if reference is None else f"{ours / reference:6.2f}x"
    shown = "" if reference is None else f"{reference:10.1f} {unit}"
    print(f"{name:<58} {ours:10.1f} {unit} {shown:>14} {ratio:>8}   goal {goal}")


def least_of(measure: Callable[[], float]) -> float:
    """Of processor time, on a machine that is busy with other things: what the work takes when nobody disturbs it."""
    return min(measure() for _ in range(ROUNDS))


async def harness() -> Harness:
    made = Harness(MockTransport(), correlation=DictFieldPolicy())
    await made.connect()
    return made


async def one_scenario() -> float:
    """Microseconds for one expectation, one publish, one wait."""
    bus, count = await harness(), 30
    matcher = contains_fields({"n": 2})
    start = time.thread_time()
    for _ in range(count):
        async with bus.scenario("s") as scenario:
            scenario.expect("out", matcher)
            scenario.publish("out", {"n": 2})
            result = await scenario.await_all(timeout_ms=100)
            assert result.passed
    return (time.thread_time() - start) / count * 1e6


async def one_reply() -> float:
    """Microseconds for one stand-in, one expectation of its answer, one publish, one wait."""
    bus, count = await harness(), 30
    matcher = contains_fields({"n": 2})
    start = time.thread_time()
    for _ in range(count):
        async with bus.scenario("s") as scenario:
            scenario.on("in").publish("out", {"n": 2})
            scenario.expect("out", matcher)
            scenario.publish("in", {"n": 1})
            assert (await scenario.await_all(timeout_ms=100)).passed
    return (time.thread_time() - start) / count * 1e6


class CountingCodec:
    """JSON that counts how often it decodes."""

    def __init__(self) -> None:
        from choreo_bdd.codecs import JSONCodec

        self._json = JSONCodec()
        self.decodes = 0

    def decode(self, data: bytes) -> Any:
        self.decodes += 1
        return self._json.decode(data)

    def encode(self, value: Any) -> bytes:
        return self._json.encode(value)


async def live_scopes(count: int) -> tuple[float, float]:
    """Microseconds a message and decodes a message, with so many scopes live on one topic."""
    codec = CountingCodec()
    bus = Harness(MockTransport(), codec=codec, correlation=DictFieldPolicy())
    await bus.connect()
    scenarios = [bus.scenario(f"s{number}") for number in range(count)]
    entered = [await each.__aenter__() for each in scenarios]
    for number, scenario in enumerate(entered):
        scenario.expect("shared", field_equals("n", number))
    start = time.thread_time()
    for number, scenario in enumerate(entered):
        scenario.publish("shared", {"n": number})
    elapsed = (time.thread_time() - start) / count * 1e6
    decodes = codec.decodes / count
    for each, scenario in zip(scenarios, entered, strict=True):
        assert (await scenario.await_all(timeout_ms=10)).passed
        await each.__aexit__(None, None, None)
    return elapsed, decodes


async def foreign_and_near_miss() -> tuple[float, float, float]:
    """Microseconds a foreign message, a near-miss, and a publish nobody hears."""
    bus, count = await harness(), 200
    matcher = contains_fields({"order": {"id": 1, "state": "settled"}})
    wrong = {"order": {"id": 1, "state": "open"}}

    def timed(payload: dict[str, Any], topic: str) -> float:
        data = bus.encode(payload)
        start = time.thread_time()
        for _ in range(count):
            bus.transport.publish(topic, data)
        return (time.thread_time() - start) / count * 1e6

    async with bus.scenario("s") as scenario:
        scenario.expect("t", matcher)
        scenario.publish("elsewhere", {})
        bare = timed(wrong, "unheard")
        foreign = timed({**wrong, "correlation_id": "other"}, "t")
        near = timed({**wrong, "correlation_id": scenario.correlation_id}, "t")
        await scenario.await_all(timeout_ms=1)
    return foreign, near, bare


def plain_contains(spec: Any, value: Any) -> bool:
    """The plainest recursive subset compare, as the reference."""
    if isinstance(spec, dict):
        return isinstance(value, dict) and all(
            key in value and plain_contains(item, value[key]) for key, item in spec.items()
        )
    if isinstance(spec, list):
        return isinstance(value, list) and all(plain_contains(a, b) for a, b in zip(spec, value, strict=False))
    return bool(spec == value)


def subset() -> tuple[float, float]:
    """Microseconds for a subset match of 20 nested fields, and for the plain compare."""
    spec = {f"group{g}": {f"field{f}": f for f in range(5)} for g in range(4)}
    payload = {**spec, "extra": list(range(10))}
    matcher, count = contains_fields(spec), 200

    def timed(call: Callable[[], object]) -> float:
        start = time.thread_time()
        for _ in range(count):
            call()
        return (time.thread_time() - start) / count * 1e6

    return least_of(lambda: timed(lambda: matcher.match(payload))), least_of(
        lambda: timed(lambda: plain_contains(spec, payload))
    )


async def over_broker(kind: str) -> tuple[float, float]:
    """Milliseconds publish → match through a scenario, and publish → receive with the raw client (medians)."""
    from raw import PAUSE_S, raw_round_trip

    from choreo_bdd.brokers import start as start_broker
    from tests.support.transport_kinds import make_transport

    with start_broker(kind) as broker:
        bus = Harness(make_transport(kind, broker.url), correlation=DictFieldPolicy())
        await bus.connect()
        ours: list[float] = []
        for number in range(200):
            async with bus.scenario("s") as scenario:
                scenario.expect("bench.topic", field_equals("n", number))
                await scenario.ready()
                await asyncio.sleep(PAUSE_S)
                start = time.perf_counter()
                scenario.publish("bench.topic", {"n": number})
                assert (await scenario.await_all(timeout_ms=5000)).passed
                ours.append((time.perf_counter() - start) * 1000)
        await bus.disconnect()
        raw = await raw_round_trip(kind, broker.url, 200)
    return statistics.median(ours[20:]), statistics.median(raw[20:])


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def wrapped() -> Any:
        return await work()

    return asyncio.run(wrapped())


def main() -> None:
    row("scenario on the memory bus", least_of(lambda: run(one_scenario)), None, "≤ 106-180 µs")
    row("scenario with a reply on the memory bus", least_of(lambda: run(one_reply)), None, "≤ 2x the one above")
    for count in (10, 100, 1000):
        elapsed, decodes = run(lambda count=count: live_scopes(count))
        row(f"a message with {count} live scopes ({decodes:.2f} decodes)", elapsed, None, "flat, 1 decode")
    foreign, near, bare = map(min, zip(*(run(foreign_and_near_miss) for _ in range(ROUNDS)), strict=True))
    row("a foreign message beside one expectation", foreign - bare, None, "≤ 3 µs")
    row("a near-miss", near - bare, None, "≤ 13 µs")
    ours, plain = subset()
    row("subset match, 20 nested fields", ours, plain, "≤ 2.5x")
    for kind in sys.argv[1:]:
        ours_ms, raw_ms = run(lambda kind=kind: over_broker(kind))
        row(f"publish → match on {kind}", ours_ms, raw_ms, "≤ 1.15x" if kind != "kafka" else "≤ 1.5x", "ms")


if __name__ == "__main__":
    main()

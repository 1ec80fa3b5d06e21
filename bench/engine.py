"""The engine beside its references, in one run: only the ratios count.

    python -m bench.engine

Everything on the memory bus, the least processor time of many short rounds. Over brokers: ``python -m bench.brokers``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from bench.rows import Row, show
from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.matchers import contains_fields, field_equals
from choreo_bdd.transports import MockTransport

ROUNDS = 40


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


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def wrapped() -> Any:
        return await work()

    return asyncio.run(wrapped())


def rows() -> Iterator[Row]:
    """Each as it is measured."""
    plainest = least_of(plain_json)
    scenario = least_of(lambda: run(one_scenario))
    yield Row("scenario on the memory bus", scenario, "µs", 180)
    reply = least_of(lambda: run(one_reply))
    yield Row("scenario with a reply", reply / scenario, bar=2, beside=f"one without: {scenario:.0f} µs")
    few, _ = run(lambda: live_scopes(10))
    many, decodes = run(lambda: live_scopes(1000))
    yield Row("a message with 1,000 live scopes", many / few, bar=2, beside=f"with 10: {few:.0f} µs")
    yield Row("times it is decoded", decodes, "times", 1)
    foreign, near, bare = map(min, zip(*(run(foreign_and_near_miss) for _ in range(ROUNDS)), strict=True))
    beside = f"json.loads: {plainest:.1f} µs"
    yield Row("a foreign message, above one nobody hears", (foreign - bare) / plainest, beside=beside)
    yield Row("a near-miss, above one nobody hears", (near - bare) / plainest, beside=beside)
    ours, plain = subset()
    yield Row("subset match of 20 nested fields", ours / plain, bar=2.5, beside=f"plain recursion: {plain:.1f} µs")


def plain_json() -> float:
    """Microseconds for reading the message of the rows below, and nothing else."""
    data, count = b'{"order":{"id":1,"state":"open"},"correlation_id":"other"}', 500
    start = time.thread_time()
    for _ in range(count):
        json.loads(data)
    return (time.thread_time() - start) / count * 1e6


if __name__ == "__main__":
    raise SystemExit(show(rows()))

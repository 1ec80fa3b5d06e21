"""Latency as it is: by how much the latency that a report tells differs from what the service measured itself.

    python -m bench.truth.latency [--broker KIND …] [--framework NAME …] [--repeats 10]

A service, a program of its own over the broker's own client, answers after a known delay of 0 to 500 ms and puts into
each answer how long it took by its own clock, from taking the question to handing over that answer. The latency that
``results.json`` tells of a check, less that, is what the way to the service and back adds, and whatever the library
adds or loses. A plain client of the same broker asks the same service in the same minute, takes its own times, and
shows what the way alone adds.

One check a scenario, 200 checks as steps, and 200 rows of one check, against as many messages; idle, and with half a
processor eaten. Prints medians and 99th percentiles in ms. Idle, the library may be 3 ms above the plain client in the
median and 10 ms in the 99th percentile, and no latency may be below what the service took: exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.truth.healthy import load, write_project
from bench.truth.latency_service import ANSWERED, ASKED
from bench.truth.services import BUSES
from bench.truth.staging import program, report_of
from bench.truth.table import FRAMEWORKS, KINDS
from choreo_bdd.brokers import start
from orders.bus import Handler, Message

DELAYS_MS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
BURST_DELAYS_MS = (0, 50, 500)
BURST = 200
BURST_REPEATS = 1
REPORTED = 100
"""So many checks of a scenario a report holds, so no more are compared."""
MEDIAN_MS, P99_MS = 3.0, 10.0
"""How far the library may be above the plain client, idle."""
BROKER_WARM_UPS = 200
"""Questions of a plain client before anything is counted: a broker that has just started takes twice as long."""
WARM_UPS = 2
WARM_UP = "warm"
"""In the name of a scenario that is not counted: it makes what is made at first use."""
QUESTION = """
  Scenario: {name}
    When I publish "latency.asked":
      | field    | value   |
      | delay_ms | {delay} |
      | count    | {count} |
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many answers a question has, and how a scenario expects them."""

    name: str
    count: int
    delays_ms: Sequence[int]
    expects: Callable[[], Iterator[str]]

    def questions(self, repeats: int) -> list[int]:
        """The delay of each question, in ms."""
        return [delay for delay in self.delays_ms for _ in range(repeats if self.count == 1 else BURST_REPEATS)]

    def feature(self, repeats: int) -> str:
        """A scenario a question."""
        expects = "".join(f"    {line}\n" for line in self.expects())
        named = [(f"{WARM_UP} {place}", 0) for place in range(WARM_UPS)]
        named += [(f"{place} after {delay} ms", delay) for place, delay in enumerate(self.questions(repeats))]
        return "@timeout(20s)\nFeature: Latency\n" + "".join(
            QUESTION.format(name=name, delay=delay, count=self.count) + expects for name, delay in named
        )


def _steps() -> Iterator[str]:
    for n in range(1, BURST + 1):
        yield f'Then I expect "{ANSWERED}" where n is {n} within 20s'


def _rows() -> Iterator[str]:
    yield f'Then I expect "{ANSWERED}" within 20s:'
    yield "  | n   |"
    for n in range(1, BURST + 1):
        yield f"  | {n:<3} |"


SHAPES = (
    Shape("1 check", 1, DELAYS_MS, lambda: iter([f'Then I expect "{ANSWERED}" within 20s'])),
    Shape(f"{BURST} checks", BURST, BURST_DELAYS_MS, _steps),
    Shape(f"{BURST} rows", BURST, BURST_DELAYS_MS, _rows),
)


class Arrivals:
    """When each message came to a plain client, and its bytes."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    def take(self, topic: str, data: bytes, handler: Handler) -> None:  # noqa: ARG002 - as an inbox does
        """Take the time first."""
        self.came.put_nowait((time.perf_counter(), data))


async def beyond_for_a_plain_client(kind: str, url: str, shape: Shape, repeats: int) -> list[float]:
    """By how much a plain client measures more than the service, in ms each."""
    arrivals, beyond = Arrivals(), list[float]()

    async def nobody(_: Message) -> None:
        """The arrivals have it."""

    async with BUSES[kind](url, arrivals) as bus:
        await bus.subscribe(ANSWERED, nobody)
        for place, delay_ms in enumerate([0] * WARM_UPS + shape.questions(repeats)):
            sent = time.perf_counter()
            await bus.publish(ASKED, {"correlation_id": str(place), "delay_ms": delay_ms, "count": shape.count})
            for number in range(shape.count):
                at, data = await asyncio.wait_for(arrivals.came.get(), 30)
                if place >= WARM_UPS and number < REPORTED:
                    beyond.append((at - sent) * 1000 - json.loads(data)["took_ms"])
    return beyond


async def beyond_for_us(
    kind: str, framework: str, environment: Mapping[str, str], shape: Shape, repeats: int
) -> list[float]:
    """By how much the report tells more than the service, in ms for each check. ``SystemExit`` where one failed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        feature = write_project(folder, shape.feature(repeats))
        async with report_of(kind, framework, [feature], environment, folder) as report:
            results = json.loads((report / "results.json").read_text("utf-8"))
    failed = Counter(str(test["traceback"])[-300:] for test in results["tests"] if test["outcome"] != "passed")
    if failed or len(results["tests"]) != len(shape.questions(repeats)) + WARM_UPS:
        raise SystemExit(f"{kind}, {framework}, {shape.name}: not all scenarios passed, {failed.most_common(1)}")
    passed = [
        handle
        for test in results["tests"]
        if WARM_UP not in test["name"]
        for part in test["scenarios"]
        for handle in part["handles"]
    ]
    return [handle["latency_ms"] - handle["actual"]["took_ms"] for handle in passed]


@asynccontextmanager
async def answering(kind: str) -> AsyncIterator[dict[str, str]]:
    """The broker with the service on it; on memory the service lives in the test run."""
    if kind == "memory":
        yield {}
        return
    name: Any = kind
    async with AsyncExitStack() as stack:
        bus = stack.enter_context(await asyncio.to_thread(start, name))
        audit = bus if kind == "nats" else stack.enter_context(await asyncio.to_thread(start, "nats"))
        await stack.enter_async_context(program("bench.truth.latency_service", kind, bus.url))
        yield {"LABORATORY_BUS": bus.url, "LABORATORY_AUDIT": audit.url}


async def measure(kinds: Sequence[str], frameworks: Sequence[str], repeats: int) -> bool:
    """Print the table; whether all that is idle is within the bounds."""
    is_right = True
    print(f"{'broker':<9} {'shape':<10} {'machine':<7} {'who':<12} {'checks':>6} {'median':>7} {'p99':>7} {'least':>7}")
    for kind in kinds:
        async with answering(kind) as environment:
            if kind != "memory":
                await _warm_up(kind, environment["LABORATORY_BUS"])
            for shape in SHAPES:
                for is_idle in (True, False):
                    async with contextlib.nullcontext() if is_idle else load():
                        is_right &= await _compare(kind, frameworks, environment, shape, repeats, is_idle=is_idle)
    return is_right


async def _warm_up(kind: str, url: str) -> None:
    at_once = Shape("warm-up", 1, (0,), SHAPES[0].expects)
    await beyond_for_a_plain_client(kind, url, at_once, BROKER_WARM_UPS)


async def _compare(
    kind: str, frameworks: Sequence[str], environment: Mapping[str, str], shape: Shape, repeats: int, *, is_idle: bool
) -> bool:
    """The plain client, then each framework, within the same minute."""
    row = f"{kind:<9} {shape.name:<10} {'idle' if is_idle else 'loaded':<7}"
    plain_median = plain_p99 = 0.0
    if kind != "memory":
        plain = await beyond_for_a_plain_client(kind, environment["LABORATORY_BUS"], shape, repeats)
        plain_median, plain_p99 = _print(row, "plain client", plain)
    is_right = True
    for framework in frameworks:
        ours = await beyond_for_us(kind, framework, environment, shape, repeats)
        middle, p99 = _print(row, framework, ours)
        is_near = middle - plain_median <= MEDIAN_MS and p99 - plain_p99 <= P99_MS
        is_right &= min(ours) > -0.1 and (is_near or not is_idle)  # two clocks, read in two processes
    return is_right


def _print(row: str, who: str, beyond: Sequence[float]) -> tuple[float, float]:
    """A line; the median and the 99th percentile."""
    ranked = sorted(beyond)
    middle, p99 = median(ranked), ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]
    print(f"{row} {who:<12} {len(ranked):>6} {middle:>7.2f} {p99:>7.2f} {ranked[0]:>7.2f}", flush=True)
    return middle, p99


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="append", choices=KINDS, dest="kinds")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, dest="frameworks")
    parser.add_argument("--repeats", type=int, default=10, help="of each delay, with one check")
    given = parser.parse_args()
    measured = measure(given.kinds or KINDS, given.frameworks or FRAMEWORKS, given.repeats)
    sys.exit(0 if asyncio.run(measured) else 1)

"""The reporter at its target size: 10,000 scenarios of 50 events each, through the whole way to the files.

    python -m bench.reporter [SCENARIOS [EVENTS [DIRECTORY]]]

Prints CPU seconds by stage, the memory above the start, and the sizes of the files.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.rows import Row
from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.matchers import contains_fields
from choreo_bdd.redaction import Redactor
from choreo_bdd.transports import MockTransport
from choreo_bdd_reporter.model.clock import now
from choreo_bdd_reporter.model.tests import Environment, Feature, GherkinScenario, Run, Step, Test
from choreo_bdd_reporter.record.serialise import serialise
from choreo_bdd_reporter.writer import ReportWriter

SCENARIOS_A_FEATURE = 50
EXPECTATIONS = 12
ROWS_OF = (300, 900)
"""So many scenarios are measured for a row, which tells what 10,000 would take; both are too large to stay in memory.
"""

BAR_S = 15.0
spent: dict[str, float] = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    started = time.process_time()
    yield
    spent[name] = spent.get(name, 0.0) + time.process_time() - started


def memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def payload(number: int) -> dict[str, Any]:
    return {
        "order_id": f"ORD-{number:08d}", "customer": {"name": f"Customer {number}", "email": f"c{number}@example.org"},
        "items": [{"sku": f"SKU-{number % 97}", "qty": number % 7 + 1, "price": 12.5}, {"sku": "SKU-1", "qty": 1}],
        "total": number * 1.25, "note": "leave it at the door, please", "status": "accepted",
    }  # fmt: skip


async def play(harness: Harness, number: int, events: int) -> Any:
    """A scenario with a dozen expectations and this many events; every tenth fails."""
    wrong = 1 if number % 10 == 0 else 0
    async with harness.scenario("orders", options=ScopeOptions(keep_timeline=True)) as scenario:
        for hop in range(EXPECTATIONS):
            quantity = (number + hop) % 7 + 1
            matcher = contains_fields({"items": [{"qty": quantity + (wrong if hop == 0 else 0)}]})
            scenario.expect(f"orders.stage{hop}", matcher).within_ms(500)
        for hop in range(events - 2 * EXPECTATIONS):
            topic = f"orders.stage{hop}" if hop < EXPECTATIONS else "orders.audit"
            scenario.publish(topic, payload(number + hop))
        return await scenario.await_all(timeout_ms=5)


def gherkin(number: int) -> tuple[Feature, GherkinScenario]:
    feature = Feature(uri=f"features/area{number // SCENARIOS_A_FEATURE}.feature", name=f"Area {number // 50}")
    steps = tuple(
        Step(keyword="Then", text=f"I expect a message on orders.stage{line}", line=line, status="passed")
        for line in range(6)
    )
    return feature, GherkinScenario(name=f"scenario {number}", keyword="Scenario", line=number % 50, steps=steps)


def test_of(number: int, result: Any) -> Test:
    with stage("serialise"):
        recorded = serialise(result, completed_normally=True, redactor=Redactor())
    feature, scenario = gherkin(number)
    return Test(
        nodeid=f"{feature.uri}::scenario {number}", file=feature.uri, name=f"scenario {number}",
        outcome="passed" if result.passed else "failed", scenarios=(recorded,), feature=feature, gherkin=scenario,
    )  # fmt: skip


async def measure(scenarios: int, events: int, directory: Path) -> tuple[int, float, float]:
    """Write a report; the events, and the memory during the run and in all, in MB."""
    harness = Harness(MockTransport())
    await harness.connect()
    environment = Environment(python_version="3", harness_version="1", reporter_version="1", hostname="bench")
    started_at, total, before = now(), 0, memory_mb()
    writer = ReportWriter(directory, started_at=started_at, describe=lambda: environment)
    for number in range(scenarios):
        result = await play(harness, number, events)
        total += len(result.timeline)
        test = test_of(number, result)
        with stage("journal"):
            writer.add(test)
    during = memory_mb()
    with stage("finish"):
        writer.finish(Run(started_at=started_at, finished_at=now(), duration_ms=1.0, environment=environment))
    return total, during - before, memory_mb() - before


def tell(scenarios: int, total: int, during_mb: float, whole_mb: float) -> None:
    """What was measured, by stages."""
    print(f"{scenarios} scenarios, {total} events")
    for name, seconds in spent.items():
        print(f"  {name:<10} {seconds:6.1f} s CPU")
    writer = spent["journal"] + spent["finish"]
    print(f"  {'writer':<10} {writer:6.1f} s CPU for journal and finish")
    print(f"  {'total':<10} {sum(spent.values()):6.1f} s CPU with masking (bar for 500,000 events: {BAR_S:g})")
    print(f"  memory: +{during_mb:.0f} MB during the run, +{whole_mb:.0f} MB in all (goal: 100)")


def sizes(directory: Path) -> None:
    for path in sorted(directory.iterdir()):
        print(f"  {path.name:<16} {path.stat().st_size / 1e6:8.1f} MB")


def rows() -> Iterator[Row]:
    """The writer's processor time for 10,000 scenarios, from fewer, beside json.dumps of the same payloads.

    A small report is taken off a larger one: what a report takes whatever its size, such as the page itself, does not
    count 10,000 times.
    """
    few, more = ROWS_OF
    _spent_on(10)  # loads and compiles what every report needs
    took_few, _ = _spent_on(few)
    took_more, events = _spent_on(more)
    times = 10_000 / (more - few)
    taken = {
        name: took_few[name] + (10_000 - few) * (took_more[name] - took_few[name]) / (more - few) for name in spent
    }
    began = time.process_time()
    for number in range(events * (more - few) // more):
        json.dumps(payload(number))
    beside = f"json.dumps of the payloads: {(time.process_time() - began) * times:.1f} s"
    for name, seconds in taken.items():
        yield Row(f"report of 10,000 by 50 events: {name}", seconds, "s CPU", beside=beside)
    yield Row("report of 10,000 by 50 events, with masking", sum(taken.values()), "s CPU", BAR_S, beside)


def _spent_on(scenarios: int) -> tuple[dict[str, float], int]:
    spent.clear()
    with tempfile.TemporaryDirectory() as made:
        events, _, _ = asyncio.run(measure(scenarios, 50, Path(made) / "report"))
    return dict(spent), events


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:3]]
    size = (arguments + [10_000, 50][len(arguments) :])[:2]
    with tempfile.TemporaryDirectory() as made:
        target = Path(sys.argv[3] if len(sys.argv) > 3 else made) / "report"
        tell(size[0], *asyncio.run(measure(size[0], size[1], target)))
        sizes(target)

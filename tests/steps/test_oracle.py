"""What is said of random scenarios is what an oracle finds that knows all their messages beforehand."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from functools import partial
from types import MappingProxyType, ModuleType

import pytest

from choreo_bdd_project.config import TransportConfig
from tests.steps.conftest import MakeBench
from tests.support import oracle, oracle_services
from tests.support.oracle import TIMEOUT_MS, Check, Phase, Scenario, first_broken
from tests.support.step_bench import Bench, Played

SEEDS = 10
SCENARIOS = 30
BUSES = {
    name: TransportConfig(name, "memory", "the test", correlation_field="correlation_id") for name in ("bus", "other")
}


def serve(bench: Bench, phases: Sequence[Phase]) -> None:
    """A system that says what the phases tell, each at its time after it has heard of the phase's act."""
    said = {phase.act: phase.said for phase in phases}
    buses = {name: bench.session.transport(name) for name in BUSES}

    def on_message(topic: str, data: bytes) -> None:
        own = json.loads(data)["correlation_id"]
        for each in said[topic]:
            whole = {**each.body, "correlation_id": own if each.is_own else "stranger"}
            say = partial(buses[each.bus].publish, each.topic, json.dumps(whole).encode())
            asyncio.get_running_loop().call_later(each.at / 1000, say)

    async def subscribe() -> None:
        for name, bus in buses.items():
            bus.clear_subscriptions()
            bench.session.harness(name).router.reset()
        for act in said:
            buses["bus"].subscribe(act, on_message)

    bench.session.run(subscribe())


def play(bench: Bench, scenario: Scenario) -> Played:
    serve(bench, scenario.phases)
    return bench.play(*scenario.steps)


def furthest(drawn: Iterable[Scenario]) -> tuple[Scenario, Check | None]:
    """Of several scenarios the one of which most checks pass, and what must break it: most fail at once."""
    judged = [(each, first_broken(each)) for each in drawn if not each.is_idle]
    return max(judged, key=lambda pair: _passing(*pair))


def _passing(scenario: Scenario, broken: Check | None) -> int:
    in_order = [check for phase in scenario.phases for check in phase.checks]
    return len(in_order) if broken is None else next(at for at, each in enumerate(in_order) if each is broken)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("kind", [oracle, oracle_services], ids=["watching", "playing"])
def test_the_first_step_that_breaks_is_the_one_that_must(make_bench: MakeBench, seed: int, kind: ModuleType) -> None:
    bench = make_bench(timeout_s=TIMEOUT_MS / 1000, transports=MappingProxyType(BUSES), default_transport="bus")
    for number in range(SCENARIOS):
        draw = random.Random(seed * SCENARIOS + number)
        scenario, broken = furthest(kind.scenario(draw) for _ in range(8 + number % 8))
        played = play(bench, scenario)
        expected = None if broken is None else broken.text.partition("\n")[0]
        assert played.failed_step == expected, (number, played.error, scenario)

"""What is said of random scenarios is what an oracle finds that knows all their messages beforehand."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from functools import partial
from types import MappingProxyType

import pytest

from choreo_bdd_project.config import TransportConfig
from choreo_bdd_steps.errors import StepError
from tests.steps.conftest import MakeBench
from tests.support.oracle import TIMEOUT_MS, Phase, first_broken, scenario
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


def play(bench: Bench, phases: Sequence[Phase]) -> Played:
    serve(bench, phases)
    steps = [[f'When I publish "{phase.act}"', *(f"Then {check.text}" for check in phase.checks)] for phase in phases]
    return bench.play(*(step for phase in steps for step in phase))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_first_step_that_breaks_is_the_one_that_must(make_bench: MakeBench, seed: int) -> None:
    bench = make_bench(timeout_s=TIMEOUT_MS / 1000, transports=MappingProxyType(BUSES), default_transport="bus")
    for number in range(SCENARIOS):
        phases = scenario(random.Random(seed * SCENARIOS + number))
        played, expected = play(bench, phases), first_broken(phases)
        told = None if expected is None else expected.partition("\n")[0]
        if isinstance(played.error, StepError):
            assert any(check.is_idle for phase in phases for check in phase.checks), played.message
        else:
            assert played.failed_step == told, (number, played.error, phases)

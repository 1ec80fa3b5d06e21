"""What is said of random scenarios is what an oracle finds that knows all their messages beforehand."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count, islice
from types import MappingProxyType, ModuleType

import pytest

from choreo_bdd.transports.memory import MockTransport
from choreo_bdd_project.config import TransportConfig
from tests.steps.conftest import MakeBench
from tests.support import oracle, oracle_carried, oracle_services
from tests.support.oracle import REPLIES, TIMEOUT_MS, Check, Phase, Scenario, first_broken
from tests.support.step_bench import Bench, Played

SEEDS = (0, *(pytest.param(each, marks=pytest.mark.thorough) for each in range(1, 20)))
SCENARIOS = 30
BUSES = {
    name: TransportConfig(name, "memory", "the test", correlation_field="correlation_id", request_field="answer_to")
    for name in ("bus", "other")
}


def memory_bus(bench: Bench, name: str) -> MockTransport:
    transport = bench.session.transport(name)
    assert isinstance(transport, MockTransport)
    return transport


def serve(bench: Bench, phases: Sequence[Phase]) -> None:
    """A system that says what the phases tell, each at its time after it has heard of the phase's act."""
    said = {phase.act: phase.said for phase in phases}
    buses = {name: memory_bus(bench, name) for name in BUSES}

    def on_message(topic: str, data: bytes) -> None:
        heard = json.loads(data)
        for each in said[topic]:
            payload = {name: value for name, value in each.body.items() if not name.startswith("@")}
            is_own = each.is_own and not each.body.get("@stranger")
            whole = {**payload, "correlation_id": heard["correlation_id"] if is_own else "stranger"}
            say = partial(
                buses[each.bus].publish,
                heard["answer_to"] if each.topic == REPLIES else each.topic,
                json.dumps(whole).encode(),
                headers=each.body.get("@headers", {}),
                key=each.body.get("@key"),
            )
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


def furthest(drawn: Iterable[Scenario], of: int) -> tuple[Scenario, Check | None]:
    """Of several scenarios the one of which most checks pass, and what must break it: most fail at once."""
    judged = [(each, first_broken(each)) for each in islice((each for each in drawn if not each.is_idle), of)]
    return max(judged, key=lambda pair: _passing(*pair))


def _passing(scenario: Scenario, broken: Check | None) -> int:
    in_order = [check for phase in scenario.phases for check in phase.checks]
    return len(in_order) if broken is None else next(at for at, each in enumerate(in_order) if each is broken)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [oracle, oracle_services, oracle_carried], ids=["watching", "playing", "carrying"])
def test_the_first_step_that_breaks_is_the_one_that_must(make_bench: MakeBench, seed: int, kind: ModuleType) -> None:
    bench = make_bench(timeout_s=TIMEOUT_MS / 1000, transports=MappingProxyType(BUSES), default_transport="bus")
    for number in range(SCENARIOS):
        draw = random.Random(seed * SCENARIOS + number)
        scenario, broken = furthest((kind.scenario(draw) for _ in count()), 6 + number % 6)
        played = play(bench, scenario)
        expected = None if broken is None else broken.text.partition("\n")[0]
        assert played.failed_step == expected, (number, played.error, scenario)

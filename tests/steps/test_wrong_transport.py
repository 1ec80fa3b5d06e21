"""A message on the right topic of the wrong transport: where that one is listened to, its check says so."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

import pytest
from msgspec import structs

from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench

SPEAK = "And the service speaks on the wrong bus"
SETTLED = 'Then I expect "orders.settled" where n is 1'
TOLD = "; one of this scenario that fits came on that topic on other"


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench with two memory buses."""
    buses = {
        name: TransportConfig(name, "memory", "the test", correlation_field="correlation_id")
        for name in ("bus", "other")
    }
    config = structs.replace(
        memory_config(), timeout_s=0.2, vacuity="ignore", default_transport="bus", transports=MappingProxyType(buses)
    )
    session = Session(config, loop=VirtualLoop())
    yield Bench(session)
    session.close()


def told(bench: Bench, *checks: str, n: int = 1, correlation_id: str | None = None) -> str:
    """What the first check says, whose message comes on the other bus."""

    def speak(run: ScenarioRun) -> None:
        own = run.correlation_id if correlation_id is None else correlation_id
        bench.say("orders.settled", {"n": n, "correlation_id": own}, on="other")

    return bench.play('When I publish "orders.placed"', SPEAK, *checks, own={SPEAK.partition(" ")[2]: speak}).message


@pytest.mark.parametrize(
    "beside",
    ['And I expect no "orders.settled" on other for 50ms', 'And I expect no "orders.rejected" on other for 50ms'],
)
def test_the_transport_it_came_on_is_named(bench: Bench, beside: str) -> None:
    assert TOLD in told(bench, SETTLED, beside)


def test_one_that_does_not_fit_or_is_anothers_is_not(bench: Bench) -> None:
    beside = 'And I expect no "orders.rejected" on other for 50ms'
    assert "no matching message" in (other := told(bench, SETTLED, beside, n=2))
    assert TOLD not in other
    assert TOLD not in told(bench, SETTLED, beside, correlation_id="another's")


def test_one_that_a_check_of_that_transport_waits_for_is_not(bench: Bench) -> None:
    assert TOLD not in told(bench, SETTLED, 'And I expect "orders.settled" on other where n is 1')

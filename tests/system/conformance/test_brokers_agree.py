"""Every phrase, passing and failing, on the memory bus and on each broker, under both frameworks: the same verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker
from tests.support.replays import differing_replays
from tests.support.runs import EVERYTHING, Profile, Run, plain, run_features

PHRASES = "features/phrases"
ADDRESS = {
    "nats": "NATS_URL",
    "kafka": "KAFKA_SERVERS",
    "rabbitmq": "RABBITMQ_URL",
    "redis": "REDIS_URL",
}
HAVE_KEYS = {"kafka"}
pytestmark = pytest.mark.timeout(240)


def verdicts(run: Run) -> dict[str, Any]:
    """Each test's outcome, and the outcomes of its expectations by where they stand."""
    return {
        nodeid: (
            test["outcome"],
            sorted(
                (plain(handle["topic"]), handle["outcome"])
                for scenario in test["scenarios"]
                for handle in scenario["handles"]
            ),
        )
        for nodeid, test in run.tests.items()
    }


@pytest.fixture(scope="module")
def on_memory(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = run_features(
        "pytest", EVERYTHING, Profile("memory", {}), tmp_path_factory.mktemp("phrases"), features=PHRASES
    )
    return verdicts(run)


def test_the_phrases_pass_and_fail_on_memory(on_memory: dict[str, Any]) -> None:
    outcomes = [outcome for outcome, _ in on_memory.values()]
    assert outcomes.count("passed") >= 20
    assert outcomes.count("failed") >= 19
    assert len(outcomes) == outcomes.count("passed") + outcomes.count("failed")


@pytest.mark.broker
@pytest.mark.parametrize("kind", ADDRESS)
@pytest.mark.parametrize("framework", EVERYTHING)
def test_a_broker_gives_the_verdicts_of_the_memory_bus(
    framework: str, kind: str, on_memory: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    broker: Broker = request.getfixturevalue(f"{kind}_broker")
    profile = Profile(kind, {ADDRESS[kind]: broker.url})
    on_broker = verdicts(run_features(framework, EVERYTHING, profile, tmp_path, features=PHRASES))
    if kind not in HAVE_KEYS:
        keyed = [nodeid for nodeid in on_broker if "with a key" in nodeid.lower()]
        assert [on_broker.pop(nodeid) for nodeid in keyed] == [("failed", [])] * 2
        on_memory = {nodeid: found for nodeid, found in on_memory.items() if nodeid not in keyed}
    differing = {
        nodeid: (on_memory[nodeid], found) for nodeid, found in on_broker.items() if found != on_memory[nodeid]
    }
    assert differing == {}
    assert differing_replays(tmp_path) == {}
    assert on_broker.keys() == on_memory.keys()

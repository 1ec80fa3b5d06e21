from __future__ import annotations

import pytest

from choreo_bdd.brokers import Broker
from tests.support.runs import DELIBERATE, EVERYTHING, Profile, Run, run_features

Both = dict[str, Run]
collect_ignore_glob = ["calling/*", "guessed/*"]  # features of a project of their own


@pytest.fixture(scope="session")
def memory() -> Profile:
    return Profile("memory", {})


@pytest.fixture(scope="session")
def nats(nats_broker: Broker) -> Profile:
    return Profile("nats", {"NATS_URL": nats_broker.url})


def _both(profile: Profile, factory: pytest.TempPathFactory) -> Both:
    return {
        framework: run_features(framework, EVERYTHING, profile, factory.mktemp(f"{profile.name}-{framework}"))
        for framework in EVERYTHING
    }


@pytest.fixture(scope="session")
def both_on_memory(memory: Profile, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return _both(memory, tmp_path_factory)


@pytest.fixture(scope="session")
def both_on_nats(nats: Profile, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return _both(nats, tmp_path_factory)


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.broker)])
def both(request: pytest.FixtureRequest) -> Both:
    """Every feature, the deliberately failing ones included, under behave and under pytest."""
    runs: Both = request.getfixturevalue(f"both_on_{request.param}")
    return runs


@pytest.fixture(scope="session", params=["behave", "pytest"])
def deliberate(request: pytest.FixtureRequest, memory: Profile, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The deliberately failing scenarios alone."""
    return run_features(request.param, DELIBERATE, memory, tmp_path_factory.mktemp(f"deliberate-{request.param}"))

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from msgspec import structs

from choreo_bdd.brokers import Broker
from choreo_bdd.transports import Transport
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import configured_transport
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.project import Project
from tests.support.step_bench import Bench

ROOT = Path(__file__).parents[2]
MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> Iterator[MakeBench]:
    """Benches with settings of their own: ``timeout_s``, ``slow``, …, or with a transport object of the test's.

    Their time stands still while a step is at work and jumps while one waits, so that a busy machine changes nothing;
    ``in_real_time`` they run on a thread of their own, as a user's session does.
    """
    made: list[Session] = []

    def make(
        *,
        correlation: str | None = "correlation_id",
        transport: Transport | None = None,
        in_real_time: bool = False,
        **settings: Any,
    ) -> Bench:
        bus = TransportConfig("bus", "memory", "the test", correlation_field=correlation)
        usual: dict[str, Any] = {"timeout_s": 0.2, "vacuity": "ignore", "transports": MappingProxyType({"bus": bus})}
        config = structs.replace(memory_config(), **{**usual, **settings})
        maker = configured_transport if transport is None else lambda *_: transport
        made.append(Session(config, make_transport=maker, loop=None if in_real_time else VirtualLoop()))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A bench whose checks time out after 200 ms."""
    return make_bench()


@pytest.fixture
def nats_bench(nats_broker: Broker) -> Iterator[Bench]:
    """A bench on a real NATS server, with the service of ``tests.support.answering`` in a process of its own."""
    bus = TransportConfig(
        "bus", "nats", "the test", correlation_field="correlation_id", options={"servers": [nats_broker.url]}
    )
    session = Session(structs.replace(memory_config(), transports=MappingProxyType({"bus": bus}), timeout_s=2.0))
    command = [sys.executable, "-m", "tests.support.answering", nats_broker.url]
    service = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        yield Bench(session)
    finally:
        session.close()
        service.kill()
        service.communicate()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path)

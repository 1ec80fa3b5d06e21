from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from choreo_bdd.config import TransportConfig, memory_config
from choreo_bdd_steps.session import Session
from tests.steps.bench import Bench
from tests.steps.project import Project

MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench() -> Iterator[MakeBench]:
    """Benches with settings of their own: ``timeout_s``, ``slow``, …"""
    made: list[Session] = []

    def make(*, correlation: str | None = "correlation_id", **settings: Any) -> Bench:
        bus = TransportConfig("bus", "memory", "the test", correlation_field=correlation)
        config = replace(memory_config(), transports=MappingProxyType({"bus": bus}), **{"timeout_s": 0.2, **settings})
        made.append(Session(config))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """A bench whose checks time out after 200 ms."""
    return make_bench()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path)

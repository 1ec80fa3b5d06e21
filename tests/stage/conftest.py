from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Stage
from choreo_bdd._reporting import register_observer, unregister_observer
from tests.support.engine_doubles import Reported
from tests.support.stage_doubles import Bus, make_stage
from tests.support.virtual_clock import VirtualClockLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every async test of this folder runs on virtual time: ten seconds of waiting take microseconds."""
    return {"virtual": VirtualClockLoop}


@pytest.fixture
def left() -> Bus:
    return Bus()


@pytest.fixture
def right() -> Bus:
    return Bus()


@pytest.fixture
async def stage(left: Bus, right: Bus) -> AsyncIterator[Stage]:
    """A connected Stage over two memory buses; each routes by the payload field ``correlation_id``."""
    stage = make_stage(left, right)
    await stage.connect()
    yield stage
    left.mend()
    right.mend()
    await stage.disconnect()


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    """A plain harness beside the Stage."""
    harness = Harness(Bus(), correlation=DictFieldPolicy())
    await harness.connect()
    yield harness
    await harness.disconnect()


@pytest.fixture
def reported() -> Iterator[list[Reported]]:
    """What an observer is told, in order."""
    seen: list[Reported] = []

    def observer(result: Any, nodeid: str | None, completed_normally: bool) -> None:
        seen.append(Reported(result, nodeid, completed_normally))

    register_observer(observer)
    yield seen
    unregister_observer(observer)

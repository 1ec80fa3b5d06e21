from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd._reporting import register_observer, unregister_observer
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import Reported
from tests.support.virtual_clock import VirtualClockLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every async test of this folder runs on virtual time: ten seconds of waiting take microseconds."""
    return {"virtual": VirtualClockLoop}


@pytest.fixture
def transport() -> MockTransport:
    return MockTransport()


@pytest.fixture
async def harness(transport: MockTransport) -> AsyncIterator[Harness]:
    """A connected harness on the memory bus, without correlation."""
    harness = Harness(transport)
    await harness.connect()
    yield harness
    await harness.disconnect()


@pytest.fixture
async def routed(transport: MockTransport) -> AsyncIterator[Harness]:
    """A connected harness on the memory bus that routes by the payload field ``correlation_id``."""
    harness = Harness(transport, correlation=DictFieldPolicy())
    await harness.connect()
    yield harness
    await harness.disconnect()


@pytest.fixture
async def strict(transport: MockTransport) -> AsyncIterator[Harness]:
    """The same, but a message without an id belongs to no scenario."""
    harness = Harness(transport, correlation=DictFieldPolicy(strict=True))
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

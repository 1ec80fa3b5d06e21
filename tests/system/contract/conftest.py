"""Each contract test runs on every transport, against the real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from choreo_bdd import DictFieldPolicy, Harness
from tests.support.contract_transports import KINDS, Kind, kind_of


@pytest.fixture(params=[pytest.param(kind, marks=() if kind == "memory" else pytest.mark.broker) for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    return kind_of(request.param, request)


@pytest.fixture
async def harness(kind: Kind) -> AsyncIterator[Harness]:
    harness = Harness(kind.make(), correlation=DictFieldPolicy("correlation_id", strict=True))
    await harness.connect()
    yield harness
    await harness.disconnect()

"""Each contract test runs on every transport, against the real broker."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from choreo_bdd import DictFieldPolicy, Harness
from tests.support.contract_transports import KINDS, Kind, kind_of

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))  # where the transport of one's own stands


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return kind_of(request.param, request)


@pytest.fixture
async def harness(kind: Kind) -> AsyncIterator[Harness]:
    harness = Harness(kind.make(), correlation=DictFieldPolicy("correlation_id", strict=True))
    await harness.connect()
    yield harness
    await harness.disconnect()

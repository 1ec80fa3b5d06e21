from __future__ import annotations

import pytest

from tests.support.fault_sites import BROKER_KINDS, FIXTURES, Site


@pytest.fixture(params=BROKER_KINDS)
def site(request: pytest.FixtureRequest) -> Site:
    """Each kind of broker transport in turn, on the broker all tests share: nobody may harm it."""
    return Site(request.param, request.getfixturevalue(FIXTURES[request.param]))

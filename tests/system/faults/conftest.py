from __future__ import annotations

import pytest

from tests.support.fault_sites import SITES, Site
from tests.support.transport_kinds import BROKER_KINDS


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Site:
    """Each kind of broker transport in turn, on the broker all tests share: nobody may harm it."""
    return Site(request.param, request.getfixturevalue(BROKER_KINDS[request.param].fixture))

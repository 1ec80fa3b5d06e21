"""pytest-bdd: starts the services of the features for the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from choreo_bdd_steps.run.session import Session

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from orders.running import start_orders
from orders.stock import start_stock


@pytest.fixture(scope="session", autouse=True)
def services(choreo_session: Session) -> None:
    start_orders(choreo_session)
    start_stock(choreo_session)

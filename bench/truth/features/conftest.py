"""pytest-bdd: starts the services of the features for the run; and the wire to the other bus."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_bdd import given, step

sys.path.insert(0, str(Path(__file__).parents[3]))

from bench.truth.wire import SILENT, WHOLE, ask, start_services
from choreo_bdd_steps.run.session import Session


@pytest.fixture(scope="session", autouse=True)
def services(choreo_session: Session) -> None:
    start_services(choreo_session)


@given(WHOLE)
def whole() -> None:
    ask("whole")


@step(SILENT)
def silent() -> None:
    ask("silent")

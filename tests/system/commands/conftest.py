from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import pytest
from typer.testing import Result

from choreo_bdd.cli import GROUP, build_app
from tests.support.command_line import CliRunner

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run ``choreo-bdd`` with the rooms of this installation, and perhaps others beside them."""

    def invoke(*arguments: str, beside: tuple[EntryPoint, ...] = ()) -> Result:
        app = build_app((*entry_points(group=GROUP), *beside))
        return CliRunner().invoke(app, list(arguments))

    return invoke

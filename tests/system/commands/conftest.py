from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

import pytest
from typer import Typer
from typer.testing import Result

from choreo_bdd.cli import GROUP, build_app
from tests.support.command_line import CliRunner

Run = Callable[..., Result]


@cache
def _app() -> Typer:
    """Made once, as its commands are looked through each time it is made: more than what most of them do."""
    return build_app(entry_points(group=GROUP))


@pytest.fixture(scope="session")
def run() -> Run:
    """Run ``choreo-bdd`` with the rooms of this installation, and perhaps others beside them."""

    def invoke(*arguments: str, beside: tuple[EntryPoint, ...] = ()) -> Result:
        app = build_app((*entry_points(group=GROUP), *beside)) if beside else _app()
        return CliRunner().invoke(app, list(arguments))

    return invoke

"""The vocabulary, and the wire to the other bus."""

from __future__ import annotations

from behave import given, step
from behave.runner import Context

from bench.truth.wire import SILENT, WHOLE, ask
from choreo_bdd_steps.adapters.behave import use_choreo

use_choreo()


@given(WHOLE)
def whole(context: Context) -> None:
    ask("whole")


@step(SILENT)
def silent(context: Context) -> None:
    ask("silent")

"""The vocabulary, and the wire to the other bus."""

from __future__ import annotations

from behave import given, step
from behave.runner import Context

from bench.truth.wire import SILENT, WHOLE, ask
from choreo_bdd_steps.adapters.behave import use_choreo

use_choreo()


@given(WHOLE)  # type: ignore[untyped-decorator]  # behave ships no types
def whole(context: Context) -> None:
    ask("whole")


@step(SILENT)  # type: ignore[untyped-decorator]
def silent(context: Context) -> None:
    ask("silent")

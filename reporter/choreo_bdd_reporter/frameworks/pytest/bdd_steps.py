"""Step facts from pytest-bdd, gathered through its public hooks only (proven with 9.0).

A pytest plugin object of its own; without pytest-bdd none of its hooks is ever called.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, Step

_hook = pytest.hookimpl(optionalhook=True)


@dataclass(slots=True)
class _Running:
    feature: Feature
    scenario: GherkinScenario
    steps: list[Step]
    sources: list[Any] = field(default_factory=list)
    started: dict[int, float] = field(default_factory=dict)

    def index(self, step: Any) -> int:
        return next(number for number, source in enumerate(self.sources) if source is step)


class PytestBddSteps:
    """What the steps of each pytest-bdd test did."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}

    def take(self, nodeid: str) -> tuple[Feature, GherkinScenario] | None:
        """Hand over and forget the Gherkin side of a test; ``None`` when it has none."""
        running = self._running.pop(nodeid, None)
        if running is None:
            return None
        return running.feature, replace(running.scenario, steps=tuple(running.steps))

    @_hook
    def pytest_bdd_before_scenario(self, request: Any, feature: Any, scenario: Any) -> None:
        """Note all steps as not yet run."""
        background = _background_lines(feature, scenario)
        self._running[request.node.nodeid] = _Running(
            feature=_feature(feature),
            scenario=_scenario(scenario),
            steps=[_step(step, background=step.line_number in background) for step in scenario.steps],
            sources=list(scenario.steps),
        )

    @_hook
    def pytest_bdd_before_step(self, request: Any, step: Any) -> None:
        """Take the time."""
        running = self._running[request.node.nodeid]
        running.started[running.index(step)] = time.perf_counter()

    @_hook
    def pytest_bdd_after_step(self, request: Any, step: Any) -> None:
        """The step passed."""
        self._settle(request, step, status="passed", message=None)

    @_hook
    def pytest_bdd_step_error(self, request: Any, step: Any, exception: BaseException) -> None:
        """The step failed, or broke with an error."""
        asserted = isinstance(exception, AssertionError | pytest.fail.Exception)
        message = str(exception) if asserted else f"{type(exception).__name__}: {exception}"
        self._settle(request, step, status="failed" if asserted else "errored", message=message)

    @_hook
    def pytest_bdd_step_func_lookup_error(self, request: Any, step: Any, exception: Exception) -> None:
        """No definition was found for the step."""
        self._settle(request, step, status="undefined", message=str(exception))

    @_hook
    def pytest_bdd_after_scenario(self, request: Any) -> None:
        """Steps that did not come to run, or were left by ``pytest.skip``, were skipped."""
        running = self._running[request.node.nodeid]
        running.steps = [
            replace(step, status="skipped") if step.status == "untested" else step for step in running.steps
        ]

    def _settle(self, request: Any, step: Any, *, status: Any, message: str | None) -> None:
        running = self._running[request.node.nodeid]
        index = running.index(step)
        started = running.started.get(index)
        duration_ms = 0.0 if started is None else (time.perf_counter() - started) * 1000
        running.steps[index] = replace(running.steps[index], status=status, message=message, duration_ms=duration_ms)


def _feature(feature: Any) -> Feature:
    return Feature(
        uri=_uri(feature),
        name=feature.name or "",
        description=feature.description or "",
        keyword=feature.keyword,
        tags=tuple(sorted(feature.tags)),
        line=feature.line_number,
    )


def _uri(feature: Any) -> str:
    try:
        return Path(os.path.relpath(feature.filename)).as_posix()
    except ValueError:  # another drive
        return Path(feature.filename).as_posix()


def _scenario(scenario: Any) -> GherkinScenario:
    return GherkinScenario(
        name=scenario.name or "",
        keyword=scenario.keyword,
        line=scenario.line_number,
        tags=tuple(sorted(scenario.tags)),
        rule=None if scenario.rule is None else scenario.rule.name,
        description=scenario.description or "",
    )


def _step(step: Any, *, background: bool) -> Step:
    return Step(
        keyword=step.keyword.strip(),
        text=step.name,
        line=step.line_number,
        status="untested",
        docstring=step.docstring,
        table=None if step.datatable is None else _rows(step.datatable.raw()),
        background=background,
    )


def _rows(rows: Iterable[Iterable[object]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(cell) for cell in row) for row in rows)


def _background_lines(feature: Any, scenario: Any) -> set[int]:
    owners = (feature, scenario.rule)
    backgrounds = [owner.background for owner in owners if owner is not None and owner.background is not None]
    return {step.line_number for background in backgrounds for step in background.steps}

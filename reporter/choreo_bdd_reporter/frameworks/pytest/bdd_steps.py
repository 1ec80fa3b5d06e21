"""Step facts from pytest-bdd, gathered through its public hooks only (proven with 9.0).

A pytest plugin object of its own; without pytest-bdd none of its hooks is ever called.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from choreo_bdd_project.frameworks.pytest_bdd_model import ahead_of, head_of, scenario_of
from choreo_bdd_reporter.frameworks.gherkin import feature_of, gherkin_of, step_of
from choreo_bdd_reporter.frameworks.pytest.shared import AT_STEP
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, Step

_hook = pytest.hookimpl(optionalhook=True)
_BREAKS_OFF = (KeyboardInterrupt, SystemExit, pytest.exit.Exception)


@dataclass(slots=True)
class _Running:
    feature: Feature
    scenario: GherkinScenario
    steps: list[Step]
    sources: list[Any] = field(default_factory=list)
    started: dict[int, float] = field(default_factory=dict)

    def index(self, step: Any) -> int:
        return next(number for number, source in enumerate(self.sources) if source is step)

    def break_off(self) -> None:
        """The step that is running does not come to its end, for which pytest-bdd has no hook."""
        index = max(self.started, default=None)
        if index is not None and self.steps[index].status == "untested":
            self.steps[index] = replace(self.steps[index], status="errored", message="the run was broken off here")


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

    def unstarted(self, item: pytest.Item) -> tuple[Feature, GherkinScenario] | None:
        """The Gherkin side of a test that did not come to its steps; ``None`` when it has none."""
        ahead = ahead_of(item)
        if ahead is None:
            return None
        head, scenario = ahead
        steps = (step_of(step, status="skipped") for step in scenario.steps)
        return feature_of(head), gherkin_of(scenario, tags=scenario.tags, effective=head.tags, steps=steps)

    def rest(self) -> dict[str, tuple[Feature, GherkinScenario]]:
        """Hand over the Gherkin side of tests that were broken off, by node id."""
        return {nodeid: found for nodeid in list(self._running) if (found := self.take(nodeid)) is not None}

    @_hook
    def pytest_bdd_before_scenario(self, request: Any, feature: Any, scenario: Any) -> None:
        """Note all steps as not yet run."""
        read = scenario_of(request.node, feature, scenario)
        rule = getattr(scenario, "rule", None)
        self._running[request.node.nodeid] = _Running(
            feature=feature_of(head_of(feature)),
            scenario=gherkin_of(
                read, tags=tuple(sorted(scenario.tags)), effective=feature.tags | getattr(rule, "tags", set())
            ),
            steps=[step_of(step, status="untested") for step in read.steps],
            sources=list(scenario.steps),
        )

    @_hook
    def pytest_bdd_before_step(self, request: Any, step: Any) -> None:
        """Take the time; what is attached from now on is the step's."""
        running = self._running[request.node.nodeid]
        index = running.index(step)
        running.started[index] = time.perf_counter()
        request.node.stash[AT_STEP] = index

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
        """Steps that did not come to run, or were left by ``pytest.skip``, were skipped; one broken off was not."""
        running = self._running[request.node.nodeid]
        request.node.stash[AT_STEP] = None
        if isinstance(sys.exc_info()[1], _BREAKS_OFF):
            running.break_off()
        running.steps = [
            replace(step, status="skipped") if step.status == "untested" else step for step in running.steps
        ]

    def _settle(self, request: Any, step: Any, *, status: Any, message: str | None) -> None:
        running = self._running[request.node.nodeid]
        request.node.stash[AT_STEP] = None
        index = running.index(step)
        started = running.started.get(index)
        duration_ms = 0.0 if started is None else (time.perf_counter() - started) * 1000
        running.steps[index] = replace(running.steps[index], status=status, message=message, duration_ms=duration_ms)

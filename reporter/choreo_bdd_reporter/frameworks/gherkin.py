"""From what stands in the project to what a report shows of it, whatever framework ran it."""

from __future__ import annotations

from collections.abc import Iterable

from choreo_bdd_project.gherkin import step as project
from choreo_bdd_project.gherkin.feature import FeatureHead
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, Step, StepStatus


def feature_of(head: FeatureHead) -> Feature:
    """The head of a feature."""
    return Feature(
        uri=clean_text(head.file),
        name=head.name,
        description=head.description,
        keyword=head.keyword,
        tags=head.tags,
        line=head.line,
    )


def gherkin_of(
    scenario: Scenario, *, tags: tuple[str, ...], effective: Iterable[str], steps: Iterable[Step] = ()
) -> GherkinScenario:
    """A scenario with the steps that ran; ``tags`` are its own, ``effective`` those that count for it besides."""
    return GherkinScenario(
        name=scenario.name,
        keyword=scenario.keyword,
        line=scenario.line,
        tags=tags,
        inherited=tuple(sorted(set(effective).difference(tags))),
        rule=scenario.rule,
        description=scenario.description,
        steps=tuple(steps),
    )


def step_of(step: project.Step, *, status: StepStatus, duration_ms: float = 0.0, message: str | None = None) -> Step:
    """A step with what became of it."""
    return Step(
        keyword=step.keyword,
        text=step.text,
        line=step.line,
        status=status,
        duration_ms=duration_ms,
        docstring=step.docstring,
        table=None if step.table is None else tuple(tuple(row) for row in step.table),
        background=step.background,
        message=message,
    )

"""Lint: variables that are named like something of ours, where a template means ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.reserved_names import hides_function, hides_given
from choreo_bdd_steps.language.templates.functions import function_names
from choreo_bdd_steps.language.templates.rendering import referenced_names
from choreo_bdd_steps.lint.finding import Finding
from choreo_bdd_steps.lint.rules import Subject
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.vocabulary.acts import PlayService, Publish

_TEMPLATE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_CALLED = re.compile(r"(?<![\w.])(\w+)\s*\(")


def taken_names(subject: Subject) -> Iterator[Finding]:
    """Calls of functions that a variable hides, and variables that a burst or a stand-in hides."""
    known: set[str] = set()
    for step in subject.plan.steps:
        for name in sorted(_called(step) & function_names() & known):
            yield subject.at(step.call, "taken-name", hides_function(name))
        for name in sorted(_given(step) & known):
            yield subject.at(step.call, "taken-name", hides_given(name))
        known |= step.assigns


def _called(step: PlannedStep) -> set[str]:
    cells = [cell for row in step.call.table or () for cell in row]
    texts = (step.call.text, step.call.docstring or "", *cells)
    templates = [_QUOTED.sub("", found) for text in texts for found in _TEMPLATE.findall(text)]
    return {name for template in templates for name in _CALLED.findall(template)}


def _given(step: PlannedStep) -> frozenset[str]:
    """The names that a step gives to its own templates, and that these use."""
    try:
        match step.act:
            case PlayService(answer=answer) if answer is not None and answer.body is not None:
                return answer.body.read().needs & {"trigger"}
            case Publish(body=body, key=key, count=count) if count is not None:
                return (body.read().needs | referenced_names(key or "")) & {"index"}
    except (BodyError, ValueError, TypeError):
        pass  # told by the rule on bodies
    return frozenset()

"""Lint: checks of every element of a list that the scenario itself sends empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from choreo_bdd.matchers import Quantifier
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.lint.finding import Finding, Severity
from choreo_bdd_steps.lint.rules import Subject
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.vocabulary.acts import Call, CheckTaken, Payload, Publish, Request

_EVERY = re.compile(r"(?<![\w-])([\w-]++)['\"]?\s*:\s*!every\b")


def every_element_of_nothing(subject: Subject) -> Iterator[Finding]:
    """``[*]`` and ``!every`` of a list that an earlier step publishes empty: no element, no match."""
    empty: dict[str, int] = {}
    for step in subject.plan.steps:
        for name in _every(step) & empty.keys():
            message = (
                f"every element of {name!r} is asked for, and the publish in line {empty[name]} sends an empty list "
                f"there: of no element nothing is true; where the list may be empty, ask for its length as well"
            )
            yield subject.at(step.call, "every-of-nothing", message, Severity.WARNING)
        empty |= dict.fromkeys(_sent_empty(step), step.call.line)


def _every(step: PlannedStep) -> frozenset[str]:
    """Names of the lists whose every element a check asks for."""
    try:
        body = step.act.read() if isinstance(step.act, CheckTaken) else None
    except BodyError:
        return frozenset()  # told by the rule on bodies
    bodies = [body, *(each.body for each in step.parts)]
    fields = [cell.field for each in bodies if each is not None for row in each.rows for cell in row.cells]
    tabled = {
        str(place.segments[place.segments.index(Quantifier.EVERY) - 1])
        for place in fields
        if Quantifier.EVERY in place.segments[1:]
    }
    return frozenset(tabled | set(_EVERY.findall(step.call.docstring or "")))


def _sent_empty(step: PlannedStep) -> frozenset[str]:
    match step.act:
        case Publish(body=Payload() as payload) | Request(body=Payload() as payload) | Call(body=Payload() as payload):
            try:
                body = payload.read()
                built = [] if body.needs else body.build(Variables())
            except (BodyError, ValueError, TypeError):
                return frozenset()
            return frozenset(name for message in built for name in _empty_lists(message.payload))
        case _:
            return frozenset()


def _empty_lists(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            if below == []:
                yield str(name)
            yield from _empty_lists(below)
    elif isinstance(value, list):
        for below in value:
            yield from _empty_lists(below)

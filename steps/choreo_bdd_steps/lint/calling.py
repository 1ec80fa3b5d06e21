"""Lint: what is called over HTTP and listened to like a bus, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from choreo_bdd_steps.lint.finding import Finding
from choreo_bdd_steps.lint.rules import Subject
from choreo_bdd_steps.plan.callees import no_bus, no_callee
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.vocabulary.acts import Call, PlayService, Publish, Request


def calls(subject: Subject) -> Iterator[Finding]:
    """Publishes, checks and stand-ins on what is only called; calls of what is none."""
    for step in subject.plan.steps:
        if isinstance(step.act, Call):
            problem = no_callee(subject.config, step)
            if problem is not None and step.named_transport in (None, *subject.config.transports):
                yield subject.at(step.call, "not-called", problem)
        for transport in dict.fromkeys(_buses(step)):
            if problem := no_bus(subject.config, transport):
                yield subject.at(step.call, "not-a-bus", problem)


def _buses(step: PlannedStep) -> Iterator[str]:
    """The transports on which a step sends or hears messages."""
    match step.act:
        case Publish() | Request():
            yield step.transport
        case PlayService(answer=answer):
            yield step.transport
            if answer is not None and answer.transport is not None:
                yield answer.transport
    if step.spec is not None and not step.spec.is_response:
        yield from step.spec_transports

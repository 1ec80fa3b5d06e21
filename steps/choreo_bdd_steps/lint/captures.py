"""Lint: steps that look at messages, or at stand-ins, that no earlier step has brought."""

from __future__ import annotations

from collections.abc import Iterator

from choreo_bdd_steps.lint.finding import Finding
from choreo_bdd_steps.lint.rules import Subject
from choreo_bdd_steps.vocabulary.acts import Call, CheckService, CheckTaken, Keep, PlayService


def captures(subject: Subject) -> Iterator[Finding]:
    """Fields kept of messages that no earlier check has taken, and answers of stand-ins that are not there."""
    expected: set[str | None] = set()
    stand_ins: set[str] = set()
    has_called = False
    for step in subject.plan.steps:
        if step.spec is not None:
            expected.update(None if each.is_reply else each.topic for each in step.spec.chain)
        match step.act:
            case None:
                return  # a step of the user's own may expect anything
            case PlayService(topic=topic):
                stand_ins.add(topic)
            case Call():
                has_called = True
            case Keep(of_response=True) | CheckTaken(of_response=True):
                if not has_called:
                    message = 'no step before this one calls anything; write: When I call GET "/…"'
                    yield subject.at(step.call, "response-without-call", message)
            case Keep(topic=topic) if topic not in expected:
                message = f"no earlier check expects {_taken_from(topic)}, so there is no message to keep a field of"
                yield subject.at(step.call, "capture-without-check", message)
            case CheckTaken(topic=topic) if topic not in expected:
                message = f"no earlier check expects {_taken_from(topic)}, so there is no message to look at"
                yield subject.at(step.call, "check-without-message", message)
            case CheckService(topic=topic) if topic not in stand_ins:
                message = f"no stand-in of this scenario answers {topic!r}"
                yield subject.at(step.call, "no-stand-in", message)


def _taken_from(topic: str | None) -> str:
    return "a reply" if topic is None else repr(topic)

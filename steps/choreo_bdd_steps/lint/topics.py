"""Lint: topics that the AsyncAPI documents do not describe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from choreo_bdd.asyncapi import AsyncApi
from choreo_bdd.topic_patterns import is_pattern, malformed, matches, unspeakable
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Literal
from choreo_bdd_steps.language.templates.rendering import referenced_names
from choreo_bdd_steps.lint.finding import Finding, Severity
from choreo_bdd_steps.lint.rules import Subject, unfilled
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.vocabulary.acts import PlayService, Publish, Request
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec

_TEMPLATE = re.compile(r"\{\{.*?\}\}|<[^<>]+>")
_PLACEHOLDER = re.compile(r"<([^<>]+)>")


def unknown_topics(subject: Subject, contract: AsyncApi) -> Iterator[Finding]:
    """Topics of publishes, checks and stand-ins that no channel describes; those only a run can know are left out."""
    if subject.config.unknown_topics == "ignore":
        return
    severity = Severity.ERROR if subject.config.unknown_topics == "error" else Severity.WARNING
    for step in subject.plan.steps:
        for topic in _topics(step):
            unknown = None if contract.covers(topic) else contract.unknown(topic)
            if unknown is not None:
                yield subject.at(step.call, "unknown-topic", unknown.text, severity)


def _topics(step: PlannedStep) -> Iterator[str]:
    """What a step names and lint can know."""
    yield from dict.fromkeys(topic for topic in _named(step) if topic and _is_known(topic))


def _is_known(topic: str) -> bool:
    try:
        return not referenced_names(topic)
    except BodyError:
        return False  # told by the rule on bodies


def _named(step: PlannedStep) -> Iterator[str | None]:
    if step.spec is not None:
        yield from _expected(step.spec)
    elif step.unread is not None:
        yield step.topic
    match step.act:
        case Publish(topic=topic) | Request(topic=topic):
            yield topic
        case PlayService(topic=topic, answer=answer):
            yield topic
            yield None if answer is None else answer.topic


def _expected(spec: ExpectationSpec) -> Iterator[str]:
    if spec.hop_from is not None:
        yield spec.hop_from.topic
    yield from (each.topic for each in spec.parts if not each.is_reply and not each.is_response)


def unfilled_topics(subject: Subject) -> Iterator[Finding]:
    """Topics with ``<x>`` in them that no example fills: no bus has a topic of such a name."""
    for step in subject.plan.steps:
        for found in (each for topic in _named(step) if topic for each in _PLACEHOLDER.finditer(topic)):
            yield subject.at(step.call, "unfilled-placeholder", unfilled(found[1], subject.scenario.columns))


def unusable_topics(subject: Subject) -> Iterator[Finding]:
    """Publishes, requests and answers on what no topic can be called, stand-ins that listen to none."""
    for step in subject.plan.steps:
        match step.act:
            case Publish(topic=topic) | Request(topic=topic):
                problems = [unspeakable(_TEMPLATE.sub("x", topic))]
            case PlayService(topic=topic, answer=answer):
                problems = [malformed(_TEMPLATE.sub("x", topic))]
                problems += [] if answer is None else [unspeakable(_TEMPLATE.sub("x", answer.topic))]
            case _:
                continue
        yield from (subject.at(step.call, "unspeakable-topic", problem) for problem in problems if problem)


def alien_topics(subject: Subject) -> Iterator[Finding]:
    """Checks that ask for a ``@topic`` which no message they listen to can have."""
    for step in subject.plan.steps:
        for spec in step.parts:
            if "{{" in spec.topic or spec.is_reply or spec.is_response or spec.is_everything:
                continue
            asked = [node for row in spec.body.rows for name, node in row.asked_around if name == "topic"]
            for name in (str(node.value) for node in asked if isinstance(node, Literal)):
                if is_pattern(name) or not matches(spec.topic, name):
                    message = f"no message on {spec.topic!r} has the topic {name!r}: it can never be true"
                    yield subject.at(step.call, "unreadable-body", message)


def odd_letters(subject: Subject) -> Iterator[Finding]:
    """Topics with a letter that cannot be seen, or looks like another: they are not what they read as."""
    for step in subject.plan.steps:
        for topic in _topics(step):
            odd = next((each for each in topic if _is_unseen(each)), None) or _stranger(topic)
            if odd is not None:
                name = unicodedata.name(odd, "no character").lower()
                message = f"the topic {topic!r} holds {odd!a} ({name}), which cannot be told from others by eye"
                yield subject.at(step.call, "odd-letters", f"{message}; type it anew", Severity.WARNING)


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cf", "Zs") and letter != " "


def _stranger(topic: str) -> str | None:
    """A letter of another script within a segment that has Latin ones."""
    for segment in topic.split("."):
        scripts = {each: unicodedata.name(each, "").partition(" ")[0] for each in segment if each.isalpha()}
        odd = [each for each, script in scripts.items() if script in ("CYRILLIC", "GREEK")]
        if odd and "LATIN" in scripts.values():
            return odd[0]
    return None

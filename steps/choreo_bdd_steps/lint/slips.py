"""Lint: what is read as it stands, and was most likely meant as something of this language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from choreo_bdd.topic_patterns import overlap
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import parse_operator
from choreo_bdd_steps.language.grammar.tables import read_table
from choreo_bdd_steps.language.matching.misread import OF_OTHER_LANGUAGES, bare_words, quoted_texts
from choreo_bdd_steps.language.syntax import Tagged
from choreo_bdd_steps.lint.finding import Finding, Severity
from choreo_bdd_steps.lint.rules import Subject
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.vocabulary.acts import SENDING, CheckTaken, Expect, PlayService

_OF_OTHERS = re.compile(r"(?<![{$])(\$?\{\s*([A-Za-z_]\w*)\s*\})(?!\})")
_TEXT_MEDIA = ("text", "xml", "hex", "base64")


def texts_like_operators(subject: Subject) -> Iterator[Finding]:
    """``"> 5"`` in a doc string, whose quotes make it a text: no number is equal to it."""
    for step in subject.plan.steps:
        if isinstance(step.act, (Expect, CheckTaken)) and step.call.docstring and not _is_text(step):
            for text, tag in _operators(step.call.docstring):
                message = f"{text!r} is compared as a text here: in doc strings operators are tags, as in `!{tag} …`"
                yield subject.at(step.call, "text-like-operator", message, Severity.WARNING)


def _is_text(step: PlannedStep) -> bool:
    return (step.call.media_type or "").lower().strip() in _TEXT_MEDIA


def _operators(docstring: str) -> Iterator[tuple[str, str]]:
    try:
        texts = list(quoted_texts(read_yaml(docstring)))
    except BodyError:
        return  # told by the rule on bodies
    for text in texts:
        try:
            found = parse_operator(text)
        except BodyError:
            continue
        if isinstance(found, Tagged) and (" " in text or not text[:1].isalpha()):
            yield text, found.tag


def words_of_others(subject: Subject) -> Iterator[Finding]:
    """``None`` and ``True`` in what is sent: texts, where a language of programs has values."""
    for step in subject.plan.steps:
        if isinstance(step.act, SENDING) and not _is_text(step):
            for word in _bare(step):
                if (meant := OF_OTHER_LANGUAGES.get(word)) is not None:
                    message = (
                        f"{word!r} is sent as a text; write {meant} in small letters, or quote it if text is meant"
                    )
                    yield subject.at(step.call, "word-of-another-language", message, Severity.WARNING)


def _bare(step: PlannedStep) -> Iterator[str]:
    try:
        if step.call.table is not None:
            nodes = [cell.node for row in read_table(step.call.table, publish=True) for cell in row]
        else:
            nodes = [read_yaml(step.call.docstring or "")]
    except BodyError:
        return  # told by the rule on bodies
    yield from (str(word.value) for node in nodes for word, _ in bare_words(node))


def placeholders_of_others(subject: Subject) -> Iterator[Finding]:
    """``${name}`` and ``{name}`` for a variable that is known: sent, and compared, as they stand."""
    known: set[str] = set()
    for step in subject.plan.steps:
        cells = [cell for row in step.call.table or () for cell in row]
        found = {
            each[1]: each[2]
            for text in (step.call.text, step.call.docstring or "", *cells)
            for each in _OF_OTHERS.finditer(text)
        }
        for written, name in found.items():
            if name in known:
                message = f"{written} is taken as it stands; write {{{{ {name} }}}} for the variable of this name"
                yield subject.at(step.call, "unfilled-placeholder", message, Severity.WARNING)
        known |= step.assigns


def services_below(subject: Subject) -> Iterator[Finding]:
    """Stand-ins that begin to listen when the last message they could answer has been sent."""
    steps = subject.plan.steps
    for step in steps:
        if not isinstance(step.act, PlayService) or any(_may_send(each) for each in steps[step.index + 1 :]):
            continue
        topic, place = step.act.topic, step.transport
        for above in steps[: step.index]:
            if above.sends and above.transport == place and above.topic and overlap(topic, above.topic):
                message = (
                    f"this stand-in stands below the {above.deed} on {above.topic!r} in line {above.call.line}, and "
                    f"does not answer it: put it above"
                )
                yield subject.at(step.call, "service-below-publish", message, Severity.WARNING)  # others may send there
                break


def _may_send(step: PlannedStep) -> bool:
    """Whether it sends a message; a step of the user's own may do anything."""
    return step.triggers or step.act is None

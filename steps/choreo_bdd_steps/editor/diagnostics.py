"""What lint says of a text, with the words of the line that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.gherkin.lines import LineKind
from choreo_bdd_steps.editor.document import Document, Span, arguments, uses
from choreo_bdd_steps.editor.project import Project
from choreo_bdd_steps.lint import Severity, lint_text

_NAMED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(@\S+(?=: ))|(<[^<>\s][^<>]*>)")


class Diagnostic(Struct, frozen=True):
    """A finding at its place."""

    span: Span
    message: str
    rule: str
    severity: Severity


def diagnose(document: Document, project: Project) -> list[Diagnostic]:
    """All that lint finds, in order of place."""
    return [
        Diagnostic(_span(document, each.line - 1, each.message, each.rule), each.message, each.rule, each.severity)
        for each in lint_text(document.text, document.path, project.context)
    ]


def broken(error: ChoreoError) -> list[Diagnostic]:
    """Why nothing can be said: what stands around the file cannot be read."""
    return [Diagnostic(Span(0, 0, 1), str(error), "configuration", Severity.ERROR)]


def _span(document: Document, number: int, message: str, rule: str) -> Span:
    """The word of the line that the message names first, or all that stands in the line.

    What a rule is about is looked for where that stands: a variable in the templates of the step, in its line or below
    it, a transport in its own place of the sentence, a tag above the scenario or the feature.
    """
    if number >= len(document.lines):
        return Span(max(len(document.lines) - 1, 0), 0, 0)
    named = list(_named(message))
    if (found := next((span for name, span in _places(document, number, rule) if name in named[:1]), None)) is not None:
        return found
    line = document.lines[number]
    begin, end = line.column, len(line.raw.rstrip())
    begin += len(line.raw[begin:]) - len(line.raw[begin:].lstrip())
    for name in named if rule != "undefined-step" else ():
        whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(line.raw, begin)
        at = line.raw.find(name, begin) if whole is None else whole.start()
        if at >= 0 and len(name) < end - begin:
            return Span(number, at, at + len(name))
    return Span(number, min(begin, end), end)


def _places(document: Document, number: int, rule: str) -> Iterator[tuple[str, Span]]:
    """The things of a line that a rule is about, nearest first, by their names."""
    block = document.block(number)
    if rule == "undefined-variable" and block is not None:
        yield from uses(block)
    elif rule == "unknown-transport" and block is not None and (match := document.match(block)) is not None:
        for _, kind, span in arguments(match, block.line):
            if kind == "transport":
                yield block.line.raw[span.begin : span.end], span
    elif rule == "bad-tag":
        for line in reversed(document.lines[: number + 1]):
            if line.kind is LineKind.TAGS:
                for tag in re.finditer(r"@\S+", line.raw):
                    yield tag[0], Span(line.number, *tag.span())


def _named(message: str) -> Iterator[str]:
    for found in _NAMED.finditer(message):
        yield next(group for group in found.groups() if group is not None)

"""What lint says of a text, with the words of the line that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_steps.editor.document import Document, Span, uses
from choreo_bdd_steps.editor.project import Project
from choreo_bdd_steps.lint import Severity, lint_text

_NAMED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(@\w+\([^)]*\))")


@dataclass(frozen=True, slots=True)
class Diagnostic:
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

    A variable that a template names stands where that does, in the step's line or below it.
    """
    if number >= len(document.lines):
        return Span(max(len(document.lines) - 1, 0), 0, 0)
    if rule == "undefined-variable" and (block := document.block(number)) is not None:
        named = next(_named(message), None)
        if (found := next((span for name, span in uses(block) if name == named), None)) is not None:
            return found
    line = document.lines[number]
    begin, end = line.column, len(line.raw.rstrip())
    begin += len(line.raw[begin:]) - len(line.raw[begin:].lstrip())
    if rule != "undefined-step":
        for name in _named(message):
            at = line.raw.find(name, begin)
            if at >= 0 and len(name) < end - begin:
                return Span(number, at, at + len(name))
    return Span(number, min(begin, end), end)


def _named(message: str) -> Iterator[str]:
    for found in _NAMED.finditer(message):
        yield next(group for group in found.groups() if group is not None)

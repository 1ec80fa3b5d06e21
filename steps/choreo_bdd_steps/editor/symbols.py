"""Where a name comes from, and everywhere it stands: definitions and renaming."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from choreo_bdd_project.gherkin.lines import Block
from choreo_bdd_project.own_steps import defining
from choreo_bdd_steps.editor.document import Document, Span, arguments, named_by, sets, uses
from choreo_bdd_steps.editor.project import Project
from choreo_bdd_steps.language.reserved_names import CORRELATION_ID, FUNCTIONS, UNUSABLE
from choreo_bdd_steps.vocabulary.acts import PlayService

_FILE = re.compile(r"(?:from file|!schema)\s+[\"'](?P<name>[^\"']+)[\"']|matching schema \"(?P<schema>[^\"]+)\"")
_NAME = re.compile(r"[A-Za-z_]\w*")


class Location(Struct, frozen=True):
    """A part of a file."""

    path: Path
    span: Span


class BadName(ValueError):
    """A name that no variable can have."""


def definitions(document: Document, project: Project, number: int, column: int) -> list[Location]:
    """Where that comes from which stands at a line and column: a variable, a file, a stand-in, a step in Python."""
    block = document.block(number)
    if block is None:
        return []
    name = _variable_at(document, block, number, column)
    if name is not None:
        return [Location(document.path, span) for each, span in _named(document, number) if each == name][:1]
    file = _file_at(document, number, column)
    if file is not None:
        path = (document.path.parent / file).resolve()
        return [Location(path, Span(0, 0, 0))] if path.is_file() else []
    if document.match(block) is None:
        found = defining(project.root, block.line.text)
        return [Location(path, Span(line - 1, 0, 0)) for path, line in found]
    return [Location(document.path, span) for span in _stand_ins(document, block, number, column)]


def occurrences(document: Document, number: int, column: int) -> tuple[str, list[Span]] | None:
    """The variable at a place and everywhere it stands in the scenario; ``None`` where there is none."""
    block = document.block(number)
    name = None if block is None else _variable_at(document, block, number, column)
    if name is None:
        return None
    set_here = [span for each, span in _named(document, number) if each == name]
    used = [span for each in document.steps_around(number) for other, span in uses(each) if other == name]
    return (name, sorted({*set_here, *used}, key=lambda span: (span.line, span.begin))) if set_here else None


def check_name(name: str, document: Document, number: int) -> None:
    """Raise ``BadName`` for what no variable can be called, or what is one already around a line."""
    if _NAME.fullmatch(name) is None:
        raise BadName(f"{name!r} is no name of a variable: write letters, digits and _, a letter first")
    if name in UNUSABLE | FUNCTIONS | {CORRELATION_ID, "trigger", "index"}:
        raise BadName(f"no variable can be called {name!r}: a template reads it as something of its own")
    if taken := next((span for each, span in _named(document, number) if each == name), None):
        raise BadName(f"line {taken.line + 1} sets a variable {name!r} already, and the two would become one")


def _variable_at(document: Document, block: Block, number: int, column: int) -> str | None:
    match = document.match(block)
    named = () if match is None else named_by(block, match)
    return next((name for name, span in (*named, *uses(block)) if span.holds(number, column)), None)


def _named(document: Document, number: int) -> Iterator[tuple[str, Span]]:
    """Where the steps of a scenario name variables that they set, in order."""
    for block in document.steps_around(number):
        match = document.match(block)
        if match is not None and sets(match):
            yield from named_by(block, match)


def _file_at(document: Document, number: int, column: int) -> str | None:
    for found in _FILE.finditer(document.lines[number].raw):
        group = "name" if found["name"] is not None else "schema"
        if found.start(group) <= column <= found.end(group):
            return found[group]
    return None


def _stand_ins(document: Document, block: Block, number: int, column: int) -> Iterator[Span]:
    """The stand-ins of the scenario that take or send what is on the topic at a place."""
    match = document.match(block)
    spans = () if match is None else arguments(match, block.line)
    topic = next(
        (
            document.lines[number].raw[s.begin : s.end]
            for _, kind, s in spans
            if kind == "topic" and s.holds(number, column)
        ),
        None,
    )
    if topic is None:
        return
    for each in document.steps_around(number):
        other = document.match(each)
        if other is not None and isinstance(other.act(), PlayService):
            yield from (
                s
                for _, kind, s in arguments(other, each.line)
                if kind == "topic" and each.line.raw[s.begin : s.end] == topic
            )

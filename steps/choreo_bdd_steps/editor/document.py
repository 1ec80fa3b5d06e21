"""A feature file as an editor has it open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from pathlib import Path

from msgspec import Struct, structs

from choreo_bdd_project.gherkin.lines import Block, Line, LineKind, blocks, read_lines, scenario_around
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_steps.vocabulary import Match, recognise
from choreo_bdd_steps.vocabulary.assignments import assigned
from choreo_bdd_steps.vocabulary.continuing import parameters

_EXPRESSION = re.compile(r"\{\{(?P<inside>.*?)\}\}|\{%(?P<block>.*?)%\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"(<[^<>]+>)")
_FEW = 4
_WORD = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")


class Span(Struct, frozen=True):
    """A part of one line, in characters from 0; the end is not in it."""

    line: int
    begin: int
    end: int

    def holds(self, line: int, column: int) -> bool:
        """Whether a cursor there touches it."""
        return self.line == line and self.begin <= column <= self.end


class Document(Struct, frozen=True):
    """Text and place of a feature file."""

    path: Path
    text: str

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its lines."""
        return read_lines(self.text)

    @property
    def raw_lines(self) -> tuple[str, ...]:
        """Its lines as they are written, by the protocol's and Gherkin's notion of them."""
        return _raw(self.text)

    def block(self, number: int) -> Block | None:
        """The step that a line belongs to, with all that stands below it."""
        return _blocks(self.text).get(number)

    def steps_around(self, number: int) -> list[Block]:
        """The steps of the scenario that a line belongs to, those of its backgrounds included."""
        return list(blocks(scenario_around(self.lines, number)))

    def match(self, block: Block) -> Match | None:
        """A step as a phrase of ours."""
        step = block.step(relative(self.path))
        return recognise(step) or next(
            filter(None, (recognise(structs.replace(step, text=each)) for each in _filled(step.text))), None
        )


@lru_cache(maxsize=8)  # asked for once a place that is told
def _raw(text: str) -> tuple[str, ...]:
    return tuple(line.raw for line in read_lines(text))


@lru_cache(maxsize=8)  # asked for once a finding
def _blocks(text: str) -> Mapping[int, Block]:
    return {line.number: block for block in blocks(read_lines(text)) for line in block.lines}


def _filled(text: str) -> Iterator[str]:
    """A sentence of an outline with a number, a duration or a name for each placeholder, all in the same places."""
    parts = _PLACEHOLDER.split(text)
    choices = [("1" * len(each), "1" * (len(each) - 1) + "s", "A" * len(each)) for each in parts[1::2]]
    for values in product(*choices[:_FEW]) if choices else ():
        parts[1 : 2 * _FEW : 2] = values
        yield "".join(parts)


def arguments(match: Match, line: Line) -> Iterator[tuple[str, str, Span]]:
    """The parameters that a step's sentence gives: name, kind, and where the value stands, without its quotes."""
    found = match.phrase.found(match.call.text.strip())
    for _, name, kind in parameters(match.phrase.text):
        if found is not None and found.group(name) is not None:
            begin, end = found.span(name)
            yield name, kind, Span(line.number, line.column + _blank(line) + begin, line.column + _blank(line) + end)


def sets(match: Match | None) -> frozenset[str]:
    """The variables that a step sets."""
    try:
        return frozenset() if match is None else assigned(match.act())
    except (ValueError, TypeError):
        return frozenset()  # a step that is not yet written to its end


def uses(block: Block) -> Iterator[tuple[str, Span]]:
    """The names that stand in the templates of a step and of what stands below it."""
    for line in block.lines:
        for expression in _EXPRESSION.finditer(line.raw):
            group = "inside" if expression["inside"] is not None else "block"
            for word in _WORD.finditer(expression[group]):
                begin = expression.start(group) + word.start()
                yield word[0], Span(line.number, begin, begin + len(word[0]))


def named_by(block: Block, match: Match) -> Iterator[tuple[str, Span]]:
    """Where a step names the variables it sets: in its sentence, or in the first column of its table."""
    names = sets(match)
    for _, kind, span in arguments(match, block.line):
        name = block.line.raw[span.begin : span.end]
        if kind == "name" and name in names:
            yield name, span
    for line in block.below:
        if line.kind is LineKind.ROW and line.cells:
            cell = line.cells[0]
            name = cell.text.strip()
            if name in names:
                begin = cell.column + len(cell.text) - len(cell.text.lstrip())
                yield name, Span(line.number, begin, begin + len(name))


def _blank(line: Line) -> int:
    rest = line.raw[line.column :]
    return len(rest) - len(rest.lstrip())

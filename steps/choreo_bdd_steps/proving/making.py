"""What a check's own body asks for, where it asks for plain values; and a scenario that asks for less."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct, field, structs

from choreo_bdd.matchers import Quantifier
from choreo_bdd.matchers.values.moments import moment
from choreo_bdd.message import Message
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.fitting_texts import patterned
from choreo_bdd_steps.language.grammar.contradictions import samples
from choreo_bdd_steps.language.grammar.tables import Cell, assemble
from choreo_bdd_steps.language.matching.body_matcher import equalling
from choreo_bdd_steps.language.matching.values import Builder
from choreo_bdd_steps.language.paths import Field
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render_text
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.vocabulary import recognise
from choreo_bdd_steps.vocabulary.acts import Expect
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec

_CANDIDATES = 500
_LONGEST = 1000
_OF_TEXT = ("starts_with", "contains", "ends_with")
_OF_TYPE: Mapping[str, object] = {"number": 1, "integer": 1, "boolean": True, "array": [], "object": {}, "null": None}
_OF_EACH_KIND = ("7d9f9b0e-3c1e-4a55-9c9b-0a4d6c3f2b11", 1, True, "2026-01-01T00:00:00Z", None, ["any"], {"any": 1})


class Made(Struct, frozen=True):
    """A message that a body asks for."""

    payload: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None


def message_for(body: ExpectationBody, docstring: str | None, topic: str, recording: Recording) -> Made | None:
    """A message that a body asks for; ``None`` where none is found that it accepts."""
    variables = Variables(dict(recording.variables))
    try:
        asked = body.build(variables)
        for cells in _ways(body):
            made = _made(cells, docstring, variables, body.base_dir)
            message = Message(topic, json.dumps(made.payload).encode(), headers=made.headers, key=made.key)
            if any(each.match_message(made.payload, message).matched for each in asked):
                return made
    except (BodyError, TypeError, ValueError):
        pass
    return None


def _ways(body: ExpectationBody) -> Iterator[Sequence[Cell]]:
    """What may be asked of one message at once: all cells of a row, and one of its alternatives."""
    for row in body.rows[:1]:
        around = [Cell(Field(f"@{name}", envelope=name), node, 1) for name, node in row.around]
        for each in row.one_of or (None,):
            yield [*row.cells, *around, *(() if each is None else (each,))]


def _made(cells: Iterable[Cell], docstring: str | None, variables: Variables, base_dir: Path) -> Made:
    maker, builder = _Maker(variables, base_dir), Builder(variables, base_dir)
    by_place: dict[tuple[object, ...], tuple[Cell, list[Node]]] = {}
    for each in cells:
        place = builder.place(each.field, each.line)
        cell = structs.replace(each, field=place)
        by_place.setdefault((place.envelope, *place.segments), (cell, []))[1].append(cell.node)
    headers: dict[str, str] = {}
    key: str | None = None
    said: list[tuple[Field, object, int]] = []
    for cell, nodes in by_place.values():
        if any(map(_is_absence, nodes)):
            continue
        value = maker.value_of_all(nodes)
        name = cell.field.envelope
        if name is None:
            said.append((_first(cell.field), value, cell.line))
        elif name == "key":
            key = str(value)
        elif name == "headers" and isinstance(value, Mapping):
            headers |= {str(each): str(text) for each, text in value.items()}
        elif name.startswith("headers."):
            headers[name.removeprefix("headers.")] = str(value)
    body = maker.value(read_yaml(docstring)) if docstring else {}
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if not str(name).startswith("@")}
    return Made(merged(assemble(said), body), headers, key)


def merged(there: Any, more: Any) -> Any:
    """What is there, and what more says in its stead."""
    if not isinstance(there, Mapping) or not isinstance(more, Mapping):
        return more
    return {**there, **{name: merged(there.get(name), value) for name, value in more.items()}}


def relaxed(scenario: Scenario, topic: str, line: int) -> Scenario:
    """The scenario with its checks of a topic that stand above a line asking for any message there."""
    return structs.replace(
        scenario, steps=tuple(_any_message(each, topic) if each.line < line else each for each in scenario.steps)
    )


def _any_message(step: Step, topic: str) -> Step:
    found = recognise(step)
    act = None if found is None else found.act()
    if found is None or not isinstance(act, Expect) or act.topic != topic or not isinstance(act.spec, ExpectationSpec):
        return step
    if not act.spec.is_narrowed or act.spec.body.count > 1:
        return step
    condition = found.args.get("condition")
    text = step.text if condition is None else step.text.replace(f" where {condition}", "", 1)
    return structs.replace(step, text=text, docstring=None, table=None)


def _is_absence(node: Node) -> bool:
    return isinstance(node, Tagged) and node.tag == "absent"


def _first(place: Field) -> Field:
    """Of what it says of each or some of a list: the first."""
    return structs.replace(
        place, segments=tuple(0 if isinstance(each, Quantifier) else each for each in place.segments)
    )


class _Maker(Struct, frozen=True):
    """Finds values that comparisons accept."""

    variables: Variables
    base_dir: Path

    def value_of_all(self, nodes: Sequence[Node]) -> object:
        """A value that all of these accept, if one is found."""
        return self.value(nodes[0] if len(nodes) == 1 else Tagged("all_of", Items(tuple(nodes))))

    def value(self, node: Node) -> object:
        """A value that a node accepts, if one is found; else the likeliest."""
        match node:
            case Literal(value=value):
                return value
            case Template(source=source):
                return render_text(source, self.variables)
            case Fields(pairs=pairs):
                return {str(self.value(key)): self.value(value) for key, value in pairs if not _is_absence(value)}
            case Items(nodes=nodes):
                return [self.value(each) for each in nodes]
        matcher = equalling(Builder(self.variables, self.base_dir).value(node))
        found = list(islice(self._candidates(node), _CANDIDATES))
        return next((each for each in found if matcher.match(each).matched), found[0])

    def _candidates(self, node: Tagged) -> Iterator[object]:
        yield from self._likely(node)
        parts = node.argument.nodes if node.tag == "all_of" and isinstance(node.argument, Items) else (node,)
        pieces = [
            str(_literal(part)) for tag in _OF_TEXT for part in parts if isinstance(part, Tagged) and part.tag == tag
        ]
        if pieces:
            yield "".join(pieces)
        yield from (float(each) if isinstance(each, Decimal) else each for each in samples(parts))
        yield from _OF_EACH_KIND

    def _likely(self, node: Tagged) -> Iterator[object]:
        match node:
            case Tagged(tag="gt" | "ge" | "lt" | "le" as sign, argument=Literal(value=int() | float() as limit)):
                yield limit + (1 if sign[0] == "g" else -1)
            case Tagged(tag="matches", argument=Literal(value=str() as pattern)):
                yield from patterned(pattern)
            case Tagged(tag="length", argument=argument):
                for length in self._lengths(argument):
                    yield from ("x" * length, ["x"] * length)
            case Tagged(tag="every" | "some" | "unordered", argument=argument) if argument is not None:
                inner = self.value(argument)
                yield inner if isinstance(inner, list) else [inner]
            case Tagged(tag="type", argument=Literal(value=str() as kind)):
                yield _OF_TYPE.get(kind, "any")
            case Tagged(tag="before" | "after" as side, argument=argument) if argument is not None:
                if (there := moment(self.value(argument))) is not None:
                    yield (there[0] + timedelta(days=-1 if side == "before" else 1)).isoformat()
            case Tagged(tag="all_of" | "any_of" | "one_of" | "between" | "approx", argument=Items(nodes=nodes)):
                yield from map(self.value, nodes)
            case Tagged(tag="contains" | "starts_with" | "ends_with" | "exactly", argument=argument) if (
                argument is not None
            ):
                inner = self.value(argument)
                yield from (inner, [inner])

    def _lengths(self, argument: Node | None) -> Iterator[int]:
        for each in (argument,) if isinstance(argument, Literal) else samples([] if argument is None else [argument]):
            length = each.value if isinstance(each, Literal) else each
            if isinstance(length, int | Decimal) and 0 <= length <= _LONGEST and length == int(length):
                yield int(length)


def _literal(node: Tagged) -> object:
    return node.argument.value if isinstance(node.argument, Literal) else ""

"""What a check's own body asks for, where it asks for plain values; and a scenario that asks for less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from choreo_bdd.message import Message
from choreo_bdd_project.gherkin.scenario import Scenario
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.grammar.tables import assemble
from choreo_bdd_steps.language.paths import Field
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render_text
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.vocabulary import recognise
from choreo_bdd_steps.vocabulary.acts import Expect
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec


def payload_for(body: ExpectationBody, docstring: str | None, topic: str, recording: Recording) -> Any:
    """A payload that a body asks for; ``None`` where none can be made that it accepts."""
    variables = Variables(dict(recording.variables))
    cells: list[tuple[Field, object, int]] = [
        (cell.field, _value(cell.node, variables), cell.line)
        for row in body.rows[:1]
        for cell in (*row.cells, *row.one_of)
        if cell.field.envelope is None and not _is_absence(cell.node)
    ]
    try:
        said = _value(read_yaml(docstring), variables) if docstring else {}
        payload = merged(assemble(cells), said)
        message = Message(topic, json.dumps(payload).encode())
        asked = body.build(variables)
    except (BodyError, TypeError, ValueError):
        return None
    return payload if any(each.match_message(payload, message).matched for each in asked) else None


def merged(there: Any, more: Any) -> Any:
    """What is there, and what more says in its stead."""
    if not isinstance(there, Mapping) or not isinstance(more, Mapping):
        return more
    return {**there, **{name: merged(there.get(name), value) for name, value in more.items()}}


def relaxed(scenario: Scenario, topic: str, line: int) -> Scenario:
    """The scenario with its checks of a topic that stand above a line asking for any message there."""
    return replace(
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
    return replace(step, text=text, docstring=None, table=None)


def _is_absence(node: Node) -> bool:
    return isinstance(node, Tagged) and node.tag == "absent"


def _value(node: Node, variables: Variables) -> object:
    """A value that a comparison may accept."""
    match node:
        case Literal(value=value):
            return value
        case Template(source=source):
            return render_text(source, variables)
        case Fields(pairs=pairs):
            return {
                str(_value(key, variables)): _value(value, variables) for key, value in pairs if not _is_absence(value)
            }
        case Items(nodes=nodes):
            return [_value(each, variables) for each in nodes]
        case _:
            return _of_comparison(node, variables)


def _of_comparison(node: Node, variables: Variables) -> object:
    match node:
        case Tagged(tag="gt" | "ge" | "lt" | "le" as sign, argument=Literal(value=int() | float() as limit)):
            return limit + (1 if sign[0] == "g" else -1)
        case (
            Tagged(tag="one_of" | "between", argument=Items(nodes=(part, *_)))
            | Tagged(tag="contains" | "starts_with" | "ends_with", argument=Literal() | Template() as part)
        ):
            return _value(part, variables)
        case Tagged(tag="type", argument=Literal(value=str() as kind)):
            return {"number": 1, "integer": 1, "boolean": True}.get(kind, "any")
        case _:
            return "7d9f9b0e-3c1e-4a55-9c9b-0a4d6c3f2b11"

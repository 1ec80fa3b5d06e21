"""A message that a check's own condition asks for, where it asks for plain values."""

from __future__ import annotations

import json
from typing import Any

from choreo_bdd.message import Message
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.tables import assemble
from choreo_bdd_steps.language.paths import Field
from choreo_bdd_steps.language.syntax import Items, Literal, Node, Tagged, Template
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render_text
from choreo_bdd_steps.recording import Recording
from choreo_bdd_steps.vocabulary.acts import ExpectationSpec


def payload_for(spec: ExpectationSpec, recording: Recording) -> Any:
    """A payload that a check asks for by its condition or table; ``None`` where none can be made that it accepts."""
    variables = Variables(dict(recording.variables))
    cells: list[tuple[Field, object, int]] = [
        (cell.field, _value(cell.node, variables), cell.line)
        for row in spec.body.rows[:1]
        for cell in (*row.cells, *row.one_of)
        if cell.field.envelope is None and not (isinstance(cell.node, Tagged) and cell.node.tag == "absent")
    ]
    try:
        payload = assemble(cells)
        message = Message(spec.topic, json.dumps(payload).encode())
        asked = spec.body.build(variables)
    except (BodyError, TypeError, ValueError):
        return None
    return payload if any(each.match_message(payload, message).matched for each in asked) else None


def _value(node: Node, variables: Variables) -> object:
    """A value that a comparison may accept."""
    match node:
        case Literal(value=value):
            return value
        case Template(source=source):
            return render_text(source, variables)
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

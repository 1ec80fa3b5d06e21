"""Conditions: `status is "PAID" and total > 5 and items[?].sku matches /A-.*/`."""

from __future__ import annotations

import json
import re

from choreo_bdd_steps.language.cells import parse_cell, parse_operator
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.paths import Field, parse_field
from choreo_bdd_steps.language.syntax import Node, Tagged

# pieces within which ` and ` joins nothing
_OPAQUE = re.compile(
    r"""
      \{\{.*?\}\}
    | (?<=matches\s) /(?:\\.|[^/\\])*/
    | (?<![^\s\[(,.]) (?: "(?:\\.|[^"\\])*" | '(?:[^']|'')*' )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLAUSE = re.compile(r"""((?: '(?:[^']|'')*' | "[^"]*" | [^\s'"] )+) \s+ (.+)""", re.VERBOSE | re.DOTALL)
_OPEN_BETWEEN = re.compile(r"\S+\s+(?:is\s+)?between\s+\S+")

_FORMS = "is, is not, >, >=, <, <=, is one of a, b, matches /re/, exists, is absent, contains"


def parse_condition(text: str) -> tuple[tuple[Field, Node], ...]:
    """Read a `where` text into places and what is expected there. Raises BodyError."""
    return tuple(_clause(clause) for clause in split_clauses(text))


def split_clauses(text: str) -> list[str]:
    """Split at ` and `, but not within quotes, patterns, templates or `between a and b`."""
    masked = _OPAQUE.sub(lambda found: "x" * len(found[0]), text)
    clauses: list[str] = []
    start = 0
    for found in re.finditer(r"\s+and(?:\s+|$)", masked):
        if not _OPEN_BETWEEN.fullmatch(masked[start : found.start()].strip()):
            clauses.append(text[start : found.start()])
            start = found.end()
    return [clause.strip() for clause in (*clauses, text[start:])]


def _clause(clause: str) -> tuple[Field, Node]:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        raise BodyError(f"the condition {clause!r} is not complete; write <path> is <value>, or: {_FORMS}")
    return parse_field(found[1]), _expected(_OPAQUE.sub(_as_json_text, found[2].strip()), clause)


def _expected(rest: str, clause: str) -> Node:
    verb, _, value = rest.partition(" ")
    if verb == "is" and value:
        negated = value.removeprefix("not ")
        return parse_cell(value) if negated == value else _negated(parse_cell(negated))
    operator = parse_operator(rest)
    if operator is None:
        raise BodyError(f"the condition {clause!r} has no operator that is known; write one of: {_FORMS}")
    return operator


def _negated(node: Node) -> Node:
    return Tagged("not", node) if isinstance(node, Tagged) else Tagged("ne", node)


def _as_json_text(found: re.Match[str]) -> str:
    piece = found[0]
    if not piece.startswith("'"):
        return piece
    return json.dumps(piece[1:-1].replace("''", "'"), ensure_ascii=False)

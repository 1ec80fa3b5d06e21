"""Conditions: `status is "PAID" and total > 5 and items[?].sku matches /A-.*/`.

A condition is a grammar (spec/steps.md 1): what is left over after a complete one is an error, never text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

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
_ONE_WORD = re.compile(r"[^\s,\"'][^\s,\"]*")
_BRACKETED = re.compile(r"\[.*\]|\{.*\}", re.DOTALL)
_SIGN = re.compile(r"(>=|<=|!=|==?|>|<)\s*(.*)", re.DOTALL)
_BEFORE_LAST_OPERAND = re.compile(
    r"(?:contains|starts with|ends with|before|after|length(?: *(?:>=|<=|!=|>|<))?|between .+? and"
    r"|approx .+?(?:±|\+/?-))\s*",
    re.DOTALL,
)

_FORMS = "is, is not, >, >=, <, <=, is one of a, b, is before, is after, matches /re/, exists, is absent, contains"


@dataclass(frozen=True, slots=True)
class Condition:
    """Places and what is expected there: all of them, or with `is_any` at least one."""

    clauses: tuple[tuple[Field, Node], ...]
    is_any: bool = False


def parse_condition(text: str) -> Condition:
    """Read a `where` text. Raises BodyError that says what can stand where it could not go on."""
    alternatives, clauses = _split(text, "or"), split_clauses(text)
    if len(alternatives) > 1 and len(clauses) > 1:
        raise BodyError(f"the condition {text!r} has both and and or; use one of them, and a second step for the other")
    parts = alternatives if len(alternatives) > 1 else clauses
    return Condition(tuple(_clause(clause) for clause in parts), is_any=len(alternatives) > 1)


def split_clauses(text: str) -> list[str]:
    """Split at ` and `, but not within quotes, patterns, templates or `between a and b`."""
    return _split(text, "and")


def _split(text: str, word: str) -> list[str]:
    masked = _OPAQUE.sub(lambda found: "x" * len(found[0]), text)
    clauses: list[str] = []
    start = 0
    for found in re.finditer(rf"\s+{word}(?:\s+|$)", masked):
        if word == "or" or not _OPEN_BETWEEN.fullmatch(masked[start : found.start()].strip()):
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
    value = value.strip()
    if verb == "is" and value:
        negated = value.removeprefix("not ").strip() if value != "not null" else value
        return _value(value, clause) if negated == value else _negated(_value(negated, clause))
    sign = _SIGN.fullmatch(rest)
    if sign is not None:
        return _signed(sign[1], sign[2], clause)
    return _operator(rest, clause)


def _signed(sign: str, value: str, clause: str) -> Node:
    if not value:
        raise BodyError(f"the condition {clause!r} is not complete; a value is missing behind {sign}")
    if sign in ("=", "=="):
        return _value(value, clause)
    _require_one_value(value, clause)
    return _negated(_value(value, clause)) if sign == "!=" else _operator(f"{sign} {value}", clause)


def _value(text: str, clause: str) -> Node:
    """What stands behind `is`: an operator in words, or one value."""
    operator = parse_operator(text)
    if operator is not None:
        return _operator(text, clause)
    _require_one_value(text, clause)
    return parse_cell(text)


def _operator(text: str, clause: str) -> Node:
    operator = parse_operator(text)
    if operator is None:
        raise BodyError(f"the condition {clause!r} has no operator that is known; write one of: {_FORMS}")
    if text.startswith("one of"):
        for part in _masked(text.removeprefix("one of")).split(","):
            _require_one_value(part, clause)
    elif found := _BEFORE_LAST_OPERAND.match(text):
        _require_one_value(text[found.end() :], clause)
    return operator


def _require_one_value(text: str, clause: str) -> None:
    """Raise BodyError unless the text is one value: a JSON literal, quoted text, a template or a bare word."""
    masked = _masked(text).strip()
    if _ONE_WORD.fullmatch(masked) or _BRACKETED.fullmatch(masked):
        return
    first = re.split(r"[\s,]", masked, maxsplit=1)[0]
    left = text.strip()[len(first) :].strip()
    said = f"nothing is known of {left!r}, which is left over" if left else "a value is missing"
    raise BodyError(
        f"in the condition {clause!r} {said}; a value is one word, a number or a text in quotes, and conditions are "
        f"joined by and, or by or, in small letters"
    )


def _masked(text: str) -> str:
    """The text with quoted pieces and templates as single words of the same length."""
    return _OPAQUE.sub(lambda found: "x" * len(found[0]), text)


def _negated(node: Node) -> Node:
    return Tagged("not", node) if isinstance(node, Tagged) else Tagged("ne", node)


def _as_json_text(found: re.Match[str]) -> str:
    piece = found[0]
    if not piece.startswith("'"):
        return piece
    return json.dumps(piece[1:-1].replace("''", "'"), ensure_ascii=False)

"""Table cells and the right-hand sides of conditions: JSON literals, operators, bare text."""

from __future__ import annotations

import re
from collections.abc import Callable

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.extensions import user_matcher
from choreo_bdd_steps.language.syntax import Items, Literal, Node, Tagged, text_node
from choreo_bdd_steps.language.yaml_body import plain_scalar, read_yaml

_SIGNS = {">=": "ge", "<=": "le", "!=": "ne", ">": "gt", "<": "lt"}
_COMPARISON = re.compile(r"(>=|<=|!=|>|<)\s*(.*)", re.DOTALL)
_MATCHES = re.compile(r"matches\s+/(.*)/(i?)", re.DOTALL)
_BETWEEN = re.compile(r"between\s+(.+?)\s+and\s+(.+)", re.DOTALL)
_APPROX = re.compile(r"approx\s+(.+?)\s*(?:±|\+/?-)\s*(.+)", re.DOTALL)
_WITH_OPERAND = re.compile(r"(one of|contains|starts with|ends with|length)\s+(.+)", re.DOTALL)
_KIND = re.compile(r"an?\s+([A-Za-z][A-Za-z0-9_ ]*)")
_TAG = re.compile(r"![A-Za-z]")

_WORDS = {"exists": "exists", "absent": "absent", "any": "any", "null": "null", "not null": "not_null"}
_KINDS: dict[str, Node] = {
    "uuid": Tagged("uuid", None),
    "timestamp": Tagged("iso8601", None),
    "number": Tagged("type", Literal("number")),
    "integer": Tagged("type", Literal("integer")),
    "string": Tagged("type", Literal("string")),
    "boolean": Tagged("type", Literal("boolean")),
    "list": Tagged("type", Literal("array")),
    "object": Tagged("type", Literal("object")),
}


def parse_cell(text: str, line: int | None = None, *, publish: bool = False) -> Node:
    """Read one cell: a JSON literal, else an operator, else bare text; templates anywhere.

    Raises BodyError; with `publish` for operators, too.
    """
    cell = text.strip()
    literal = _literal(cell, line)
    if literal is not None:
        return literal
    operator = parse_operator(cell, line)
    if operator is None:
        return text_node(cell, line)
    if publish:
        raise BodyError(
            f"the cell {cell!r} is an operator, and operators cannot be published; "
            f'write the value itself, or quote it if this text is meant: "{cell}"',
            line,
        )
    return operator


def parse_operator(cell: str, line: int | None = None) -> Node | None:
    """The matcher that a cell's words or sign stand for, or None for anything else. Raises BodyError."""
    if cell in _WORDS:
        return Tagged(_WORDS[cell], None, line)
    if _TAG.match(cell):
        return _at_line(cell, line)
    return next((node for read in _READERS if (node := read(cell, line)) is not None), None)


def parse_operand(text: str, line: int | None = None) -> Node:
    """A plain value: a JSON literal, else bare text."""
    literal = _literal(text.strip(), line)
    return text_node(text.strip(), line) if literal is None else literal


def split_list(text: str) -> list[str]:
    """Split at commas outside quotes, brackets and templates."""
    parts, depth, quote, start = [], 0, "", 0
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[position - 1] != "\\" else quote
        elif character == '"':
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _literal(cell: str, line: int | None) -> Node | None:
    """A JSON literal, possibly with templates in it."""
    if cell[:1] in ("[", "{", '"') and not cell.startswith(("{{", "{%")):
        return _structure(cell, line)
    value = plain_scalar(cell, line) if cell not in ("", "~") else cell
    return None if isinstance(value, str) else Literal(value, line)


def _structure(cell: str, line: int | None) -> Node | None:
    try:
        return _at_line(cell, line)
    except BodyError:
        if (cell[0] == "[" and cell[-1] == "]") or (cell[0] == "{" and cell[-1] == "}"):
            raise
        return None  # such as: "quoted" at the start of a sentence


def _at_line(cell: str, line: int | None) -> Node:
    try:
        return read_yaml(cell)
    except BodyError as error:
        raise BodyError(f"the cell {cell!r} cannot be read: {error.message}", line) from error


def _comparison(cell: str, line: int | None) -> Node | None:
    found = _COMPARISON.fullmatch(cell)
    if found is None:
        return None
    if not found[2]:
        raise BodyError(f'the operator {found[1]} needs a value; quote it if text is meant: "{cell}"', line)
    return Tagged(_SIGNS[found[1]], parse_operand(found[2], line), line)


def _pattern(cell: str, line: int | None) -> Node | None:
    found = _MATCHES.fullmatch(cell)
    if found is None:
        return None
    pattern = found[1].replace("\\/", "/")
    return Tagged("matches", text_node(f"(?i){pattern}" if found[2] else pattern, line), line)


def _range(cell: str, line: int | None) -> Node | None:
    for tag, pattern in (("between", _BETWEEN), ("approx", _APPROX)):
        if found := pattern.fullmatch(cell):
            ends = Items((parse_operand(found[1], line), parse_operand(found[2], line)), line)
            return Tagged(tag, ends, line)
    return None


def _worded(cell: str, line: int | None) -> Node | None:
    found = _WITH_OPERAND.fullmatch(cell)
    if found is None:
        return None
    tag = found[1].replace(" ", "_")
    if tag == "one_of":
        return Tagged(tag, Items(tuple(parse_operand(part, line) for part in split_list(found[2])), line), line)
    if tag == "length":
        return Tagged(tag, _comparison(found[2], line) or parse_operand(found[2], line), line)
    return Tagged(tag, parse_operand(found[2], line), line)


def _kind(cell: str, line: int | None) -> Node | None:
    found = _KIND.fullmatch(cell)
    if found is None:
        return None
    name = found[1].strip().replace(" ", "_")
    return Tagged(name.lower(), None, line) if user_matcher(name.lower()) else _KINDS.get(name)


_READERS: tuple[Callable[[str, int | None], Node | None], ...] = (_comparison, _pattern, _range, _worded, _kind)

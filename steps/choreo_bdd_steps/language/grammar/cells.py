"""Table cells and the right-hand sides of conditions: JSON literals, operators, bare text."""

from __future__ import annotations

import re
from collections.abc import Callable

from choreo_bdd.matchers.operators import is_number
from choreo_bdd.matchers.values.moments import moment
from choreo_bdd_steps.language.doc_strings.yaml_body import plain_scalar, read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.extensions import user_matcher, user_matcher_names
from choreo_bdd_steps.language.grammar.nearly import nearly_an_operator
from choreo_bdd_steps.language.matching.misread import bare_words
from choreo_bdd_steps.language.syntax import Items, Literal, Node, Tagged, Template, text_node

SIGNS = {">=": "ge", "<=": "le", "!=": "ne", ">": "gt", "<": "lt"}
_COMPARISON = re.compile(r"(>=|<=|!=|>|<)\s*(.*)", re.DOTALL)
_MATCHES = re.compile(r"matches\s+/(.*)/(i?)", re.DOTALL)
_BETWEEN = re.compile(r"between\s+(.+?)\s+and\s+(.+)", re.DOTALL)
_APPROX = re.compile(r"approx\s+(.+?)\s*(?:±|\+/?-)\s*(.+)", re.DOTALL)
_MOMENT = re.compile(r"(before|after)\s+(.+)", re.DOTALL)
_WITH_OPERAND = re.compile(r"(one of|contains|starts with|ends with|length)\s+(.+)", re.DOTALL)
_KIND = re.compile(r"an?\s+([A-Za-z][A-Za-z0-9_ ]*)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ANY_QUOTED = re.compile(rf"{_QUOTED.pattern}|'[^']*'", re.DOTALL)
FORMS = (
    "exists",
    "absent",
    "any",
    "null",
    "not null",
    "> 0",
    ">= 0",
    "< 0",
    "<= 0",
    "!= x",
    "between 1 and 5",
    "approx 3.14 ± 0.01",
    "one of A, B",
    "contains x",
    "starts with x",
    "ends with x",
    "matches /re/",
    "length 3",
    "length >= 3",
    "before 2026-01-31T12:00:00Z",
    "after 2026-01-31T12:00:00Z",
)
"""A specimen of each operator, for whoever is shown what a cell may say."""
_COMMENT = re.compile(r"(?<=[\s\"\]}])#")
_REMARK = re.compile(r"\s#\s")
_CLOSING = {"[": "]", "{": "}"}
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_ONE_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_JOINED = re.compile(r"^(?:or|and)\s|^[^\"'\[{]*\s(?:or|and)\s", re.IGNORECASE)
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


def parse_cell(text: str, line: int | None, *, publish: bool) -> Node:
    """Read one cell: a JSON literal, else an operator, else bare text; templates anywhere.

    Raises BodyError, for text that begins like an operator and is none, too; with ``publish`` for operators instead.
    """
    cell = text.strip()
    literal = _literal(cell, line)
    if literal is not None:
        return literal
    if publish:
        return _published(cell, line)
    _refuse_comment(cell, line)
    operator = parse_operator(cell, line)
    if operator is not None:
        return operator
    if not _ONE_TEMPLATE.fullmatch(cell):
        refuse_nearly(cell, line)
    return text_node(cell, line, bare=True)


def _refuse_comment(cell: str, line: int | None) -> None:
    """Raise BodyError for ``PAID # since May``, whose author meant the first word."""
    is_read_elsewhere = _TAG.match(cell) or cell.startswith("matches")
    if not is_read_elsewhere and _REMARK.search(_ANY_QUOTED.sub("", _TEMPLATE.sub("", cell))):
        raise BodyError(f'a cell has no comments: leave out what begins with the #, or quote the text: "{cell}"', line)


def is_text(cell: str) -> bool:
    """Whether a cell is bare text: no literal, no quotes, no operator."""
    return _literal(cell, None) is None and parse_operator(cell) is None


def is_unclosed(text: str) -> bool:
    """Whether text begins a list or an object that has no end."""
    return text[:1] in _CLOSING and _CLOSING[text[0]] not in text


def refuse_nearly(text: str, line: int | None = None) -> None:
    """Raise BodyError for text that begins like an operator and is none."""
    if problem := nearly_an_operator(text, kinds()):
        raise BodyError(problem, line)


def refuse_operators(node: Node) -> None:
    """Raise BodyError for the first bare word of a doc string that is an operator in a cell, and a text there."""
    for word, _ in bare_words(node):
        text = str(word.value)
        if (operator := parse_operator(text, word.line)) is not None:
            tag = getattr(operator, "tag", "")
            raise BodyError(
                f"{text!r} is a text here: in doc strings operators are tags; write !{tag} and its value, "
                f'or quote it if this text is meant: "{text}"',
                word.line,
            )
        refuse_nearly(text, word.line)


def _published(cell: str, line: int | None) -> Node:
    try:
        is_operator = parse_operator(cell, line) is not None
    except BodyError:
        is_operator = False  # such as `> x`: no operator, so text
    if is_operator:
        raise BodyError(
            f"the cell {cell!r} is an operator, and operators cannot be published; "
            f'write the value itself, or quote it if this text is meant: "{cell}"',
            line,
        )
    return text_node(cell, line, bare=True)


def parse_operator(cell: str, line: int | None = None) -> Node | None:
    """The matcher that a cell's words or sign stand for, or None for anything else. Raises BodyError."""
    if cell in _WORDS:
        return Tagged(_WORDS[cell], None, line)
    if _TAG.match(cell):
        return _at_line(cell, line)
    return next((node for read in _READERS if (node := read(cell, line)) is not None), None)


def kinds() -> frozenset[str]:
    """The words that ``a …`` may name."""
    return frozenset({*_KINDS, *user_matcher_names()})


def parse_operand(text: str, line: int | None = None) -> Node:
    """A plain value: a JSON literal, else bare text."""
    literal = _literal(text.strip(), line)
    return text_node(text.strip(), line, bare=True) if literal is None else literal


def has_order(operand: Node, written: str) -> bool:
    """Whether ``>`` can be asked of an operand: a number, a moment, a quoted text, or what a template gives."""
    if not isinstance(operand, Literal):
        return isinstance(operand, Template)
    if isinstance(operand.value, str):
        return written[:1] in ('"', "'") or moment(operand.value) is not None
    return is_number(operand.value)


def choices(parts: list[str], written: str, read: Callable[[str], Node], line: int | None = None) -> Items:
    """The values behind ``one of``. Raises BodyError for an empty one, and for all of them in brackets."""
    if not all(parts):
        raise BodyError(f"a value is missing in {written!r}; write one of A, B", line)
    if _JOINED.search(_TEMPLATE.sub("x", parts[-1])):
        raise BodyError(
            f"commas part the values of {written!r}, and {parts[-1]!r} would be one of them; "
            f'write one of A, B, or quote the text: "{parts[-1]}"',
            line,
        )
    values = tuple(map(read, parts))
    if len(values) == 1 and (isinstance(values[0], Items) or (parts[0][0] == "(" and parts[0][-1] == ")")):
        raise BodyError(f"{parts[0]} is one single value; write one of A, B, without brackets: {written!r}", line)
    return Items(values, line)


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
    return None if isinstance(value, str) else Literal(value, line, cell)


def _structure(cell: str, line: int | None) -> Node | None:
    try:
        return _at_line(cell, line)
    except BodyError:
        if cell[0] == '"' or _COMMENT.split(cell)[0].rstrip()[-1] == _CLOSING[cell[0]]:
            raise  # what begins with a quote is one quoted text and nothing else
        if is_unclosed(cell):
            raise BodyError(
                f"the cell {cell!r} cannot be read: its {_CLOSING[cell[0]]} is missing; add it, "
                f'or quote the cell if this text is meant: "{cell}"',
                line,
            ) from None
        return None  # such as: [draft] a title


def _at_line(cell: str, line: int | None) -> Node:
    if _COMMENT.search(_TEMPLATE.sub("", _ANY_QUOTED.sub('""', cell))):
        raise BodyError(
            f"the cell {cell!r} would end before its #; quote the whole text, or leave the comment out", line
        )
    try:
        return read_yaml(_with_breaks(cell))
    except BodyError as error:
        raise BodyError(f"the cell {cell!r} cannot be read: {error.message}", line) from error


def _with_breaks(cell: str) -> str:
    """A cell whose line breaks stay breaks: Gherkin has made them of ``\\n``, and YAML would fold them to blanks."""
    return _QUOTED.sub(lambda text: text[0].replace("\n", "\\n"), cell) if "\n" in cell else cell


def _comparison(cell: str, line: int | None) -> Node | None:
    found = _COMPARISON.fullmatch(cell)
    if found is None:
        return None
    if not found[2]:
        raise BodyError(f'the operator {found[1]} needs a value; quote it if text is meant: "{cell}"', line)
    operand = parse_operand(found[2], line)
    if found[1] != "!=" and not has_order(operand, found[2]):
        refuse_nearly(cell, line)
        return None  # such as: <b>bold</b>
    return Tagged(SIGNS[found[1]], operand, line)


def _pattern(cell: str, line: int | None) -> Node | None:
    found = _MATCHES.fullmatch(cell)
    if found is None:
        return None
    _check_pattern(found[1], line)
    pattern = found[1].replace("\\/", "/")
    return Tagged("matches", text_node(f"(?i){pattern}" if found[2] else pattern, line), line)


def _check_pattern(pattern: str, line: int | None) -> None:
    if re.search(r"(?<!\\)/", pattern):
        raise BodyError(f"the pattern ends at its second slash; write \\/ for a slash in it: /{pattern}/", line)


def _range(cell: str, line: int | None) -> Node | None:
    for tag, pattern in (("between", _BETWEEN), ("approx", _APPROX)):
        if found := pattern.fullmatch(cell):
            ends = Items((parse_operand(found[1], line), parse_operand(found[2], line)), line)
            return Tagged(tag, ends, line)
    return None


def _worded(cell: str, line: int | None) -> Node | None:
    if found := _MOMENT.fullmatch(cell):
        operand = parse_operand(found[2], line)
        if isinstance(operand, Template) or moment(getattr(operand, "value", None)) is not None:
            return Tagged(found[1], operand, line)
    found = _WITH_OPERAND.fullmatch(cell)
    if found is None:
        return None
    tag = found[1].replace(" ", "_")
    if tag == "one_of":
        parts = [part.strip() for part in split_list(found[2])]
        return Tagged(tag, choices(parts, cell, lambda part: parse_operand(part, line), line), line)
    if tag == "length":
        measure = _comparison(found[2], line) or parse_operand(found[2], line)
        if isinstance(measure, Literal) and not isinstance(measure.value, int):
            refuse_nearly(cell, line)
            return None  # such as: length unknown
        return Tagged(tag, measure, line)
    return Tagged(tag, parse_operand(found[2], line), line)


def _kind(cell: str, line: int | None) -> Node | None:
    found = _KIND.fullmatch(cell)
    if found is None:
        return None
    name = found[1].strip().replace(" ", "_")
    return Tagged(name.lower(), None, line) if user_matcher(name.lower()) else _KINDS.get(name)


_READERS: tuple[Callable[[str, int | None], Node | None], ...] = (_comparison, _pattern, _range, _worded, _kind)

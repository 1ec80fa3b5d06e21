"""Doc strings and files: YAML with matcher tags, read as JSON users expect, into a tree.

Only `true`, `false`, `null` and JSON numbers are more than text; dates, `yes`, `0x1F` and `1_000` stay text.
Templates are set aside before YAML is read, so that `id: {{ order_id }}` needs no quotes.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from choreo_bdd.codecs.decimals import exact_number
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template, text_node

_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters that stand around a template's number
_PLACEHOLDER = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_EXPRESSION = re.compile(
    r"""\{\{ (?: '[^']*' | "[^"]*" | \{[^{}]*\} | [^{}'"] | \}(?!\}) )* \}\} | \{\{ .*? \}\} | \{% .*? %\}""",
    re.DOTALL | re.VERBOSE,
)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|nan)|[-+]?(Infinity|NaN)", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TAG_NAME = re.compile(r"[A-Za-z0-9_-]")
_AFTER_TAG = " \t\r\n\0,]}"

_MAX_DEPTH = 100
_MAX_NODES = 200_000


def read_yaml(text: str) -> Node:
    """Read YAML (of which JSON is a subset). Raises BodyError."""
    protected, expressions = _protect(text)
    return _from_json(protected, expressions) or _from_yaml(protected, expressions)


def read_json(text: str) -> Node:
    """Read JSON, with templates in or in place of values. Raises BodyError."""
    protected, expressions = _protect(text)
    if expressions:
        return _from_json(protected, expressions) or _from_yaml(protected, expressions)
    try:
        json.loads(text, parse_int=str)
    except json.JSONDecodeError as error:
        raise BodyError(f"this is not JSON: {error.msg} at column {error.colno}", error.lineno) from error
    except RecursionError as error:
        raise BodyError("the JSON is nested too deeply") from error
    return _from_json(text, []) or Literal(None)


def plain_scalar(text: str, line: int | None = None) -> object:
    """An unquoted scalar: true, false, null or a JSON number, else text. Raises BodyError for NaN, Infinity."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_JSON.fullmatch(text):
        raise BodyError(f'{text} is not a JSON number; quote it ("{text}") if text is meant', line)
    return number(text, line) if _NUMBER.fullmatch(text) else text


def number(text: str, line: int | None = None) -> int | float | Decimal:
    """A JSON number, exact. Raises BodyError when it cannot be represented."""
    try:
        value = exact_number(text) if any(mark in text for mark in ".eE") else int(text)
    except (ValueError, ArithmeticError) as error:
        raise BodyError(f"the number {text[:20]}… has too many digits", line) from error
    if isinstance(value, Decimal) and value.adjusted() > sys.float_info.max_10_exp:
        raise BodyError(f"the number {text[:20]} is too large", line)
    return value


# --- templates, set aside and put back --------------------------------------------------------------


def _protect(text: str) -> tuple[str, list[str]]:
    if _OPEN in text or _CLOSE in text:
        raise BodyError("the characters U+E000 and U+E001 cannot be used in a body; write them as \\ue000")
    expressions: list[str] = []

    def aside(found: re.Match[str]) -> str:
        expressions.append(found[0])
        return f"{_OPEN}{len(expressions) - 1}{_CLOSE}"

    return _EXPRESSION.sub(aside, text), expressions


def _text(text: str, expressions: list[str], line: int | None) -> Literal | Template:
    if _SURROGATE.search(text):
        text = _paired(text, line)
    restored = _PLACEHOLDER.sub(lambda found: _expression(found, expressions), text)
    return text_node(restored, line)


def _expression(found: re.Match[str], expressions: list[str]) -> str:
    index = found[1]
    known = len(index) < 8 and int(index) < len(expressions)
    return expressions[int(index)] if known else found[0]


def _paired(text: str, line: int | None) -> str:
    try:  # JSON writes characters beyond U+FFFF as two escapes, which YAML reads one by one
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise BodyError("half of a surrogate pair stands alone in the text", line) from error


# --- JSON: faster, and exact about escapes ----------------------------------------------------------


def _from_json(text: str, expressions: list[str]) -> Node | None:
    """The tree of a JSON text, or None when it is not JSON."""
    try:
        pairs = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError:
        return None
    except RecursionError as error:
        raise BodyError("the body is nested too deeply") from error
    return _json_node(pairs, expressions, 0)


class _Number(str):
    """A number's digits, told from text by type."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object's pairs, told from a list's items by type."""


def _refuse_constant(name: str) -> NoReturn:
    raise BodyError(f'{name} is not a JSON number; quote it ("{name}") if text is meant')


def _json_node(value: object, expressions: list[str], depth: int) -> Node:
    _check_depth(depth, None)
    if isinstance(value, _Pairs):
        keys = [_text(key, expressions, None) for key, _ in value]
        _refuse_duplicates(keys)
        children = (_json_node(item, expressions, depth + 1) for _, item in value)
        return Fields(tuple(zip(keys, children, strict=True)))
    if isinstance(value, list):
        return Items(tuple(_json_node(item, expressions, depth + 1) for item in value))
    if isinstance(value, _Number):
        return Literal(number(value), written=str(value))
    return _text(value, expressions, None) if isinstance(value, str) else Literal(value)


# --- YAML -------------------------------------------------------------------------------------------


class _Loader(yaml.BaseLoader):
    """PyYAML's scanner and composer, with tags that may follow each other and stand before `,]}`."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:  # noqa: ARG002 - PyYAML's signature
        """Leave untagged nodes untagged: what a plain scalar means is decided by `plain_scalar`."""
        return ""

    def check_plain(self) -> bool:
        """Let `@key` begin a name, which YAML reserves."""
        return self.peek() == "@" or bool(super().check_plain())

    def scan_tag(self) -> Any:
        """Scan `!not !gt` as one tag; PyYAML would take `!any]` for a tag name and refuse two in a row."""
        if self.peek(1) in ("!", "<"):
            return super().scan_tag()
        start, names = self.get_mark(), [self._tag_name()]
        while (spaces := self._spaces()) and self.peek(spaces) == "!":
            self.forward(spaces)
            names.append(self._tag_name())
        return yaml.TagToken(("!", " ".join(names)), start, self.get_mark())

    def _tag_name(self) -> str:
        length = 1
        while _TAG_NAME.match(self.peek(length)):
            length += 1
        if self.peek(length) not in _AFTER_TAG or length == 1:
            raise yaml.scanner.ScannerError(None, None, "a tag is ! and a name, then a space", self.get_mark())
        name: str = self.prefix(length)[1:]
        self.forward(length)
        return name

    def _spaces(self) -> int:
        count = 0
        while self.peek(count) == " ":
            count += 1
        return count


def _from_yaml(text: str, expressions: list[str]) -> Node:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _yaml_error(error) from error
    except (yaml.YAMLError, ValueError, OverflowError, IndexError) as error:
        raise BodyError(f"the body cannot be read as YAML: {error}") from error
    except RecursionError as error:
        raise BodyError("the body is nested too deeply") from error
    return Literal(None) if root is None else _YamlTree(expressions).node(root, 0)


def _yaml_error(error: yaml.MarkedYAMLError) -> BodyError:
    mark = error.problem_mark or error.context_mark
    where = f" at column {mark.column + 1}" if mark else ""
    context = f" {error.context}," if error.context else ""
    hint = "check indentation and quotes"
    message = f"the body cannot be read as YAML:{context} {error.problem}{where}; {hint}"
    return BodyError(message, mark.line + 1 if mark else None)


class _YamlTree:
    """Turns PyYAML's nodes into ours; counts them, because aliases can multiply a small text."""

    def __init__(self, expressions: list[str]) -> None:
        self._expressions = expressions
        self._count = 0

    def node(self, node: yaml.Node, depth: int) -> Node:
        line = node.start_mark.line + 1
        _check_depth(depth, line)
        self._count += 1
        if self._count > _MAX_NODES:
            raise BodyError(f"the body has more than {_MAX_NODES} values; load a JSON file instead", line)
        tags = _tags(node, line)
        if tags == ["!!str"]:
            return self._quoted(node, line)
        inner = None if tags and _is_empty(node) else self._untagged(node, line, depth)
        for tag in reversed(tags):
            inner = Tagged(tag, inner, line)
        return inner or Literal(None, line)

    def _untagged(self, node: yaml.Node, line: int, depth: int) -> Node:
        if isinstance(node, yaml.MappingNode):
            keys = [self._key(key) for key, _ in node.value]
            _refuse_duplicates(keys)
            children = (self.node(value, depth + 1) for _, value in node.value)
            return Fields(tuple(zip(keys, children, strict=True)), line)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.node(item, depth + 1) for item in node.value), line)
        return self._scalar(node, line)

    def _scalar(self, node: Any, line: int) -> Literal | Template:
        if node.style is None and node.end_mark.line > node.start_mark.line and self._has_block(node.value):
            raise BodyError("a {% … %} block must begin and end within one line or one | text", line)
        if node.style is not None or _OPEN in node.value:
            return _text(node.value, self._expressions, line)
        value = plain_scalar(node.value, line)
        return _text(value, self._expressions, line) if isinstance(value, str) else Literal(value, line, node.value)

    def _has_block(self, text: str) -> bool:
        return any(self._expressions[int(each)].startswith("{%") for each in _PLACEHOLDER.findall(text))

    def _quoted(self, node: yaml.Node, line: int) -> Literal | Template:
        if not isinstance(node, yaml.ScalarNode):
            raise BodyError("!!str stands before text only", line)
        return _text(node.value, self._expressions, line)

    def _key(self, node: yaml.Node) -> Literal | Template:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode) or node.tag:
            raise BodyError("a field name is text; if a template was meant, write {{ name }}", line)
        if node.value == "<<" and node.style is None:
            raise BodyError('the merge key << is not supported; write the fields out, or quote "<<"', line)
        return _text(node.value, self._expressions, line)


def _tags(node: yaml.Node, line: int) -> list[str]:
    tag = node.tag or ""
    if tag == "tag:yaml.org,2002:str":
        return ["!!str"]
    if tag and not tag.startswith("!"):
        name = tag.rsplit(":", 1)[-1]
        raise BodyError(f"the tag !!{name} is not supported; write the value as in JSON, text in quotes", line)
    return tag[1:].split() if tag else []


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value == ""


def _check_depth(depth: int, line: int | None) -> None:
    if depth > _MAX_DEPTH:
        raise BodyError(f"the body is nested more than {_MAX_DEPTH} levels deep", line)


def _refuse_duplicates(keys: list[Literal | Template]) -> None:
    counts = Counter(key.value for key in keys if isinstance(key, Literal))
    for key in keys:
        if isinstance(key, Literal) and counts[key.value] > 1:
            raise BodyError(f"the field {key.value!r} is written twice; keep one of them", key.line)

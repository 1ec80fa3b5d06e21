"""YAML with matcher tags, read by PyYAML into a tree; imported when the first body comes that is no JSON."""

from __future__ import annotations

import re
from typing import Any

import yaml

from choreo_bdd.yaml_files import YamlProblem, in_words, require_bounded
from choreo_bdd_steps.language.doc_strings.body_text import (
    OPEN,
    PLACEHOLDER,
    check_depth,
    plain_scalar,
    refuse_duplicates,
    restored,
)
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, Template

_TAG_NAME = re.compile(r"[A-Za-z0-9_-]")
_GLUED = re.compile(r"[ \t]*(?<=[\s])(#[^\s#\0][^\r\n\0]*)")
_GLUED_BEHIND = re.compile(r"(?<=[\"'\]}])(#[^\s#\0][^\r\n\0]*)")
_CURLY = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\xab", "\xbb")
_AFTER_TAG = " \t\r\n\0,]}"
_MAX_SIZE = 200_000


class _Loader(yaml.BaseLoader):
    """PyYAML's scanner and composer, with tags that may follow each other and stand before ``,]}``."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:  # noqa: ARG002 - PyYAML's signature
        """Leave untagged nodes untagged: what a plain scalar means is decided by ``plain_scalar``."""
        return ""

    def check_plain(self) -> bool:
        """Let ``@key`` begin a name, which YAML reserves."""
        return self.peek() == "@" or bool(super().check_plain())

    def scan_tag(self) -> Any:
        """Scan ``!not !gt`` as one tag; PyYAML would take ``!any]`` for a tag name and refuse two in a row."""
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


def from_yaml(text: str, expressions: list[str]) -> Node:
    """The tree of a YAML text whose templates have been set aside. Raises BodyError."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is not None:
            require_bounded(root, _MAX_SIZE)
    except YamlProblem as problem:
        raise BodyError(f"the body {problem.problem}", problem.line) from problem
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
    context = f"{error.context}, " if error.context else ""
    is_comparison = (error.problem or "").startswith(("expected chomping", "expected a comment"))
    hint = "a comparison is a tag, as in !gt 5 or !ge 5" if is_comparison else "check indentation and quotes"
    problem = in_words(error.problem) or f"{context}{error.problem}"
    message = f"the body cannot be read as YAML: {problem}{where}; {hint}"
    return BodyError(message, mark.line + 1 if mark else None)


class _YamlTree:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, expressions: list[str]) -> None:
        self._expressions = expressions

    def node(self, node: yaml.Node, depth: int) -> Node:
        line = node.start_mark.line + 1
        check_depth(depth, line)
        _refuse_glued_comment(node)
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
            refuse_duplicates(keys)
            _refuse_flow_without_values(node)
            children = (self.node(value, depth + 1) for _, value in node.value)
            return Fields(tuple(zip(keys, children, strict=True)), line)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.node(item, depth + 1) for item in node.value), line)
        return self._scalar(node, line)

    def _scalar(self, node: Any, line: int) -> Literal | Template:
        if node.style is None and node.end_mark.line > node.start_mark.line and self._has_block(node.value):
            raise BodyError("a {% … %} block must begin and end within one line or one | text", line)
        if node.style is not None or OPEN in node.value:
            return restored(node.value, self._expressions, line)
        value = plain_scalar(node.value, line)
        if isinstance(value, str):
            return restored(value, self._expressions, line, bare=True)
        return Literal(value, line, node.value)

    def _has_block(self, text: str) -> bool:
        return any(self._expressions[int(each)].startswith("{%") for each in PLACEHOLDER.findall(text))

    def _quoted(self, node: yaml.Node, line: int) -> Literal | Template:
        if not isinstance(node, yaml.ScalarNode):
            raise BodyError("!!str stands before text only", line)
        return restored(node.value, self._expressions, line)

    def _key(self, node: yaml.Node) -> Literal | Template:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode) or node.tag:
            raise BodyError("a field name is text; if a template was meant, write {{ name }}", line)
        if node.value == "<<" and node.style is None:
            raise BodyError('the merge key << is not supported; write the fields out, or quote "<<"', line)
        if node.style is None and node.value[:1] in _CURLY:
            straight = node.value.strip("".join(_CURLY))
            raise BodyError(
                f"the field name {node.value!r} stands in curly quotes, which are a part of it; write {straight}, or "
                f'quote it if this name is meant: "{node.value}"',
                line,
            )
        return restored(node.value, self._expressions, line, bare=node.style is None)


def _tags(node: yaml.Node, line: int) -> list[str]:
    tag = node.tag or ""
    if tag == "tag:yaml.org,2002:str":
        return ["!!str"]
    if tag and not tag.startswith("!"):
        name = tag.rsplit(":", 1)[-1]
        raise BodyError(f"the tag !!{name} is not supported; write the value as in JSON, text in quotes", line)
    return tag[1:].split() if tag else []


def _refuse_flow_without_values(node: yaml.MappingNode) -> None:
    """Raise BodyError for ``{a 1}`` and ``{a}``, which YAML reads as a field without a value."""
    for key, value in node.value if node.flow_style else ():
        if not value.tag and _is_empty(value):
            raise BodyError(
                f"the field {key.value!r} in braces has no value; write {{name: value}}, or null for none",
                key.start_mark.line + 1,
            )


def _refuse_glued_comment(node: Any) -> None:
    """Raise BodyError where ``#5`` behind a value, or in its place, would be dropped as a comment."""
    buffer, end = node.end_mark.buffer, node.end_mark.pointer
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    if buffer is not None and (found := (_GLUED if is_plain else _GLUED_BEHIND).match(buffer, end)):
        raise BodyError(
            f"{found[1]!r} would be dropped as a comment; quote the whole text, or put a blank behind the #",
            node.end_mark.line + 1,
        )


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value == ""

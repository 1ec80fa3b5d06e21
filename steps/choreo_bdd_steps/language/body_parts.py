"""What the bodies of an expectation and of a publish have in common: how a doc string is read, and its @ names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from choreo_bdd_steps.language.doc_strings.raw import from_base64, from_hex
from choreo_bdd_steps.language.doc_strings.yaml_body import read_json, read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.tables import Table
from choreo_bdd_steps.language.matching.values import Builder
from choreo_bdd_steps.language.paths import envelope_name, header_names, parse_field
from choreo_bdd_steps.language.syntax import Fields, Literal, Node, Template, is_template, text_node
from choreo_bdd_steps.language.templates.functions import as_text

Read = Callable[[Builder], object]
"""A part of a body, once the variables are known."""
NUMBERS = ("partition", "status")
"""What is a number around a message."""

Convert = Callable[[str], object]
_SAYS = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
_KIND_OF_MEDIA = re.compile(r".*[/+]|\s*;.*")  # application/vnd.shop+json; charset=utf-8 is json
_READERS: Mapping[str, Callable[[str], Node]] = {"yaml": read_yaml, "json": read_json}
_CONVERTERS: Mapping[str, Convert] = {"text": str, "xml": str, "hex": from_hex, "base64": from_base64}


def require_one(docstring: str | None, table: Table | None) -> None:
    """Raise BodyError for a step with a doc string and a table."""
    if docstring is not None and table is not None:
        raise BodyError("a step takes a doc string or a table, not both; remove one")


def read_doc_string(docstring: str | None, media_type: str | None) -> tuple[Node | None, Convert | None]:
    """What a doc string says, and how its text becomes a payload; no node where it says nothing. Raises BodyError."""
    if docstring is None:
        return None, None
    kind = _KIND_OF_MEDIA.sub("", (media_type or "yaml").strip().lower())
    if kind in _CONVERTERS:
        return text_node(docstring), _CONVERTERS[kind]
    if kind in _READERS:
        return (_READERS[kind](docstring) if _SAYS.search(docstring) else None), None
    raise BodyError(f"the media type {media_type!r} is unknown; use json, yaml, text, xml, hex or base64")


def split_envelope(node: Node) -> tuple[Node | None, tuple[tuple[str, Node], ...]]:
    """A top-level object without its @ names, and these; None when nothing else was there."""
    if not isinstance(node, Fields):
        return node, ()
    names = [envelope_name(_written(key), key.line) for key, _ in node.pairs]
    pairs = list(zip(names, node.pairs, strict=True))
    around = tuple((name, value) for name, (_, value) in pairs if name)
    payload = tuple(pair for name, pair in pairs if not name)
    return (Fields(payload, node.line) if payload or not around else None), around


def _written(key: Literal | Template) -> str:
    return str(key.value) if isinstance(key, Literal) else key.source


def reader(node: Node, convert: Convert | None) -> Read:
    """What makes a value of a node: of its text by ``convert``, where the doc string is in another language."""
    if convert is None:
        return lambda builder: builder.value(node)
    return lambda builder: convert(str(as_text(builder.value(node))))


def envelope_values(
    around: Iterable[tuple[str, Node]], builder: Builder, read: Callable[[Node], Node]
) -> Iterable[tuple[str, object]]:
    """The values of what stands around a payload by their names; ``read`` says how texts among them are meant."""
    for written, node in around:
        name = written if not is_template(written) else str(builder.place(parse_field(f"@{written}")).envelope)
        value = builder.value(node if name in NUMBERS else read(node))
        if name == "headers":
            yield from header_names(value, node.line).items()
        else:
            yield name, value

"""What a publish sends: read ahead of time, built once the variables are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field

from choreo_bdd.message import NO_PAYLOAD, NoPayload
from choreo_bdd_steps.language.body_parts import (
    Convert,
    Read,
    envelope_values,
    read_doc_string,
    reader,
    require_one,
    split_envelope,
)
from choreo_bdd_steps.language.doc_strings.files import read_file
from choreo_bdd_steps.language.doc_strings.raw import from_text
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.tables import Row, Table, assemble, read_table
from choreo_bdd_steps.language.kept import kept
from choreo_bdd_steps.language.matching.misread import refuse_calls
from choreo_bdd_steps.language.matching.values import Builder, needs_of, refuse_tags
from choreo_bdd_steps.language.matching.wire import as_sent, label
from choreo_bdd_steps.language.reserved_names import hides_given
from choreo_bdd_steps.language.syntax import Fields, Literal, Node, Template, text_node
from choreo_bdd_steps.language.templates.functions import Variables


class OutgoingMessage(Struct, frozen=True):
    """One message to publish; a ``payload`` of bytes is left alone by the codec."""

    payload: object
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Draft(Struct, frozen=True):
    """One outgoing message before its variables are known."""

    payload: Read
    around: tuple[tuple[str, Node], ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What it calls the places that it fills one by one."""
        return (*self.fields, *(name for name, _ in self.around))


class PayloadBody(Struct, frozen=True):
    """What a publish sends; ``needs`` are the variables its templates name, ``index`` and ``trigger`` among them."""

    drafts: tuple[Draft, ...]
    needs: frozenset[str]
    base_dir: Path

    @property
    def around(self) -> frozenset[str]:
        """What it puts around the payload: ``key``, ``headers.<name>``, …"""
        return frozenset(name for draft in self.drafts for name, _ in draft.around)

    def build(self, variables: Variables, **extra: object) -> list[OutgoingMessage]:
        """One message for each draft, ``extra`` on top of the variables. Raises BodyError."""
        if hidden := sorted(self.needs & extra.keys() & variables.values.keys()):
            raise BodyError(hides_given(hidden[0]))
        builder = Builder(variables.extended(**extra), self.base_dir)
        return [_built_message(draft, builder) for draft in self.drafts]


@kept
def parse_payload(
    docstring: str | None,
    table: Table | None,
    *,
    media_type: str | None = None,
    base_dir: Path,
    otherwise: NoPayload | None = None,
) -> PayloadBody:
    """Read what a publish sends: a body, or nothing, which is ``{}`` or ``otherwise``. Raises BodyError."""
    require_one(docstring, table)
    if table is not None:
        rows = read_table(table, publish=True)
        return _payload_body([_row_draft(row, otherwise) for row in rows], (c.node for r in rows for c in r), base_dir)
    node, convert = read_doc_string(docstring, media_type)
    return _draft_body(node, convert, base_dir, otherwise)


def parse_envelope(docstring: str, *, base_dir: Path = Path()) -> PayloadBody:
    """Read an envelope: an object with ``key``, ``headers`` and ``payload``, each optional. Raises BodyError.

    Instead of ``payload`` it may have ``raw``: text that is sent as ``parse_raw`` reads it.
    """
    node = read_yaml(docstring)
    if not isinstance(node, Fields):
        raise BodyError("an envelope is an object with the fields key, headers and payload", node.line)
    parts = {key.value if isinstance(key, Literal) else key.source: value for key, value in node.pairs}
    if unknown := parts.keys() - {"key", "headers", "payload", "raw"}:
        wrong = min(unknown, key=str)
        raise BodyError(
            f"an envelope has no field {wrong!r}; use key, headers and payload, or raw for bytes", node.line
        )
    if {"payload", "raw"} <= parts.keys():
        raise BodyError("an envelope holds a payload or raw bytes, not both; remove one", node.line)
    around = tuple((str(name), parts[name]) for name in ("key", "headers") if name in parts)
    read = (
        _payload_reader(_raw_text(parts["raw"]), from_text) if "raw" in parts else _payload_reader(parts.get("payload"))
    )
    return _payload_body([Draft(read, around)], parts.values(), base_dir)


def _raw_text(node: Node) -> Node:
    if isinstance(node, Template) or (isinstance(node, Literal) and isinstance(node.value, str)):
        return node
    raise BodyError("raw is text, or hex: or base64: and what follows; put it in quotes or below raw: |", node.line)


def parse_raw(docstring: str, *, base_dir: Path = Path()) -> PayloadBody:
    """Read bytes: the text itself, or what follows ``hex:`` or ``base64:``. Raises BodyError."""
    return _draft_body(text_node(docstring), from_text, base_dir)


def no_payload(base_dir: Path) -> PayloadBody:
    """What a publish without any payload sends."""
    return _payload_body([Draft(lambda _: NO_PAYLOAD)], (), base_dir)


def load_file(path: str, base_dir: Path) -> PayloadBody:
    """Read a file: JSON and YAML with templates, any other file as raw bytes. Raises BodyError with the path."""
    content = read_file(path, base_dir)
    if isinstance(content, bytes):
        return _payload_body([Draft(lambda _: content)], (), base_dir)
    return _draft_body(content, None, base_dir)


def _draft_body(
    node: Node | None, convert: Convert | None, base_dir: Path, otherwise: NoPayload | None = None
) -> PayloadBody:
    payload, around = (None, ()) if node is None else split_envelope(node)
    nodes = [each for each in (payload, *(part for _, part in around)) if each is not None]
    return _payload_body([Draft(_payload_reader(payload, convert, otherwise), around)], nodes, base_dir)


def _payload_body(drafts: Iterable[Draft], nodes: Iterable[Node], base_dir: Path) -> PayloadBody:
    used = list(nodes)
    for node in used:
        refuse_tags(node)
        refuse_calls(node)
    drafts = tuple(drafts)
    names = [text_node(name) for draft in drafts for name in draft.names]
    return PayloadBody(drafts, needs_of(*used, *names), base_dir)


def _payload_reader(node: Node | None, convert: Convert | None = None, otherwise: NoPayload | None = None) -> Read:
    return (lambda _: {} if otherwise is None else otherwise) if node is None else reader(node, convert)


def _row_draft(row: Row, otherwise: NoPayload | None) -> Draft:
    inside = [cell for cell in row if not cell.field.envelope]
    around = tuple((cell.field.envelope, cell.node) for cell in row if cell.field.envelope)
    if not inside:
        return Draft(_payload_reader(None, None, otherwise), around)
    return Draft(
        lambda builder: assemble(
            (builder.place(cell.field, cell.line), builder.value(cell.node), cell.line) for cell in inside
        ),
        around,
        tuple(cell.field.label for cell in inside),
    )


def _built_message(draft: Draft, builder: Builder) -> OutgoingMessage:
    payload = draft.payload(builder)
    _refuse_non_finite(payload)
    key: str | None = None
    headers: dict[str, str] = {}
    names: set[str] = set()
    for name, value in envelope_values(draft.around, builder, as_sent):
        if name in names:
            raise BodyError(f"@{name} is set twice, and a message has one of a name; keep one of them")
        names.add(name)
        if name == "key":
            key = None if value is None else label("@key", value)
        elif name.startswith("headers."):
            headers[name.removeprefix("headers.")] = label(f"@{name}", value)
        else:
            raise BodyError(f"@{name} cannot be set in a publish; name the topic in the step, use @key to route")
    return OutgoingMessage(payload, key, headers)


def _refuse_non_finite(payload: object) -> None:
    if isinstance(payload, float) and not math.isfinite(payload):
        raise BodyError(f"{payload} is not a JSON number and cannot be published")
    if isinstance(payload, (dict, list)):
        for item in payload.values() if isinstance(payload, dict) else payload:
            _refuse_non_finite(item)

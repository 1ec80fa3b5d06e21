"""The façade: what follows a step's sentence, read ahead of time and built once the variables are known."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from choreo_bdd.matchers import Matcher
from choreo_bdd.message import NO_PAYLOAD, NoPayload
from choreo_bdd_steps.language.doc_strings.files import read_file
from choreo_bdd_steps.language.doc_strings.raw import from_base64, from_hex, from_text
from choreo_bdd_steps.language.doc_strings.yaml_body import read_json, read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import refuse_operators
from choreo_bdd_steps.language.grammar.conditions import Condition, parse_condition
from choreo_bdd_steps.language.grammar.contradictions import places_in, refuse_contradiction
from choreo_bdd_steps.language.grammar.placing import Placed, placed
from choreo_bdd_steps.language.grammar.tables import Cell, Row, Table, asked_of, assemble, read_table
from choreo_bdd_steps.language.kept import kept
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher, body_matcher, equalling, expecting, together
from choreo_bdd_steps.language.matching.misread import refuse_calls, refuse_misread, refuse_text
from choreo_bdd_steps.language.matching.values import Builder, check_tags, needs_of, refuse_tags, tags_in
from choreo_bdd_steps.language.matching.wire import as_operand, as_sent, label
from choreo_bdd_steps.language.paths import Field, envelope_name, header_names
from choreo_bdd_steps.language.reserved_names import hides_given
from choreo_bdd_steps.language.syntax import Fields, Literal, Node, Tagged, Template, field_by_field, text_node
from choreo_bdd_steps.language.templates.functions import Variables, as_text

Read = Callable[[Builder], object]
_NUMBERS = ("partition", "status")
_WHOLE = Field("(the whole payload)")

SWITCHED_OFF = "!python is switched off; allow it with `python_matchers: true` in choreo.yaml, or use @matcher"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to publish; a ``payload`` of bytes is left alone by the codec."""

    payload: object
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """One expected message before its variables are known: a whole payload, its ``fields`` one by one, single places.

    All ``cells`` must fit, and of ``one_of`` (a condition joined by ``or``) at least one.
    """

    spec: Read | None = None
    cells: Row = ()
    around: tuple[tuple[str, Node], ...] = ()
    one_of: Row = ()
    fields: tuple[Read, ...] = ()

    @property
    def asked_around(self) -> tuple[tuple[str, Node], ...]:
        """What is asked of the message around the payload, each with its name."""
        return (*self.around, *((n, c.node) for c in (*self.cells, *self.one_of) if (n := c.field.envelope)))


@dataclass(frozen=True, slots=True)
class Draft:
    """One outgoing message before its variables are known."""

    payload: Read
    around: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectationBody:
    """What an expectation asks; ``needs`` are the variables its templates name.

    With ``calls_python`` it runs code that a ``!python`` tag names, which the configuration must allow.
    """

    rows: tuple[Expected, ...]
    needs: frozenset[str]
    base_dir: Path
    calls_python: bool = False

    @property
    def around(self) -> frozenset[str]:
        """What it asks of the message around the payload: ``key``, ``headers.<name>``, …"""
        return frozenset(name for row in self.rows for name, _ in row.asked_around)

    @property
    def count(self) -> int:
        """How many messages it asks for: one, or one a row of a table."""
        return len(self.rows)

    @property
    def one_by_one(self) -> tuple[ExpectationBody, ...]:
        """Each single thing that it says, as a body of its own."""
        single = [
            each
            for row in self.rows
            for each in (
                *(Expected(field) for field in row.fields),
                *(Expected(cells=(cell,)) for cell in row.cells),
                *(Expected(around=((name, each),)) for name, node in row.around for each in field_by_field(node)),
            )
        ]
        return tuple(replace(self, rows=(each,)) for each in single)

    def build(self, variables: Variables) -> list[BodyMatcher]:
        """One matcher for each expected message. Raises BodyError, for a variable that is not set, say."""
        if self.calls_python and not variables.python_matchers:
            raise BodyError(SWITCHED_OFF)
        builder = Builder(variables, self.base_dir)
        return [_built_expectation(row, builder) for row in self.rows]


@dataclass(frozen=True, slots=True)
class PayloadBody:
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
def parse_expectation(
    docstring: str | None,
    table: Table | None,
    where: str | None,
    *,
    media_type: str | None = None,
    schema: str | None = None,
    base_dir: Path,
    quiet: bool = False,
    apart: bool = False,
) -> ExpectationBody:
    """Read what an expectation asks: a body, a condition, a schema. Raises BodyError.

    ``quiet``: see misread; ``apart``: each cell, or field of a doc string, is held against the message by itself.
    """
    _one_body(docstring, table)
    asked = parse_condition(where) if where else Condition()
    clauses = tuple(Cell(place, node, 1) for place, node in asked.clauses)
    condition, one_of = ((), clauses) if asked.any_of else (clauses, ())
    if schema is not None:
        condition = (*condition, Cell(_WHOLE, Tagged("schema", text_node(schema)), 1))
    payload: Node | None = None
    if table is not None:
        rows = read_table(table, apart=apart)
        nodes = [cell.node for row in rows for cell in row]
        expected = tuple(Expected(cells=(*condition, *row), one_of=one_of) for row in rows)
    else:
        node, convert = _read(docstring, media_type)
        if node is None and docstring is not None:
            raise BodyError("the doc string is empty; say in it what the message holds, or take it away")
        payload, around = (node, ()) if node is None else _split_envelope(node)
        nodes = [each for each in (payload, *(part for _, part in around)) if each is not None]
        spec = None if payload is None else _reader(payload, convert)
        fields = () if payload is None else tuple(_reader(each, convert) for each in field_by_field(payload))
        expected = (Expected(spec, condition, around, one_of, fields),)
    for row in expected if condition or payload else ():
        said = (*asked_of(row.cells), *places_in(payload))
        for at_once in [[part] for part in said] if apart else [said]:
            refuse_contradiction(at_once, "condition and the body" if condition else "body")
    every = [*nodes, *(cell.node for cell in (*condition, *one_of))]
    for each in every:
        check_tags(each)
        refuse_misread(each, quiet=quiet)
        if quiet and table is None and each in nodes:
            refuse_operators(each)
    for name, node in (part for row in expected for part in row.asked_around if part[0] in _NUMBERS):
        refuse_text(name, node)
    calls_python = any(tagged.tag == "python" for each in every for tagged in tags_in(each))
    return ExpectationBody(expected, needs_of(*every), base_dir, calls_python)


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
    _one_body(docstring, table)
    if table is not None:
        rows = read_table(table, publish=True)
        return _payload_body([_row_draft(row, otherwise) for row in rows], (c.node for r in rows for c in r), base_dir)
    node, convert = _read(docstring, media_type)
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


# --- reading ------------------------------------------------------------------------------------------

_Convert = Callable[[str], object]
_SAYS = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
_KIND_OF_MEDIA = re.compile(r".*[/+]|\s*;.*")  # application/vnd.shop+json; charset=utf-8 is json
_READERS: Mapping[str, Callable[[str], Node]] = {"yaml": read_yaml, "json": read_json}
_CONVERTERS: Mapping[str, _Convert] = {"text": str, "xml": str, "hex": from_hex, "base64": from_base64}


def _one_body(docstring: str | None, table: Table | None) -> None:
    if docstring is not None and table is not None:
        raise BodyError("a step takes a doc string or a table, not both; remove one")


def _read(docstring: str | None, media_type: str | None) -> tuple[Node | None, _Convert | None]:
    """What a doc string says, and how its text becomes a payload; no node where it says nothing."""
    if docstring is None:
        return None, None
    kind = _KIND_OF_MEDIA.sub("", (media_type or "yaml").strip().lower())
    if kind in _CONVERTERS:
        return text_node(docstring), _CONVERTERS[kind]
    if kind in _READERS:
        return (_READERS[kind](docstring) if _SAYS.search(docstring) else None), None
    raise BodyError(f"the media type {media_type!r} is unknown; use json, yaml, text, xml, hex or base64")


def _split_envelope(node: Node) -> tuple[Node | None, tuple[tuple[str, Node], ...]]:
    """A top-level object without its @ names, and these; None when nothing else was there."""
    if not isinstance(node, Fields):
        return node, ()
    names = [envelope_name(str(key.value), key.line) if isinstance(key, Literal) else None for key, _ in node.pairs]
    pairs = list(zip(names, node.pairs, strict=True))
    around = tuple((name, value) for name, (_, value) in pairs if name)
    payload = tuple(pair for name, pair in pairs if not name)
    return (Fields(payload, node.line) if payload or not around else None), around


def _reader(node: Node, convert: _Convert | None) -> Read:
    if convert is None:
        return lambda builder: builder.value(node)
    return lambda builder: convert(str(as_text(builder.value(node))))


# --- expecting ----------------------------------------------------------------------------------------


def _built_expectation(row: Expected, builder: Builder) -> BodyMatcher:
    parts, around = _cells(row.cells, builder)
    for name, value in _envelope_values(row.around, builder, as_operand):
        around.setdefault(name, []).append(equalling(value))
    if row.spec is not None:
        parts.append(expecting(row.spec(builder)))
    choices = [_put_together(*_cells((cell,), builder)) for cell in row.one_of]
    return _put_together(parts, around, choices)


def _put_together(
    parts: list[Matcher], around: Mapping[str, list[Matcher]], choices: Sequence[BodyMatcher] = ()
) -> BodyMatcher:
    return body_matcher(parts, {name: together(matchers) for name, matchers in around.items()}, choices)


def _cells(cells: Row, builder: Builder) -> tuple[list[Matcher], dict[str, list[Matcher]]]:
    """What single places of the payload must be, and what stands around it."""
    parts: list[Matcher] = []
    around: dict[str, list[Matcher]] = {}
    inside: list[Placed] = []
    measured = {cell.field.label for cell in cells if isinstance(cell.node, Tagged) and cell.node.tag == "length"}
    for cell in cells:
        if name := cell.field.envelope:
            around.setdefault(name, []).append(equalling(builder.value(_operand(name, cell.node))))
        elif cell.field is _WHOLE:
            parts.append(equalling(builder.value(cell.node)))
        else:
            admits_empty = cell.field.label.partition("[*]")[0] in measured
            inside.append(Placed(cell.field, equalling(builder.value(cell.node)), admits_empty))
    return [*placed(inside), *parts], around


def _operand(name: str, node: Node) -> Node:
    return node if name in _NUMBERS else as_operand(node)


def _envelope_values(
    around: Iterable[tuple[str, Node]], builder: Builder, read: Callable[[Node], Node]
) -> Iterable[tuple[str, object]]:
    for name, node in around:
        value = builder.value(node if name in _NUMBERS else read(node))
        if name == "headers":
            yield from header_names(value, node.line).items()
        else:
            yield name, value


# --- publishing ---------------------------------------------------------------------------------------


def _draft_body(
    node: Node | None, convert: _Convert | None, base_dir: Path, otherwise: NoPayload | None = None
) -> PayloadBody:
    payload, around = (None, ()) if node is None else _split_envelope(node)
    nodes = [each for each in (payload, *(part for _, part in around)) if each is not None]
    return _payload_body([Draft(_payload_reader(payload, convert, otherwise), around)], nodes, base_dir)


def _payload_body(drafts: Iterable[Draft], nodes: Iterable[Node], base_dir: Path) -> PayloadBody:
    used = list(nodes)
    for node in used:
        refuse_tags(node)
        refuse_calls(node)
    return PayloadBody(tuple(drafts), needs_of(*used), base_dir)


def _payload_reader(node: Node | None, convert: _Convert | None = None, otherwise: NoPayload | None = None) -> Read:
    return (lambda _: {} if otherwise is None else otherwise) if node is None else _reader(node, convert)


def _row_draft(row: Row, otherwise: NoPayload | None) -> Draft:
    inside = [cell for cell in row if not cell.field.envelope]
    around = tuple((cell.field.envelope, cell.node) for cell in row if cell.field.envelope)
    if not inside:
        return Draft(_payload_reader(None, None, otherwise), around)
    return Draft(lambda builder: assemble((cell.field, builder.value(cell.node), cell.line) for cell in inside), around)


def _built_message(draft: Draft, builder: Builder) -> OutgoingMessage:
    payload = draft.payload(builder)
    _refuse_non_finite(payload)
    key: str | None = None
    headers: dict[str, str] = {}
    names: set[str] = set()
    for name, value in _envelope_values(draft.around, builder, as_sent):
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

"""What an expectation asks of its messages: read ahead of time, built once the variables are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from choreo_bdd.matchers import Matcher
from choreo_bdd_steps.language.body_parts import (
    NUMBERS,
    Read,
    envelope_values,
    read_doc_string,
    reader,
    require_one,
    split_envelope,
)
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import refuse_operators
from choreo_bdd_steps.language.grammar.conditions import Condition, parse_condition
from choreo_bdd_steps.language.grammar.contradictions import places_in, refuse_contradiction
from choreo_bdd_steps.language.grammar.placing import Placed, placed
from choreo_bdd_steps.language.grammar.tables import Cell, Row, Table, asked_of, read_table
from choreo_bdd_steps.language.kept import kept
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher, body_matcher, equalling, expecting, together
from choreo_bdd_steps.language.matching.misread import refuse_misread, refuse_text
from choreo_bdd_steps.language.matching.values import Builder, check_tags, needs_of, tags_in
from choreo_bdd_steps.language.matching.wire import as_operand
from choreo_bdd_steps.language.paths import Field
from choreo_bdd_steps.language.syntax import Node, Tagged, field_by_field, text_node
from choreo_bdd_steps.language.templates.functions import Variables

_WHOLE = Field("(the whole payload)")

SWITCHED_OFF = "!python is switched off; allow it with `python_matchers: true` in choreo.yaml, or use @matcher"


class Expected(Struct, frozen=True):
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

    @property
    def names(self) -> tuple[str, ...]:
        """What it calls the places that it speaks of one by one."""
        return (*(cell.field.label for cell in (*self.cells, *self.one_of)), *(name for name, _ in self.around))


class ExpectationBody(Struct, frozen=True):
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
    def asks_payload(self) -> bool:
        """Whether it says anything of the payload itself."""
        return any(
            row.spec is not None or any(each.field.envelope is None for each in (*row.cells, *row.one_of))
            for row in self.rows
        )

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
        return tuple(structs.replace(self, rows=(each,)) for each in single)

    def build(self, variables: Variables) -> list[BodyMatcher]:
        """One matcher for each expected message. Raises BodyError, for a variable that is not set, say."""
        if self.calls_python and not variables.python_matchers:
            raise BodyError(SWITCHED_OFF)
        builder = Builder(variables, self.base_dir)
        return [_built_expectation(row, builder) for row in self.rows]


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
    require_one(docstring, table)
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
        node, convert = read_doc_string(docstring, media_type)
        if node is None and docstring is not None:
            raise BodyError("the doc string is empty; say in it what the message holds, or take it away")
        payload, around = (node, ()) if node is None else split_envelope(node)
        nodes = [each for each in (payload, *(part for _, part in around)) if each is not None]
        spec = None if payload is None else reader(payload, convert)
        fields = () if payload is None else tuple(reader(each, convert) for each in field_by_field(payload))
        expected = (Expected(spec, condition, around, one_of, fields),)
    for row in expected if condition or payload is not None else ():
        said = (*asked_of(row.cells), *places_in(payload))
        for at_once in [[part] for part in said] if apart else [said]:
            refuse_contradiction(at_once, "condition and the body" if condition else "body")
    names = [text_node(name) for row in expected for name in row.names]
    every = [*nodes, *(cell.node for cell in (*condition, *one_of))]
    for each in every:
        check_tags(each)
        refuse_misread(each, quiet=quiet)
        if quiet and table is None and each in nodes:
            refuse_operators(each)
    for name, node in (part for row in expected for part in row.asked_around if part[0] in NUMBERS):
        refuse_text(name, node)
    calls_python = any(tagged.tag == "python" for each in every for tagged in tags_in(each))
    return ExpectationBody(expected, needs_of(*every, *names), base_dir, calls_python)


def _built_expectation(row: Expected, builder: Builder) -> BodyMatcher:
    parts, around = _cells(row.cells, builder)
    for name, value in envelope_values(row.around, builder, as_operand):
        around.setdefault(name, []).append(equalling(value))
    if row.spec is not None:
        parts.append(expecting(row.spec(builder)))
    choices = [_put_together(*_cells((cell,), builder)) for cell in row.one_of]
    return _put_together(parts, around, choices)


def _put_together(
    parts: list[Matcher], around: Mapping[str, list[Matcher]], choices: Sequence[BodyMatcher] = ()
) -> BodyMatcher:
    return body_matcher(parts, {name: together(matchers) for name, matchers in around.items()}, choices)


def _cells(cells: Sequence[Cell], builder: Builder) -> tuple[list[Matcher], dict[str, list[Matcher]]]:
    """What single places of the payload must be, and what stands around it."""
    cells = [structs.replace(c, field=builder.place(c.field, c.line)) if c.field.is_template else c for c in cells]
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
    return node if name in NUMBERS else as_operand(node)

"""Data tables: ``field | value``, or one message per row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import is_text, parse_cell
from choreo_bdd_steps.language.grammar.contradictions import refuse_contradiction
from choreo_bdd_steps.language.paths import Field, Segment, parse_field
from choreo_bdd_steps.language.syntax import Node

Table = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell says about one field."""

    field: Field
    node: Node
    line: int


Row = tuple[Cell, ...]


def read_table(table: Table, *, publish: bool = False) -> tuple[Row, ...]:
    """The messages that a table describes, each as its cells; lines count from 1, the heading.

    Raises BodyError; with ``publish`` for operators, too.
    """
    if not table:
        raise BodyError("the table is empty; write a heading row | field | value | and a row for each field")
    heading, *rows = ([cell.strip() for cell in row] for row in table)
    for line, row in enumerate(rows, start=2):
        if len(row) != len(heading):
            raise BodyError(f"the row has {len(row)} cells, the heading {len(heading)}", line)
    if not rows:
        raise BodyError("the table has a heading only; add a row for each field", 1)
    if [name.lower() for name in heading] == ["field", "value"]:
        cells = _by_field(rows, publish=publish)
        if not publish:
            refuse_contradiction(asked_of(cells), "table")
        return (cells,)
    _refuse_near_miss(heading, rows)
    fields = [_column(name) for name in heading]
    messages = tuple(_by_column(fields, row, line, publish=publish) for line, row in enumerate(rows, start=2))
    for line, each in enumerate(messages if not publish else (), start=2):
        refuse_contradiction(asked_of(each), "row", line)
    return messages


def asked_of(cells: Iterable[Cell]) -> Iterator[tuple[Field, Node]]:
    """What cells ask, each with its place."""
    return ((each.field, each.node) for each in cells)


def assemble(cells: Iterable[tuple[Field, object, int]]) -> object:
    """The nested value that paths and values describe; ``{}`` for none. Raises BodyError."""
    root = _Branch()
    for place, value, line in cells:
        root.put(place, value, line)
    return root.value()


def _by_field(rows: list[list[str]], *, publish: bool) -> Row:
    return tuple(
        Cell(parse_field(name, line), parse_cell(text, line, publish=publish), line)
        for line, (name, text) in enumerate(rows, start=2)
    )


def _by_column(fields: list[Field], row: list[str], line: int, *, publish: bool) -> Row:
    pairs = zip(fields, row, strict=True)
    return tuple(Cell(place, parse_cell(text, line, publish=publish), line) for place, text in pairs if text)


_FIELD_WORDS = frozenset({"field", "fields", "name", "path", "key", "property", "attribute", "column", "header"})
_VALUE_WORDS = frozenset({"value", "values", "val", "expected", "content"})
_COMMON_FIELDS = frozenset({"id", "name", "status", "type", "key", "value", "field", "path", "amount", "total", "qty"})


def _refuse_near_miss(heading: list[str], rows: list[list[str]]) -> None:
    """Raise BodyError for a table that was meant as ``field | value`` and would be read as one message a row."""
    names = [name.lower() for name in heading]
    if len(names) > 2 and "value" in names and {"field", "path"} & set(names):
        raise BodyError(
            f"a table of single fields has two columns, | field | value |; the heading {' | '.join(heading)} has "
            f"{len(heading)}, which makes each row a message of its own; quote one of them if that is meant: "
            f"| '{heading[0]}' |",
            1,
        )
    if len(names) != 2:
        return
    first, second = names
    is_near = (first in _FIELD_WORDS and second in _VALUE_WORDS) or (first in _VALUE_WORDS and second in _FIELD_WORDS)
    starts = [row[0] for row in rows]
    lacks_heading = any(start in _COMMON_FIELDS or start.startswith("@") or start.endswith("_id") for start in starts)
    if is_near or (lacks_heading and len(set(starts)) == len(starts)):
        raise BodyError(
            f"the heading {' | '.join(heading)} makes each row a message of its own; for one message begin the table "
            f"with | field | value |, for messages of two such fields quote the heading: | '{heading[0]}' | "
            f"'{heading[1]}' |",
            1,
        )


def _column(name: str) -> Field:
    if not is_text(name) or "{{" in name:
        raise BodyError(
            f"the heading {name!r} is no field name; a table of single fields begins with | field | value |", 1
        )
    return parse_field(name, 1)


@dataclass(slots=True)
class _Branch:
    """An object or list that is being filled, its label the path that led here."""

    label: str = ""
    line: int = 1
    children: dict[Segment, object] = field(default_factory=dict)

    def put(self, place: Field, value: object, line: int) -> None:
        node = self
        for segment in place.segments[:-1]:
            node = node._below(segment, place, line)
        last = _writable(place.segments[-1], place, line)
        if last in node.children:
            raise BodyError(f"the field {place.label} is set twice; keep one row", line)
        node.children[last] = value

    def value(self) -> object:
        built = {key: item.value() if isinstance(item, _Branch) else item for key, item in self.children.items()}
        indexes = [key for key in built if isinstance(key, int)]
        if not indexes:
            return built
        if len(indexes) < len(built):
            raise BodyError(f"{self.label or 'the payload'} cannot be both a list and an object", self.line)
        if sorted(indexes) != list(range(len(built))):
            raise BodyError(f"{self.label or 'the payload'} has gaps; number its elements from [0]", self.line)
        return [built[index] for index in range(len(built))]

    def _below(self, segment: Segment, place: Field, line: int) -> _Branch:
        child = self.children.setdefault(_writable(segment, place, line), _Branch(place.label, line))
        if not isinstance(child, _Branch):
            raise BodyError(f"the field {place.label} lies inside a value that another row sets", line)
        return child


def _writable(segment: Segment, place: Field, line: int) -> str | int:
    if isinstance(segment, str) or (isinstance(segment, int) and segment >= 0):
        return segment
    raise BodyError(f"{place.label} names no single place to write to; use [0], [1], …", line)

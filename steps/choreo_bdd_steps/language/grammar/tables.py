"""Data tables: ``field | value``, or one message per row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from msgspec import Struct, field

from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.grammar.cells import is_text, parse_cell
from choreo_bdd_steps.language.grammar.contradictions import refuse_contradiction
from choreo_bdd_steps.language.paths import Field, Segment, parse_field
from choreo_bdd_steps.language.syntax import Node

Table = Sequence[Sequence[str]]


class Cell(Struct, frozen=True):
    """What one cell says about one field."""

    field: Field
    node: Node
    line: int


Row = tuple[Cell, ...]


def read_table(table: Table, *, publish: bool = False, apart: bool = False) -> tuple[Row, ...]:
    """The messages that a table describes, each as its cells; lines count from 1, the heading.

    ``apart``: each cell is held against the message by itself. Raises BodyError; with ``publish`` for operators, too.
    """
    if not table:
        raise BodyError("the table is empty; write a heading row | field | value | and a row for each field")
    heading, *rows = ([cell.strip() for cell in row] for row in table)
    for line, row in enumerate(rows, start=2):
        if len(row) != len(heading):
            raise BodyError(f"the row has {len(row)} cells, the heading {len(heading)}", line)
    if not rows:
        raise BodyError("the table has a heading only; begin it with | field | value | and add a row for each field", 1)
    if heading == ["field", "value"]:
        cells = _by_field(rows, publish=publish)
        for together in () if publish else _judged(cells, apart=apart):
            refuse_contradiction(asked_of(together), "table")
        return (cells,)
    refuse_near_miss(heading, rows)
    fields = [_column(name) for name in heading]
    messages = tuple(_by_column(fields, row, line, publish=publish) for line, row in enumerate(rows, start=2))
    for line, each in enumerate(messages if not publish else (), start=2):
        for together in _judged(each, apart=apart):
            refuse_contradiction(asked_of(together), "row", line)
    return messages


def _judged(row: Row, *, apart: bool) -> Sequence[Sequence[Cell]]:
    return [[cell] for cell in row] if apart else [row]


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


_FIELD_WORDS = (
    *("field", "fields", "name", "path", "key", "property", "attribute", "column", "header", "element", "parameter"),
    *("jsonpath", "json"),
)
_VALUE_WORDS = ("value", "values", "val", "expected", "content")
_OPERATOR_WORDS = frozenset({"operator", "matcher", "condition", "comparison", "equals", "is"})
_COMMON_FIELDS = frozenset({"id", "name", "status", "type", "key", "value", "field", "path", "amount", "total", "qty"})


def refuse_near_miss(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise BodyError for a table that was meant as ``field | value`` and would be read as one message a row."""
    names = [name.strip().rstrip(":").lower() for name in heading]
    if not _is_of_single_fields(names) and not (len(names) == 2 and _lacks_heading(names, [row[0] for row in rows])):
        return
    quoted = " | ".join(f"'{name}'" for name in heading)
    raise BodyError(
        f"the heading {' | '.join(heading)} makes each row a message of its own; for one message begin the table "
        f"with | field | value |, for messages of such fields quote the heading: | {quoted} |",
        1,
    )


def _is_of_single_fields(names: list[str]) -> bool:
    match names:
        case [only]:
            return only in ("field", "fields")
        case [first, second]:
            swapped = _means(first, _VALUE_WORDS) and _means(second, _FIELD_WORDS)
            is_near = _means(first, _FIELD_WORDS) and _means(second, (*_VALUE_WORDS, *_OPERATOR_WORDS))
            return swapped or is_near
        case _:
            return bool({"field", "path"} & set(names) and {"value", "expected"} & set(names))


def _means(name: str, words: Collection[str]) -> bool:
    """Whether a heading is one of these words, two of them, or one with a slip in it, ``vlaue``."""
    return all(
        word in words or any(close[0] == word[0] for close in get_close_matches(word, words, n=1, cutoff=0.8))
        for word in name.split() or [name]
    )


def _lacks_heading(names: list[str], starts: list[str]) -> bool:
    """Whether what begins a table and its rows are fields, each of its own."""
    root = names[0].partition(".")[0]
    inside = [start for start in starts if "." in names[0] and start.lower().startswith((f"{root}.", f"{root}["))]
    common = [start for start in starts if start in _COMMON_FIELDS or start[:1] == "@" or start.endswith("_id")]
    return bool(inside or common) and len(set(starts)) == len(starts)


def _column(name: str) -> Field:
    if not is_text(name) or "{{" in name:
        raise BodyError(
            f"the heading {name!r} is no field name; a table of single fields begins with | field | value |", 1
        )
    return parse_field(name, 1)


class _Branch(Struct):
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
            named = f"{self.label or 'the payload'} has gaps; number its elements from [0]"
            raise BodyError(f"{named}, or quote a field that is called so: '{max(indexes)}'", self.line)
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

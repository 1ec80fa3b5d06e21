"""Tables with their bars below each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

from choreo_bdd_project.gherkin.lines import Line, LineKind
from choreo_bdd_steps.editor.document import Document


def formatted(document: Document) -> Iterator[tuple[int, str]]:
    """The rows that change, each with its line number from 0 and its new text; tables with ragged rows stay."""
    for is_row, group in groupby(document.lines, key=lambda line: line.kind is LineKind.ROW):
        rows = list(group)
        if is_row and rows[0].cells and len({len(row.cells) for row in rows}) == 1:
            new = _aligned(rows)
            yield from ((row.number, text) for row, text in zip(rows, new, strict=True) if row.raw != text)


def _aligned(rows: Sequence[Line]) -> list[str]:
    indent = rows[0].raw[: rows[0].column]
    table = [[cell.text.strip() for cell in row.cells] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    return [
        f"{indent}| "
        + " | ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        + " |"
        for row in table
    ]


def _width(text: str) -> int:
    """Columns that a text takes in a font of fixed width: two for a wide letter, none for a mark above one."""
    return sum(0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF") for each in text)

"""Data tables without secrets: cells beside or below the name of a secret are masked."""

from __future__ import annotations

from collections.abc import Sequence

from choreo_bdd.redaction import REDACTED, Redactor, is_secret_key
from choreo_bdd_reporter.model.limits import cap_stream

Table = Sequence[Sequence[str]]


def masked_table(redactor: Redactor, table: Table, *, headed: bool = False) -> tuple[tuple[str, ...], ...]:
    """The table with secrets masked and all else treated like text; ``headed``: the first row surely is a heading."""
    secret_columns = {index for index, cell in enumerate(table[0]) if is_secret_key(cell)} if table else set()
    return tuple(
        _masked_row(redactor, row, secret_columns if number else set(), by_row=not headed)
        for number, row in enumerate(table)
    )


def _masked_row(redactor: Redactor, row: Sequence[str], secret_columns: set[int], *, by_row: bool) -> tuple[str, ...]:
    beside_secret = by_row and bool(row) and is_secret_key(row[0].rpartition(".")[2])
    cells = []
    for index, cell in enumerate(row):
        if cell and (index in secret_columns or (beside_secret and index > 0)):
            redactor.fields += 1
            redactor.learn(cell)
            cells.append(REDACTED)
        else:
            cells.append(cap_stream(redactor.text(cell)))
    return tuple(cells)

"""One measured row: what it is, beside what it was measured in the same run, and the bar it is held against."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_WIDTHS = (62, 9, 38, 11)


@dataclass(frozen=True, slots=True)
class Row:
    """``value`` in ``unit`` (``x``: a ratio); ``bar`` is the most it may be, ``None`` where none is set.

    ``beside`` names the reference, and what it took.
    """

    name: str
    value: float
    unit: str = "x"
    bar: float | None = None
    beside: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the bar is missed."""
        return self.bar is not None and self.value > self.bar

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def head() -> str:
    """The first line of a table."""
    return _line("what", "here", "beside", "bar", "last release")


def shown(row: Row, before: Mapping[str, Row]) -> str:
    """One line of a table: what was measured, and what the last release took."""
    bar = "" if row.bar is None else f"{'OVER ' if row.is_over else ''}{_number(row.bar, row.unit)}"
    last = before.get(row.name)
    was = "" if last is None or last.unit != row.unit else _number(last.value, last.unit)
    return _line(row.name, _number(row.value, row.unit), row.beside, bar, was)


def show(rows: Iterable[Row]) -> int:
    """Print a table of these rows as they come; 1 when one is over its bar."""
    print(head())
    missed = False
    for row in rows:
        print(shown(row, {}), flush=True)
        missed |= row.is_over
    return int(missed)


def _line(name: str, value: str, beside: str, bar: str, last: str) -> str:
    cells = (name.ljust(_WIDTHS[0]), value.rjust(_WIDTHS[1]), beside.ljust(_WIDTHS[2]), bar.rjust(_WIDTHS[3]), last)
    return "  ".join(cells).rstrip()


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{'x' if unit == 'x' else f' {unit}'}"

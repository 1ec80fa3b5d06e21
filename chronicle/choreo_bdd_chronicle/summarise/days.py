"""The spans of time that are summed up ahead: days, and a topic's whole life; and months, which are let go whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

DAY = 86_400_000_000
"""A day in microseconds."""
ALWAYS = -1_000_000  # before the year 1
"""Stands for a topic's whole life where a day is expected."""


def day_of(moment: int) -> int:
    """Days since 1970 of a moment in microseconds."""
    return moment // DAY


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar in UTC, from ``begin`` to ``end`` (excluded), both in microseconds since 1970."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: int) -> Month:
        """The month of a moment in microseconds."""
        found = datetime.fromtimestamp(moment // 1_000_000, UTC)
        return cls(found.year, found.month)

    @property
    def begin(self) -> int:
        """Its first moment."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp()) * 1_000_000

    @property
    def end(self) -> int:
        """The first moment after it."""
        return self.before(-1).begin

    def before(self, months: int) -> Month:
        """The one so many months earlier."""
        year, number = divmod(self.year * 12 + self.number - 1 - months, 12)
        return Month(year, number + 1)

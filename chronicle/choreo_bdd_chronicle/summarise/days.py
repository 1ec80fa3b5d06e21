"""The spans of time that are summed up ahead: days, and a topic's whole life."""

from __future__ import annotations

DAY = 86_400_000_000
"""A day in microseconds."""
ALWAYS = -1_000_000  # before the year 1
"""Stands for a topic's whole life where a day is expected."""


def day_of(moment: int) -> int:
    """Days since 1970 of a moment in microseconds."""
    return moment // DAY

"""Reading ISO 8601 timestamps: moments, however their offset and their fraction are written."""

from __future__ import annotations

import re
from datetime import UTC, datetime

Moment = tuple[datetime, str]
"""A date-time, and the digits of its second that it cannot hold: services write nanoseconds."""

# Python also reads compact forms such as 20240101, which are more often plain numbers in a payload.
_EXTENDED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.DOTALL)
_BELOW = re.compile(r"[.,][0-9]{6}([0-9]*[1-9])")
_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+(?:Z|[+-][0-9]{2}:?[0-9]{2})", re.DOTALL)


def parse_timestamp(value: object) -> Moment:
    """Read an ISO 8601 date or date-time, in UTC when it names no offset. Raises TypeError, ValueError."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC), ""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not a timestamp; expected ISO 8601 text")
    if not _EXTENDED.fullmatch(value):
        raise ValueError(f"{value!r} is not an ISO 8601 timestamp such as 2024-05-31T12:00:00Z")
    below = _BELOW.search(value)
    return parse_timestamp(datetime.fromisoformat(value))[0], below[1] if below else ""


def moment(value: object) -> Moment | None:
    """The moment that a value is, or None for anything else."""
    try:
        return parse_timestamp(value)
    except (TypeError, ValueError):
        return None


def same_moment(one: str, other: str) -> bool:
    """Whether two texts are timestamps with offsets, and of one moment: 01:00+02:00 is 23:00Z of the day before."""
    if not (_OFFSET.fullmatch(one) and _OFFSET.fullmatch(other)):
        return False
    found = moment(one)
    return found is not None and found == moment(other)

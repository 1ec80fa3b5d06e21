"""Reading ISO 8601 timestamps."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# Python also reads compact forms such as 20240101, which are more often plain numbers in a payload.
_EXTENDED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?", re.DOTALL)


def parse_timestamp(value: object) -> datetime:
    """Read an ISO 8601 date or date-time, in UTC when it names no offset. Raises TypeError, ValueError."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not a timestamp; expected ISO 8601 text")
    if not _EXTENDED.fullmatch(value):
        raise ValueError(f"{value!r} is not an ISO 8601 timestamp such as 2024-05-31T12:00:00Z")
    return parse_timestamp(datetime.fromisoformat(value))


def moment(value: object) -> datetime | None:
    """The moment that a value is, or None for anything else."""
    try:
        return parse_timestamp(value)
    except (TypeError, ValueError):
        return None

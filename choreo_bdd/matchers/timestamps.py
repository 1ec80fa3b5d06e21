"""Matchers of ISO 8601 timestamps."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from choreo_bdd.matchers.leaves import ValueMatcher, leaf
from choreo_bdd.matchers.operators import Operator

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


def is_iso8601() -> ValueMatcher:
    """Text that is an ISO 8601 date or date-time in the extended form."""
    return leaf(_IS_ISO)


def before(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly earlier than `moment`; one without an offset is taken as UTC."""
    return leaf(_BEFORE, parse_timestamp(moment), words=f"before {_written(moment)}")


def after(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly later than `moment`; one without an offset is taken as UTC."""
    return leaf(_AFTER, parse_timestamp(moment), words=f"after {_written(moment)}")


def _written(moment: str | datetime) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


def _readable(actual: object, _operand: object) -> bool:
    try:
        parse_timestamp(actual)
    except (TypeError, ValueError):
        return False
    return True


def _compared(test: Callable[[datetime, datetime], bool]) -> Callable[[object, datetime], bool]:
    return lambda actual, moment: test(parse_timestamp(actual), moment)


_IS_ISO = Operator("iso8601", "is an ISO 8601 timestamp", _readable)
_BEFORE = Operator("before", "before", _compared(lambda actual, moment: actual < moment))
_AFTER = Operator("after", "after", _compared(lambda actual, moment: actual > moment))

"""Matchers of ISO 8601 timestamps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from choreo_bdd.matchers.leaves import ValueMatcher, leaf
from choreo_bdd.matchers.operators import Operator
from choreo_bdd.matchers.values.moments import moment as _moment
from choreo_bdd.matchers.values.moments import parse_timestamp


def is_iso8601() -> ValueMatcher:
    """Text that is an ISO 8601 date or date-time in the extended form."""
    return leaf(_IS_ISO)


def before(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly earlier than ``moment``; one without an offset is taken as UTC."""
    return leaf(_BEFORE, parse_timestamp(moment), words=f"before {_written(moment)}")


def after(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly later than ``moment``; one without an offset is taken as UTC."""
    return leaf(_AFTER, parse_timestamp(moment), words=f"after {_written(moment)}")


def _written(moment: str | datetime) -> str:
    return moment if isinstance(moment, str) else moment.isoformat()


def _compared(test: Callable[[datetime, datetime], bool]) -> Callable[[object, datetime], bool]:
    return lambda actual, moment: test(parse_timestamp(actual), moment)


_IS_ISO = Operator("iso8601", "is an ISO 8601 timestamp", lambda actual, _operand: _moment(actual) is not None)
_BEFORE = Operator("before", "before", _compared(lambda actual, moment: actual < moment))
_AFTER = Operator("after", "after", _compared(lambda actual, moment: actual > moment))

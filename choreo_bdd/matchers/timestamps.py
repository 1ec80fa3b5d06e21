"""Matchers of ISO 8601 timestamps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from choreo_bdd.matchers.leaves import ValueMatcher, leaf
from choreo_bdd.matchers.operators import Operator
from choreo_bdd.matchers.values.moments import Moment, parse_timestamp
from choreo_bdd.matchers.values.moments import moment as _moment


def is_iso8601() -> ValueMatcher:
    """Text that is an ISO 8601 date or date-time in the extended form."""
    return leaf(_IS_ISO)


def before(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly earlier than ``moment``; one without an offset is taken as UTC."""
    return _leaf(_BEFORE, moment)


def after(moment: str | datetime) -> ValueMatcher:
    """A timestamp strictly later than ``moment``; one without an offset is taken as UTC."""
    return _leaf(_AFTER, moment)


def _leaf(operator: Operator, moment: str | datetime) -> ValueMatcher:
    parse_timestamp(moment)
    written = moment if isinstance(moment, str) else moment.isoformat()
    return leaf(operator, written, words=f"{operator.sign} {written}")


def _compared(test: Callable[[Moment, Moment], bool]) -> Callable[[object, str], bool]:
    return lambda actual, written: test(parse_timestamp(actual), parse_timestamp(written))


_IS_ISO = Operator("iso8601", "is an ISO 8601 timestamp", lambda actual, _operand: _moment(actual) is not None)
_BEFORE = Operator("before", "before", _compared(lambda actual, moment: actual < moment))
_AFTER = Operator("after", "after", _compared(lambda actual, moment: actual > moment))

"""Moments as they are kept: whole microseconds since 1970 in UTC, alike in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST, _LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def microseconds(text: str) -> int:
    """An ISO 8601 moment. ``ValueError`` for one without an offset from UTC, or that never was."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no moment: expected ISO 8601 with an offset, as in 2026-01-31T12:00:00+00:00") from None
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset from UTC: add Z or, say, +00:00")
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("a moment outside the years 1 to 9999")
    return microseconds_of(moment)


def microseconds_of(moment: datetime) -> int:
    """A moment as it is kept."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_text(value: int) -> str:
    """As ISO 8601 in UTC."""
    return instant(value).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant(value: int) -> datetime:
    """As a moment in UTC."""
    return _EPOCH + value * _MICROSECOND


def now() -> int:
    """This moment."""
    return microseconds_of(datetime.now(UTC))

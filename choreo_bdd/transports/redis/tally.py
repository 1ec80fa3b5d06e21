"""Where a stream ends, and whether all that was ever appended to it has been read: Redis counts what is gone, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from choreo_bdd.transports.redis.messages import START, Id, id_of


@dataclass(frozen=True, slots=True)
class End:
    """The last entry of a stream; the id of the last there ever was, and how many have been added, if that is told."""

    last: Id = START
    fields: list[bytes] | None = None
    last_ever: Id = START
    added: int | None = 0


BEGINNING = End()
"""Of a stream that is not there."""


def end_told(info: Sequence[Any]) -> End:
    """What ``XINFO STREAM`` answers; servers before Redis 7 do not count."""
    told = dict(zip(info[::2], info[1::2], strict=True))
    last_ever, added, entry = id_of(told[b"last-generated-id"]), told.get(b"entries-added"), told[b"last-entry"]
    return End(id_of(entry[0]), entry[1], last_ever, added) if entry else End(START, None, last_ever, added)


def end_seen(entries: Sequence[Any]) -> End:
    """What the last entry itself shows, for a user who may not ask for more."""
    if not entries:
        return BEGINNING
    last = id_of(entries[0][0])
    return End(last, entries[0][1], last, None)


class Tally:
    """The entries of a stream that have been read since a moment, held against those that were added since."""

    __slots__ = ("_added", "_read", "_since")

    def __init__(self, end: End) -> None:
        self._since, self._added = end.last_ever, end.added
        self._read: list[Id] = []

    def note(self, entry: Id) -> None:
        """An entry has been read."""
        if self._added is not None and entry > self._since:
            self._read.append(entry)

    def missing(self, end: End) -> int:
        """How many have been added up to an end that nobody has read, and counts on from there.

        For whoever has read all that was left. An answer that others have overtaken says nothing new.
        """
        if end.added is None or self._added is None or end.last_ever < self._since:
            return 0
        missing = end.added - self._added - sum(each <= end.last_ever for each in self._read)
        self._since, self._added = end.last_ever, end.added
        self._read = [each for each in self._read if each > self._since]
        return max(0, missing)

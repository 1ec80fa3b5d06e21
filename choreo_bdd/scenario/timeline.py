"""The timeline of a scenario: what happened, when, on which topic."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from choreo_bdd.message import MessageRecord

_LOG = logging.getLogger("choreo_bdd.scenario")

_TIMELINE_MAX_ENTRIES = 256
_TIMELINE_DETAIL_MAX_CHARS = 120
_BYTES_MAX = 16 * 1024 * 1024
"""Of the messages that a longer one keeps; as many as 256 are kept whatever they weigh."""
_HEAD_ENTRIES = 64
_RESERVED_ENTRIES = 64


class TimelineAction(StrEnum):
    """Kinds of event."""

    PUBLISHED = "published"
    RECEIVED = "received"
    MATCHED = "matched"
    MISMATCHED = "mismatched"
    CORRELATION_SKIPPED = "correlation_skipped"
    DEADLINE = "deadline"
    REPLIED = "replied"
    REPLY_FAILED = "reply_failed"


_RESERVED = frozenset(
    {TimelineAction.PUBLISHED, TimelineAction.DEADLINE, TimelineAction.REPLIED, TimelineAction.REPLY_FAILED}
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event; ``offset_ms`` is monotonic time since the scenario's anchor, never negative."""

    offset_ms: float
    topic: str | None
    action: TimelineAction
    detail: str = ""
    transport: str | None = None
    logical_topic: str | None = None
    source: str | None = None
    _wall_clock_epoch: float = field(default=0.0, repr=False)
    message: MessageRecord | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.detail) > _TIMELINE_DETAIL_MAX_CHARS:
            object.__setattr__(self, "detail", _cut(self.detail))

    @property
    def wall_clock(self) -> str:
        """The moment in UTC, ISO 8601; for reading, never for arithmetic."""
        fraction, whole = math.modf(self._wall_clock_epoch)
        micros = round(fraction * 1e6)
        if not 0 < micros < 1_000_000:
            return datetime.fromtimestamp(self._wall_clock_epoch, UTC).isoformat()
        return f"{_second(whole)}.{micros:06d}+00:00"


@lru_cache(maxsize=256)
def _second(epoch: float) -> str:
    """A full second as ISO 8601 has it without a zone: nearly all events of a scenario share one."""
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None).isoformat()


class Recordable(Protocol):
    """A message that becomes a record when somebody reads the timeline."""

    @property
    def size(self) -> int:
        """In bytes, as it travels."""
        ...

    def record(self, transport: str | None) -> MessageRecord:
        """The message as results keep it."""
        ...


_Note = tuple[float, str | None, TimelineAction, str, str | None, str | None, Recordable | None]
"""An event as it is taken down: seconds, topic, action, detail, transport, source and message.

A plain tuple because several are made for each message, and most are never read."""


def _size(note: _Note) -> int:
    """Of a note's message, in bytes."""
    message = note[-1]
    return 0 if message is None else message.size


def _entry(note: _Note, *, from_s: float, epoch: float) -> TimelineEntry:
    since_s, topic, action, detail, transport, source, message = note
    return TimelineEntry(
        (since_s - from_s) * 1000,
        topic,
        action,
        detail,
        transport,
        None,
        source,
        epoch + since_s,
        None if message is None else message.record(transport),
    )


def _cut(detail: str) -> str:
    return detail[: _TIMELINE_DETAIL_MAX_CHARS - 3] + "..."


class _Timeline:
    """Recorder with a fixed number of places, of which large messages leave fewer.

    When it overflows, the first entries and the latest ones stay, and publishes, replies and deadlines stay before
    receptions do, so that noise on a busy topic cannot push out the evidence.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        max_entries: int = _TIMELINE_MAX_ENTRIES,
        anchor_at_first_event: bool = False,
    ) -> None:
        self._clock = clock
        self._anchor = clock()
        self._anchor_at_first_event = anchor_at_first_event
        self._epoch = time.time()
        self._head: list[_Note] = []
        self._reserved: list[_Note] = []
        self._tail: deque[_Note] = deque()
        self._max_head = min(_HEAD_ENTRIES, max_entries // 4)
        self._max_tail = max_entries - self._max_head
        self._max_reserved = min(_RESERVED_ENTRIES, self._max_tail // 2)
        self._whatever_they_weigh = min(self._max_tail, _TIMELINE_MAX_ENTRIES - _HEAD_ENTRIES)
        self._bytes = 0
        self._sealed = False
        self.dropped = 0
        self.record_errors = 0

    def record(
        self,
        *,
        action: TimelineAction,
        topic: str | None,
        detail: str = "",
        transport: str | None = None,
        source: str | None = None,
        message: Recordable | None = None,
        at: float | None = None,
    ) -> None:
        """Note an event, at loop time ``at`` or now; after sealing a silent no-op, and never an error."""
        if self._sealed:
            return
        try:
            since = (self._clock() if at is None else at) - self._anchor
            shown = detail if len(detail) <= _TIMELINE_DETAIL_MAX_CHARS else _cut(detail)
            note = (since if since > 0.0 else 0.0, topic, action, shown, transport, source, message)
            if len(self._head) < self._max_head:
                self._head.append(note)
            else:
                self._append_tail(note)
        except Exception as error:  # noqa: BLE001 - a broken record must not break the scenario
            self.record_errors += 1
            _LOG.warning(
                "timeline_record_failed",
                extra={
                    "action": str(action),
                    "topic": topic,
                    "transport": transport,
                    "error_class": type(error).__name__,
                },
            )

    def _append_tail(self, note: _Note) -> None:
        self._tail.append(note)
        self._bytes += _size(note)
        while len(self._tail) + len(self._reserved) > self._places():
            oldest = self._tail.popleft()
            if oldest[2] in _RESERVED and len(self._reserved) < self._max_reserved:
                self._reserved.append(oldest)
            else:
                self._bytes -= _size(oldest)
                self.dropped += 1

    def _places(self) -> int:
        return self._max_tail if self._bytes <= _BYTES_MAX else self._whatever_they_weigh

    def epoch_of(self, at: float) -> float:
        """A loop time as epoch seconds, by the clock of these events."""
        return self._epoch + at - self._anchor

    def seal(self) -> None:
        """End recording: later arrivals change nothing any more."""
        self._sealed = True

    def entries(self) -> tuple[TimelineEntry, ...]:
        """All kept entries, in order of time."""
        kept = sorted((*self._head, *self._reserved, *self._tail), key=lambda note: note[0])
        from_s = kept[0][0] if self._anchor_at_first_event and kept else 0.0
        return tuple(_entry(note, from_s=from_s, epoch=self._epoch) for note in kept)

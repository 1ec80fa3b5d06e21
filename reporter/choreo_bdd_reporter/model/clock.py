"""When a run started and how long it has taken: the time of day for reading, the monotonic clock for measuring."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Stopwatch:
    """Started when made."""

    def __init__(self) -> None:
        self.started_at = now()
        self._started = time.perf_counter()

    def elapsed_ms(self) -> float:
        """Milliseconds since the start."""
        return (time.perf_counter() - self._started) * 1000


def epoch_seconds(moment: str) -> float:
    """A moment in ISO 8601 as seconds since the epoch."""
    return datetime.fromisoformat(moment).timestamp()


def now() -> str:
    """The present moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat()

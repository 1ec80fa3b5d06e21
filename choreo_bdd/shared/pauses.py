"""When an event loop was kept from looking at its sockets: what came meanwhile is noted later than it came."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from choreo_bdd.shared.per_loop import one_per_loop

_PAUSE_S = 0.01
_KEPT = 1000
_AFTERMATH_S = 0.05
"""What lay at the broker is asked for only after a pause: it is read so much later, a quarter of the pause at most."""


class Pauses:
    """Those of one loop: from when to when it was busy with something else, the latest last."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ended: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        selector = getattr(loop, "_selector", None)  # a loop of another make looks in a way of its own: none is known
        if hasattr(selector, "select"):
            self._watch(loop, selector)

    def _watch(self, loop: asyncio.AbstractEventLoop, selector: Any) -> None:
        select, clock, ended = selector.select, loop.time, self._ended
        looked_at = clock()

        def noted(timeout: float | None = None) -> Any:
            nonlocal looked_at
            now = clock()
            if now - looked_at > _PAUSE_S:
                ended.append((looked_at, now))
            try:
                return select(timeout)
            finally:
                looked_at = clock()

        selector.select = noted

    def unseen_s(self, at: float, *, since: float) -> float:
        """How much earlier than at a loop time something may have come that was noted then, and caused at ``since``."""
        for began, ended in reversed(self._ended):
            if ended < since or ended + min(_AFTERMATH_S, (ended - began) / 4) < at:
                break
            if began < at:
                return at - max(began, since)
        return 0.0


pauses = one_per_loop(Pauses)
"""Those of the running loop, noted since this was first asked."""

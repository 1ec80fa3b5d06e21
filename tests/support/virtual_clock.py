"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer instead of sleeping."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Polls instead of sleeping, and adds the sleep it was asked for to the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0  # not zero, so that code which takes time 0.0 for "no time" is not flattered

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:  # no timer is set: only another thread or a socket can go on from here
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += max(timeout, 0.0)
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """``time()`` moves only while every task sleeps, and then by exactly what the shortest sleep asks for."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

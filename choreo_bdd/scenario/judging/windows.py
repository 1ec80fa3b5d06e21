"""The ends of windows: one has closed once all has been heard that had come by its end (spec/steps.md 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from choreo_bdd.scenario.judging.expectation import Expectation

_IN_TIME_S = 0.01
"""A loop that comes no later to the end of a window has looked at its sockets then."""
_ON_ITS_WAY_S = 0.05
"""What a broker had by the end of a window is here so soon, where the loop looks."""

LookBehind = Callable[[Sequence[Expectation]], Awaitable[None]]
"""Returns once all that had come for these has been heard."""


class Windows:
    """Looks behind the end of each window where nobody waits for it: who asks later has what had come by then.

    The clock alone does not close one. A loop that was blocked across the end finds only afterwards what had come; one
    that was not owes nothing to what comes much later, however long a busy broker takes to answer.
    """

    def __init__(self, look_behind: LookBehind) -> None:
        self._look_behind = look_behind
        self._loop = asyncio.get_running_loop()
        self._ends: dict[float, list[Expectation]] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._looking: set[asyncio.Task[None]] = set()

    def close_at(self, expectation: Expectation, moment: float, *, lingers: bool) -> None:
        """Have one close at a loop time; one that ``lingers`` stays open until somebody decides it."""
        expectation.close_at(moment, lingers=lingers)
        if moment not in self._ends:
            self._ends[moment] = []
            self._timers.append(self._loop.call_at(moment, self._end, moment))
        self._ends[moment].append(expectation)

    def _end(self, moment: float) -> None:
        ended = [each for each in self._ends.pop(moment) if each.closes_at == moment and each.is_pending]
        self.bound(ended, moment)
        unawaited = [each for each in ended if _is_unawaited(each)]
        if unawaited:
            looking = self._loop.create_task(self._close(unawaited))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

    def bound(self, ended: Iterable[Expectation], moment: float) -> None:
        """Say, when it is time, that these end now: what comes much later matches none of them."""
        is_time = self._loop.time() - moment < _IN_TIME_S
        for each in ended:
            each.closes_at = moment if each.closes_at is None else each.closes_at
            if is_time and each.is_pending and not each.occurs.waits_the_window_out:
                each.has_closed_at = min(each.has_closed_at, moment + _ON_ITS_WAY_S)

    async def _close(self, unawaited: Sequence[Expectation]) -> None:
        await self._look_behind(unawaited)
        for each in filter(_is_unawaited, unawaited):
            each.has_closed_at = min(each.has_closed_at, self._loop.time())

    def forget(self) -> None:
        """Close none any more, and let go of whoever looked behind them: a scope that is left is freed at once."""
        for timer in self._timers:
            timer.cancel()
        for looking in self._looking:
            looking.cancel()
        self._ends.clear()
        self._look_behind = _see_nothing


async def _see_nothing(_: Sequence[Expectation]) -> None:
    """What there is to see for a scope that has been left."""


def _is_unawaited(expectation: Expectation) -> bool:
    return expectation.is_pending and not expectation.is_awaited and not expectation.lingers

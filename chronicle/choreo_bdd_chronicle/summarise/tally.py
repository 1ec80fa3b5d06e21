"""What is counted and measured of handles, made so that parts can be put together: of a run, a day, a topic's life."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Self

from msgspec import Struct

from choreo_bdd_chronicle.summarise.histogram import Histogram

FIELDS = (
    "passed", "slow", "failed", "timeout", "pending", "budgeted", "over_budget", "arrived",
    "min_ms", "max_ms", "sum_ms", "sum_log", "budget_ms",
)  # fmt: skip
"""What is kept of a tally, in this order, before its histogram."""
_FIGURES = attrgetter(*FIELDS)
_SUMMED = (
    "passed", "slow", "failed", "timeout", "pending", "budgeted", "over_budget", "arrived", "sum_ms", "sum_log",
)  # fmt: skip


class Tally(Struct, frozen=True, kw_only=True, gc=False):
    """Counts by outcome, budgets kept and missed, and the latencies of messages that arrived, in milliseconds.

    ``budgeted`` handles have a budget, ``over_budget`` of them missed it: late, or never there. ``sum_log`` is the sum
    of the natural logarithms of the latencies above zero. ``budget_ms`` is the largest budget.
    """

    passed: int = 0
    slow: int = 0
    failed: int = 0
    timeout: int = 0
    pending: int = 0
    budgeted: int = 0
    over_budget: int = 0
    arrived: int = 0
    min_ms: float | None = None
    max_ms: float | None = None
    sum_ms: float = 0.0
    sum_log: float = 0.0
    budget_ms: float | None = None
    histogram: Histogram

    @classmethod
    def of(cls, outcomes: Sequence[str], latencies: list[float], budgets: list[float], over_budget: int) -> Self:
        """The tally of some handles: the outcome of each, what arrived, the budgets, how many were missed."""
        return cls(
            passed=outcomes.count("pass"),
            slow=outcomes.count("slow"),
            failed=outcomes.count("fail"),
            timeout=outcomes.count("timeout"),
            pending=outcomes.count("pending"),
            budgeted=len(budgets),
            over_budget=over_budget,
            arrived=len(latencies),
            min_ms=min(latencies, default=None),
            max_ms=max(latencies, default=None),
            sum_ms=math.fsum(latencies),
            sum_log=math.fsum(map(math.log, filter(None, latencies))),
            budget_ms=max(budgets, default=None),
            histogram=Histogram.of(latencies),
        )

    @property
    def count(self) -> int:
        """Every handle, whatever its outcome."""
        return self.passed + self.slow + self.failed + self.timeout + self.pending

    @property
    def values(self) -> tuple[Any, ...]:
        """As it is kept: its figures by ``FIELDS``, then the bytes of its histogram."""
        return (*_FIGURES(self), self.histogram.to_bytes())

    @property
    def mean_ms(self) -> float | None:
        """The mean latency of what arrived."""
        return self.sum_ms / self.arrived if self.arrived else None


NOTHING = Tally(histogram=Histogram.of(()))
"""The tally of no handle."""


def together(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    parts = tuple(tallies)
    if len(parts) == 1:
        return parts[0]
    return Tally(
        **{name: sum(getattr(part, name) for part in parts) for name in _SUMMED},
        min_ms=min((part.min_ms for part in parts if part.min_ms is not None), default=None),
        max_ms=max((part.max_ms for part in parts if part.max_ms is not None), default=None),
        budget_ms=max((part.budget_ms for part in parts if part.budget_ms is not None), default=None),
        histogram=Histogram.merged(part.histogram for part in parts),
    )

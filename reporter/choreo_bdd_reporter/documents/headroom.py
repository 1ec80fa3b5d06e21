"""How much of its time a test left over."""

from __future__ import annotations

from collections.abc import Iterable

from choreo_bdd_reporter.model.arrival import latency_of_arrival
from choreo_bdd_reporter.model.schema_types import ResultsHandle, ResultsScenario


def least_headroom(scenarios: Iterable[ResultsScenario]) -> float | None:
    """The least share of its budget that a message left over, below 0 where it came late; ``None`` without budgets."""
    handles = (handle for scenario in scenarios for handle in scenario.get("handles") or ())
    return min((share for handle in handles if (share := _headroom(handle)) is not None), default=None)


def _headroom(handle: ResultsHandle) -> float | None:
    """None without a budget, or a message that came for it; an absence that was expected is met by silence."""
    budget = handle.get("budget_ms")
    latency = latency_of_arrival(handle) if budget else None
    return None if latency is None or not budget else 1 - latency / budget

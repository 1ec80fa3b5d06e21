"""How much of its time a test left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from choreo_bdd_reporter.model.arrival import latency_of_arrival


def least_headroom(scenarios: Iterable[Mapping[str, Any]]) -> float | None:
    """The least share of its budget that a message left over, below 0 where it came late; ``None`` without budgets."""
    handles = (handle for scenario in scenarios for handle in scenario.get("handles") or ())
    shares = (1 - handle["latency_ms"] / handle["budget_ms"] for handle in handles if _has_headroom(handle))
    return min(shares, default=None)


def _has_headroom(handle: Mapping[str, Any]) -> bool:
    """Whether a message came in answer to a budget; an absence that was expected is met by silence."""
    return bool(handle.get("budget_ms")) and latency_of_arrival(handle) is not None

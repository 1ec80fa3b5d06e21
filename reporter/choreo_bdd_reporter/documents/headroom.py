"""How much of its time a test left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def least_headroom(scenarios: Iterable[Mapping[str, Any]]) -> float | None:
    """The least share of its budget that a message left over, below 0 where it came late; ``None`` without budgets."""
    handles = (handle for scenario in scenarios for handle in scenario.get("handles") or ())
    shares = (1 - handle["latency_ms"] / handle["budget_ms"] for handle in handles if _has_headroom(handle))
    return min(shares, default=None)


def _has_headroom(handle: Mapping[str, Any]) -> bool:
    """Whether a message came in answer to a budget; an absence that was expected is met by silence."""
    arrived = handle["outcome"] in ("pass", "slow") and handle.get("actual") is not None
    return bool(arrived and handle["budget_ms"] and handle["latency_ms"] is not None)

"""Which latencies are a message's."""

from __future__ import annotations

from choreo_bdd_reporter.model.schema_types import ResultsHandle


def latency_of_arrival(handle: ResultsHandle) -> float | None:
    """Milliseconds until the matching message was there; ``None`` where none came.

    The ``latency_ms`` of a timeout or a fail is its deadline, and that of an absence which was expected its window.
    """
    latency: float | None = handle["latency_ms"] if came(handle["outcome"], handle.get("actual")) else None
    return latency


def came(outcome: str, actual: object) -> bool:
    """Whether a handle of this outcome, which saw the message ``actual``, was met by it."""
    return outcome in ("pass", "slow") and actual is not None

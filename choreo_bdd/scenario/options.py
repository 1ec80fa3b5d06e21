"""How a scope behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unattributed = Literal["fail", "warn", "ignore"]
"""What a matching message without an id, where ids are expected, does to an absence or a count (spec/steps.md 5)."""


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """How a scope behaves where the Python API's pinned defaults and the safer reading differ (design §9)."""

    latency_from: Literal["registration", "publish"] = "registration"
    keep_timeline: bool = False
    watch_similar_topics: bool = False
    arm_timeout_s: float = 10.0
    anchor_at_first_event: bool = False
    unattributed: Unattributed = "warn"


DEFAULTS = ScopeOptions()

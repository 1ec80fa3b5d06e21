"""How a scope behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unattributed = Literal["fail", "warn", "ignore"]
"""What a matching message without an id, where ids are expected, does to an absence or a count."""


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """How a scope behaves where the Python API's pinned defaults and the safer reading differ (docs/decisions/0003)."""

    latency_from: Literal["registration", "publish"] = "registration"
    keep_timeline: bool = False
    timeline_events: int = 256
    """How many the timeline keeps; of more, those in the middle are dropped and counted."""
    watch_similar_topics: bool = False
    arm_timeout_s: float = 10.0
    anchor_at_first_event: bool = False
    unattributed: Unattributed = "warn"
    unreadable: Literal["ignore", "near-miss"] = "ignore"
    """What a message that cannot be read is to an expectation that nothing met: it came, or it is as if it had not."""
    leftovers: Literal["mark", "leave"] = "mark"
    """What was in a queue before anybody listened: it may do for an expectation, which says so, or is left there. It
    never counts."""


DEFAULTS = ScopeOptions()

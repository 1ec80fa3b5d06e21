"""What has been decided about an expectation, as data."""

from __future__ import annotations

from typing import NamedTuple

from choreo_bdd.matchers import MatchFailure
from choreo_bdd.scenario.judging.diagnosis import Diagnosis
from choreo_bdd.scenario.judging.handle import Outcome


class Timing(NamedTuple):
    """Milliseconds to one moment: the latency that a budget is held against, and both numbers it may be."""

    latency_ms: float
    since_registration_ms: float | None = None
    since_publish_ms: float | None = None
    note: str = ""
    """What else is to be said of the moment."""
    unseen_ms: float = 0.0
    """How much earlier it may have been: for so long nobody could look."""
    late_ms: float = 0.0
    """How much earlier what it counts from may have been."""

    @property
    def least_ms(self) -> float:
        """What the latency was at least."""
        return self.latency_ms - self.unseen_ms

    @property
    def most_ms(self) -> float:
        """What the latency was at most."""
        return self.latency_ms + self.late_ms


class Ruling(NamedTuple):
    """An outcome and its reason; without a ``diagnosis`` the evidence explains it, when somebody asks."""

    outcome: Outcome
    reason: str
    timing: Timing
    diagnosis: Diagnosis | None = None
    notes: tuple[str, ...] = ()
    failure: MatchFailure | None = None
    """A structured account of what was wrong, beside those of the near-misses."""

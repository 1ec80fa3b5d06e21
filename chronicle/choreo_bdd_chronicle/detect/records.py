"""What detection is told, and what it finds: frozen records, all times and latencies in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Method = Literal["rolling_baseline", "change_point", "budget", "outcome", "silence"]
Metric = Literal["mean_ms", "p90_ms", "run_factor", "budget_violation_pct", "failure_pct", "absent_runs"]
Severity = Literal["warning", "critical"]

EVERY_TOPIC = "*"
"""The topic of a finding about whole runs: all topics at once became slower, or none was answered."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as a place in a series; runs are ordered by when they began, then by their arrival."""

    run_id: str
    started_at: datetime
    commit: str | None = None
    branch: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class TopicRun:
    """What one run measured on one topic.

    ``mean_log_ms`` is the mean of the natural logarithm of the latencies, ``p90_ms`` their 90th percentile; both are of
    messages that arrived and ``None`` when none did. ``over_budget`` counts late messages and
    timeouts among the ``with_budget`` handles.
    """

    run: Run
    mean_log_ms: float | None
    p90_ms: float | None
    arrived: int
    failed: int = 0
    timed_out: int = 0
    with_budget: int = 0
    over_budget: int = 0


@dataclass(frozen=True, slots=True)
class TopicSeries:
    """The runs of one topic on one transport, the oldest first; branches and environments may be mixed."""

    topic: str
    transport: str | None
    runs: tuple[TopicRun, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: a topic (or ``EVERY_TOPIC``) on a transport, in runs of an environment and branch."""

    topic: str
    transport: str | None
    environment: str | None
    branch: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that changed, as all runs so far show it.

    ``first`` is the first run after the change, ``before`` the last one without it: the change came with a commit in
    between. ``ended`` is the first run in which it was over, and ``None`` as long as it lasts. ``change_pct`` is
    negative for the better. Values are in the unit of ``metric``: milliseconds, a factor, percent, or runs.
    """

    subject: Subject
    method: Method
    metric: Metric
    severity: Severity
    current: float
    baseline: float
    spread: float
    change_pct: float
    first: Run
    before: Run | None
    ended: Run | None = None

    @property
    def is_better(self) -> bool:
        """Whether it is an improvement."""
        return self.change_pct < 0

"""What is read of a report's document: the keys that the tables keep, whatever else stands beside them.

Texts are as they were written; ``checking`` cleans them. Inner values that are of any shape are mappings here, and the
structs of ``soundness`` in a document that was read by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, UnsetType, to_builtins

from choreo_bdd_chronicle.detect.causes import Cause, cause_of

_WORST = 2
_RANKS = {"slow": 1, "fail": _WORST, "timeout": _WORST}
"""How bad a scenario's messages were; 0 is well."""

Whole = int | float
"""A whole number, which may be written ``1.0``."""


class Totals(Struct, kw_only=True, gc=False):
    """How many tests came out how."""

    passed: Whole
    failed: Whole
    errored: Whole
    skipped: Whole
    slow: Whole
    total: Whole


class Run(Struct, kw_only=True, gc=False):
    """The facts of a test session."""

    started_at: str
    finished_at: str
    duration_ms: float
    totals: Totals
    environment: str | None
    git_branch: str | None
    git_sha: str | None
    hostname: str
    harness_version: str
    reporter_version: str
    python_version: str
    project_name: str | None
    transport: str | UnsetType | None = None
    transports: Sequence[str] | UnsetType | None = None


class Handle(Struct, kw_only=True, gc=False):
    """An expectation and what became of it."""

    topic: str
    outcome: str
    latency_ms: float | None
    budget_ms: float | None
    actual: Any
    failure: Any
    diagnosis: Any
    transport: str | UnsetType | None = None

    def cause(self) -> Cause:
        """Why it failed."""
        read = {"failure": to_builtins(self.failure), "diagnosis": to_builtins(self.diagnosis)}
        return cause_of({"topic": self.topic, "outcome": self.outcome, **read})

    def misses_budget(self) -> bool:
        """Whether a handle with a budget was late, or never met."""
        found = self.diagnosis
        kind = found["kind"] if isinstance(found, dict) else found.kind
        return self.outcome in ("timeout", "slow") or kind == "over_budget"


class Event(Struct, kw_only=True, gc=False):
    """Something that happened."""

    wall_clock: str


class Scenario(Struct, kw_only=True, gc=False):
    """One exercised message flow."""

    name: str
    correlation_id: str | None
    outcome: str
    duration_ms: float
    completed_normally: bool
    handles: Sequence[Handle]
    timeline: Sequence[Event]
    stage: Any = None


class Test(Struct, kw_only=True, gc=False):
    """One test."""

    nodeid: str
    outcome: str
    scenarios: Sequence[Scenario]

    def failed_scenarios(self) -> list[bool]:
        """Of each scenario whether it failed: by its messages, or as the worst of a test that failed.

        A message over its budget fails a test or not, as the project wants it; only the test tells.
        """
        ranks = [_RANKS.get(each.outcome, 0) for each in self.scenarios]
        blamed = max(ranks, default=0) if self.outcome in ("failed", "errored") else _WORST
        return [rank >= blamed for rank in ranks]


class Document(Struct, kw_only=True, gc=False):
    """A whole report."""

    run: Run
    tests: Sequence[Test]

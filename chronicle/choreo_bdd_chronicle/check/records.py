"""What a report says, as far as the tables keep it. The rest stays in the raw report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from choreo_bdd_chronicle.detect.causes import Cause


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a report: where, as a JSON pointer (RFC 6901), and what."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message}"


def pointer(parts: Iterable[str | int]) -> str:
    """``["tests", 0, "a/b"]`` as ``/tests/0/a~1b``."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


class RefusedReportError(Exception):
    """A report cannot be taken. ``faults`` name the places; ``is_shape`` tells a broken schema from broken JSON."""

    def __init__(self, faults: Iterable[Fault], *, is_shape: bool = True) -> None:
        self.faults: Sequence[Fault] = tuple(faults)
        self.is_shape = is_shape
        super().__init__("; ".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The facts of one test session. Moments are microseconds since 1970 in UTC, durations milliseconds."""

    started_at: int
    finished_at: int
    duration_ms: float
    environment: str | None
    transport: str | None
    transports: tuple[str, ...] | None
    branch: str | None
    git_sha: str | None
    hostname: str | None
    harness_version: str | None
    reporter_version: str | None
    python_version: str | None
    project_name: str | None
    total_tests: int
    total_passed: int
    total_failed: int
    total_errored: int
    total_skipped: int
    total_slow: int


class Scenario(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One exercised message flow of a test, at its ``position`` among the report's scenarios.

    ``failed`` is what its test made of it: a slow one failed or passed, as the project wants it.
    """

    position: int
    test_nodeid: str
    name: str
    correlation_id: str | None
    outcome: str
    duration_ms: float
    completed_normally: bool
    handle_count: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """A handle that failed its scenario: in which scenario, by its position, and why."""

    position: int
    cause: Cause


class TopicTally(Struct, frozen=True, array_like=True, gc=False):
    """What was measured on one topic of one transport (empty: not known which) in one run.

    ``values`` is its tally as it is kept.
    """

    topic: str
    transport: str
    p90_ms: float | None
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A checked report. ``warnings`` say what a newer writer put in that this server does not know.

    The percentiles are those of every message that arrived; ``None`` where none did.
    """

    run: Run
    scenarios: Sequence[Scenario]
    topics: Sequence[TopicTally]
    failures: Sequence[Failed]
    handle_count: int
    topic_count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    warnings: Sequence[str]

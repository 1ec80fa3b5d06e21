"""``results.json`` in schema 1.3 as types, one for each object of ``schemas/test-report-v1.3.json``.

What writes or reads a part of the document names its type, so that a misspelt member is found by mypy and not by a
report. Members have the schema's names and units: ``*_ms`` are milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

TestOutcome = Literal["passed", "failed", "errored", "skipped", "slow"]
ScenarioOutcome = Literal["pass", "fail", "timeout", "slow"]
HandleOutcome = Literal["pass", "fail", "timeout", "slow", "pending"]
FailureKind = Literal["missing", "mismatch", "type_mismatch", "predicate", "composed"]
ReplyState = Literal["armed_no_match", "armed_matcher_mismatched", "replied", "reply_failed"]
Action = Literal[
    "published", "received", "matched", "mismatched", "deadline", "correlation_skipped", "replied", "reply_failed"
]
EventSource = Literal["publish", "expect", "reply", "scope"]


class Totals(TypedDict):
    """How many tests ended how."""

    passed: int
    failed: int
    errored: int
    skipped: int
    slow: int
    total: int


class Redactions(TypedDict):
    """How much was masked."""

    fields: int
    stream_matches: int
    redaction_version: NotRequired[str]


class Xdist(TypedDict):
    """Processes of a parallel run, and the names of those that broke off."""

    workers: int
    incomplete_workers: list[str]


class RunTransports(TypedDict):
    """One transport for a run on a single harness, else all of them."""

    transport: NotRequired[str | None]
    transports: NotRequired[list[str]]


class ResultsRun(TypedDict):
    """The run as a whole; times of day are ISO 8601."""

    started_at: str
    finished_at: str
    duration_ms: float
    totals: Totals
    project_name: str | None
    transport: NotRequired[str | None]
    transports: NotRequired[list[str]]
    allowlist_path: str | None
    python_version: str
    harness_version: str
    reporter_version: str
    git_sha: str | None
    git_branch: str | None
    environment: str | None
    hostname: str
    xdist: Xdist | None
    truncated: bool
    redactions: Redactions


class ChoreoMeta(TypedDict):
    """What the ``choreo`` marker of a test says."""

    timeout_ms: NotRequired[float]
    tags: NotRequired[list[str]]


class ResultsStage(TypedDict):
    """What a scenario on several transports knows of them; ids are hashed."""

    bridge_class: str
    transports: list[str]
    correlation_ids: dict[str, str]


class MatchFailure(TypedDict):
    """One way in which a message differs from what was expected."""

    kind: FailureKind
    path: str
    expected: Any
    actual: NotRequired[Any]
    children: NotRequired[list[MatchFailure]]


class DiagnosisMatched(TypedDict):
    """The message came."""

    kind: Literal["matched"]


class DiagnosisOverBudget(TypedDict):
    """The message came too late for its budget."""

    kind: Literal["over_budget"]
    latency_ms: float
    budget_ms: float


class DiagnosisNearMiss(TypedDict):
    """Messages came, none of them the expected one."""

    kind: Literal["near_miss"]
    attempts: int
    deadline_ms: float


class DiagnosisSilentTimeout(TypedDict):
    """Nothing came."""

    kind: Literal["silent_timeout"]
    topic: str
    deadline_ms: float


class DiagnosisPending(TypedDict):
    """The scenario ended before the expectation did."""

    kind: Literal["pending"]


Diagnosis = DiagnosisMatched | DiagnosisOverBudget | DiagnosisNearMiss | DiagnosisSilentTimeout | DiagnosisPending


class ResultsHandle(TypedDict):
    """One expectation and what became of it."""

    topic: str
    outcome: HandleOutcome
    latency_ms: float | None
    budget_ms: float | None
    matcher_description: str
    expected: Any
    actual: Any
    attempts: int
    reason: str
    truncated: bool
    failure: MatchFailure | None
    failures: list[MatchFailure]
    failures_dropped: int
    diagnosis: Diagnosis
    transport: NotRequired[str | None]
    correlation_id: NotRequired[str]


class TimelineEntry(TypedDict):
    """One event of a scenario."""

    offset_ms: float
    wall_clock: str
    action: Action
    detail: str
    topic: NotRequired[str]
    transport: NotRequired[str]
    logical_topic: NotRequired[str]
    source: NotRequired[EventSource]


class ReplyReport(TypedDict):
    """What became of a reply that a scenario had ready."""

    trigger_topic: str
    reply_topic: str
    state: ReplyState
    matcher_description: str
    candidate_count: int
    match_count: int
    reply_published: bool
    builder_error: str | None
    correlation_overridden: bool
    trigger_transport: NotRequired[str | None]
    response_transport: NotRequired[str | None]


class ResultsScenario(TypedDict):
    """One message scope of a test."""

    name: str
    correlation_id: str | None
    outcome: ScenarioOutcome
    duration_ms: float
    completed_normally: bool
    handles: Sequence[ResultsHandle]
    timeline: Sequence[TimelineEntry]
    timeline_dropped: int
    replies: Sequence[ReplyReport]
    summary_text: str
    stage: NotRequired[ResultsStage]


# a member is called "class", which no class body can spell
ResultsTest = TypedDict(
    "ResultsTest",
    {
        "nodeid": str,
        "file": str,
        "name": str,
        "class": str | None,
        "markers": list[str],
        "choreo_meta": ChoreoMeta | None,
        "outcome": TestOutcome,
        "duration_ms": float,
        "traceback": str | None,
        "stdout": str,
        "stderr": str,
        "log": str,
        "skip_reason": str | None,
        "worker_id": str | None,
        "scenarios": Sequence[ResultsScenario],
    },
)


class Results(TypedDict):
    """The whole document."""

    schema_version: str
    run: ResultsRun
    tests: Sequence[ResultsTest]

"""The read models: what the API answers, field by field. OpenAPI is made from them."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

Item = TypeVar("Item")


class Page(Struct, Generic[Item], frozen=True, kw_only=True):
    """A part of a list; ``total`` counts all matches."""

    items: list[Item]
    total: int
    limit: int
    offset: int


class Ingested(Struct, frozen=True, kw_only=True):
    """What became of a report."""

    run_id: str
    duplicate: bool
    handles_ingested: int
    scenarios_ingested: int
    warning: str | None
    warnings: list[str]


class RunItem(Struct, frozen=True, kw_only=True):
    """A run in a list."""

    id: str
    tenant_slug: str
    started_at: str
    finished_at: str
    duration_ms: float
    environment: str | None
    transport: str | None
    transports: list[str] | None
    branch: str | None
    git_sha: str | None
    project_name: str | None
    total_tests: int
    total_passed: int
    total_failed: int
    total_errored: int
    total_skipped: int
    total_slow: int
    anomaly_count: int
    topic_count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    pass_rate: float
    pinned: bool


class ScenarioItem(Struct, frozen=True, kw_only=True):
    """One scenario of a run, in the report's order; a slow one ``failed`` where its test did."""

    id: str
    test_nodeid: str
    name: str
    correlation_id: str | None
    outcome: str
    duration_ms: float
    completed_normally: bool
    handle_count: int
    failed: bool


class RunDetail(RunItem, frozen=True, kw_only=True):
    """A run with its scenarios."""

    scenarios: list[ScenarioItem]


class TimelineItem(Struct, frozen=True, kw_only=True):
    """One event within a scenario; ``offset_ms`` counts from the scenario's begin."""

    scenario_id: str
    time: str
    offset_ms: float
    action: str
    detail: str
    topic: str | None
    transport: str | None
    logical_topic: str | None
    source: str | None


class TenantItem(Struct, frozen=True, kw_only=True):
    """A tenant."""

    id: str
    slug: str
    name: str
    created_at: str
    run_count: int


class TopicItem(Struct, frozen=True, kw_only=True):
    """A topic with what was measured on it in all runs that the filters let through."""

    topic: str
    latest_run_at: str
    sample_count: int
    latest_p50_ms: float | None
    latest_p95_ms: float | None
    latest_p99_ms: float | None
    slow_count: int
    timeout_count: int
    fail_count: int
    budget_violation_count: int


class Bucket(Struct, frozen=True, kw_only=True):
    """A span of a series, from ``bucket`` on. Latencies are of messages that arrived; counts are of all handles."""

    bucket: str
    sample_count: int
    arrived_count: int
    avg_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    min_ms: float | None
    max_ms: float | None
    slow_count: int
    timeout_count: int
    fail_count: int
    budget_violation_count: int
    budget_ms: float | None


class Series(Struct, frozen=True, kw_only=True):
    """A topic's latencies over time."""

    topic: str
    tenant: str
    environment: str | None
    resolution: str
    buckets: list[Bucket]


class TopicRun(Struct, frozen=True, kw_only=True):
    """What one run measured on a topic."""

    run_id: str
    started_at: str
    environment: str | None
    branch: str | None
    git_sha: str | None
    handle_count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    slow_count: int
    timeout_count: int
    fail_count: int


class AnomalyItem(Struct, frozen=True, kw_only=True):
    """Something that changed: where it was seen, where it began, and whether it is over."""

    id: str
    tenant_id: str
    run_id: str
    changed_at_run_id: str | None
    changed_at: str | None
    commit_from: str | None
    commit_to: str | None
    detected_at: str
    topic: str
    transport: str | None
    environment: str | None
    branch: str | None
    detection_method: str
    metric: str
    current_value: float
    baseline_value: float
    baseline_stddev: float
    change_pct: float
    severity: str
    resolved: bool
    resolved_at: str | None
    state: str
    owner: str | None
    reason: str | None
    muted_until: str | None


class EvidenceItem(Struct, frozen=True, kw_only=True):
    """A commit at which a scenario passed in some runs and failed in others."""

    commit: str | None
    passed_in: list[str]
    failed_in: list[str]


class FlakyItem(Struct, frozen=True, kw_only=True):
    """How reliable a scenario is; ``rate`` is the share of runs that failed, ``transitions`` how often it turned."""

    name: str
    test_nodeid: str
    condition: str
    rate: float
    transitions: int
    run_count: int
    evidence: list[EvidenceItem]
    since_run_id: str | None
    id: str
    state: str
    owner: str | None
    reason: str | None
    muted_until: str | None


class FlakyPage(Page[FlakyItem], frozen=True, kw_only=True):
    """A part of the list, why it is empty, and the runs that count for no scenario as nearly all of them failed."""

    reason: str | None
    infrastructure_run_ids: list[str]


class FailureScenario(Struct, frozen=True, kw_only=True):
    """A scenario that failed."""

    test_nodeid: str
    name: str


class FailureItem(Struct, frozen=True, kw_only=True):
    """All failures of one cause: what went wrong on a topic, how often, where, and since when."""

    topic: str
    outcome: str
    kind: str
    path: str | None
    count: int
    run_count: int
    scenarios: list[FailureScenario]
    first_seen_at: str
    first_run_id: str
    last_seen_at: str
    last_run_id: str
    id: str
    state: str
    owner: str | None
    reason: str | None
    muted_until: str | None


class KnownIssue(Struct, frozen=True, kw_only=True):
    """An anomaly, a scenario or a group of failures, and what was said of it."""

    kind: str
    id: str
    title: str
    test_nodeid: str | None
    state: str
    owner: str | None
    reason: str | None
    muted_until: str | None


class HopShift(Struct, frozen=True, kw_only=True):
    """A topic on a transport whose median latency shifted between two runs by more than chance."""

    topic: str
    transport: str | None
    old_messages: int
    new_messages: int
    old_ms: float
    new_ms: float
    change_pct: float
    budget_ms: float | None


class TopicDistance(Struct, frozen=True, kw_only=True):
    """A topic's mean against its base. ``change_pct`` is without what all topics share, which is topic ``*``."""

    topic: str
    transport: str | None
    base_ms: float | None
    run_ms: float | None
    change_pct: float
    base_runs: int
    is_clear: bool


class Compared(Struct, frozen=True, kw_only=True):
    """A run beside its base: what broke, what was mended, and what became slower."""

    run_id: str
    base_run_ids: list[str]
    new_failures: list[str]
    still_failing: list[str]
    fixed: list[str]
    added: list[str]
    removed: list[str]
    hops: list[HopShift]
    topics: list[TopicDistance]


class BudgetItem(Struct, frozen=True, kw_only=True):
    """How a topic's budget is kept from ``start`` to ``end``, in percent.

    ``burned_pct`` is how much of the misses that ``target_pct`` allows is used up, and ``runs_out_at`` when all will be
    at this pace, or were; it is null when they last. ``headroom_pct`` is what the slowest message left of the largest
    budget of its run, negative when it was late.
    """

    topic: str
    start: str
    end: str
    target_pct: float
    budgeted_count: int
    budget_violation_count: int
    compliance_pct: float | None
    headroom_pct: float | None
    burned_pct: float | None
    runs_out_at: str | None


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the server can do its work; ``tables`` on demand."""

    status: str
    database: str
    tables: str | None = None

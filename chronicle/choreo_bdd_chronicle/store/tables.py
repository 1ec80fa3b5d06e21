"""The tables. Moments are microseconds since 1970 in UTC, durations milliseconds; alike in SQLite and PostgreSQL.

``runs.id`` counts arrivals and stays inside; the world knows a run by its ``public_id``. Timeline events and handles
stand in the raw report and are read from there: nothing asks for them across runs.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Key = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only what it calls an INTEGER."""

tenants = Table(
    "tenants",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("idempotency_key", Text),
    Column("content_hash", Text, nullable=False),
    Column("ingested_at", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("environment", Text),
    Column("transport", Text),
    Column("transports", Text),
    Column("branch", Text),
    Column("git_sha", Text),
    Column("hostname", Text),
    Column("harness_version", Text),
    Column("reporter_version", Text),
    Column("python_version", Text),
    Column("project_name", Text),
    Column("total_tests", BigInteger, nullable=False),
    Column("total_passed", BigInteger, nullable=False),
    Column("total_failed", BigInteger, nullable=False),
    Column("total_errored", BigInteger, nullable=False),
    Column("total_skipped", BigInteger, nullable=False),
    Column("total_slow", BigInteger, nullable=False),
    Column("topic_count", Integer, nullable=False),
    Column("p50_ms", Float),
    Column("p95_ms", Float),
    Column("p99_ms", Float),
    Column("pinned", Boolean, nullable=False, default=False),
    UniqueConstraint("tenant_id", "idempotency_key"),
    Index(None, "tenant_id", "started_at", "id"),
    Index(None, "tenant_id", "environment", "started_at"),
    Index(None, "tenant_id", "branch", "started_at"),
    sqlite_autoincrement=True,
)

raw_reports = Table(
    "raw_reports",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("gzipped", LargeBinary, nullable=False),
)

scenarios = Table(
    "scenarios",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("test_nodeid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("correlation_id", Text),
    Column("outcome", Text, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("completed_normally", Boolean, nullable=False),
    Column("handle_count", Integer, nullable=False),
    Column("failed", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)

failures = Table(
    "failures",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("path", Text),
    sqlite_with_rowid=False,
)
"""Each handle that failed its scenario, with its scenario's position and its cause."""

topics = Table(
    "topics",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("tenant_id", "name"),
)


def _tally_columns() -> list[Column[object]]:
    """The fields of ``summarise.tally.Tally``."""
    counts = ("passed", "slow", "failed", "timeout", "pending", "budgeted", "over_budget", "arrived")
    return [
        *(Column(name, BigInteger, nullable=False) for name in counts),
        Column("min_ms", Float),
        Column("max_ms", Float),
        Column("sum_ms", Float, nullable=False),
        Column("sum_log", Float, nullable=False),
        Column("budget_ms", Float),
        Column("histogram", LargeBinary, nullable=False),
    ]


run_topics = Table(
    "run_topics",
    metadata,
    Column("topic_id", BigInteger, ForeignKey("topics.id"), primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("transport", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("p90_ms", Float),
    *_tally_columns(),
    Index(None, "run_id"),
    sqlite_with_rowid=False,
)
"""One row per run, topic and transport. An empty text stands for an unknown transport, environment or branch.

PostgreSQL keeps them by the month in which their runs began: a migration says so, as the words for it would load all
that SQLAlchemy knows of PostgreSQL at every start.
"""

roll_ups = Table(
    "roll_ups",
    metadata,
    Column("topic_id", BigInteger, ForeignKey("topics.id"), primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("environment", Text, primary_key=True),
    Column("branch", Text, primary_key=True),
    Column("transport", Text, primary_key=True),
    Column("run_count", Integer, nullable=False),
    Column("latest_at", BigInteger, nullable=False),
    *_tally_columns(),
    sqlite_with_rowid=False,
)
"""Days since 1970; ``summarise.days.ALWAYS`` is a topic's whole life, where the branch is left empty."""

unsummed = Table(
    "unsummed",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
)
"""Runs that are kept and not yet in ``roll_ups``: entered with the run, taken out with the change of its summaries."""

watched = Table(
    "watched",
    metadata,
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), primary_key=True, autoincrement=False),
    Column("environment", Text, primary_key=True),
    Column("branch", Text, primary_key=True),
    Column("last_run", BigInteger, nullable=False),
    Column("since", BigInteger),
    Column("until", BigInteger),
    sqlite_with_rowid=False,
)
"""How far detection has come in a line: the last run that had arrived, and when those began that are left for later."""

anomalies = Table(
    "anomalies",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("run_id", BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("changed_at_run_id", BigInteger, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("before_run_id", BigInteger, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("ended_run_id", BigInteger, ForeignKey("runs.id", ondelete="SET NULL")),
    Column("commit_from", Text),
    Column("commit_to", Text),
    Column("detected_at", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("transport", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("detection_method", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("current_value", Float, nullable=False),
    Column("baseline_value", Float, nullable=False),
    Column("baseline_stddev", Float, nullable=False),
    Column("change_pct", Float, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("reason", Text),
    Column("muted_until", BigInteger),
    Column("resolved_at", BigInteger),
    Column("closed_by_hand", Boolean, nullable=False),
    Index(None, "tenant_id", "detected_at"),
    Index(None, "tenant_id", "topic", "detected_at"),
    *(Index(None, name) for name in ("run_id", "changed_at_run_id", "before_run_id", "ended_run_id")),
)

events = Table(
    "events",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index(None, "tenant_id", "id"),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("tenant", Text),
    Column("created_at", BigInteger, nullable=False),
)

issues = Table(
    "issues",
    metadata,
    Column("tenant_id", BigInteger, ForeignKey("tenants.id"), primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("public_id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("test_nodeid", Text),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("reason", Text),
    Column("muted_until", BigInteger),
)
"""What people said of flaky scenarios and groups of failures; anomalies hold it themselves."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
)
"""The last event that some server took on to tell each webhook, by the SHA-256 of its address, which is a secret."""

"""Runs, their raw reports and scenarios, topics with their summaries, anomalies, events and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "anomalies", "roll_ups", "run_topics", "scenarios", "raw_reports", "topics", "runs", "events", "tokens", "tenants",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tenants",
        sa.Column("id", KEY, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_table(
        "events",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_events_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_tenant_id_id"), "events", ["tenant_id", "id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("ingested_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("transport", sa.Text(), nullable=True),
        sa.Column("transports", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("git_sha", sa.Text(), nullable=True),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("harness_version", sa.Text(), nullable=True),
        sa.Column("reporter_version", sa.Text(), nullable=True),
        sa.Column("python_version", sa.Text(), nullable=True),
        sa.Column("project_name", sa.Text(), nullable=True),
        sa.Column("total_tests", sa.BigInteger(), nullable=False),
        sa.Column("total_passed", sa.BigInteger(), nullable=False),
        sa.Column("total_failed", sa.BigInteger(), nullable=False),
        sa.Column("total_errored", sa.BigInteger(), nullable=False),
        sa.Column("total_skipped", sa.BigInteger(), nullable=False),
        sa.Column("total_slow", sa.BigInteger(), nullable=False),
        sa.Column("topic_count", sa.Integer(), nullable=False),
        sa.Column("p50_ms", sa.Float(), nullable=True),
        sa.Column("p95_ms", sa.Float(), nullable=True),
        sa.Column("p99_ms", sa.Float(), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_runs_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_runs_public_id")),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name=op.f("uq_runs_tenant_id_idempotency_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_runs_tenant_id_branch_started_at"), "runs", ["tenant_id", "branch", "started_at"], unique=False
    )
    op.create_index(
        op.f("ix_runs_tenant_id_environment_started_at"),
        "runs",
        ["tenant_id", "environment", "started_at"],
        unique=False,
    )
    op.create_index(op.f("ix_runs_tenant_id_started_at_id"), "runs", ["tenant_id", "started_at", "id"], unique=False)
    op.create_table(
        "topics",
        sa.Column("id", KEY, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_run_at", sa.BigInteger(), nullable=False),
        sa.Column("latest_run_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_topics_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topics")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_topics_tenant_id_name")),
    )
    op.create_index(op.f("ix_topics_tenant_id_latest_run_at"), "topics", ["tenant_id", "latest_run_at"], unique=False)
    op.create_table(
        "anomalies",
        sa.Column("id", KEY, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_run_id", sa.BigInteger(), nullable=True),
        sa.Column("before_run_id", sa.BigInteger(), nullable=True),
        sa.Column("ended_run_id", sa.BigInteger(), nullable=True),
        sa.Column("commit_from", sa.Text(), nullable=True),
        sa.Column("commit_to", sa.Text(), nullable=True),
        sa.Column("detected_at", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("detection_method", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("current_value", sa.Float(), nullable=False),
        sa.Column("baseline_value", sa.Float(), nullable=False),
        sa.Column("baseline_stddev", sa.Float(), nullable=False),
        sa.Column("change_pct", sa.Float(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("muted_until", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by_hand", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["before_run_id"], ["runs.id"], name=op.f("fk_anomalies_before_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["changed_at_run_id"], ["runs.id"], name=op.f("fk_anomalies_changed_at_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["ended_run_id"], ["runs.id"], name=op.f("fk_anomalies_ended_run_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_anomalies_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_anomalies_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomalies")),
        sa.UniqueConstraint("public_id", name=op.f("uq_anomalies_public_id")),
    )
    op.create_index(op.f("ix_anomalies_before_run_id"), "anomalies", ["before_run_id"], unique=False)
    op.create_index(op.f("ix_anomalies_changed_at_run_id"), "anomalies", ["changed_at_run_id"], unique=False)
    op.create_index(op.f("ix_anomalies_ended_run_id"), "anomalies", ["ended_run_id"], unique=False)
    op.create_index(op.f("ix_anomalies_run_id"), "anomalies", ["run_id"], unique=False)
    op.create_index(op.f("ix_anomalies_tenant_id_detected_at"), "anomalies", ["tenant_id", "detected_at"], unique=False)
    op.create_index(
        op.f("ix_anomalies_tenant_id_topic_detected_at"),
        "anomalies",
        ["tenant_id", "topic", "detected_at"],
        unique=False,
    )
    op.create_table(
        "raw_reports",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gzipped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_raw_reports_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_raw_reports")),
    )
    op.create_table(
        "roll_ups",
        sa.Column("topic_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("latest_at", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("slow", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("timeout", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("budgeted", sa.BigInteger(), nullable=False),
        sa.Column("over_budget", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("min_ms", sa.Float(), nullable=True),
        sa.Column("max_ms", sa.Float(), nullable=True),
        sa.Column("sum_ms", sa.Float(), nullable=False),
        sa.Column("sum_log", sa.Float(), nullable=False),
        sa.Column("budget_ms", sa.Float(), nullable=True),
        sa.Column("histogram", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_roll_ups_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "day", "environment", "branch", "transport", name=op.f("pk_roll_ups")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_topics",
        sa.Column("topic_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("p90_ms", sa.Float(), nullable=True),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("slow", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("timeout", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("budgeted", sa.BigInteger(), nullable=False),
        sa.Column("over_budget", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("min_ms", sa.Float(), nullable=True),
        sa.Column("max_ms", sa.Float(), nullable=True),
        sa.Column("sum_ms", sa.Float(), nullable=False),
        sa.Column("sum_log", sa.Float(), nullable=False),
        sa.Column("budget_ms", sa.Float(), nullable=True),
        sa.Column("histogram", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_topics_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.id"], name=op.f("fk_run_topics_topic_id")),
        sa.PrimaryKeyConstraint("topic_id", "started_at", "run_id", "transport", name=op.f("pk_run_topics")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_run_topics_run_id"), "run_topics", ["run_id"], unique=False)
    op.create_table(
        "scenarios",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("test_nodeid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("completed_normally", sa.Boolean(), nullable=False),
        sa.Column("handle_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_scenarios_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_scenarios")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Remove them."""
    for table in TABLES:
        op.drop_table(table)

"""Runs that are kept and not yet summed up; a topic's first and latest run are no longer written down twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables; what is kept already was summed up with its run."""
    op.create_table(
        "unsummed",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_unsummed_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_unsummed")),
    )
    op.drop_index(op.f("ix_topics_tenant_id_latest_run_at"), "topics")
    op.drop_column("topics", "first_run_at")
    op.drop_column("topics", "latest_run_at")


def downgrade() -> None:
    """Change them back: each topic's first and latest run are those of its runs."""
    for column, edge in (("first_run_at", "min"), ("latest_run_at", "max")):
        op.add_column("topics", sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
        op.execute(
            f"UPDATE topics SET {column} = "
            f"(SELECT {edge}(started_at) FROM run_topics WHERE run_topics.topic_id = topics.id)"
        )
    op.create_index(op.f("ix_topics_tenant_id_latest_run_at"), "topics", ["tenant_id", "latest_run_at"], unique=False)
    op.drop_table("unsummed")

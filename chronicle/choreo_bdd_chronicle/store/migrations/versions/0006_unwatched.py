"""Runs that are kept and not yet looked at for changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what is kept already was looked at, or is no news any more."""
    op.create_table(
        "unwatched",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_unwatched_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "environment", "branch", "run_id", name=op.f("pk_unwatched")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_unwatched_run_id"), "unwatched", ["run_id"], unique=False)


def downgrade() -> None:
    """Drop it; what waits is looked at with the next run of its line."""
    op.drop_table("unwatched")

"""How far detection has come in each line of runs."""

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
        "watched",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("last_run", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_watched_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "environment", "branch", name=op.f("pk_watched")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO watched (tenant_id, environment, branch, last_run) "
        "SELECT tenant_id, coalesce(environment, ''), coalesce(branch, ''), max(id) FROM runs "
        "GROUP BY tenant_id, coalesce(environment, ''), coalesce(branch, '')"
    )


def downgrade() -> None:
    """Drop it; what was not looked at stays so."""
    op.drop_table("watched")

"""Whether a scenario failed, which its outcome alone does not tell: a slow one may."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of slow scenarios kept before nobody knows what became of their tests."""
    op.add_column("scenarios", sa.Column("failed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE scenarios SET failed = true WHERE outcome IN ('fail', 'timeout')")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("scenarios", "failed")

"""Runs, their raw reports and scenarios, topics with their summaries, events and tokens."""

from __future__ import annotations

from alembic import op

from choreo_bdd_chronicle.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Remove them."""
    metadata.drop_all(op.get_bind())

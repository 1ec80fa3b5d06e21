"""On PostgreSQL, what runs measured is kept by months, so that a month which is over is let go as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLE = "run_topics"
KEYS = {
    "pk_run_topics": "PRIMARY KEY (topic_id, started_at, run_id, transport)",
    "fk_run_topics_run_id": "FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE",
    "fk_run_topics_topic_id": "FOREIGN KEY (topic_id) REFERENCES topics (id)",
}
MOST = 120


def upgrade() -> None:
    """Put the rows that are there into partitions: a month each, of the last 120 with runs; one for all else."""
    if op.get_bind().dialect.name == "postgresql":
        _move(" PARTITION BY RANGE (started_at)", _partitions)


def downgrade() -> None:
    """Put all rows into one table again."""
    if op.get_bind().dialect.name == "postgresql":
        _move("", lambda: None)


def _move(kind: str, divide: Callable[[], None]) -> None:
    op.execute(f"ALTER TABLE {TABLE} RENAME TO {TABLE}_before")
    op.execute(f"CREATE TABLE {TABLE} (LIKE {TABLE}_before){kind}")
    divide()
    op.execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}_before")
    op.execute(f"DROP TABLE {TABLE}_before")
    for name, key in KEYS.items():
        op.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} {key}")
    op.create_index(op.f("ix_run_topics_run_id"), TABLE, ["run_id"])


def _partitions() -> None:
    """Those of the months in which a run began that is kept, and the one for all else."""
    today = datetime.now(UTC)
    latest = today.year * 12 + today.month
    rows = op.get_bind().execute(sa.text(f"SELECT DISTINCT started_at / 86400000000 FROM {TABLE}_before"))
    begun = (datetime.fromtimestamp(day * 86_400, UTC) for (day,) in rows)
    months = {each.year * 12 + each.month - 1 for each in begun}
    op.execute(f"CREATE TABLE {TABLE}_else PARTITION OF {TABLE} DEFAULT")
    for month in sorted(each for each in months if latest - MOST <= each <= latest):
        year, number = divmod(month, 12)
        op.execute(
            f"CREATE TABLE {TABLE}_{year}_{number + 1:02} PARTITION OF {TABLE} "
            f"FOR VALUES FROM ({_begin(month)}) TO ({_begin(month + 1)})"
        )


def _begin(month: int) -> int:
    year, number = divmod(month, 12)
    return int(datetime(year, number + 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

"""Bringing a database to the shape of this release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, inspect, text

from choreo_bdd_chronicle.store.dialect import Dialect
from choreo_bdd_chronicle.store.tables import metadata

HEAD = "0007"
"""The last of the migrations."""
_SCRIPTS = "choreo_bdd_chronicle.store:migrations"


class LaterReleaseError(Exception):
    """A database has been changed by a release that this one does not know."""


def upgrade(engine: Engine, dialect: Dialect) -> None:
    """Carry out the migrations that are missing, in one transaction. Raises ``InUseError``, ``LaterReleaseError``."""
    if is_current(engine):
        return
    from alembic import command  # noqa: PLC0415 - a fifth of a second, which a server that is up to date saves
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    with alone(engine, dialect) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as problem:
            raise LaterReleaseError(str(problem)) from problem


@contextmanager
def alone(engine: Engine, dialect: Dialect) -> Iterator[Connection]:
    """A transaction in which nobody else reads or writes the tables. Raises ``InUseError``."""
    with engine.execution_options(writes=True).begin() as connection:
        dialect.begin_writing(connection)
        if there := sorted(metadata.tables.keys() & set(inspect(connection).get_table_names())):
            dialect.lock(connection, there)
        yield connection


def is_current(engine: Engine) -> bool:
    """Whether nothing is missing. A database of a later release is none of ours to change, and is not current."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return list(found) == [HEAD]

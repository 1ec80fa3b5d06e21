"""Bringing a database to the shape of this release."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from choreo_bdd_chronicle.store.dialect import Dialect

_SCRIPTS = "choreo_bdd_chronicle.store:migrations"


def upgrade(engine: Engine, dialect: Dialect) -> None:
    """Carry out the migrations that are missing, in one transaction."""
    if is_current(engine):
        return
    config = _config()
    with engine.execution_options(writes=True).begin() as connection:
        dialect.begin_writing(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether nothing is missing. A database of a later release is none of ours to change, and is not current."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    return config

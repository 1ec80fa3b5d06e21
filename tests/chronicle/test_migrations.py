"""Databases are brought up to date, and come out as the code expects them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.schema import CreateTable
from typer.testing import CliRunner

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.store import StoreError, open_store, tables
from choreo_bdd_chronicle.store.migrating import HEAD


def test_migrations_make_the_tables_of_the_code(database: str) -> None:
    store = open_store(database)
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    store.close()


def test_the_last_migration_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", "choreo_bdd_chronicle.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_sqlite_tables_are_laid_out_as_declared(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'chronicle.db'}")
    engine = create_engine("sqlite://")
    with store.reading() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        made: dict[str, str] = {row.name: row.sql for row in rows}
    store.close()
    for table in tables.metadata.sorted_tables:
        declared = str(CreateTable(table).compile(engine))
        for words in ("WITHOUT ROWID", "AUTOINCREMENT"):
            assert (words in made[table.name]) == (words in declared), (table.name, words)


def test_migrate_says_where_and_hides_the_password(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path)]
    for _ in range(2):
        done = CliRunner().invoke(commands, ["chronicle", "migrate", *data])
        assert (done.exit_code, "up to date" in done.output) == (0, True)
    away = "postgresql://me:p%40ss%25word@127.0.0.1:9/x"
    refused = CliRunner().invoke(commands, ["chronicle", "migrate", "--database", away])
    assert refused.exit_code == 2
    assert "127.0.0.1:9" in refused.output
    assert not re.search("p%40ss|p@ss", refused.output)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite:////no/such/folder/x.db"])
def test_a_database_that_cannot_be_opened_is_named(url: str) -> None:
    with pytest.raises(StoreError):
        open_store(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "chronicle.db"
    file.write_bytes(b"no database at all, but text" * 100)
    with pytest.raises(StoreError, match=r"chronicle\.db: cannot be opened: file is not a database"):
        open_store(f"sqlite:///{file}")

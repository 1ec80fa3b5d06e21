"""Databases are brought up to date, and come out as the code expects them."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, delete, inspect, text
from sqlalchemy.schema import CreateTable

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import StoreError, open_store, tables
from choreo_bdd_chronicle.store.looks import watched
from choreo_bdd_chronicle.store.migrating import HEAD, alone, is_current, upgrade
from choreo_bdd_chronicle.store.postgres import PostgresDialect
from choreo_bdd_chronicle.store.sqlite import SqliteDialect
from tests.chronicle import postgres as postgresql
from tests.chronicle.conftest import started
from tests.chronicle.reports import report
from tests.support.command_line import CliRunner


def test_migrations_make_the_tables_of_the_code(database: str) -> None:
    store = open_store(database)
    options = {"include_name": lambda name, kind, _parents: kind != "table" or not name.startswith("run_topics_")}
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []
    store.close()


def test_what_was_measured_before_is_put_into_months_and_back(postgres: postgresql.Server) -> None:
    with started(Settings(database=postgres.empty(), pause=3600)) as chronicle:  # no look while tables are moved
        for begun in ("1999-12-31", "2025-12-31", "2026-01-01", "2031-06-01"):
            chronicle.keep(report(begun=datetime.fromisoformat(f"{begun}T23:59:59+00:00")))
        engine = PostgresDialect().engine(chronicle.settings.database)

        def held() -> tuple[list[str], set[str]]:
            with engine.connect() as connection:
                rows = connection.execute(text("SELECT * FROM run_topics ORDER BY started_at"))
                names = {each for each in inspect(engine).get_table_names() if each.startswith("run_topics_")}
                return [repr(row) for row in rows], names

        before = held()
        assert before[1] >= {"run_topics_else", "run_topics_2025_12", "run_topics_2026_01"}
        assert not before[1] & {"run_topics_1999_12", "run_topics_2031_06"}
        for move, to, names in ((command.downgrade, "0004", set()), (command.upgrade, "head", before[1])):
            _migrated(engine, move, to)
            rows, found = held()
            assert (rows, found <= names) == (before[0], True)
        engine.dispose()
        assert {"run_topics_else", "run_topics_2025_12", "run_topics_2026_01"} <= found
        chronicle.keep(report(begun=datetime(2026, 1, 2, tzinfo=UTC)))
        (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
        assert topic["sample_count"] == 5


def test_whoever_reads_while_tables_are_moved_gets_an_answer_and_the_tables_are_moved(
    postgres: postgresql.Server,
) -> None:
    url = postgres.another()
    open_store(url).close()
    engine = PostgresDialect().engine(url)
    _migrated(engine, command.downgrade, "0004")
    with ThreadPoolExecutor() as threads, engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM runs"))
        moved = threads.submit(upgrade, engine, PostgresDialect())
        _wait_until_somebody_waits(engine)
        assert reader.execute(text("SELECT count(*) FROM run_topics")).scalar() == 0
        reader.rollback()
        moved.result(timeout=20)
    assert is_current(engine)
    engine.dispose()


def test_tables_that_somebody_keeps_in_use_are_told_and_stay_as_they_are(
    postgres: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.another()
    open_store(url).close()
    engine = PostgresDialect().engine(url)
    _migrated(engine, command.downgrade, "0004")
    monkeypatch.setattr("choreo_bdd_chronicle.store.postgres._LOCK_TRIES", 2)
    with engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM runs"))
        with pytest.raises(StoreError, match="tables are in use: end every server on it, start one, then the others"):
            open_store(url)
    assert not is_current(engine)
    engine.dispose()


def _wait_until_somebody_waits(engine: Engine) -> None:
    waiting = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    for _ in range(postgresql.TRIES):
        with engine.connect() as connection:
            if connection.execute(waiting).scalar():
                return
        sleep(0.02)
    raise AssertionError("nobody waits for a lock")


def test_what_an_earlier_release_kept_is_no_news(database: str) -> None:
    with started(Settings(database=database)) as chronicle:
        for branch in ("main", "main", None):
            chronicle.keep(report(git_branch=branch))
    engine = (PostgresDialect() if database.startswith("postgresql") else SqliteDialect()).engine(database)
    _migrated(engine, command.downgrade, "0005")
    _migrated(engine, command.upgrade, "head")
    with engine.connect() as connection:
        assert watched.behind(connection) == []
        connection.execute(delete(tables.watched).where(tables.watched.c.branch == "main"))
        assert [line.branch for line in watched.behind(connection)] == ["main"]
    engine.dispose()


def _migrated(engine: Engine, move: Callable[[Config, str], None], revision: str) -> None:
    dialect = PostgresDialect() if engine.dialect.name == "postgresql" else SqliteDialect()
    with alone(engine, dialect) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "choreo_bdd_chronicle.store:migrations")
        move(config, revision)


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

"""Exports, back-ups and what becomes of them."""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import Result

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import copying, open_store
from tests.chronicle import postgres as postgresql
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import BEGUN, body, handle, late, report, timed_out
from tests.support.command_line import CliRunner


def run(*words: object) -> Result:
    return CliRunner().invoke(commands, ["chronicle", *map(str, words)])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def exported(chronicle: Chronicle, *options: str) -> list[dict[str, str]]:
    done = run("export", "--database", chronicle.settings.database, *options)
    assert done.exit_code == 0, done.output
    return rows_of(done.stdout)


def test_the_export_has_a_row_for_each_topic_of_each_run(chronicle: Chronicle) -> None:
    later = BEGUN + timedelta(hours=1)
    second = chronicle.keep(report([handle("b", 10.0), late("b", 300.0, 200.0), timed_out("a")], begun=later))
    first = chronicle.keep(report([handle("a", 20.0)]))
    chronicle.keep(report([handle("elsewhere")]), "beta")
    rows = exported(chronicle, "--tenant", "alpha")
    assert [(row["run_id"], row["topic"]) for row in rows] == [(first, "a"), (second, "a"), (second, "b")]
    _, unanswered, measured = rows
    assert (unanswered["sample_count"], unanswered["timeout"], unanswered["p95_ms"]) == ("1", "1", "")
    assert {name: measured[name] for name in ("passed", "slow", "over_budget", "budget_ms", "min_ms", "max_ms")} == {
        "passed": "1", "slow": "1", "over_budget": "1", "budget_ms": "200.0", "min_ms": "10.0", "max_ms": "300.0",
    }  # fmt: skip
    assert (measured["started_at"], measured["branch"]) == ("2026-10-01T13:00:00.000000Z", "main")
    assert [row["tenant"] for row in exported(chronicle)] == ["alpha"] * 3 + ["beta"]


@pytest.mark.parametrize("topic", ['a,"b"\nc', "=1+1", "@x", "-x", "grün 中"])
def test_no_topic_breaks_the_table_or_becomes_a_formula(chronicle: Chronicle, topic: str, tmp_path: Path) -> None:
    chronicle.keep(report([handle(topic)]))
    file = tmp_path / "out.csv"
    done = run("export", "--out", file, "--database", chronicle.settings.database)
    assert (done.exit_code, "1 row\n" in done.output) == (0, True)
    (row,) = rows_of(file.read_bytes().decode())
    assert row["topic"] in (topic, f"'{topic}")
    assert row["topic"][0] not in "=@-"


@pytest.mark.thorough
def test_the_same_rows_are_written_as_parquet(chronicle: Chronicle, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    for hour in range(2):
        chronicle.keep(
            report([handle("=a"), handle("b", None, outcome="timeout")], begun=BEGUN + timedelta(hours=hour))
        )
    file = tmp_path / "measured.parquet"
    done = run("export", "--format", "parquet", "--out", str(file), "--database", chronicle.settings.database)
    assert (done.exit_code, "4 rows" in done.output) == (0, True), done.output
    rows = parquet.read_table(file).to_pylist()
    assert [(row["topic"], row["sample_count"], row["p95_ms"]) for row in rows[:2]] == [
        ("=a", 1, pytest.approx(10.0, rel=0.01)), ("b", 1, None),
    ]  # fmt: skip
    assert rows[2]["started_at"] == BEGUN + timedelta(hours=1)
    assert [str(row["sample_count"]) for row in rows] == [row["sample_count"] for row in exported(chronicle)]


def test_parquet_says_what_it_needs(tmp_path: Path) -> None:
    done = run("export", "--format", "parquet", "--data", str(tmp_path))
    assert done.exit_code == 2
    assert "--out FILE" in done.output


def everything(chronicle: Chronicle) -> Any:
    runs = chronicle.get("/runs", tenant="alpha")
    raw = [chronicle.http.get(f"/api/v1/runs/{run['id']}/raw").content for run in runs["items"]]
    return runs, raw, chronicle.get("/topics", tenant="alpha")


@pytest.mark.thorough
def test_a_copy_made_while_reports_come_in_is_whole_and_can_be_restored(tmp_path: Path) -> None:
    content = body(report([handle(f"t.{number}") for number in range(30)]))
    copies = [tmp_path / f"copy-{number}.db" for number in range(3)]
    with started(Settings(database=f"sqlite:///{tmp_path / 'chronicle.db'}")) as chronicle:
        is_over = threading.Event()
        chronicle.keep(content)

        def send() -> None:
            while not is_over.is_set():
                chronicle.keep(content)

        sender = threading.Thread(target=send)
        sender.start()
        for copy in copies:
            done = run("backup", copy, "--data", tmp_path)
            assert done.exit_code == 0, done.output
        is_over.set()
        sender.join(30)
        kept = chronicle.get("/runs", tenant="alpha")["total"]
    assert {each.name for each in tmp_path.glob("copy-*")} == {each.name for each in copies}
    for copy in copies:
        data = tmp_path / copy.stem
        done = run("restore", copy, "--data", data)
        assert (done.exit_code, "restored" in done.output) == (0, True)
        with started(Settings(database=f"sqlite:///{data / 'chronicle.db'}")) as restored:
            runs, raw, topics = everything(restored)
            assert 1 <= runs["total"] <= kept
            assert set(raw) == {content}
            assert {each["sample_count"] for each in topics["items"]} == {runs["total"]}
            restored.keep(report())


@pytest.mark.thorough
def test_a_store_is_replaced_only_on_demand_and_by_a_sound_copy(tmp_path: Path) -> None:
    database, copy = f"sqlite:///{tmp_path / 'chronicle.db'}", tmp_path / "copy.db"
    with started(Settings(database=database)) as chronicle:
        chronicle.keep(report())
        before = everything(chronicle)
    assert run("backup", copy, "--data", tmp_path).exit_code == 0
    with started(Settings(database=database)) as chronicle:
        chronicle.keep(report())
        after = everything(chronicle)
    refused = run("restore", copy, "--data", tmp_path)
    assert (refused.exit_code, "--replace" in refused.output) == (2, True)
    broken = tmp_path / "broken.db"
    for content in (b"no database" * 100, copy.read_bytes()[:40_000], b""):
        broken.write_bytes(content)
        refused = run("restore", broken, "--data", tmp_path, "--replace")
        assert (refused.exit_code, "broken.db" in refused.output) == (2, True)
        refused = run("restore", broken, "--data", tmp_path / "new")
        assert (refused.exit_code, list((tmp_path / "new").iterdir())) == (2, [])
    with started(Settings(database=database)) as chronicle:
        assert everything(chronicle) == after
    assert run("restore", copy, "--data", tmp_path, "--replace").exit_code == 0
    with started(Settings(database=database)) as chronicle:
        assert everything(chronicle) == before


def test_what_cannot_be_copied_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    refused = run("backup", tmp_path / "copy.db", "--data", tmp_path)
    assert (refused.exit_code, "there is no database to copy" in refused.output) == (2, True)
    assert list(tmp_path.iterdir()) == []
    run("migrate", "--data", tmp_path)
    refused = run("backup", tmp_path / "chronicle.db", "--data", tmp_path)
    assert (refused.exit_code, "is the database itself" in refused.output) == (2, True)
    assert run("backup", tmp_path / "no" / "folder.db", "--data", tmp_path).exit_code == 2
    assert run("restore", tmp_path / "none.db", "--data", tmp_path / "new").exit_code == 2


@pytest.mark.parametrize(("command", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_postgresql_is_left_to_its_own_tools(command: str, tool: str, tmp_path: Path) -> None:
    refused = run(command, tmp_path / "copy", "--database", "postgresql://me:secret@db/chronicle")
    assert refused.exit_code == 2
    assert f"{tool} --" in refused.output
    assert "secret" not in refused.output


def test_postgresql_comes_back_as_the_guide_says_and_not_over_what_is_there(postgres: postgresql.Server) -> None:
    def carried_out(tool: str, *words: str) -> int:
        return subprocess.run([postgresql.programs() / tool, *words], capture_output=True, check=False).returncode

    source, empty = postgres.another(), postgres.another()
    with TemporaryDirectory() as folder, started(Settings(database=source)) as chronicle:
        months = [BEGUN - timedelta(days=30 * number) for number in range(4)]
        for number, begun in enumerate(months):
            chronicle.keep(report([handle(latency=5.0 + number)], begun=begun))
        wanted = [chronicle.get(path, tenant="alpha") for path in ("/runs", "/topics")]
        copy = f"{folder}/copy.dump"
        assert carried_out("pg_dump", "--format=custom", f"--file={copy}", source) == 0
        later = chronicle.keep(report(begun=BEGUN + timedelta(days=1)))
        assert carried_out("pg_restore", "--single-transaction", f"--dbname={source}", copy) != 0
        assert chronicle.get(f"/runs/{later}")["id"] == later
        assert carried_out("pg_restore", "--single-transaction", f"--dbname={empty}", copy) == 0
    with started(Settings(database=empty)) as chronicle:
        assert [chronicle.get(path, tenant="alpha") for path in ("/runs", "/topics")] == wanted
        chronicle.keep(report(begun=BEGUN + timedelta(days=40)))
        assert chronicle.get("/runs", tenant="alpha")["total"] == len(months) + 1


def test_a_copy_of_a_later_release_is_refused_in_words(tmp_path: Path) -> None:
    run("migrate", "--data", tmp_path)
    with closing(sqlite3.connect(tmp_path / "chronicle.db")) as later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
        later.commit()
    copying.backup(f"sqlite:///{tmp_path / 'chronicle.db'}", tmp_path / "copy.db")
    for words in (("migrate", "--data", tmp_path), ("restore", tmp_path / "copy.db", "--data", tmp_path / "new")):
        refused = run(*words)
        assert (refused.exit_code, "written by a later release" in refused.output) == (2, True)


def test_a_copy_of_an_empty_store_can_be_opened(tmp_path: Path) -> None:
    run("migrate", "--data", tmp_path)
    run("backup", tmp_path / "copy.db", "--data", tmp_path)
    open_store(f"sqlite:///{tmp_path / 'copy.db'}").close()

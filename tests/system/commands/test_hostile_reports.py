"""Damaged and hostile report folders: every command ends with the exit code it documents and a sentence."""

from __future__ import annotations

import gc
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from choreo_bdd_reporter.commands import commands
from choreo_bdd_reporter.read import bounded_files
from tests.support.command_line import CliRunner
from tests.support.hostile_reports import LEFT_OUT, OUT_OF_RANGE, REFUSED, Damage, write_whole

READING: tuple[tuple[str, ...], ...] = (
    ("merge", "REPORT", "-o", "merged"),
    ("diff", "REPORT", "REPORT"),
    ("diff", "sound", "REPORT", "--format", "json"),
    ("summary", "REPORT"),
    ("summary", "REPORT", "--format", "junit"),
    ("summary", "REPORT", "--format", "github"),
    ("export", "REPORT", "--format", "ctrf"),
    ("export", "REPORT", "--format", "otlp"),
    ("export", "REPORT", "--format", "chrome-trace"),
    ("render", "REPORT"),  # the last: it makes the page anew
)
EACH_ONCE = tuple({command[0]: command for command in READING}.values())

runner = CliRunner()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an undamaged report."""
    folder = tmp_path_factory.mktemp("whole") / "report"
    write_whole(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def damaged(
    whole: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Damage], Path]:
    """Make a report and damage it; in a folder that the suite does not search for sound ones."""

    def made(damage: Damage) -> Path:
        monkeypatch.chdir(tmp_path_factory.mktemp("hostile"))
        for name in ("report", "sound"):
            Path(name).mkdir()
            for file, content in whole.items():
                Path(name, file).write_bytes(content)
        damage(Path("report"))
        return Path("report")

    return made


def run(*arguments: str) -> Result:
    """A command, which must not end by an exception that nobody foresaw."""
    done = runner.invoke(commands, ["report", *("report" if each == "REPORT" else each for each in arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*REFUSED, *OUT_OF_RANGE])
def test_what_is_no_report_is_refused_with_a_sentence(damaged: Callable[[Damage], Path], name: str) -> None:
    damaged({**REFUSED, **OUT_OF_RANGE}[name])
    before = sorted(os.listdir("."))
    for command in EACH_ONCE:
        done = run(*command)
        assert (command, done.exit_code) == (command, 2), done.output
        assert "report" in done.stderr.splitlines()[0]
    assert sorted(os.listdir(".")) == before
    if not Path("report", ".partial.jsonl").exists():
        checked = run("validate", "REPORT")
        assert checked.exit_code in (1, 2)
        assert checked.output.startswith("report/results.json: ")


@pytest.mark.thorough
@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_report_is_read_without_what_is_damaged_beside_it(damaged: Callable[[Damage], Path], name: str) -> None:
    damaged(LEFT_OUT[name])
    for command in READING:
        done = run(*command)
        assert (command, done.exit_code) == (command, 0), done.output
    assert run("validate", "merged").exit_code == 0
    assert run("open", "report", "--no-browser").exit_code == 0


def test_what_would_take_too_much_memory_is_refused_before_it_is_read(
    damaged: Callable[[Damage], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged(lambda _: None)
    monkeypatch.setattr(bounded_files, "_SMALL", 0)
    monkeypatch.setattr(bounded_files, "MEMORY_MAX", 10_000)
    for command in (*EACH_ONCE, ("validate", "REPORT")):
        done = run(*command)
        assert (command, done.exit_code) == (command, 2), done.output
        assert "results.json: cannot be read: it would take 0 MB of memory, more than 0" in done.stderr


@pytest.mark.parametrize("piece", ["[]", "{}", '{"a":1}', "1.5", '"text"', "[[1]]", '{"a":{"b":[]}}'])
def test_the_count_of_memory_is_near_to_what_is_taken(piece: str) -> None:
    text = "[" + ",".join([piece] * 20_000) + "]"
    tracemalloc.start()
    try:
        document = json.loads(text)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(document) == 20_000
    assert taken < 1.5 * bounded_files.memory_for(text)


def test_no_circles_are_looked_for_while_a_report_is_read(
    damaged: Callable[[Damage], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[bool] = []

    def parse(text: str) -> object:
        looked_for.append(gc.isenabled())
        return bounded_files.parse(text)

    monkeypatch.setattr("choreo_bdd_reporter.commands.parse", parse)
    damaged(lambda _report: None)
    assert run("validate", "REPORT").exit_code == 0
    assert looked_for == [False]
    assert gc.isenabled()

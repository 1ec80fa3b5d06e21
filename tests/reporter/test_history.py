"""The history beside a report: one line a run, kept by the next, and what the page is told of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter.documents.headroom import least_headroom
from choreo_bdd_reporter.model.tests import RecordedScenario, Run, Test
from choreo_bdd_reporter.read.merge import merge
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.store import history
from choreo_bdd_reporter.store.directory import resolve
from choreo_bdd_reporter.store.history import read_history, recalled, remembered
from choreo_bdd_reporter.writer import write_documents, write_report

NAME = "tests/test_shop.py::test_order"


@pytest.fixture(autouse=True)
def on_a_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def day(number: int, sha: str | None = "c0ffee") -> dict[str, Any]:
    return {"started_at": f"2027-01-{number:02}T08:00:00+00:00", "git_sha": sha, "git_branch": "main"}


def written(path: Path, *days: int, seen: Sequence[Any] = ((NAME, "passed", 0.4),)) -> Path:
    """A file after a run on each of these days."""
    for number in days:
        lines = list(remembered(read_history(path), day(number), seen))
        path.write_text("".join(lines))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A report directory with a history that has begun."""
    directory = tmp_path / "out"
    directory.mkdir()
    (directory / "history.jsonl").touch()
    return directory


def lines_of(directory: Path) -> list[Any]:
    return [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]


def run_at(run: Run, number: int) -> Run:
    return replace(run, started_at=day(number)["started_at"])


def a_test(outcome: Any = "passed", nodeid: str = NAME) -> Test:
    return Test(nodeid=nodeid, file="tests/test_shop.py", name="test_order", outcome=outcome)


def test_each_run_adds_a_line_from_the_first_on_and_the_directory_stays_one_for_reports(
    empty_run: Run, tmp_path: Path
) -> None:
    for number, outcome in enumerate(("skipped", "passed", "failed"), start=1):
        write_report(run_at(empty_run, number), [a_test(outcome)], tmp_path / "out")
    assert [line["tests"] for line in lines_of(tmp_path / "out")] == [
        {"tests/test_shop.py": {"test_order": "k"}},
        {"tests/test_shop.py": {"test_order": "p"}},
        {"tests/test_shop.py": {"test_order": "f"}},
    ]
    assert resolve("out", tmp_path) == tmp_path / "out"


def test_a_history_may_be_put_into_a_new_directory_to_be_continued(empty_run: Run, out: Path) -> None:
    written(out / "history.jsonl", 1)
    assert resolve("out", out.parent) == out
    write_report(run_at(empty_run, 2), [a_test()], out)
    assert len(lines_of(out)) == 2


def test_the_page_of_a_run_knows_those_before_it(empty_run: Run, out: Path) -> None:
    for number in (1, 2):
        write_report(run_at(empty_run, number), [a_test("failed")], out)
    told = read_report(out).gherkin["history"]
    assert told["tests"] == {NAME: ["f", ""]}
    assert [start for start, _, _ in told["runs"]] == [day(1)["started_at"]]


def test_a_first_run_has_nothing_to_tell_and_leaves_its_line_for_the_second(empty_run: Run, tmp_path: Path) -> None:
    write_report(empty_run, [a_test()], tmp_path / "out")
    assert len(lines_of(tmp_path / "out")) == 1
    assert "history" not in read_report(tmp_path / "out").gherkin


def test_a_run_without_tests_leaves_no_line(empty_run: Run, tmp_path: Path) -> None:
    write_report(empty_run, [], tmp_path / "out")
    assert not (tmp_path / "out" / "history.jsonl").exists()


def test_a_merged_report_remembers_its_run_once_however_often_it_is_merged(empty_run: Run, tmp_path: Path) -> None:
    write_report(empty_run, [a_test("failed")], tmp_path / "shard")
    for _ in range(3):
        merged = merge([read_report(tmp_path / "shard")])
        write_documents(merged.results, merged.gherkin, tmp_path / "all")
    assert [line["tests"] for line in lines_of(tmp_path / "all")] == [{"tests/test_shop.py": {"test_order": "f"}}]


def test_headroom_of_scenarios_is_remembered(empty_run: Run, out: Path) -> None:
    handle = {"outcome": "pass", "latency_ms": 31.0, "budget_ms": 50.0, "actual": {}, "topic": "t"}
    document: Any = {"outcome": "pass", "handles": [handle], "timeline": [], "replies": []}
    scenario = RecordedScenario(document=document, details={"handles": [{"origin": None}], "timeline": []})
    write_report(empty_run, [replace(a_test(), scenarios=(scenario,))], out)
    assert lines_of(out)[0]["tests"]["tests/test_shop.py"] == {"test_order": "p38"}


@pytest.mark.parametrize(
    ("handles", "share"),
    [
        ([("pass", 10.0, 50.0, {}), ("pass", 40.0, 50.0, {})], 0.2),
        ([("slow", 60.0, 50.0, {})], -0.2),
        ([("pass", 10.0, None, {})], None),
        ([("timeout", 50.0, 50.0, None)], None),
        ([("pass", 50.0, 50.0, None)], None),
    ],
    ids=["the tightest counts", "late is below zero", "no budget", "nothing came", "silence was expected"],
)
def test_headroom_is_what_the_tightest_message_left(handles: Any, share: float | None) -> None:
    names = ("outcome", "latency_ms", "budget_ms", "actual")
    scenario: Any = {"handles": [dict(zip(names, handle, strict=True)) for handle in handles]}
    found = least_headroom([scenario])
    assert found == (None if share is None else pytest.approx(share))


def test_a_run_is_recalled_by_those_after_it_only(tmp_path: Path) -> None:
    runs = read_history(written(tmp_path / "history.jsonl", 1, 2, 3))
    assert len(recalled(runs, day(2), [NAME])["history"]["runs"]) == 1
    assert recalled(runs, day(1), [NAME]) == {}


def test_letters_and_headroom_stand_run_by_run(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    written(path, 1, seen=[(NAME, "slow", -0.5), ("other", "errored", None)])
    written(path, 2, seen=[("other", "skipped", None)])
    written(path, 3, seen=[(NAME, "passed", 1.0), ("other", "passed", 0.998)])
    told = recalled(read_history(path), day(4), [NAME, "other", "new"])["history"]
    assert told["tests"] == {NAME: ["s.p", "0 X"], "other": ["ekp", "  W"]}
    assert told["runs"][0] == [day(1)["started_at"], "c0ffee", False]


def test_of_tests_with_one_name_the_worst_is_remembered() -> None:
    (line,) = remembered([], day(1), [(NAME, "passed", 0.1), (NAME, "failed", None), (NAME, "slow", 0.0)])
    assert json.loads(line)["tests"]["tests/test_shop.py"] == {"test_order": "f"}


def test_the_oldest_runs_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "RUNS_KEPT", 3)
    path = written(tmp_path / "history.jsonl", 1, 2, 3, 4, 5)
    assert [run.started_at for run in read_history(path)] == [day(number)["started_at"] for number in (3, 4, 5)]
    monkeypatch.setattr(history, "BYTES_KEPT", 2 * len(path.read_text().splitlines()[0]))
    assert len(read_history(written(path, 6))) == 2


def test_a_page_shows_no_more_than_the_last_runs(tmp_path: Path) -> None:
    runs = read_history(written(tmp_path / "history.jsonl", *range(1, 25)))
    told = recalled(runs, day(25), [NAME])["history"]
    assert (len(told["runs"]), len(told["tests"][NAME][0])) == (20, 20)


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[1]",
        '{"history":2}',
        '{"history":1,"started_at":"x","git_sha":null,"ci":false,"tests":{"f":{"t":"?"}}}',
        '{"history":1,"started_at":"x","git_sha":null,"ci":false,"tests":{"f":{"t":"pxx"}}}',
        f'{{"history":1,"started_at":"x","git_sha":null,"ci":false,"tests":{{"f":{{"t":"p{"9" * 400}"}}}}}}',
        f'{{"history":{"9" * 5000}}}',
        "[" * 100_000,
        "\x00\udcff",
        " " * 20_000_000,
    ],
    ids=["half", "list", "later format", "letter", "number", "huge", "hugest", "deep", "bytes", "long"],
)
def test_a_line_that_is_no_run_is_told_and_left_out_of_the_next_file(broken: str, empty_run: Run, out: Path) -> None:
    write_report(run_at(empty_run, 1), [a_test()], out)
    path = out / "history.jsonl"
    path.write_bytes(broken.encode("utf-8", "surrogateescape") + b"\n" + path.read_bytes())
    with pytest.warns(RuntimeWarning, match=r"history\.jsonl: line 1 is no run of history format 1 and is left out"):
        write_report(run_at(empty_run, 2), [a_test()], out)
    assert [line["started_at"] for line in lines_of(out)] == [day(n)["started_at"] for n in (1, 2)]


def test_a_history_that_cannot_be_read_is_left_alone_and_the_report_is_written(
    empty_run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(run_at(empty_run, 1), [a_test()], out)
    before = (out / "history.jsonl").read_bytes()

    def refuse(*_: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(history, "read_history", refuse)
    with pytest.warns(RuntimeWarning, match="cannot be read and is left as it"):
        write_report(run_at(empty_run, 2), [a_test("failed")], out)
    assert (out / "history.jsonl").read_bytes() == before
    assert read_report(out).results["tests"][0]["outcome"] == "failed"


def test_a_full_disk_costs_the_line_and_not_the_report(
    empty_run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history, "replacing", full)
    with pytest.warns(RuntimeWarning, match=r"history\.jsonl was not written \(No space left on device\)"):
        write_report(empty_run, [a_test()], out)
    assert len(read_report(out).results["tests"]) == 1


def test_a_line_holds_no_text_of_the_test(empty_run: Run, out: Path) -> None:
    told: dict[str, Any] = {"traceback": "AssertionError: amount", "stdout": "out", "log": "log"}
    write_report(empty_run, [replace(a_test("failed"), **told)], out)
    (line,) = lines_of(out)
    assert set(line) == {"history", "started_at", "git_sha", "git_branch", "ci", "tests"}
    assert line["tests"] == {"tests/test_shop.py": {"test_order": "f"}}


def test_runs_in_continuous_integration_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    (line,) = remembered([], day(1), [(NAME, "passed", None)])
    assert json.loads(line)["ci"] is True


@pytest.mark.process
def test_a_parallel_run_leaves_one_line(suite: Any) -> None:
    suite.pytester.makepyfile("import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_it(n): pass\n")
    suite.report("-n2", in_process=False)
    (line,) = lines_of(suite.pytester.path / "out")
    assert sorted(line["tests"].popitem()[1]) == [f"test_it[{n}]" for n in range(4)]

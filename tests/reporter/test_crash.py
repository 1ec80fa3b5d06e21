"""A run that dies leaves what it had; the next run does not stumble over it."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.matchers import contains_fields
from choreo_bdd_reporter import writer
from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, RecordedScenario, Run, Step, Test, Workers
from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.read.report import ReportError, read_report
from choreo_bdd_reporter.store import journal
from choreo_bdd_reporter.writer import ReportWriter, write_report
from choreo_bdd_schemas import validate_report

PARTIAL = ".partial.jsonl"

KILLED = """
import os, signal
from playing import play

def test_before():
    print("password=opensesame")
    play("before the crash", amount=6).assert_passed()

def test_killed():
    os.kill(os.getpid(), signal.SIGKILL)

def test_after(): pass
"""


@pytest.fixture
def killed(suite: Any) -> Path:
    """The report directory of a run that was killed, over the report of an earlier one."""
    suite.pytester.makepyfile(test_old="def test_old(): pass")
    suite.report()
    (suite.path / "test_old.py").unlink()
    suite.pytester.makepyfile(test_new=KILLED)
    result = suite.run("--harness-report=out", in_process=False)
    assert result.ret == -signal.SIGKILL
    directory: Path = suite.path / "out"
    return directory


@pytest.mark.process
def test_a_killed_run_leaves_the_old_report_and_what_it_had_of_the_new_one(killed: Path) -> None:
    assert [test["name"] for test in json.loads((killed / "results.json").read_text())["tests"]] == ["test_old"]
    found = read_report(killed)
    assert validate_report(found.results) == []
    test, running, later = found.results["tests"]
    assert (test["name"], test["outcome"]) == ("test_before", "failed")
    for each, name in ((running, "test_killed"), (later, "test_after")):
        assert (each["file"], each["name"], each["outcome"]) == ("test_new.py", name, "errored")
        assert each["traceback"] == "not decided: the process of the run ended before this test did, or before it began"
    assert test["scenarios"][0]["name"] == "before the crash"
    assert found.gherkin["details"][test["nodeid"]][0]["handles"][0]["cause"] == "wrong shape"
    assert found.gherkin["exit"] == {"status": None, "interrupted": True}
    assert found.results["run"]["truncated"] is True
    assert found.results["run"]["redactions"]["stream_matches"] > 0
    assert "its run broke off" in found.notes[0]


@pytest.mark.process
def test_what_a_killed_run_left_holds_no_secret(killed: Path) -> None:
    text = (killed / PARTIAL).read_text()
    assert "opensesame" not in text
    assert "hunter22" not in text


@pytest.mark.process
def test_the_run_after_a_killed_one_has_its_report_and_no_remains(suite: Any, killed: Path) -> None:
    results = suite.report("-k", "not killed")
    assert [test["name"] for test in results["tests"]] == ["test_before", "test_after"]
    names = [".harness-report", "history.jsonl", "index.html", "results.json"]
    assert sorted(path.name for path in killed.iterdir()) == names


@pytest.mark.process
def test_a_line_that_was_cut_off_costs_only_itself(killed: Path) -> None:
    journal = killed / PARTIAL
    whole = journal.read_text()
    journal.write_text(whole + whole.splitlines()[-1][:200])
    assert [test["name"] for test in read_report(killed).results["tests"]] == [
        "test_before",
        "test_killed",
        "test_after",
    ]


@pytest.mark.process
def test_a_worker_s_run_that_is_killed_lists_what_never_began(suite: Any) -> None:
    killed = "import os, signal\n\ndef test_0():\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    later = "".join(f"\ndef test_{number}(token='password=opensesame'): pass\n" for number in range(1, 9))
    suite.pytester.makepyfile(test_new=killed + later)
    suite.run("--harness-report=out", "-n1", "-pxdist", in_process=False)
    found = read_report(suite.path / "out")
    assert [test["name"] for test in found.results["tests"]] == [f"test_{number}" for number in range(9)]
    assert {test["outcome"] for test in found.results["tests"][1:]} == {"errored"}


@pytest.mark.process
def test_what_is_ahead_of_a_killed_run_holds_no_secret(suite: Any) -> None:
    text = "import os, signal, pytest\n\n@pytest.mark.parametrize('login', ['a', 'password=opensesame'])\n"
    suite.pytester.makepyfile(test_new=text + "def test_0(login):\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    suite.run("--harness-report=out", in_process=False)
    assert "opensesame" not in (suite.path / "out" / PARTIAL).read_text()
    assert len(read_report(suite.path / "out").results["tests"]) == 2


@pytest.mark.parametrize("content", ["", "{}\n", "nonsense\n", '{"journal": 99}\n'])
def test_a_file_that_is_no_journal_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / PARTIAL).write_text(content)
    with pytest.raises(ReportError, match="no journal of a run"):
        read_report(tmp_path)


@pytest.mark.process
def test_a_behave_run_that_is_killed_leaves_the_scenarios_before(tmp_path: Path, playing: str) -> None:
    (tmp_path / "features" / "steps").mkdir(parents=True)
    (tmp_path / "features" / "shop.feature").write_text(
        "Feature: shop\n  Scenario: one\n    Given it plays\n  Scenario: two\n    Given it dies\n"
        "  Scenario: three\n    Given it plays\n  @later\n  Scenario: left out\n    Given it plays\n"
    )
    (tmp_path / "features" / "steps" / "shop.py").write_text(
        "import os, signal\nfrom behave import given\nfrom playing import play\n"
        "@given('it plays')\ndef _(context): play('first')\n"
        "@given('it dies')\ndef _(context): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    (tmp_path / "playing.py").write_text(playing)
    command = [sys.executable, "-m", "behave", "-f", "choreo", "-o", "out", "--tags=not @later"]
    died = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=50)
    assert died.returncode == -signal.SIGKILL
    found = read_report(tmp_path / "out")
    assert [(test["name"], test["outcome"]) for test in found.results["tests"]] == [
        ("one", "passed"),
        ("two", "errored"),
        ("three", "errored"),
    ]
    assert [step["status"] for step in found.gherkin["features"][0]["scenarios"][0]["steps"]] == ["passed"]


Recorded = Callable[..., RecordedScenario]


@pytest.fixture
async def many(run_scenario: Any, recorded: Recorded) -> list[Test]:
    """Passing and failing tests with Gherkin and without."""

    def right(scenario: Any) -> None:
        scenario.expect("order.paid", contains_fields({"amount": 5}))
        scenario.publish("order.paid", {"amount": 5, "note": "ü <b>"})

    def wrong(scenario: Any) -> None:
        scenario.expect("order.paid", contains_fields({"amount": 6}))
        scenario.publish("order.paid", {"amount": 5})

    scenarios = [recorded(await run_scenario(play)) for play in (right, wrong)]
    plain = [
        Test(nodeid=f"t.py::{n}", file="t.py", name=str(n), outcome="failed" if n % 2 else "passed",
             scenarios=(scenarios[n % 2], scenarios[0]))
        for n in range(6)
    ]  # fmt: skip
    step = Step(keyword="Then", text="it is paid", line=3, status="passed")
    gherkin = GherkinScenario(name="y", keyword="Scenario", line=2, steps=(step,))
    described = replace(plain[0], nodeid="x.feature::y", feature=Feature(uri="x.feature", name="x"), gherkin=gherkin)
    kept = {"name": "a.log", "media_type": "text/plain", "size": 2, "text": "ok", "cut": False}
    return [*plain, replace(described, attachments=(kept,)), replace(plain[1], nodeid="t.py::none", scenarios=())]


async def test_a_page_drawn_from_the_journal_is_the_page_drawn_from_memory(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)  # the page of a large run: in chunks
    pages = []
    for limit in (1_000_000, 0):
        monkeypatch.setattr(writer, "_IN_MEMORY_BYTES", limit)
        write_report(empty_run, many, tmp_path / "out")
        pages.append((tmp_path / "out" / "index.html").read_text())
    assert pages[0] == pages[1]
    assert 'id="c0"' in pages[0]


async def test_a_repeated_test_counts_once_with_its_last_outcome(
    many: list[Test], empty_run: Run, tmp_path: Path
) -> None:
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    for test in (many[1], many[0], replace(many[1], outcome="passed")):
        report.add(test)
    report.add_scenarios(many[0], many[1].scenarios)
    report.finish(empty_run)
    tests = json.loads((tmp_path / "out" / "results.json").read_text())["tests"]
    assert [(test["name"], test["outcome"], len(test["scenarios"])) for test in tests] == [
        ("1", "passed", 2),
        ("0", "passed", 4),
    ]


async def test_the_journal_grows_test_by_test_and_can_be_read_meanwhile(
    many: list[Test], empty_run: Run, tmp_path: Path
) -> None:
    environment = replace(empty_run.environment, hostname="ci-9")
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: environment)
    for number, test in enumerate(many, start=1):
        report.add(test, redacted=(number, 2 * number))
        found = read_report(tmp_path / "out").results
        assert [each["nodeid"] for each in found["tests"]] == [each.nodeid for each in many[:number]]
        assert found["run"]["redactions"] == {"fields": number, "stream_matches": 2 * number}
        assert found["run"]["hostname"] == "ci-9"
    report.finish(empty_run)
    assert not (tmp_path / "out" / PARTIAL).exists()


async def test_two_runs_in_one_directory_take_nothing_from_each_other(
    many: list[Test], empty_run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first, second = (
        ReportWriter(out, started_at=empty_run.started_at, describe=lambda: empty_run.environment) for _ in range(2)
    )
    for test in many[:3]:
        first.add(test)
    for test in many[3:]:
        second.add(test)
    with pytest.warns(RuntimeWarning, match="another run has begun its report there; give each a directory of its own"):
        first.finish(empty_run)
    assert [test["name"] for test in json.loads((out / "results.json").read_text())["tests"]] == ["0", "1", "2"]
    assert [test["nodeid"] for test in read_report(out).results["tests"]] == [test.nodeid for test in many[3:]]
    second.finish(empty_run)
    assert [test["nodeid"] for test in read_report(out).results["tests"]] == [test.nodeid for test in many[3:]]
    assert not (out / PARTIAL).exists()


async def test_a_directory_that_was_removed_meanwhile_is_made_anew(
    many: list[Test], empty_run: Run, tmp_path: Path
) -> None:
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    report.add(many[0])
    shutil.rmtree(tmp_path / "out")
    report.add(many[1])
    report.finish(empty_run)
    assert [test["name"] for test in read_report(tmp_path / "out").results["tests"]] == ["0", "1"]


@contextmanager
def full_disk(out: Path) -> Iterator[None]:
    """No file may grow by more than a little."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((out / PARTIAL).stat().st_size + 100, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


async def test_a_disk_that_is_full_for_a_while_costs_nothing(many: list[Test], empty_run: Run, tmp_path: Path) -> None:
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    report.add(many[0])
    with full_disk(tmp_path / "out"):
        with pytest.warns(RuntimeWarning, match=r"takes no more \(File too large\): what follows is kept in memory"):
            report.add(many[1])
        report.add(many[2])
        assert [test["name"] for test in read_report(tmp_path / "out").results["tests"]] == ["0"]
    report.add(many[3])
    assert [test["name"] for test in read_report(tmp_path / "out").results["tests"]] == ["0", "3"]
    report.finish(empty_run)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert validate_report(results) == []
    assert [test["name"] for test in results["tests"]] == ["0", "1", "2", "3"]
    assert not results["run"]["truncated"]


async def test_a_report_that_had_no_place_for_a_test_says_that_it_is_not_all(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_SPILLED_BYTES_MAX", 0)
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    report.add(many[0])
    with full_disk(tmp_path / "out"), pytest.raises(OSError, match="File too large"):
        report.add(many[1])
    report.finish(empty_run)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [test["name"] for test in results["tests"]] == ["0"]
    assert results["run"]["truncated"]


CHANNELS = {"channels": {"spec": "shop.yaml", "touched": ["paid"], "untouched": ["sent"]}}


async def test_what_is_known_of_the_run_is_recovered_with_its_tests(
    many: list[Test], empty_run: Run, tmp_path: Path
) -> None:
    report = ReportWriter(tmp_path / "out", started_at=empty_run.started_at, describe=lambda: empty_run.environment)
    report.note({"channels": {"spec": "shop.yaml", "touched": [], "untouched": ["paid", "sent"]}})
    report.add(many[0])
    report.note(CHANNELS)
    found = read_report(tmp_path / "out")
    assert found.gherkin["channels"] == CHANNELS["channels"]
    assert found.gherkin["exit"] == {"status": None, "interrupted": True}
    assert len(found.results["tests"]) == 1
    report.abandon()


async def test_a_run_that_ended_is_recovered_as_such(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "_replace", full)
    run = replace(empty_run, exit_status=1, facts=CHANNELS, workers=Workers(count=2, incomplete=("gw1",)))
    with pytest.raises(OSError, match="disk full"):
        write_report(run, many, tmp_path / "out")
    found = read_report(tmp_path / "out")
    assert found.gherkin["exit"] == {"status": 1, "interrupted": False}
    assert found.gherkin["channels"] == CHANNELS["channels"]
    assert found.results["run"]["xdist"] == {"workers": 2, "incomplete_workers": ["gw1"]}
    assert found.results["run"]["truncated"] is False
    assert "its report was never finished" in found.notes[0]


@pytest.mark.process
@pytest.mark.parametrize("options", [(), ("-n1",)])
def test_what_a_process_said_of_the_run_outlives_it(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(
        f"""
        import os
        from choreo_bdd.observers import note_run_fact
        def test_a(): note_run_fact("channels", {CHANNELS["channels"]})
        def test_b(): os._exit(3)
        """
    )
    suite.run("--harness-report=out", "--max-worker-restart=0", *options, in_process=False)
    assert read_report(suite.path / "out").gherkin["channels"] == CHANNELS["channels"]


async def test_too_many_tests_are_cut_visibly_and_failures_stay(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TESTS_MAX", 3)
    write_report(empty_run, many[:6], tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["run"]["truncated"] is True
    assert [test["name"] for test in results["tests"]] == ["1", "3", "5"]


async def test_a_report_that_could_not_be_finished_leaves_its_journal(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "_replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_report(empty_run, many, tmp_path / "out")
    assert len(read_report(tmp_path / "out").results["tests"]) == len(many)


async def test_a_report_of_few_but_large_tests_is_drawn_without_holding_them_all(
    many: list[Test], empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_IN_MEMORY_BYTES", 0)
    write_report(empty_run, many, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    assert 'id="c0"' in page
    assert "StoredTest" not in page

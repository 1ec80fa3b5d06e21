"""``choreo-bdd report merge, render, diff, summary, open``."""

from __future__ import annotations

import copy
import json
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import Result

from choreo_bdd_reporter.documents.file_names import PARTIAL
from choreo_bdd_reporter.model.tests import Environment, Feature, GherkinScenario, Step, Test
from choreo_bdd_reporter.model.tests import Run as ModelRun
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.writer import ReportWriter, write_documents, write_report
from choreo_bdd_schemas import validate_report

Run = Callable[..., Result]
Write = Callable[..., Path]


def a_handle(outcome: str = "pass", latency_ms: float = 10.0, **facts: Any) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "pass": {"kind": "matched"},
        "slow": {"kind": "over_budget", "latency_ms": latency_ms, "budget_ms": 20.0},
        "timeout": {"kind": "silent_timeout", "topic": "orders.paid", "deadline_ms": latency_ms},
    }
    return {
        "topic": "orders.paid", "outcome": outcome, "latency_ms": latency_ms, "budget_ms": None, "actual": None,
        "matcher_description": "amount = 5", "expected": {"amount": 5}, "attempts": 0, "reason": "", "truncated": False,
        "failure": None, "failures": [], "failures_dropped": 0, "diagnosis": kinds[outcome], **facts,
    }  # fmt: skip


def a_test(nodeid: str, outcome: str = "passed", *handles: dict[str, Any], **facts: Any) -> dict[str, Any]:
    scenario = {
        "name": "order", "correlation_id": "c-1", "outcome": "pass", "duration_ms": 5.0, "completed_normally": True,
        "handles": list(handles), "timeline": [], "timeline_dropped": 0, "replies": [], "summary_text": "",
    }  # fmt: skip
    return {
        "nodeid": nodeid, "file": nodeid.partition("::")[0], "name": nodeid.rpartition("::")[2], "class": None,
        "markers": [], "choreo_meta": None, "outcome": outcome, "duration_ms": 12.0, "traceback": None, "stdout": "",
        "stderr": "", "log": "", "skip_reason": None, "worker_id": None, "scenarios": [scenario] if handles else [],
        **facts,
    }  # fmt: skip


def results_of(*tests: dict[str, Any], version: str = "1.3", **facts: Any) -> dict[str, Any]:
    outcomes = [test["outcome"] for test in tests]
    names = ("passed", "failed", "errored", "skipped", "slow")
    run = {
        "started_at": "2027-01-02T03:04:05+00:00", "finished_at": "2027-01-02T03:04:06+00:00", "duration_ms": 1000.0,
        "totals": {**{name: outcomes.count(name) for name in names}, "total": len(tests)}, "project_name": "shop",
        "transport": "MockTransport", "allowlist_path": None, "python_version": "3.12.1", "harness_version": "0.1.0",
        "reporter_version": "0.1.0", "git_sha": "f00", "git_branch": "main", "environment": None, "hostname": "ci-7",
        "xdist": None, "truncated": False, "redactions": {"fields": 1, "stream_matches": 2}, **facts,
    }  # fmt: skip
    return {"schema_version": version, "run": run, "tests": list(tests)}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a report and return its directory."""

    def written(name: str, *tests: dict[str, Any], gherkin: dict[str, Any] | None = None, **facts: Any) -> Path:
        write_documents(results_of(*tests, **facts), gherkin or {}, tmp_path / name)
        return tmp_path / name

    return written


def merged(run: Run, tmp_path: Path, *arguments: object) -> tuple[Result, dict[str, Any]]:
    result = run("report", "merge", *map(str, arguments), "-o", str(tmp_path / "merged"))
    assert result.exit_code == 0, result.output
    results: dict[str, Any] = json.loads((tmp_path / "merged" / "results.json").read_text())
    assert validate_report(results) == []
    assert (tmp_path / "merged" / "index.html").read_text().startswith("<!")
    return result, results


def test_shards_become_one_report_with_totals_and_counters_of_all(run: Run, write: Write, tmp_path: Path) -> None:
    one = write("one", a_test("a.py::x"), a_test("a.py::y", "failed"))
    two = write(
        "two", a_test("b.py::z", "skipped"), transport="NatsTransport", hostname="ci-8", git_branch=None,
        started_at="2027-01-02T03:04:05.5+00:00", finished_at="2027-01-02T03:04:07+00:00", duration_ms=1500.0,
        xdist={"workers": 2, "incomplete_workers": ["gw1"]}, truncated=True,
    )  # fmt: skip
    _, results = merged(run, tmp_path, one, two)
    assert [test["nodeid"] for test in results["tests"]] == ["a.py::x", "a.py::y", "b.py::z"]
    block = results["run"]
    assert block["totals"] == {"passed": 1, "failed": 1, "errored": 0, "skipped": 1, "slow": 0, "total": 3}
    assert (block["transport"], block["transports"]) == (None, ["MockTransport", "NatsTransport"])
    assert (block["started_at"], block["finished_at"]) == ("2027-01-02T03:04:05+00:00", "2027-01-02T03:04:07+00:00")
    assert block["duration_ms"] == 2000.0
    assert (block["hostname"], block["git_branch"], block["git_sha"]) == ("ci-7, ci-8", "main", "f00")
    assert block["xdist"] == {"workers": 2, "incomplete_workers": ["gw1"]}
    assert block["redactions"] == {"fields": 2, "stream_matches": 4}
    assert block["truncated"] is True


@pytest.mark.parametrize("duplicates", ["worst", "last"])
def test_a_test_of_several_reports_counts_once_and_is_named(
    run: Run, write: Write, tmp_path: Path, duplicates: str
) -> None:
    first = write("first", a_test("a.py::x", "failed"), a_test("a.py::y"))
    again = write("again", a_test("a.py::x", "passed"))
    result, results = merged(run, tmp_path, first, again, "--duplicates", duplicates)
    outcomes = {test["nodeid"]: test["outcome"] for test in results["tests"]}
    assert outcomes == {"a.py::x": "failed" if duplicates == "worst" else "passed", "a.py::y": "passed"}
    assert f"a.py::x: in several reports; the {duplicates} outcome counts" in result.stderr


def test_every_worker_of_one_report_is_kept(run: Run, write: Write, tmp_path: Path) -> None:
    each = [a_test("a.py::x", worker_id=worker) for worker in ("gw0", "gw1")]
    _, results = merged(run, tmp_path, write("each", *each))
    assert [test["worker_id"] for test in results["tests"]] == ["gw0", "gw1"]


def test_a_folder_of_reports_stands_for_all_of_them(run: Run, write: Write, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    for number in (2, 1):
        write(f"shards/{number}", a_test(f"{number}.py::x"))
    _, results = merged(run, tmp_path, tmp_path / "shards")
    assert [test["nodeid"] for test in results["tests"]] == ["1.py::x", "2.py::x"]


def features(uri: str, *nodeids: str) -> dict[str, Any]:
    step = {
        "keyword": "Then", "text": "I expect", "line": 7, "status": "failed", "duration_ms": 1.0, "docstring": None,
        "table": None, "background": False, "message": "late", "checks": [{"scenario": 0, "handle": 0}],
    }  # fmt: skip
    scenario = {"keyword": "Scenario", "line": 5, "tags": [], "rule": None, "description": "", "steps": [step]}
    note = {"origin": f"{uri}:7", "cause": "nothing arrived", "sentence": "nothing came on 'orders.paid' % 30 ms"}
    return {
        "features": [
            {"uri": uri, "name": "Shop", "description": "", "keyword": "Feature", "tags": [], "line": 1,
             "scenarios": [{"nodeid": nodeid, "name": nodeid.rpartition("::")[2], **scenario} for nodeid in nodeids]},
        ],
        "details": {nodeid: [{"handles": [note], "timeline": []}] for nodeid in nodeids},
        "exit": {"status": 1, "interrupted": False},
    }  # fmt: skip


def failing(nodeid: str, **facts: Any) -> dict[str, Any]:
    return a_test(nodeid, "failed", a_handle("timeout", 30.0), traceback="AssertionError: late", **facts)


def test_steps_and_details_survive_a_merge(run: Run, write: Write, tmp_path: Path) -> None:
    uri = "features/shop.feature"
    shards = [
        write(f"s{n}", failing(f"{uri}::buy {n}"), gherkin=features(uri, f"{uri}::buy {n}")) for n in range(2)
    ]  # fmt: skip
    merged(run, tmp_path, *shards)
    gherkin = read_report(tmp_path / "merged").gherkin
    (feature,) = gherkin["features"]
    assert [scenario["name"] for scenario in feature["scenarios"]] == ["buy 0", "buy 1"]
    assert list(gherkin["details"]) == [f"{uri}::buy 0", f"{uri}::buy 1"]
    assert gherkin["exit"] == {"status": 1, "interrupted": False}


def test_a_merge_does_not_write_over_files_of_others(run: Run, write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    result = run("report", "merge", str(write("a", a_test("a.py::x"))), "-o", str(tmp_path / "mine"))
    assert result.exit_code == 2
    assert "no sentinel file" in result.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("command", ["merge", "render", "diff", "summary"])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "cannot be read: not JSON"),
        ('{"schema_version": "2"}', "no valid report: schema_version: '2' is not one of"),
        ("[" * 100_000, "cannot be read: not JSON"),
    ],
)
def test_what_is_no_report_is_named_with_its_fault(
    run: Run, tmp_path: Path, command: str, content: str | None, complaint: str
) -> None:
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    more = {"merge": ["-o", str(tmp_path / "out")], "diff": [str(path)]}.get(command, [])
    result = run("report", command, str(path), *more)
    assert result.exit_code == 2, result.exception
    assert f"{path}: {complaint}" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def broken_off(tmp_path: Path) -> Path:
    """What a run left that died after its first test."""
    environment = Environment(python_version="3", harness_version="1", reporter_version="1", hostname="ci-9")
    died = ReportWriter(tmp_path / "died", started_at="2027-01-02T03:04:05+00:00", describe=lambda: environment)
    died.add(Test(nodeid="d.py::first", file="d.py", name="first", outcome="failed", traceback="E"))
    left = (tmp_path / "died" / PARTIAL).read_bytes()
    died.abandon()
    (tmp_path / "died" / PARTIAL).write_bytes(left)
    return tmp_path / "died"


def test_what_a_dead_run_left_can_be_merged_drawn_and_summed_up(
    run: Run, write: Write, broken_off: Path, tmp_path: Path
) -> None:
    result, results = merged(run, tmp_path, write("one", a_test("a.py::x")), broken_off)
    assert [test["nodeid"] for test in results["tests"]] == ["a.py::x", "d.py::first"]
    assert results["run"]["truncated"] is True
    assert f"{broken_off}: its run broke off" in result.stderr
    drawn = run("report", "render", str(broken_off))
    assert drawn.exit_code == 0
    assert "d.py::first" in (broken_off / "index.html").read_text()
    assert "note: some tests" in run("report", "summary", str(broken_off)).stdout


def test_messages_of_shards_are_merged_too(run: Run, tmp_path: Path) -> None:
    environment = Environment(python_version="3", harness_version="1", reporter_version="1", hostname="ci-9")
    stamp = "2027-01-02T03:04:05+00:00"
    finished = ModelRun(started_at=stamp, finished_at=stamp, duration_ms=1.0, environment=environment)
    step = Step(keyword="Given", text="a shop", line=3, status="passed")
    gherkin = GherkinScenario(name="y", keyword="Scenario", line=2, steps=(step,))
    for name in ("one", "two"):
        test = Test(nodeid=f"{name}.feature::y", file=f"{name}.feature", name="y", outcome="passed",
                    feature=Feature(uri=f"{name}.feature", name=name), gherkin=gherkin)  # fmt: skip
        write_report(finished, [test], tmp_path / name)
    merged(run, tmp_path, tmp_path / "one", tmp_path / "two")
    lines = (tmp_path / "merged" / "messages.ndjson").read_text().splitlines()
    kinds = [next(iter(json.loads(line))) for line in lines]
    assert (kinds.count("meta"), kinds.count("testCase"), kinds.count("testRunFinished")) == (1, 2, 1)


@pytest.mark.parametrize("version", ["1", "1.1", "1.2", "1.3"])
def test_a_results_file_of_any_version_is_drawn(run: Run, tmp_path: Path, version: str) -> None:
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps(results_of(failing("a.py::x"), version=version)))
    result = run("report", "render", str(path), "-o", str(tmp_path / "page.html"))
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(tmp_path / "page.html")
    assert "a.py::x" in (tmp_path / "page.html").read_text()
    assert [entry.name for entry in tmp_path.iterdir() if entry.suffix == ".tmp"] == []


def test_drawing_again_keeps_the_steps(run: Run, write: Write) -> None:
    uri = "features/shop.feature"
    directory = write("out", failing(f"{uri}::buy"), gherkin=features(uri, f"{uri}::buy"))
    before = (directory / "index.html").read_text()
    assert run("report", "render", str(directory)).exit_code == 0
    assert (directory / "index.html").read_text() == before


def two_runs(write: Write) -> tuple[Path, Path]:
    old = write(
        "old",
        a_test("a.py::stays", "failed"), a_test("a.py::mended", "errored"), a_test("a.py::breaks"),
        a_test("a.py::gone"),
        a_test("a.py::hop", "passed", a_handle(latency_ms=10.0), a_handle(latency_ms=50.0, topic="free")),
    )  # fmt: skip
    new = write(
        "new",
        a_test("a.py::stays", "failed"), a_test("a.py::mended"), a_test("a.py::breaks", "failed"),
        a_test("a.py::new", "failed"),
        a_test("a.py::hop", "slow", a_handle("slow", 30.0, budget_ms=20.0), a_handle(latency_ms=50.5, topic="free")),
    )  # fmt: skip
    return old, new


def test_a_diff_tells_what_broke_and_what_got_slower(run: Run, write: Write) -> None:
    result = run("report", "diff", *map(str, two_runs(write)), "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["new_failures"] == ["a.py::breaks", "a.py::new"]
    assert (found["still_failing"], found["fixed"]) == (["a.py::stays"], ["a.py::mended"])
    assert (found["added"], found["removed"]) == (["a.py::new"], ["a.py::gone"])
    (shift,) = found["shifts"]
    assert (shift["topic"], shift["old_ms"], shift["new_ms"]) == ("orders.paid", 10.0, 30.0)
    assert (shift["budget_ms"], shift["over_budget"]) == (20.0, True)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_diff_can_be_read_by_people(run: Run, write: Write, form: str) -> None:
    result = run("report", "diff", *map(str, two_runs(write)), "--format", form)
    assert result.exit_code == 1
    for fact in ("a.py::breaks", "a.py::mended", "a.py::stays", "+200%", "30.0 ms", "20.0 ms"):
        assert fact in result.stdout


def test_a_diff_without_new_failures_ends_well(run: Run, write: Write) -> None:
    old, new = two_runs(write)
    assert run("report", "diff", str(new), str(new)).exit_code == 0
    assert run("report", "diff", str(old), str(old)).stdout.startswith("0 new failures, 0 fixed, 2 still failing, 0 l")


def of_latencies(write: Write, name: str, latencies: Iterable[float], **facts: Any) -> Path:
    """A report in which one hop is met by a scenario for each latency."""
    tests = [a_test(f"a.py::x{n}", "passed", a_handle(latency_ms=ms, **facts)) for n, ms in enumerate(latencies)]
    return write(name, *tests)


def shifts_of(run: Run, old: Path, new: Path, *more: str) -> list[Any]:
    found: list[Any] = json.loads(run("report", "diff", str(old), str(new), "--format", "json", *more).stdout)["shifts"]
    return found


def test_a_small_shift_is_told_when_asked_for(run: Run, write: Write) -> None:
    old, new = of_latencies(write, "old", [50.0] * 5), of_latencies(write, "new", [55.0] * 5)
    assert "Latency" not in run("report", "diff", str(old), str(new)).stdout
    assert "+10%" in run("report", "diff", str(old), str(new), "--threshold", "5").stdout


def test_a_hop_that_became_slower_in_many_scenarios_is_one_line_with_both_distributions(run: Run, write: Write) -> None:
    old = of_latencies(write, "old", range(10, 50), budget_ms=500.0)
    new = of_latencies(write, "new", range(60, 100), budget_ms=500.0)
    (shift,) = shifts_of(run, old, new)
    assert shift["old"] == {"messages": 40, "p50_ms": 30, "p95_ms": 48, "max_ms": 49}
    assert shift["new"] == {"messages": 40, "p50_ms": 80, "p95_ms": 98, "max_ms": 99}
    said = run("report", "diff", str(old), str(new)).stdout
    assert "30.0 / 48.0 / 49.0 ms of 40 messages -> 80.0 / 98.0 / 99.0 ms of 40 messages, median +167%" in said


def test_messages_that_scatter_as_much_as_their_medians_differ_are_noise(run: Run, write: Write) -> None:
    old = of_latencies(write, "old", [4, 30, 6, 9, 25, 5, 12])
    assert shifts_of(run, old, of_latencies(write, "new", [5, 13, 28, 10, 4, 22, 31])) == []


def test_single_messages_are_told_only_when_they_cross_their_budget(run: Run, write: Write) -> None:
    old = of_latencies(write, "old", [4.0], budget_ms=100.0)
    new = of_latencies(write, "new", [11.0], budget_ms=100.0)
    said = run("report", "diff", str(old), str(new)).stdout
    assert said.startswith("0 new failures, 0 fixed, 0 still failing, 0 latencies shifted")
    assert "1 hop has fewer than 5 messages in a run" in said
    (crossed,) = shifts_of(run, old, of_latencies(write, "over", [101.0], budget_ms=100.0))
    assert (crossed["over_budget"], crossed["messages_over_budget"]) == (True, 1)


def test_what_matters_most_to_its_budget_comes_first(run: Run, write: Write) -> None:
    def report(name: str, tight: float, wide: float) -> Path:
        tests = [
            a_test(
                f"a.py::{n}", "passed",
                a_handle(latency_ms=wide, topic="wide", budget_ms=9000.0),
                a_handle(latency_ms=tight, topic="tight", budget_ms=100.0),
                a_handle(latency_ms=wide, topic="free"),
            )
            for n in range(6)
        ]  # fmt: skip
        return write(name, *tests)

    found = shifts_of(run, report("old", 40.0, 10.0), report("new", 60.0, 100.0))
    assert [shift["topic"] for shift in found] == ["tight", "wide", "free"]


@pytest.fixture
def shop(write: Write) -> Path:
    """A report with a failure whose place is known, and hostile text."""
    uri = "features/shop.feature"
    return write(
        "shop",
        failing(f"{uri}::buy", stdout="a\x00b\x1b[31m\ud800"),
        a_test("t.py::skips", "skipped", skip_reason="Skipped: <never>"),
        a_test("t.py::hop", "passed", a_handle(latency_ms=19.0, budget_ms=20.0)),
        a_test("t.py::breaks", "errored", traceback="x\nOSError: no | `broker` <b>"),
        gherkin=features(uri, f"{uri}::buy"),
    )


def test_github_gets_annotations_with_file_and_line_and_a_step_summary(
    run: Run, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    result = run("report", "summary", str(shop), "--format", "github")
    assert result.exit_code == 0, result.output
    assert (
        "::error file=features/shop.feature,line=7,title=buy%3A nothing arrived::"
        "nothing came on 'orders.paid' %25 30 ms\n"
    ) in result.stdout
    assert "::error file=t.py,title=breaks%3A error::OSError: no | `broker` <b>" in result.stdout
    assert "nothing arrived" in (tmp_path / "step.md").read_text()


def test_more_errors_than_github_shows_are_counted(run: Run, write: Write) -> None:
    many = write("many", *[a_test(f"t.py::t{number}", "failed", traceback="E") for number in range(13)])
    output = run("report", "summary", str(many), "--format", "github").stdout
    assert output.count("::error ") == 10
    assert "::notice::3 more failures are not annotated" in output


def test_one_of_a_kind_is_told_in_the_singular(run: Run, write: Write, tmp_path: Path) -> None:
    one = write("one", a_test("t.py::t"))
    assert run("report", "validate", str(one)).stdout.endswith(", 1 test\n")
    assert run("report", "merge", str(one), "-o", str(tmp_path / "out")).stdout.endswith(": 1 report, 1 test\n")
    many = write("many", *[a_test(f"t.py::t{number}", "failed", traceback="E") for number in range(51)])
    assert "… and 1 more failure\n" in run("report", "summary", str(many), "--format", "markdown").stdout
    few = write("few", *[a_test(f"t.py::t{number}", "failed", traceback="E") for number in range(11)])
    assert "1 more failure is not annotated" in run("report", "summary", str(few), "--format", "github").stdout


def test_markdown_shows_text_of_tests_as_text(run: Run, shop: Path) -> None:
    output = run("report", "summary", str(shop), "--format", "markdown").stdout
    assert output.startswith("## ❌ shop: 4 tests: 1 passed, 1 failed, 1 errored, 1 skipped in 1.0 s\n")
    assert r"OSError: no \| \`broker\` \<b\>" in output
    assert "`features/shop.feature:7`" in output
    assert "95 %" in output


def test_junit_is_wellformed_and_counts_what_every_reader_counts(run: Run, shop: Path) -> None:
    output = run("report", "summary", str(shop), "--format", "junit").stdout
    root = ElementTree.fromstring(output.encode())
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["features/shop.feature", "t.py"]
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failure = cases["buy"].find("failure")
    assert failure is not None
    assert failure.get("message") == "nothing came on 'orders.paid' % 30 ms"
    assert failure.text == "AssertionError: late"
    assert cases["buy"].findtext("system-out") == r"a\x00b\x1b[31m\ud800"
    assert [child.tag for child in cases["skips"]] == ["skipped"]
    assert cases["breaks"].find("error") is not None
    assert cases["hop"].get("classname") == "t"


# what GitLab asks of a code quality report: docs.gitlab.com/ci/testing/code_quality, "Code Quality report format"
SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def test_gitlab_gets_an_issue_a_failure_with_the_members_it_asks_for(run: Run, shop: Path) -> None:
    issues = json.loads(run("report", "summary", str(shop), "--format", "code-quality").stdout)
    assert {issue["check_name"]: issue["severity"] for issue in issues} == {
        "nothing arrived": "major", "error": "critical",
    }  # fmt: skip
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in SEVERITIES
        assert not issue["location"]["path"].startswith((".", "/"))
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    (late,) = [issue for issue in issues if issue["severity"] == "major"]
    assert late["description"] == "buy: nothing came on 'orders.paid' % 30 ms"


def test_a_failure_that_came_back_is_the_same_issue_however_it_is_told(run: Run, write: Write) -> None:
    def fingerprint(name: str, *tests: Any) -> Any:
        output = run("report", "summary", str(write(name, *tests)), "--format", "code-quality").stdout
        return [issue["fingerprint"] for issue in json.loads(output)]

    once = fingerprint("one", a_test("a.py::x", "failed", traceback="E   AssertionError: 12 ms"))
    again = fingerprint("two", a_test("a.py::x", "failed", traceback="E   AssertionError: 19 ms"))
    assert once == again != []
    assert fingerprint("none", a_test("a.py::x")) == []


def test_each_worker_of_a_test_has_a_reason_of_its_own(run: Run, write: Write) -> None:
    twins = [
        a_test("a.py::x", "failed", worker_id=worker, traceback=f"AssertionError: {worker}")
        for worker in ("gw0", "gw1")
    ]
    output = run("report", "summary", str(write("twins", *twins)), "--format", "junit").stdout
    reasons = [failure.get("message") for failure in ElementTree.fromstring(output.encode()).iter("failure")]
    assert reasons == ["AssertionError: gw0", "AssertionError: gw1"]


@pytest.mark.parametrize(
    ("form", "key"), [("ctrf", "reportFormat"), ("otlp", "resourceSpans"), ("chrome-trace", "traceEvents")]
)
def test_reports_are_printed_as_one_for_other_tools(run: Run, write: Write, shop: Path, form: str, key: str) -> None:
    result = run("report", "export", str(shop), str(write("more", a_test("b.py::z"))), "--format", form)
    assert (result.exit_code, key in json.loads(result.stdout)) == (0, True)


def test_scenarios_that_no_trace_is_made_of_are_counted(run: Run, write: Write) -> None:
    result = run("report", "export", str(write("one", a_test("a.py::x", "passed", a_handle()))), "--format", "otlp")
    assert result.stderr == "scenarios without a timeline are in no trace: 1\n"
    assert json.loads(result.stdout)["resourceSpans"][0]["scopeSpans"][0]["spans"] == []


def test_a_report_that_cannot_be_read_is_not_exported(run: Run, tmp_path: Path) -> None:
    result = run("report", "export", str(tmp_path / "none"), "--format", "ctrf")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read" in result.stderr


def test_text_names_causes_and_the_hops_closest_to_their_budgets(run: Run, shop: Path) -> None:
    output = run("report", "summary", str(shop)).stdout
    assert "nothing arrived: nothing came on 'orders.paid' % 30 ms\n  at features/shop.feature:7\n" in output
    assert "19.0 of 20.0 ms (95 %)  orders.paid  (t.py::hop)" in output


def test_control_characters_of_tests_do_not_reach_the_terminal(run: Run, write: Write) -> None:
    report = write("odd", a_test("t.py::x\x1b[2J", "failed", traceback="E\x1b]0;title\x07 \ud800"))
    for form in ("text", "markdown", "github"):
        result = run("report", "summary", str(report), "--format", form)
        assert result.exit_code == 0, result.exception
        assert "[2J" in result.stdout
        assert not {"\x1b", "\x07"} & set(result.stdout)


def test_several_reports_are_summed_up_as_one(run: Run, write: Write, tmp_path: Path) -> None:
    one, two = write("one", a_test("a.py::x")), write("two", a_test("b.py::y", "failed"))
    assert run("report", "summary", str(one), str(two)).stdout.startswith("2 tests: 1 passed, 1 failed in ")


def test_the_page_is_opened_or_named(run: Run, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []

    def no_browser(address: str) -> bool:
        seen.append(address)
        return False

    monkeypatch.setattr(webbrowser, "open", no_browser)
    directory = write("out", a_test("a.py::x"))
    result = run("report", "open", str(directory))
    assert result.exit_code == 0
    assert seen == [(directory / "index.html").as_uri()] == [result.stdout.strip()]
    assert "no browser could be started" in result.stderr
    assert run("report", "open", str(directory), "--no-browser").exit_code == 0
    assert len(seen) == 1
    missing = run("report", "open", str(tmp_path))
    assert missing.exit_code == 2
    assert "no such page; choreo-bdd report render" in missing.stderr


@pytest.mark.parametrize("command", ["merge", "render", "diff", "summary", "validate", "open"])
def test_exit_codes_are_in_the_help(run: Run, command: str) -> None:
    assert "Exit code" in " ".join(run("report", command, "--help").output.split())


def test_inputs_are_left_as_they_are(run: Run, write: Write, tmp_path: Path) -> None:
    directory = write("one", a_test("a.py::x"))
    before = copy.deepcopy({path.name: path.read_bytes() for path in directory.iterdir()})
    merged(run, tmp_path, directory)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_tests_that_passed_only_when_run_again_are_named_and_survive_a_merge(
    run: Run, write: Write, tmp_path: Path
) -> None:
    attempts = {"a.py::x": [{"outcome": "failed", "reason": "late"}], "a.py::y": [{"outcome": "passed", "reason": ""}]}
    one = write("one", a_test("a.py::x"), a_test("a.py::y"), gherkin={"attempts": attempts})
    merged(run, tmp_path, one, write("two", a_test("b.py::z")))
    told = run("report", "summary", str(tmp_path / "merged"))
    assert "note: passed only when run again: a.py::x\n" in told.stdout

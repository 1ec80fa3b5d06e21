from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter import page, writer
from choreo_bdd_reporter.model.host_and_versions import GitLookup, describe_environment, project_name, reporter_version
from choreo_bdd_reporter.model.tests import Run, Test
from choreo_bdd_reporter.writer import json_lines, write_report

ReadReport = Callable[[Path], dict[str, Any]]


def some_tests(count: int = 2, **facts: Any) -> tuple[Test, ...]:
    return tuple(Test(nodeid=f"t{n}", file="t", name="ü", outcome="passed", **facts) for n in range(count))


def test_both_files_are_written_and_no_temporary_ones_stay(
    empty_run: Run, tmp_path: Path, read_report: ReadReport
) -> None:
    write_report(empty_run, some_tests(), tmp_path / "out")
    assert read_report(tmp_path / "out")["run"]["totals"]["total"] == 2
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {".harness-report", "results.json", "index.html", "history.jsonl"}


def test_an_empty_run_is_a_valid_report(empty_run: Run, tmp_path: Path, read_report: ReadReport) -> None:
    write_report(empty_run, (), tmp_path / "out")
    assert read_report(tmp_path / "out")["tests"] == []


def test_results_are_ascii_with_one_test_a_line() -> None:
    document: dict[str, Any] = {"schema_version": "1.3", "run": {"a": "ü"}, "tests": [{"n": 1}, {"n": 2}]}
    text = "".join(json_lines(document))
    assert text.isascii()
    assert json.loads(text) == document
    assert '\n{"n":1},\n{"n":2}\n' in text


def test_a_page_that_fails_leaves_the_results_a_warning_and_no_older_page(
    empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **_options: object) -> None:
        raise ValueError("no template")

    write_report(empty_run, (), tmp_path / "out")
    monkeypatch.setattr(page, "write_page", broken)
    with pytest.warns(RuntimeWarning, match=r"index.html was not written \(ValueError: no template\)"):
        write_report(empty_run, some_tests(), tmp_path / "out")
    assert len(json.loads((tmp_path / "out" / "results.json").read_text())["tests"]) == 2
    assert not (tmp_path / "out" / "index.html").exists()


def test_a_writer_that_fails_midway_leaves_the_old_report(
    empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_report: ReadReport
) -> None:
    def broken(*args: object) -> Any:
        yield "{"
        raise OSError("disk full")

    write_report(empty_run, some_tests(5), tmp_path / "out")
    monkeypatch.setattr(writer, "_lines", broken)
    with pytest.raises(OSError, match="disk full"):
        write_report(empty_run, (), tmp_path / "out")
    assert len(read_report(tmp_path / "out")["tests"]) == 5


def test_a_document_against_its_own_schema_is_written_with_a_warning(empty_run: Run, tmp_path: Path) -> None:
    tests = some_tests(1, choreo_meta={"timeout_ms": "5s"})
    with pytest.warns(RuntimeWarning, match=r"follow its schema: tests\[0\].choreo_meta.timeout_ms: '5s'"):
        write_report(empty_run, tests, tmp_path / "out")
    assert (tmp_path / "out" / "results.json").is_file()


@pytest.mark.thorough
def test_a_fault_in_a_large_report_is_found_without_checking_all_of_it(empty_run: Run, tmp_path: Path) -> None:
    tests = some_tests(1000, duration_ms=-1.0)
    with pytest.warns(RuntimeWarning, match="duration_ms"):
        write_report(empty_run, tests, tmp_path / "out")


def test_few_tests_that_are_large_are_checked_like_others(
    empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_IN_MEMORY_BYTES", 0)
    with pytest.warns(RuntimeWarning, match=r"follow its schema: tests\[0\].markers\[0\]: 1 is not"):
        write_report(empty_run, some_tests(markers=(1,)), tmp_path / "out")


def test_git_and_host_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "topic", str(tmp_path)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], cwd=tmp_path, check=True)
    monkeypatch.setenv("HARNESS_ENV", "staging")
    environment = describe_environment(GitLookup(tmp_path), project_name="p")
    assert environment.git_branch == "topic"
    assert environment.git_sha is not None
    assert len(environment.git_sha) == 40
    assert environment.environment == "staging"
    assert environment.reporter_version == reporter_version()


def test_outside_a_checkout_the_variables_of_the_ci_system_are_used(tmp_path: Path) -> None:
    lookup = GitLookup(tmp_path)
    assert lookup.result({}) == (None, None)
    assert lookup.result({"GITHUB_SHA": "f00", "GITHUB_REF_NAME": "main"}) == ("f00", "main")
    assert lookup.result({"CI_COMMIT_SHA": "", "GIT_COMMIT": "f01", "GIT_BRANCH": "b"}) == ("f01", "b")


def test_the_project_is_named_by_option_variable_or_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_PROJECT_NAME", raising=False)
    assert project_name(None, Path("/repo/shop")) == "shop"
    monkeypatch.setenv("HARNESS_PROJECT_NAME", "variable")
    assert project_name(None, tmp_path) == "variable"
    assert project_name(" option ", tmp_path) == "option"
    assert project_name("  ", tmp_path) is None

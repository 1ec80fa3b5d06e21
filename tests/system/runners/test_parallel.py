"""Runs in several processes tell the same as a run in one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_schemas import validate_report
from tests.support.project import LOADER, Project
from tests.support.suite import VERDICTS, verdicts, written

pytestmark = pytest.mark.timeout(180)  # each test starts several processes


def merged(project: Project, *reports: str) -> dict[str, Any]:
    command = [sys.executable, "-c", "from choreo_bdd.cli import main; main()", "report", "merge", *reports]
    subprocess.run([*command, "-o", "merged"], cwd=project.folder, check=True, capture_output=True)
    return project.results("merged")


def test_xdist_writes_one_report_with_the_verdicts_of_a_serial_run(project: Project) -> None:
    serial = written(project).pytest("features", "--harness-report=serial")
    parallel = project.pytest("features", "-n", "2", "--harness-report=parallel")
    assert (serial.code, parallel.code) == (1, 1)
    assert verdicts(project.results("serial")) == VERDICTS
    assert verdicts(project.results("parallel")) == VERDICTS
    assert validate_report(project.results("parallel")) == []


def test_several_behave_processes_make_one_report_by_merging(project: Project) -> None:
    codes = {
        name: written(project).behave("-f", "choreo", "-o", f"reports/{name}", f"features/{name}.feature").code
        for name in ("orders", "rows")
    }
    assert codes == {"orders": 1, "rows": 0}
    results = merged(project, "reports/orders", "reports/rows")
    assert verdicts(results) == VERDICTS
    assert validate_report(results) == []


@pytest.fixture
def short_project() -> Iterator[Project]:
    """A project with a short path: behavex puts a socket below it, whose path may have about 100 characters."""
    with tempfile.TemporaryDirectory(prefix="bx") as folder:
        yield Project(Path(folder))


@pytest.mark.parametrize("scheme", ["feature", "scenario"])
def test_behavex_runs_the_vocabulary_in_parallel(short_project: Project, scheme: str) -> None:
    project = written(short_project)
    program = Path(sys.executable).with_name("behavex")
    arguments = ["--parallel-processes", "2", "--parallel-scheme", scheme, "-o", "out", "features"]
    ran = subprocess.run(
        [str(program), *arguments], cwd=project.folder, env={**os.environ, "NO_COLOR": "1"},
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert "5 scenarios passed, 1 failed" in ran.stdout, ran.stdout + ran.stderr
    assert ran.returncode == 1
    assert "nothing arrived" in (project.folder / "out" / "report.json").read_text("utf-8")


@pytest.mark.parametrize("scheme", ["scenario", "feature"])
def test_behavex_sees_what_has_become_of_a_scenario_on_each_bus(short_project: Project, scheme: str) -> None:
    buses = (
        "profiles: {memory: {nats: {type: memory}, kafka: {type: memory}}}\ndefault_transport: nats\ntimeout: 100ms\n"
    )
    short_project.file("choreo.yaml", buses).file("features/steps/choreo.py", LOADER)
    short_project.file(
        "features/environment.py", "from choreo_bdd_steps.adapters.behave import expand_buses as before_all\n"
    )
    short_project.feature("""
        Feature: f
          @bus(nats,kafka)
          Scenario: on each bus
            When I publish "a"
            Then I expect "a" where n is 5

          Scenario: good
            When I publish "a"
            Then I expect "a"
    """)
    ran = short_project._run("behavex", "--parallel-processes=2", f"--parallel-scheme={scheme}", "features", "-o", "o")
    assert ran.code == 1
    assert "1 scenario passed, 2 failed" in ran, ran.text

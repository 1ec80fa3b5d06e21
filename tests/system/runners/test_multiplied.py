"""Whatever multiplies scenarios - rows, buses, parameters, repetition - each run has an outcome of its own."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.project import LOADER, Project

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]

FORMATTER = '[tool.behave.formatters]\nchoreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"\n'
CONFIG = """
profiles:
  memory:
    nats: {type: memory}
    kafka: {type: memory}
default_transport: nats
timeout: 40ms
"""
BUSES = ("", "@bus(nats)", "@bus(nats,kafka)", "@bus(kafka) @bus(nats)")
NAMES = (
    *("plain", "odd [0]", "a/b::c", "äöü 🎈", "with 'quotes\" - and @1.1", "<want> of a row", "10%"),
    *("[starts", "[nats]", "back\\slash \\n", "{{ x }} (or) not", "zero\u200bwidth cafe\u0301", "long " * 200),
)
HELD = {True: "x", False: "y"}
FILES = ("f[x]/a.feature", "b::c.feature", "d.feature::col::ons.feature", "plain.feature", "[!a]/what?.feature")
OF_A_FILE = """
@timeout(40ms)
Feature: f
  Scenario: passes
    When I publish "a":
      | x |
      | 1 |
    Then I expect "a" where x is 1

  Scenario: fails
    When I publish "a"
    Then I expect "b"
"""
ENVIRONMENT = "from choreo_bdd_steps.adapters.behave import expand_buses as before_all\n"
TWICE = """
import pytest

@pytest.fixture(params=["one", "two"], autouse=True)
def variant(request):
    return request.param

def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("again")
    metafunc.parametrize("again", range(2))
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A scenario: its name, its buses, and of each row whether it holds; without rows it is no outline."""

    name: str
    buses: str
    rows: tuple[bool, ...]
    is_outline: bool

    def text(self) -> str:
        want = "<want>" if self.is_outline else HELD[self.rows[0]]
        lines = [
            f"  {self.buses}",
            f"  Scenario{' Outline' if self.is_outline else ''}: {self.name}",
            '    When I publish "t":',
            "      | a |",
            "      | x |",
            f'    Then I expect "t" where a is {want}',
        ]
        if self.is_outline:
            lines += ["    Examples:", "      | want |", *(f"      | {HELD[row]} |" for row in self.rows)]
        return "\n".join(lines)

    def outcomes(self) -> Counter[str]:
        buses = max(1, self.buses.count("nats") + self.buses.count("kafka"))
        return Counter({outcome: count * buses for outcome, count in Counter(map(_outcome, self.rows)).items()})


def _outcome(holds: bool) -> str:
    return "passed" if holds else "failed"


def drawn(seed: int) -> list[Drawn]:
    chance = random.Random(seed)
    found = []
    for name in NAMES:
        is_outline = "<want>" in name or chance.random() < 0.5
        rows = tuple(chance.random() < 0.6 for _ in range(chance.randint(1, 3) if is_outline else 1))
        found.append(Drawn(name, chance.choice(BUSES), rows, is_outline))
    return found


def counted(report: dict[str, Any]) -> Counter[str]:
    nodeids = [test["nodeid"] for test in report["tests"]]
    assert len(set(nodeids)) == len(nodeids)
    return Counter(test["outcome"] for test in report["tests"])


def expected(scenarios: list[Drawn], times: int = 1) -> Counter[str]:
    found = sum((scenario.outcomes() for scenario in scenarios), Counter())
    return Counter({outcome: count * times for outcome, count in found.items()})


@pytest.fixture(params=range(3))
def scenarios(request: pytest.FixtureRequest, project: Project) -> list[Drawn]:
    found = drawn(request.param)
    text = "Feature: f\n" + "\n\n".join(scenario.text() for scenario in found)
    project.file("choreo.yaml", CONFIG).file("pyproject.toml", FORMATTER).file("features/a.feature", text)
    return found


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["serial", "xdist"])
def test_pytest_keeps_the_outcome_of_each(project: Project, scenarios: list[Drawn], options: tuple[str, ...]) -> None:
    project.pytest("features", "--harness-report=once", *options)
    assert counted(project.results("once")) == expected(scenarios)
    project.file("conftest.py", TWICE).pytest("features", "--harness-report=four", *options)
    assert counted(project.results("four")) == expected(scenarios, 4)


def test_behave_keeps_the_outcome_of_each(project: Project, scenarios: list[Drawn]) -> None:
    project.file("features/environment.py", ENVIRONMENT).behave("-f", "choreo", "-o", "report")
    assert counted(project.results("report")) == expected(scenarios)


def test_behave_runs_again_what_failed(project: Project, scenarios: list[Drawn]) -> None:
    project.file("features/environment.py", ENVIRONMENT).behave("-f", "rerun", "-o", "again.txt")
    project.behave("@again.txt", "-f", "choreo", "-o", "report", "--no-skipped")
    ran_again = counted(project.results("report"))
    assert (ran_again["failed"], ran_again["passed"]) == (expected(scenarios)["failed"], 0)


@pytest.mark.parametrize(("times", "options"), [(1, ()), (4, ("-n2",))], ids=["serial", "multiplied in xdist"])
def test_what_failed_is_found_again(
    project: Project, scenarios: list[Drawn], times: int, options: tuple[str, ...]
) -> None:
    project.file("conftest.py", TWICE if times == 4 else "")
    again = ("-p", "cacheprovider", "features", "--harness-report=again", *options)
    project.pytest(*again, bare=False)
    failed = {test["nodeid"] for test in project.results("again")["tests"] if test["outcome"] == "failed"}
    assert len(failed) == expected(scenarios, times)["failed"] > 0
    project.pytest(*again, "--lf", bare=False)
    assert {test["nodeid"] for test in project.results("again")["tests"]} == failed


@pytest.fixture
def odd_files(project: Project) -> Project:
    """A project whose files have names that mean something to behave or to pytest."""
    project.file("choreo.yaml", "{}").file("pyproject.toml", FORMATTER)
    for name in FILES:
        project.file(f"features/{name}", OF_A_FILE)
    return project


def ran(project: Project) -> list[str]:
    return sorted(test["nodeid"] for test in project.results("report")["tests"])


def test_behave_runs_again_what_failed_in_an_odd_file(odd_files: Project) -> None:
    odd_files.behave("-f", "rerun", "-o", "again.txt")
    odd_files.behave("@again.txt", "-f", "choreo", "-o", "report", "--no-skipped")
    assert ran(odd_files) == sorted(f"features/{name}::fails" for name in FILES)


def test_behave_alone_passes_no_list_of_odd_files_only(odd_files: Project) -> None:
    odd_files.file("again.txt", f"features/{FILES[0]}:9")
    assert odd_files.behave("@again.txt").code != 0  # it finds no steps beside them, before it loads ours
    odd_files.file("steps/choreo.py", LOADER).behave("@again.txt", "-f", "choreo", "-o", "report", "--no-skipped")
    assert ran(odd_files) == [f"features/{FILES[0]}::fails"]


@pytest.mark.parametrize("options", [("--lf",), ("--lf", "-n2")], ids=["serial", "xdist"])
def test_pytest_runs_again_what_failed_in_an_odd_file(odd_files: Project, options: tuple[str, ...]) -> None:
    again = ("-p", "cacheprovider", "features", "--harness-report=report")
    odd_files.pytest(*again, bare=False)
    odd_files.pytest(*again, *options, bare=False)
    assert ran(odd_files) == sorted(f"features/{name}::fails" for name in FILES)


def test_a_file_that_pytest_cannot_be_told_is_an_error_that_says_so(odd_files: Project) -> None:
    for name in ("features/b::c.feature", "features/b::c.feature::fails"):
        told = odd_files.pytest(name)
        assert told.code == pytest.ExitCode.USAGE_ERROR
        assert "features/b::c.feature has :: in its name, where pytest ends the name of a file" in told


def test_a_scenario_with_colons_in_its_name_is_found_by_its_node_id(project: Project) -> None:
    names = ("col::ons", "col::ons once more", "col", "a::b [0]", "plain")
    project.feature(
        "Feature: f\n"
        + "\n".join(f'  Scenario: {name}\n    When I publish "a"\n    Then I expect "a"' for name in names)
    )
    for named in (("col::ons",), ("a::b [0]", "plain"), ("col::ons", "col"), names):
        nodeids = sorted(f"features/a.feature::{name}" for name in named)
        assert project.pytest(*nodeids, "--harness-report=report").code == 0
        assert ran(project) == nodeids
    project.pytest("features", "features/a.feature::col::ons", "--harness-report=report")
    assert len(ran(project)) == len(names)
    lost = project.pytest("features/a.feature::col::umn", "features/a.feature::col::ons")
    assert lost.code == pytest.ExitCode.USAGE_ERROR
    assert "not found: features/a.feature::col::umn" in lost

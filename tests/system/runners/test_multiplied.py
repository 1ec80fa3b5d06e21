"""Whatever multiplies scenarios - rows, buses, parameters, repetition - each run has an outcome of its own."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.project import Project

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


def test_what_failed_is_found_again(project: Project, scenarios: list[Drawn]) -> None:
    again = ("-p", "cacheprovider", "features", "--harness-report=again")
    project.pytest(*again, bare=False)
    failed = {test["nodeid"] for test in project.results("again")["tests"] if test["outcome"] == "failed"}
    assert len(failed) == expected(scenarios)["failed"] > 0
    project.pytest(*again, "--lf", bare=False)
    assert {test["nodeid"] for test in project.results("again")["tests"]} == failed

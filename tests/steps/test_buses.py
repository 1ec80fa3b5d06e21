"""``@bus(nats,kafka)``: one scenario on several transports, one result each, under both frameworks."""

from __future__ import annotations

import pytest

from choreo_bdd.scenario.result import ScenarioResult
from tests.support.project import Project
from tests.support.step_bench import Bench

CONFIG = """
profiles:
  memory:
    nats: {type: memory}
    kafka: {type: memory}
    redis: {type: memory}
default_transport: redis
timeout: 200ms
"""
FEATURE = """
Feature: buses

  Background:
    Given who is "Ada"

  @bus(nats,kafka)
  Scenario: everywhere
    When I publish "a":
      | field | value     |
      | who   | {{ who }} |
    Then I expect "a" where who is "Ada"
    And I expect at most 1 "a" message on nats within 20ms

  @bus(kafka)
  Scenario Outline: rows
    When I publish "<topic>"
    Then I expect "<topic>" on kafka where correlation_id is absent

    Examples: some
      | topic |
      | x     |
      | y     |

  Scenario: only on the default one
    When I publish "a"
    Then I expect "a" on redis where who is absent
"""
NAMES = [
    "everywhere [nats]",
    "everywhere [kafka]",
    "rows -- @1.1 some [kafka]",
    "rows -- @1.2 some [kafka]",
    "only on the default one",
]
ENVIRONMENT = """
from choreo_bdd_steps.adapters.behave import expand_buses

def before_all(context):
    expand_buses(context)
"""


@pytest.fixture
def everywhere(project: Project) -> Project:
    return project.file("choreo.yaml", CONFIG).feature(FEATURE).file("features/environment.py", ENVIRONMENT)


def test_behave_runs_it_once_on_each(everywhere: Project) -> None:
    ran = everywhere.behave("-f", "plain")
    assert ran.code == 0, ran.text
    assert "5 scenarios passed, 0 failed" in ran
    assert [ran.count(name) for name in NAMES] == [1] * 5


def test_pytest_runs_it_once_on_each(everywhere: Project) -> None:
    ran = everywhere.pytest("features", "-v")
    assert ran.code == 0, ran.text
    assert "5 passed" in ran
    assert [ran.count(f"{name} PASSED") for name in NAMES] == [1] * 5


def test_both_give_these_runs_the_same_node_ids(everywhere: Project) -> None:
    settings = '[tool.behave.formatters]\nchoreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"\n'
    everywhere.file("pyproject.toml", settings)
    everywhere.behave("-f", "choreo", "-o", "behave-report")
    everywhere.pytest("features", "--harness-report=pytest-report")
    reports = [everywhere.results(folder) for folder in ("behave-report", "pytest-report")]
    nodeids = [[test["nodeid"] for test in report["tests"]] for report in reports]
    assert nodeids[0] == [f"features/a.feature::{name}" for name in NAMES]
    assert nodeids[1] == nodeids[0]


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_each_run_publishes_on_its_own_bus(project: Project, framework: str) -> None:
    project.file("choreo.yaml", CONFIG).file("features/environment.py", ENVIRONMENT).feature("""
        Feature: one
          @bus(nats,kafka)
          Scenario: s
            When I publish "a"
            Then I expect "a" on kafka where who is absent
    """)
    ran = project.run(framework)
    assert ran.code == 1
    assert "nothing arrived" in ran
    assert "1 passed, 1 failed" in ran or "1 failed, 1 passed" in ran or "1 scenario passed, 1 failed" in ran


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_bus_the_profile_does_not_have_is_told(project: Project, framework: str) -> None:
    project.file("choreo.yaml", CONFIG).file("features/environment.py", ENVIRONMENT).feature("""
        Feature: one
          @bus(nats,amqp)
          Scenario: s
            When I publish "a"
            Then I expect "a" where who is absent
    """)
    assert "there is no transport 'amqp' in profile 'memory'; it has kafka, nats, redis" in project.run(framework)


def test_behave_without_the_hook_says_what_to_do(project: Project) -> None:
    project.file("choreo.yaml", CONFIG).feature(FEATURE)
    ran = project.behave("-f", "plain")
    assert ran.code == 1
    assert "call choreo_bdd_steps.adapters.behave.expand_buses(context) in before_all(context)" in ran


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_rows_of_one_outline_may_run_on_different_ones(project: Project, framework: str) -> None:
    project.file("choreo.yaml", CONFIG).file("features/environment.py", ENVIRONMENT)
    project.file("pytest.ini", "[pytest]\naddopts = --strict-markers\n").feature("""
        Feature: buses
          Scenario Outline: rows
            When I publish "<topic>"
            Then I expect "<topic>" on <bus> where who is absent

            @bus(nats,kafka)
            Examples: several
              | topic | bus   |
              | w     | kafka |
              | x     | nats  |

            Examples: one
              | topic | bus   |
              | y     | redis |
    """)
    ran = project.run(framework, *(["-rA"] if framework == "pytest" else []))
    several = [f"rows -- @1.{row} several [{bus}]" for row in (1, 2) for bus in ("nats", "kafka")]
    for name in (*several, "rows -- @2.1 one"):
        assert name in ran, ran.text
    assert "[redis]" not in ran
    assert ("2 failed, 3 passed" in ran) or ("3 scenarios passed, 2 failed" in ran), ran.text


FAILS = """
Feature: f
  @bus(nats,kafka)
  Scenario: on each bus
    When I publish "a"
    Then I expect "a" where n is 5

  Scenario: plain :: with [odd] words
    When I publish "a"
    Then I expect "a" where n is 5

  Scenario: good
    When I publish "a"
    Then I expect "a"
"""


@pytest.fixture
def failing(project: Project) -> Project:
    return project.file("choreo.yaml", CONFIG).feature(FAILS).file("features/environment.py", ENVIRONMENT)


def test_behave_finds_such_a_scenario_by_the_name_in_its_file(failing: Project) -> None:
    ran = failing.behave("-f", "plain", "-n", "^on each bus$")
    assert ran.code == 1
    assert "0 scenarios passed, 2 failed, 2 skipped" in ran
    assert "0 scenarios passed, 1 failed, 3 skipped" in failing.behave("-f", "plain", "-n", r"\[kafka\]")


def test_behave_runs_again_what_has_failed(failing: Project) -> None:
    failing.behave("-f", "rerun", "-o", "rerun.txt")
    ran = failing.behave("-f", "plain", "@rerun.txt")
    assert "0 scenarios passed, 3 failed, 1 skipped" in ran, ran.text


def test_pytest_runs_again_what_has_failed(failing: Project) -> None:
    assert "3 failed, 1 passed" in failing.pytest("features", bare=False)
    ran = failing.pytest("features", "--lf", bare=False)
    assert "3 failed" in ran, ran.text
    assert "passed" not in ran
    stepped = [failing.pytest("features", "--sw", "--sw-skip", "-v", bare=False) for _ in range(3)]
    assert "features/a.feature::good PASSED" not in stepped[0]
    assert "good PASSED" in stepped[-1], stepped[-1].text


def test_a_result_names_its_only_transport_as_the_configuration_does(bench: Bench) -> None:
    result = bench.play('When I publish "a"').result
    assert isinstance(result, ScenarioResult)
    assert result.transport_name == "bus"

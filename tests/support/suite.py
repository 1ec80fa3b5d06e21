"""A user's suite with everything Gherkin has: two features, one scenario of which fails."""

from __future__ import annotations

from typing import Any

from tests.support.project import LOADER, Finished, Project

ORDERS = """
@timeout(1s)
Feature: Orders
  Background:
    Given id is a unique id

  Scenario: placed
    When I publish "orders.placed":
      | field | value    |
      | id    | {{ id }} |
    Then I expect "orders.placed" where id is "{{ id }}"

  Scenario: never settled
    When I publish "orders.placed"
    Then I expect "orders.settled"

  @slow(warn)
  Rule: a slow service is put up with
    Background:
      Given a service that answers "ping" with "pong" after 60ms

    Scenario: slow
      When I publish "ping"
      Then I expect "pong" within 1ms
"""
ROWS = """
Feature: Rows
  Scenario Outline: <n> messages
    When I publish <n> "burst" messages
    Then I expect exactly <n> "burst" messages within 50ms

    Examples: few
      | n |
      | 1 |
      | 2 |

    Examples: many
      | n  |
      | 20 |
"""
VERDICTS = {
    "placed": "passed",
    "never settled": "failed",
    "slow": "slow",
    "1 messages -- @1.1 few": "passed",
    "2 messages -- @1.2 few": "passed",
    "20 messages -- @2.1 many": "passed",
}
SETTINGS = "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"


def written(project: Project) -> Project:
    project.file("features/steps/choreo.py", LOADER).file("behave.ini", SETTINGS)
    return project.feature(ORDERS, "orders").feature(ROWS, "rows")


def reported(project: Project, framework: str) -> Finished:
    """Run the features under a framework, with a report in ``out``."""
    if framework == "behave":
        return project.behave("-f", "choreo", "-o", "out", "-f", "plain")
    return project.pytest("features", "--harness-report=out")


def verdicts(results: dict[str, Any]) -> dict[str, str]:
    return {test["name"]: test["outcome"] for test in results["tests"]}

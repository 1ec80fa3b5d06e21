"""Half of a surrogate pair, legal in JSON, ends no run: wherever it stands, and whoever writes it down."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.suite import SETTINGS

CUT = """
  Background:
    When I publish "cut" as raw bytes:
      '''
      {"name": "cut \\ud83d"}
      '''
    Then I expect "cut"
    And I keep "name" of "cut" as half
"""
FAILING = {
    "in a payload": """
    When I publish "t":
      | field | value      |
      | name  | {{ half }} |
    Then I expect "t" waiting up to 50ms:
      | field | value |
      | name  | x     |
""",
    "in what is expected": """
    When I publish "t":
      | field | value |
      | name  | x     |
    Then I expect "t" waiting up to 50ms:
      | field | value      |
      | name  | {{ half }} |
""",
    "as an unexpected message": """
    When I publish "t":
      | field | value      |
      | name  | {{ half }} |
    Then I expect no "t" where name is "{{ half }}" for 50ms
""",
    "in a key": """
    When I publish "t" with key "{{ half }}":
      | field | value |
      | name  | x     |
    Then I expect "t" waiting up to 50ms:
      | field | value |
      | @key  | x     |
""",
    "in a header": """
    When I publish "t" as an envelope:
      '''
      headers: {name: "{{ half }}"}
      payload: {n: 1}
      '''
    Then I expect "t" waiting up to 50ms:
      | field         | value |
      | @headers.name | x     |
""",
    "in a topic": """
    When I publish "{{ half }}":
      | field | value |
      | name  | x     |
    Then I expect "{{ half }}" waiting up to 50ms:
      | field | value |
      | name  | y     |
""",
}
NEXT = """
  Scenario: the next one
    When I publish "u":
      | field | value |
      | name  | x     |
    Then I expect "u":
      | field | value |
      | name  | x     |
"""
FEATURE = f"Feature: cut text\n{CUT}" + "".join(
    f"\n  Scenario: half a pair {where}{steps}" for where, steps in FAILING.items()
)


@pytest.mark.parametrize("output", ["pretty", "plain", "json", "choreo", "junit"])
def test_behave_runs_to_its_end(project: Project, output: str) -> None:
    project.file("behave.ini", SETTINGS).feature(FEATURE.replace("'''", '"""') + NEXT)
    ran = project.behave(*(["--junit"] if output == "junit" else ["-f", output, "-o", f"out-{output}"]), "-f", "plain")
    assert f"1 scenario passed, {len(FAILING)} failed" in ran.text, ran.text


def test_pytest_bdd_runs_to_its_end(project: Project) -> None:
    project.feature(FEATURE.replace("'''", '"""') + NEXT)
    ran = project.pytest("features", "--junitxml=junit.xml", "--harness-report=report", bare=False)
    assert f"{len(FAILING)} failed, 1 passed" in ran.text, ran.text
    assert "UnicodeEncodeError" not in ran.text

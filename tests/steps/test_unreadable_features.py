"""A feature file that cannot be read fails by itself, and never takes the others of its run with it."""

from __future__ import annotations

import json

import pytest

from tests.support.project import Project

GOOD = """Feature: {name}

  Scenario: {name} answers
    Given a service that answers "ping" with "pong"
    When I publish "ping"
    Then I expect "pong" within 1s
"""
RAGGED = """Feature: Ragged

  Scenario: Rows
    When I publish "ping":
      | field | value |
      | id    | 7 | 8 |
    Then I expect "pong"
"""
UNENDED = '''Feature: Unended

  Scenario: Its checks are swallowed
    When I publish "ping":
      """
      id: 7
    Then I expect "pong"
'''
LOCALISED = '# language: xx\nFeature: A\n\n  Scenario: B\n    When I publish "ping"\n'
TOLD = {
    "ragged": "features/b.feature:6: is not a feature file: this row has 3 cells where the table began with 2",
    "unended": "features/b.feature:5: is not a feature file: the doc string that begins here has no end",
    "language": "features/b.feature:1: ",
}
BROKEN = pytest.mark.parametrize(
    ("text", "told"),
    [(RAGGED, TOLD["ragged"]), (UNENDED, TOLD["unended"]), (LOCALISED, TOLD["language"])],
    ids=TOLD,
)
BEHAVE_INI = "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"


@pytest.fixture
def among_good_ones(project: Project) -> Project:
    for name in ("a", "c"):
        project.feature(GOOD.format(name=name), name)
    return project.file("behave.ini", BEHAVE_INI)


@BROKEN
def test_behave_runs_the_others_and_reports_the_one(among_good_ones: Project, text: str, told: str) -> None:
    ran = among_good_ones.feature(text, "b").behave("-f", "choreo", "-o", "report", "-f", "plain")
    assert ran.code == 1
    assert told in ran
    assert "2 scenarios passed, 1 failed" in ran
    report = json.loads((among_good_ones.folder / "report/results.json").read_text(encoding="utf-8"))
    assert [each["outcome"] for each in report["tests"]] == ["passed", "failed", "passed"]
    assert told in report["tests"][1]["traceback"]


@BROKEN
def test_pytest_runs_the_others_and_tells_of_the_one(among_good_ones: Project, text: str, told: str) -> None:
    ran = among_good_ones.feature(text, "b").pytest("features")
    assert ran.code == 1
    assert told in ran
    assert "2 passed, 1 error" in ran


@pytest.mark.parametrize("chosen", [("--tags", "@smoke"), ("--name", "answers"), ("--dry-run",), ("--tags", "not @x")])
def test_what_is_chosen_leaves_out_no_file_that_cannot_be_read(among_good_ones: Project, chosen: tuple[str]) -> None:
    ran = among_good_ones.feature(RAGGED, "b").behave(*chosen)
    assert (ran.code, TOLD["ragged"] in ran) == (1, True)


def test_a_doc_string_that_holds_marks_of_another_kind_is_read(project: Project) -> None:
    body = '    When I publish "ping":\n      """\n      note: |\n        ```\n      """\n'
    ran = project.feature(f'Feature: A\n\n  Scenario: B\n{body}    Then I expect "ping" where note exists\n').behave()
    assert ran.code == 0


def test_a_python_error_ends_a_pytest_run_as_ever(among_good_ones: Project) -> None:
    among_good_ones.feature(RAGGED, "b").file("features/test_own.py", "import no_such_module\n")
    ran = among_good_ones.pytest("features")
    assert (ran.code, "Interrupted: 2 errors during collection" in ran) == (2, True)

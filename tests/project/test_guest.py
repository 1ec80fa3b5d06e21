"""In a project that has not asked for it, the library changes nothing; where it is asked, it collects."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_project.config import find_config
from choreo_bdd_project.config_file import ConfigError
from tests.support.project import BARE, LOADER, Finished, Project

FEATURE = """
Feature: cart
  Scenario: adding
    When I publish "cart"
    Then I expect "cart"
"""
FOREIGN = """
Feature: cart
  @slow
  Scenario: adding
    Given a cart
"""
STUB = """
from pytest_bdd import given, scenarios

scenarios("features/cart.feature")

@given("a cart")
def cart():
    pass
"""


def pytest_in(project: Project, *arguments: str) -> Finished:
    return project._run("pytest", *BARE, *arguments)


def test_feature_files_of_others_are_left_alone(project: Project) -> None:
    project.file("tests/features/cart.feature", FOREIGN).file("tests/test_a.py", "def test_a(): pass\n")
    project.file("tests/features/steps/cart.py", "from behave import given\n")
    ran = pytest_in(project, "tests")
    assert (ran.code, "1 passed" in ran) == (0, True), ran.text


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["plain", "-W error"])
def test_a_suite_of_pytest_bdd_runs_as_without_us(project: Project, options: tuple[str, ...]) -> None:
    project.file("tests/features/cart.feature", FOREIGN).file("tests/test_cart.py", STUB)
    project.file("pytest.ini", "[pytest]\nmarkers =\n    slow: x\n")
    ran = pytest_in(project, "tests", *options)
    assert ran.code == 0, ran.text
    assert "1 passed in" in ran


ASKED = {
    "choreo.yaml at the root": ("choreo.yaml", "{}\n"),
    "choreo.yaml above the file": ("tests/choreo.yaml", "{}\n"),
    "pyproject.toml": ("pyproject.toml", "[tool.choreo]\n"),
    "behave's steps": ("tests/features/steps/choreo.py", LOADER),
    "choreo_features": ("pytest.ini", "[pytest]\nchoreo_features = tests/features\n"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_where_it_is_asked_a_folder_is_collected(project: Project, asked: str) -> None:
    project.file("tests/features/cart.feature", FEATURE).file(*ASKED[asked])
    ran = pytest_in(project, "tests")
    assert (ran.code, "1 passed" in ran) == (0, True), ran.text


def test_a_file_that_is_named_itself_is_collected(project: Project) -> None:
    project.file("tests/features/cart.feature", FEATURE)
    assert "1 passed" in pytest_in(project, "tests/features/cart.feature")


def test_testpaths_collect(project: Project) -> None:
    project.file("features/cart.feature", FEATURE).file("choreo.yaml", "{}\n")
    project.file("pytest.ini", "[pytest]\ntestpaths = features\n")
    assert "1 passed" in pytest_in(project)


def test_a_wrong_tag_expression_is_a_usage_error(project: Project) -> None:
    project.file("features/cart.feature", FEATURE).file("choreo.yaml", "{}\n")
    ran = pytest_in(project, "features", "-o", "choreo_tags=@smoke andd not")
    assert ran.code == 4
    assert "choreo_tags: '@smoke andd not' is no tag expression" in ran
    assert "INTERNALERROR" not in ran


def test_a_sentence_of_the_users_own_is_no_ambiguous_step(project: Project) -> None:
    project.file("features/steps/choreo.py", LOADER).file(
        "features/steps/own.py",
        """
        from behave import step

        @step("status is {status}")
        def status_is(context, status):
            context.status = status

        @step("{count:d} carts are in {place}")
        def carts(context, count, place):
            pass
        """,
    )
    ran = project.feature("""
        Feature: own steps
          Scenario: status
            Given status is open for business
            And order is {"id": 1}
            When I publish "t":
              | a               |
              | {{ order.id }}  |
            Then I expect "t" where a is 1
    """).behave("-f", "plain")
    assert ran.code == 0, ran.text


def test_what_cannot_be_read_above_a_project_of_others_is_not_told(project: Project) -> None:
    project.file("pyproject.toml", 'dependencies = ["choreo-bdd"\n').file("theirs/pytest.ini", "[pytest]\n")
    project.file("theirs/features/cart.feature", FOREIGN).file("theirs/test_cart.py", STUB)
    ran = pytest_in(project, "--rootdir=theirs", "-c", "theirs/pytest.ini", "theirs")
    assert (ran.code, "1 passed" in ran) == (0, True), ran.text


def test_a_broken_table_of_ours_is_told(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.choreo\n", "utf-8")
    with pytest.raises(ConfigError, match=r"pyproject\.toml: cannot be read as TOML"):
        find_config(tmp_path)

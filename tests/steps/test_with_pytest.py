"""The vocabulary under pytest-bdd, as a user's project has it."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from choreo_bdd_steps.adapters import pytest_bdd as adapter
from tests.support.project import Finished, Project

STRICT = "[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n"
SEVERAL = """
@all
Feature: Several
  Background:
    Given tenant is "acme"

  @first
  Scenario: one
    When I publish "a.{{ tenant }}"
    Then I expect "a.acme"

  @broken @timeout(50ms) @slow(warn)
  Scenario: two
    When I publish "b"
    Then I expect "nothing"

  @ruled
  Rule: a rule
    Background:
      Given region is "eu"

    @last
    Scenario: three
      When I publish "c.{{ tenant }}.{{ region }}"
      Then I expect "c.acme.eu"

  Scenario Outline: <name> by row
    Given n is <n>
    When I publish "d":
      | field | value   |
      | n     | {{ n }} |
      | name  | <name>  |
    Then I expect "d" where n is <n> and name is "<name>"

    @small
    Examples: few
      | name | n |
      | four | 4 |
      | five | 5 |
"""
COUNTING = """
import gc

from choreo_bdd_steps.run.scenario_run import ScenarioRun

def pytest_sessionfinish():
    gc.collect()
    print(f"\\nscenarios kept: {sum(isinstance(each, ScenarioRun) for each in gc.get_objects())}")
"""
STUB = "from pytest_bdd import scenarios\n\nscenarios({!r})\n"


def outcomes(ran: Finished) -> dict[str, str]:
    """Verdicts by node id, from ``pytest -v``."""
    return dict(re.findall(r"^(features\S.*?|test_\S+) (PASSED|FAILED|ERROR)", ran.text, re.MULTILINE))


def test_the_installed_pytest_bdd_is_the_one_this_was_proven_on() -> None:
    assert importlib.metadata.version("pytest-bdd") == adapter.PROVEN_ON


def test_features_are_collected_directly_under_strict_markers_and_warnings_as_errors(project: Project) -> None:
    ran = project.file("pytest.ini", STRICT).feature(SEVERAL).pytest("features", "-v")
    assert outcomes(ran) == {
        "features/a.feature::one": "PASSED",
        "features/a.feature::two": "FAILED",
        "features/a.feature::three": "PASSED",
        "features/a.feature::four by row -- @1.1 few": "PASSED",
        "features/a.feature::five by row -- @1.2 few": "PASSED",
    }
    assert ran.code == 1


@pytest.mark.parametrize(
    "nodeid", ["features/a.feature::one", "features/a.feature::three", "features/a.feature::five by row -- @1.2 few"]
)
def test_a_scenario_by_its_nodeid(project: Project, nodeid: str) -> None:
    ran = project.feature(SEVERAL).pytest(nodeid, "-v")
    assert outcomes(ran) == {nodeid: "PASSED"}


def test_without_being_asked_nothing_is_collected(project: Project) -> None:
    ran = project.feature(SEVERAL).file("test_x.py", "def test_x(): pass\n").pytest("-v")
    assert outcomes(ran) == {"test_x.py::test_x": "PASSED"}


def test_many_features_named_one_by_one_are_looked_up_once_each(project: Project) -> None:
    """pytest shows every file of a folder to the hook for each one named there; each look resolved all the names."""
    project.file(
        "conftest.py",
        """
        from pathlib import Path

        resolve, looked = Path.resolve, []
        Path.resolve = lambda self, *strict: looked.append(self) or resolve(self, *strict)


        def pytest_sessionfinish():
            print("looked up", sum(path.suffix == ".feature" for path in looked))
        """,
    )
    names = [f"features/f{number}.feature" for number in range(12)]
    for number in range(12):
        project.feature('Feature: F\n  Scenario: s\n    When I publish "a"\n    Then I expect "a"\n', f"f{number}")
    ran = project.pytest("--collect-only", "-qs", *names)
    assert "12 tests collected" in ran
    assert int(ran.text.split("looked up ")[1].split()[0]) <= 5 * 12


def test_the_setting_choreo_features_names_folders(project: Project) -> None:
    project.feature(SEVERAL).file("pytest.ini", "[pytest]\nchoreo_features = features\n")
    assert len(outcomes(project.pytest("-v"))) == 5


def test_the_setting_choreo_tags_selects_scenarios(project: Project) -> None:
    project.feature(SEVERAL).file(
        "pytest.ini", "[pytest]\nchoreo_tags = (@first or @ruled or @small) and not @broken\n"
    )
    ran = project.pytest("features", "-v")
    assert sorted(name.partition("::")[2] for name in outcomes(ran)) == [
        "five by row -- @1.2 few",
        "four by row -- @1.1 few",
        "one",
        "three",
    ]
    assert "1 deselected" in ran
    assert ran.code == 0


def test_tags_are_markers_as_pytest_bdd_has_it(project: Project) -> None:
    ran = project.feature(SEVERAL).pytest("features", "-v", "-m", "first or small")
    assert len(outcomes(ran)) == 3


def test_with_a_stub_beside_it_each_scenario_runs_once_and_a_warning_says_so(project: Project) -> None:
    project.feature(SEVERAL).file("test_stub.py", STUB.format("features/a.feature"))
    ran = project.pytest("features", "test_stub.py", "-v", "-k", "one or two or three", "-m", "not broken")
    assert list(outcomes(ran)) == ["test_stub.py::test_one", "test_stub.py::test_three"]
    assert "scenario(s) are bound by a Python stub and collected directly; the stub's run, once" in ran


def test_a_stub_alone_needs_no_import_of_steps_and_no_marker_for_our_tags(project: Project) -> None:
    project.file("pytest.ini", STRICT).file("test_stub.py", STUB.format("features/a.feature"))
    project.feature(
        """
        Feature: f
          @timeout(1s) @slow(warn)
          Scenario: one
            When I publish "a"
            Then I expect "a" where n is absent
        """
    )
    ran = project.pytest("-v")
    assert outcomes(ran) == {"test_stub.py::test_one": "PASSED"}


DUPLICATES = """
Feature: f
  Scenario: same
    When I publish "a"
  Rule: r
    Scenario: same
      When I publish "b"
"""


def test_two_scenarios_of_one_name_are_an_error_when_collected(project: Project) -> None:
    ran = project.feature(DUPLICATES).feature(SEVERAL, "b").pytest("features")
    assert "features/a.feature:2: the feature has 2 scenarios named 'same'" in ran
    assert "give each its own name" in ran
    assert (ran.code, "1 error" in ran, " passed" in ran) == (1, True, True)  # b ran all the same


def test_two_scenarios_of_one_name_are_an_error_through_a_stub_too(project: Project) -> None:
    project.feature(DUPLICATES).file("test_stub.py", STUB.format("features/a.feature"))
    ran = project.pytest()
    assert "features/a.feature:2: the feature has 2 scenarios named 'same'" in ran
    assert ran.code == 1


def test_a_feature_file_that_cannot_be_parsed_is_an_error_with_its_name(project: Project) -> None:
    ran = project.feature("Feature: f\n  Scenario: s\n    Given n is 1\n    Whenever I publish\n").pytest("features")
    assert "features/a.feature" in ran
    assert "Whenever I publish" in ran
    assert ran.code == 1


def test_an_async_step_of_the_users_own_fails_instead_of_passing_unawaited(project: Project) -> None:
    project.file(
        "conftest.py",
        """
        from pytest_bdd import when

        @when("I act")
        async def act():
            raise RuntimeError("never reached")
        """,
    )
    project.feature("Feature: f\n  Scenario: s\n    Given n is 1\n    When I act\n")
    ran = project.pytest("features")
    assert ran.code == 1
    assert "features/a.feature:4: the step function 'act' is `async def`, which pytest-bdd does not await" in ran
    assert "choreo_session.run(" in ran


OWN_STEPS = """
import json

from pytest_bdd import given, parsers, then, when


@given("my own value")
def value(choreo):
    choreo.set_variable("n", 1)


@when(parsers.parse('I say {topic}'))
def say(choreo_session, topic):
    transport = choreo_session.transport("bus")

    async def publish():
        transport.publish(topic, json.dumps({"n": 1}).encode())

    choreo_session.run(publish())


@then("I look")
def look(choreo):
    assert choreo.variables["n"] == 1
"""


def test_own_steps_reach_the_running_scenario_and_the_session(project: Project) -> None:
    project.file("conftest.py", OWN_STEPS).feature(
        """
        Feature: f
          Scenario: s
            Given my own value
            When I publish "a"
            Then I expect "a"
            And I look
          Scenario: my own act before any library step is heard
            When I say x
            Then I expect "x" where n is 1
        """
    )
    ran = project.pytest("features")
    assert "2 passed" in ran, ran.text


def test_the_fixture_choreo_outside_of_a_scenario_says_what_it_is_for(project: Project) -> None:
    project.file("test_x.py", "def test_x(choreo): pass\n")
    ran = project.pytest()
    assert "the fixture 'choreo' is for the steps of Gherkin scenarios" in ran


def test_the_session_serves_plain_tests_too(project: Project) -> None:
    project.file("test_x.py", "def test_x(choreo_session):\n    assert choreo_session.transport('bus')\n")
    assert project.pytest().code == 0


def test_scenarios_are_shared_among_the_workers_of_xdist(project: Project) -> None:
    ran = project.file("pytest.ini", STRICT).feature(SEVERAL).feature(SEVERAL, "b").pytest("features", "-n", "2")
    assert "2 failed, 8 passed" in ran
    assert "features/b.feature::two" in ran


def test_an_undefined_step_is_reported_as_such(project: Project) -> None:
    ran = project.feature('Feature: f\n  Scenario: s\n    When I publish "a"\n    And I expcet "a"\n').pytest(
        "features"
    )
    assert """features/a.feature:4: no step is defined as 'I expcet "a"'; did you mean: I expect "a\"""" in ran
    assert 'I expcet "a"' in ran
    assert ran.code == 1


@pytest.mark.parametrize(("order", "code"), [("50ms", 1), ("2s", 0)])
def test_the_timeout_tag_nearest_to_the_scenario_counts(project: Project, order: str, code: int) -> None:
    other = {"50ms": "2s", "2s": "50ms"}[order]
    project.feature(
        f"""
        @timeout({other})
        Feature: f
          @timeout({order})
          Scenario: s
            Given a service that answers "a" with "b" after 300ms
            When I publish "a"
            Then I expect "b"
        """
    )
    assert project.pytest("features").code == code


def test_a_tag_that_cannot_be_read_fails_its_scenario_only(project: Project) -> None:
    project.feature(
        'Feature: f\n  @timeout(soon)\n  Scenario: s\n    When I publish "a"\n  Scenario: t\n    When I publish "a"\n'
    )
    ran = project.pytest("features")
    assert "1 failed, 1 passed" in ran
    assert "features/a.feature:4: the tag @timeout(soon): 'soon' is not a duration" in ran


def test_a_slow_message_fails_the_run_unless_the_command_line_says_warn(project: Project) -> None:
    project.feature(
        """
        Feature: f
          Scenario: s
            Given a service that answers "a" with "b" after 100ms
            When I publish "a"
            Then I expect "b" within 10ms
        """
    )
    assert "[SLOW]" in project.pytest("features")
    assert project.pytest("features", "--choreo-slow=warn").code == 0


def test_the_report_is_written_beside_the_run(project: Project) -> None:
    ran = project.feature(SEVERAL).pytest("features", "--harness-report=out")
    assert ran.code == 1
    assert {test["nodeid"]: test["outcome"] for test in project.results("out")["tests"]} == {
        "features/a.feature::one": "passed",
        "features/a.feature::two": "failed",
        "features/a.feature::three": "passed",
        "features/a.feature::four by row -- @1.1 few": "passed",
        "features/a.feature::five by row -- @1.2 few": "passed",
    }


def test_a_misspelt_step_is_told_what_it_was_meant_to_be_and_a_strange_one_is_not(project: Project) -> None:
    project.feature("""
        Feature: f
          Scenario: misspelt
            When I publsh "a"
          Scenario: strange
            When the clerk opens the door
    """)
    ran = project.pytest("features")
    assert 'features/a.feature:3: no step is defined as \'I publsh "a"\'; did you mean: I publish "a"' in ran
    assert "'the clerk opens the door'; did you mean" not in ran
    assert 'Step definition is not found: When "the clerk opens the door"' in ran


def test_a_scenario_that_is_over_is_let_go_while_pytest_keeps_its_test(project: Project) -> None:
    ran = project.file("conftest.py", COUNTING).feature(SEVERAL).pytest("features", "-s")
    assert len(outcomes(project.pytest("features", "-v"))) == 5
    assert re.findall(r"scenarios kept: (\d+)", ran.text) == ["0"]


@pytest.mark.parametrize("settings", ["[pytest]\n", "[pytest]\ntestpaths = tests\n"])
def test_a_bare_pytest_that_runs_nothing_tells_how_the_features_are_run(project: Project, settings: str) -> None:
    project.feature(SEVERAL).file("choreo.yaml", "timeout: 1s\n").file("pytest.ini", settings)
    project.file("tests/conftest.py", "")
    ran = project.pytest()
    assert ran.code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "there are feature files here (1), and none was asked for. Name them: pytest features; or" in ran
    assert "pytest.ini: [pytest] choreo_features = features" in ran


def test_a_bare_pytest_says_nothing_of_features_of_others_or_where_something_ran(project: Project) -> None:
    project.feature(SEVERAL).file("pytest.ini", "[pytest]\n# no choreo_features\n")  # nothing of ours
    assert "feature file" not in project.pytest()
    project.file("choreo.yaml", "timeout: 1s\n").file("test_a.py", "def test_a(): pass\n")
    assert "feature file" not in project.pytest()


def test_a_folder_of_features_that_is_not_there_is_an_error_and_no_green_run(project: Project) -> None:
    project.file("pytest.ini", "[pytest]\nchoreo_features = feature\n").feature(SEVERAL)
    ran = project.file("test_own.py", "def test_it(): pass\n").pytest()
    assert (ran.code, "choreo_features: there is no feature; name the folder of the features" in ran) == (4, True)

"""The vocabulary under behave, as a user's project has it."""

from __future__ import annotations

import importlib.metadata
import json
import textwrap

import pytest

from choreo_bdd_steps.adapters import behave as adapter
from choreo_bdd_steps.vocabulary import PHRASES
from tests.support.project import LOADER, Project

ROUND_TRIP = """
Feature: Round trip
  Background:
    Given id is a unique id

  Scenario: one
    When I publish "a":
      | field | value    |
      | id    | {{ id }} |
    Then I expect "a" where id is "{{ id }}"
"""


def test_the_installed_behave_is_the_one_this_was_proven_on() -> None:
    assert importlib.metadata.version("behave") == adapter.PROVEN_ON


def test_a_loader_of_one_line_is_all_it_takes(project: Project) -> None:
    ran = project.feature(ROUND_TRIP).behave()
    assert "1 scenario passed, 0 failed, 0 skipped" in ran
    assert ran.code == 0


def test_the_steps_may_stand_in_the_projects_own_steps_folder(project: Project) -> None:
    project.feature(ROUND_TRIP).file("steps/choreo.py", LOADER)
    assert "1 scenario passed" in project.behave()


def test_loaded_from_environment_and_steps_each_phrase_is_there_once(project: Project) -> None:
    project.feature(ROUND_TRIP).file("features/environment.py", LOADER).file("features/steps/choreo.py", LOADER)
    project.file("features/steps/again.py", LOADER)
    ran = project.behave("--steps-catalog")
    assert [ran.count(f"Given {phrase.regex}\n") for phrase in PHRASES] == [1] * len(PHRASES)
    assert "AmbiguousStep" not in ran
    assert project.behave().code == 0


OWN_STEPS = {
    "parse": """
        @given("{n:d} own {things}")
        def step(context, n, things):
            assert (n, things) == (3, "cats")
        """,
    "cfparse": """
        @given("{n:d} own {things:Pet+}")
        def step(context, n, things):
            assert (n, things) == (3, ["cats"])
        """,
    "re": r"""
        @given(r"(?P<n>\d+) own (\w+)")
        def step(context, *args, **kwargs):
            assert (args, kwargs) == (("cats",), {"n": "3"})
        """,
}
CHOICE = """
from behave import given, register_type, use_step_matcher

register_type(Pet=lambda text: text)
use_step_matcher("{}")
"""


@pytest.mark.parametrize("matcher", OWN_STEPS)
def test_the_users_own_step_matcher_is_left_as_it_was(project: Project, matcher: str) -> None:
    own = textwrap.dedent(OWN_STEPS[matcher])
    choice = CHOICE.format(matcher)
    if matcher == "re":
        choice = choice.replace("register_type(Pet=lambda text: text)\n", "")
    project.file("features/steps/all.py", choice + own + LOADER + own.replace("own", "further"))
    project.feature(
        """
        Feature: f
          Scenario: s
            Given 3 own cats
            And 3 further cats
            When I publish "a"
            Then I expect "a"
        """
    )
    ran = project.behave()
    assert "4 steps passed" in ran, ran.text


SEVERAL = """
@all
Feature: Several
  Background:
    Given tenant is "acme"

  @first
  Scenario: one
    When I publish "a.{{ tenant }}"
    Then I expect "a.acme"

  @broken @timeout(50ms)
  Scenario: two
    When I publish "b"
    Then I expect "nothing"

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

    Examples: few
      | name | n |
      | four | 4 |
      | five | 5 |
"""


def test_backgrounds_rules_and_outlines(project: Project) -> None:
    ran = project.feature(SEVERAL).behave("--tags=not @broken")
    assert "4 scenarios passed, 0 failed, 1 skipped" in ran
    assert ran.code == 0


def test_tag_expressions(project: Project) -> None:
    ran = project.feature(SEVERAL).behave("--tags=@first or @last")
    assert "2 scenarios passed, 0 failed" in ran


def test_a_scenario_by_its_name(project: Project) -> None:
    ran = project.feature(SEVERAL).behave("--name", "four by row")
    assert "1 scenario passed, 0 failed" in ran


def test_a_scenario_by_its_line(project: Project) -> None:
    ran = project.feature(SEVERAL).behave("features/a.feature:7")
    assert "1 scenario passed, 0 failed" in ran


def test_stop_ends_the_run_at_the_first_failure(project: Project) -> None:
    ran = project.feature(SEVERAL).behave("--stop")
    assert "1 scenario passed, 1 failed" in ran
    assert ran.code == 1


def test_a_dry_run_recognises_every_step_and_connects_to_nothing(project: Project) -> None:
    project.file("choreo.yaml", 'profiles: {far: {bus: {type: nats, servers: ["nats://far.example.com"]}}}\n')
    ran = project.feature(SEVERAL).behave("--dry-run")
    assert ran.code == 0
    assert "undefined" not in ran.text.replace("0 undefined", "")
    assert "far.example.com" not in ran


def test_failed_scenarios_can_be_run_again_from_a_rerun_file(project: Project) -> None:
    project.feature(SEVERAL).behave("-f", "rerun", "-o", "rerun.txt", "-f", "plain")
    ran = project.behave("@rerun.txt")
    assert "0 scenarios passed, 1 failed" in ran
    assert ran.code == 1


def test_an_undefined_step_between_ours_is_reported_as_such(project: Project) -> None:
    ran = project.feature('Feature: f\n  Scenario: s\n    When I publish "a"\n    And I expcet "a"\n').behave()
    assert ran.code == 1
    assert "1 undefined" in ran


def test_an_undefined_step_tells_what_it_probably_should_be(project: Project) -> None:
    feature = 'Feature: f\n  Scenario: s\n    When I pubish "a"\n    And nobody knows it\n    And I expcet "b"\n'
    ran = project.feature(feature).behave("--junit", "--junit-directory", "junit")
    told = """:3: no step is defined as 'I pubish "a"'; did you mean: I publish "a\""""
    assert told in ran
    assert told in (project.folder / "junit" / "TESTS-a.xml").read_text(encoding="utf-8")
    assert "did you mean" not in project.behave("--dry-run", "-f", "progress")


def test_the_report_is_written_beside_the_run(project: Project) -> None:
    project.file(
        "pyproject.toml", '[tool.behave.formatters]\nchoreo = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"\n'
    )
    ran = project.feature(SEVERAL).behave("-f", "choreo", "-o", "out", "-f", "plain")
    outcomes = {test["name"]: test["outcome"] for test in project.results("out")["tests"]}
    assert ran.code == 1
    assert outcomes == {
        "one": "passed",
        "two": "failed",
        "three": "passed",
        "four by row -- @1.1 few": "passed",
        "five by row -- @1.2 few": "passed",
    }


EXECUTE_STEPS = """
from behave import when


@when("I cheat")
def step(context):
    context.execute_steps('Then I expect no "a" for 10ms')
"""


def test_execute_steps_fails_and_says_what_to_do(project: Project) -> None:
    project.file("features/steps/own.py", EXECUTE_STEPS).file("features/steps/choreo.py", LOADER)
    project.feature(
        'Feature: f\n  Scenario: s\n    Given n is 1\n    When I cheat\n    Then I expect no "a" for 10ms\n'
    )
    ran = project.behave()
    assert ran.code == 1
    assert "features/a.feature:2: a step of the choreo vocabulary was run by execute_steps()" in ran
    assert "Write the step into the scenario itself" in ran


def test_execute_steps_in_a_hook_never_runs_a_step_of_the_scenario_instead(project: Project) -> None:
    project.file("features/steps/choreo.py", LOADER)
    project.file(
        "features/environment.py",
        "def before_scenario(context, scenario):\n    context.execute_steps('Given colour is \"red\"')\n",
    )
    project.feature('Feature: f\n  Scenario: s\n    Given size is "big"\n')
    ran = project.behave()
    assert ran.code == 1
    assert "was run by execute_steps()" in ran


OWN_ACT = """
import json

from behave import given, when
from choreo_bdd_steps.adapters.behave import scenario_run, start_choreo


@when('I act')
def act(context):
    session = start_choreo(context)
    transport = session.transport("bus")

    async def publish():
        transport.publish("x", json.dumps({"n": 1}).encode())

    session.run(publish())


@given('my own value')
def value(context):
    scenario_run(context).set_variable("n", 1)


@when('I look')
def look(context):
    assert context.choreo.variables["n"] == 1
"""
OWN_FEATURE = """
Feature: f
  Scenario: s
    When I act
    Then I expect "x"
"""


def test_the_users_own_act_before_any_library_step_needs_the_hook_and_is_told_so(project: Project) -> None:
    project.file("features/steps/own.py", OWN_ACT).file("features/steps/choreo.py", LOADER).feature(OWN_FEATURE)
    ran = project.behave()
    assert ran.code == 1
    assert "features/a.feature:4: this check began to listen" in ran
    project.file(
        "features/environment.py",
        """
        from choreo_bdd_steps.adapters import behave

        def before_scenario(context, scenario):
            behave.before_scenario(context)
        """,
    )
    assert project.behave().code == 0


def test_own_steps_reach_the_running_scenario(project: Project) -> None:
    project.file("features/steps/own.py", OWN_ACT).file("features/steps/choreo.py", LOADER)
    project.feature(
        """
        Feature: f
          Scenario: s
            Given my own value
            When I publish "a"
            And I look
            Then I expect "a"
        """
    )
    assert project.behave().code == 0


NEARLY = """
Feature: f
  Scenario: s
    When I publish "a":
      | n |
      | 1 |
    Then I expect no "a" where payload.n is 1 for 20ms
    And I expect "a" where n is 1
"""


def test_what_is_told_beside_a_check_that_passes_is_told_at_the_end(project: Project) -> None:
    ran = project.feature(NEARLY).behave()
    assert ran.code == 0
    assert "warning: features/a.feature:6: on 'a' no message has 'payload.n', which is asked for, and " in ran


def test_each_scenario_has_variables_of_its_own(project: Project) -> None:
    project.feature(
        """
        Feature: f
          Scenario: one
            Given colour is "red"
          Scenario: two
            When I publish "a.{{ colour }}"
        """
    )
    ran = project.behave()
    assert "1 scenario passed, 1 failed" in ran
    assert "'colour' is undefined" in ran


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
    assert "[SLOW]" in project.behave()
    assert project.behave().code == 1
    assert project.behave("-D", "choreo.slow=warn").code == 0


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
    assert project.behave().code == code


def test_a_tag_that_cannot_be_read_fails_its_scenario_only(project: Project) -> None:
    project.feature(
        'Feature: f\n  @timeout(soon)\n  Scenario: s\n    When I publish "a"\n  Scenario: t\n    When I publish "a"\n'
    )
    ran = project.behave()
    assert "1 scenario passed, 1 failed" in ran
    assert "features/a.feature:4: the tag @timeout(soon): 'soon' is not a duration" in ran


def test_going_on_after_a_failed_step_never_passes_what_was_not_listened_for(project: Project) -> None:
    project.file(
        "features/environment.py", "from behave.model import Scenario\n\nScenario.continue_after_failed_step = True\n"
    )
    project.feature(
        'Feature: f\n  Scenario: s\n    When I publish "a.{{ nobody }}"\n    Then I expect no "b" for 10ms\n'
    )
    ran = project.behave("-f", "plain")
    assert "2 failed" in ran, ran.text
    assert "features/a.feature:4: nothing listens for this check" in ran


def test_each_scenario_retried_begins_anew(project: Project) -> None:
    project.file(
        "features/environment.py",
        "from behave.contrib.scenario_autoretry import patch_scenario_with_autoretry\n\n"
        "def before_feature(context, feature):\n"
        "    for scenario in feature.walk_scenarios():\n"
        "        patch_scenario_with_autoretry(scenario, max_attempts=2)\n",
    )
    project.file("features/steps/choreo.py", LOADER).file(
        "features/steps/own.py",
        "from behave import when\nseen = []\n\n@when('it works the second time')\ndef step(context):\n"
        "    seen.append(1)\n    assert len(seen) > 1\n",
    )
    project.feature(
        'Feature: f\n  Scenario: s\n    When I publish "a"\n    Then I expect "a"\n    When it works the second time\n'
        '    And I publish "b"\n    Then I expect "b"\n'
    )
    assert project.behave().code == 0


def test_the_results_of_each_scenario_reach_whoever_observes(project: Project) -> None:
    project.file(
        "features/environment.py",
        "import json\nfrom choreo_bdd.observers import register_observer\nseen = []\n\n"
        "def before_all(context):\n"
        "    register_observer(lambda result, nodeid, completed: seen.append([nodeid, result.passed, completed]))\n\n"
        "def after_all(context):\n    open('seen.json', 'w').write(json.dumps(seen))\n",
    )
    project.feature(SEVERAL).behave("--tags=@first or @broken")
    assert json.loads((project.folder / "seen.json").read_text("utf-8")) == [
        ["features/a.feature::one", True, True],
        ["features/a.feature::two", False, True],
    ]

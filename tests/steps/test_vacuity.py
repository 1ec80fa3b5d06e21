"""Steps that can never fail are told while they run, as configured, under both frameworks."""

from __future__ import annotations

import pytest

from choreo_bdd import observers
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.plan.vacuity import VacuityWarning
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from tests.steps.conftest import MakeBench
from tests.support.project import Project

EMPTY = 'When I publish "a"'
OWN_ECHO = ('When I publish "a"', 'Then I expect "a"')
UNCHECKED = "features/play.feature:3: nothing checks what this publish leads to: the scenario passes whatever happens"


def test_by_configuration_a_publish_nothing_checks_fails(make_bench: MakeBench) -> None:
    assert make_bench(vacuity="error").play(EMPTY).message == UNCHECKED


def test_or_is_a_warning(make_bench: MakeBench) -> None:
    with pytest.warns(UserWarning, match="nothing checks what this publish leads to"):
        make_bench(vacuity="warn").play(EMPTY).passed()


def test_or_nothing_at_all(make_bench: MakeBench) -> None:
    make_bench(vacuity="ignore").play(EMPTY).passed()


def test_a_check_met_by_the_scenarios_own_publish_cannot_fail(make_bench: MakeBench) -> None:
    played = make_bench(vacuity="error").play(*OWN_ECHO)
    assert played.message.startswith("features/play.feature:4: the scenario itself publishes 'a' in this phase")


def test_at_least_none_cannot_fail(make_bench: MakeBench) -> None:
    played = make_bench(vacuity="error").play(EMPTY, 'Then I expect at least 0 "x" messages')
    assert "`at least 0` is always true" in played.message


@pytest.mark.parametrize(
    "check",
    [
        'I expect "a" where n is absent',
        'I expect another "a"',
        'I expect at least 2 "a" messages',
        'I expect no "b" for 10ms',
        "the service did its work",
    ],
)
def test_what_can_fail_is_left_alone(make_bench: MakeBench, check: str) -> None:
    bench = make_bench(vacuity="error")
    own = {"the service did its work": lambda run: None}
    played = bench.play('When I publish 2 "a" messages', 'Then I expect "a" where n is absent', f"And {check}", own=own)
    played.passed()


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_passing_scenario_that_proves_nothing_is_told_in_the_terminal(project: Project, framework: str) -> None:
    project.feature("""
        Feature: one
          Scenario: s
            When I publish "a"
    """)
    ran = project.run(framework)
    assert ran.code == 0, ran.text
    assert "features/a.feature:3: nothing checks what this publish leads to" in ran


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_and_fails_where_the_configuration_says_so(project: Project, framework: str) -> None:
    project.file("choreo.yaml", "vacuity: error\n").feature("""
        Feature: one
          Scenario: s
            When I publish "a"
    """)
    ran = project.run(framework)
    assert ran.code == 1
    assert "features/a.feature:3: nothing checks what this publish leads to" in ran


TAKEN_OVER = """
    Feature: one
      Scenario: s
        When I publish "a"
        Then I expect no "b" for 10ms
        And I expect "c"
"""
NEVER_MADE = "features/a.feature:5: the check 'I expect \"c\"' was armed, but never made"
OWN_STEP = {  # behave refuses a step that another one matches, unless that is a wider pattern
    "behave": (
        "features/steps/a_first.py",
        "from behave import then\n\n@then('I expect \"{{topic}}\"')\ndef step(_, topic): {body}\n",
    ),
    "pytest": ("conftest.py", "from pytest_bdd import then\n\n@then('I expect \"c\"')\ndef _(choreo): {body}\n"),
}
CLASHING = "from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n"


def taken_over(project: Project, framework: str, *, policy: str, body: str = "pass") -> Project:
    """A project whose own step has the words of a check of ours, which runs in the check's place."""
    path, text = OWN_STEP[framework]
    project.file("features/steps/zz_choreo.py", CLASHING).file(path, text.format(body=body))
    return project.file("choreo.yaml", f"vacuity: {policy}\n").feature(TAKEN_OVER)


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_check_that_another_step_definition_takes_over_is_told(project: Project, framework: str) -> None:
    ran = taken_over(project, framework, policy="warn").run(framework)
    assert ran.code == 0, ran.text
    assert NEVER_MADE in ran, ran.text


@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_and_fails_the_run_where_the_configuration_says_so(project: Project, framework: str) -> None:
    ran = taken_over(project, framework, policy="error").run(framework)
    assert ran.code == 1
    assert NEVER_MADE in ran, ran.text
    assert "1 failed" in ran


@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("body", ["assert False", "import pytest; pytest.skip()"])
def test_checks_that_a_failing_or_skipped_scenario_never_reaches_are_no_news(
    project: Project, framework: str, body: str
) -> None:
    ran = taken_over(project, framework, policy="error", body=body).run(framework)
    assert "never made" not in ran


def test_an_expectation_of_the_users_own_that_nobody_awaits_is_told(make_bench: MakeBench) -> None:
    async def expect(run: ScenarioRun) -> None:
        assert run.scope is not None
        run.scope.expect("b", None)

    bench = make_bench(vacuity="error")
    steps = ('When I publish "a"', 'Then I expect no "x" for 10ms', "And something else is awaited")
    own = {"something else is awaited": lambda run: bench.session.run(expect(run))}
    with pytest.raises(StepError, match="a step of your own expects 'b', but nobody waited for it"):
        bench.play(*steps, own=own).passed()


def test_reports_are_told_what_proves_nothing(make_bench: MakeBench) -> None:
    told: dict[str, object] = {}

    class Listener:
        def __call__(self, *_: object) -> None: ...

        def run_fact(self, key: str, value: object) -> None:
            told[key] = value

    listener = Listener()
    observers.register_observer(listener)
    try:
        with pytest.warns(VacuityWarning):
            make_bench(vacuity="warn").play(EMPTY)
    finally:
        observers.unregister_observer(listener)
    place, _, reason = UNCHECKED.partition(": ")
    assert told["vacuity"] == [{"nodeid": "features/play.feature::play", "place": place, "reason": reason}]

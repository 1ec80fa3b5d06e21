"""Steps that can never fail are told while they run, as configured, under both frameworks."""

from __future__ import annotations

import pytest

from tests.steps.conftest import MakeBench
from tests.steps.project import Project

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

"""Steps that stand in a description are run by no framework: neither passes as if they had been."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.plan.asides import is_unrun
from tests.support.project import Project

RUNS = """
  Scenario: second
    Given a service that answers "a" with "b"
    When I publish "a"
    Then I expect "b"
"""
SLIPS = {
    "no colon": f'Feature: f\n  Scenario first\n    When I publish "a"\n    Then I expect "never"\n{RUNS}',
    "no capital": f'Feature: f\n  scenario: first\n    When I publish "a"\n    Then I expect "never"\n{RUNS}',
    "no keyword": f'Feature: f\n  Scenario: first\n    I publish "a"\n    Then I expect no "c" for 50ms\n{RUNS}',
}


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("slip", SLIPS)
def test_what_is_written_as_a_step_and_is_none_fails(project: Project, slip: str, framework: str) -> None:
    ran = project.feature(SLIPS[slip]).run(framework)
    assert ran.code != 0
    assert f"a.feature:3: '{'I' if slip == 'no keyword' else 'When I'} publish \"a\"' is part of a description" in ran


@pytest.mark.process
def test_a_keyword_in_small_letters_is_a_step_to_behave_and_no_pass_to_pytest(project: Project) -> None:
    project.feature('Feature: f\n  Scenario: s\n    when I publish "a"\n    then I expect no "b" for 50ms\n')
    assert "2 steps passed" in project.run("behave")
    assert "a.feature:3: 'when I publish \"a\"' is part of a description" in project.run("pytest")


@pytest.mark.process
@pytest.mark.parametrize(("vacuity", "code"), [("warn", 0), ("error", 1), ("ignore", 0)])
def test_a_scenario_without_steps_is_told_at_its_line(project: Project, vacuity: str, code: int) -> None:
    project.file("choreo.yaml", f"vacuity: {vacuity}\n")
    ran = project.feature("Feature: f\n  Scenario: later\n    Wenn ich sende\n").pytest("features")
    assert ran.code == code
    told = "a.feature:2: the scenario has no steps: it passes whatever happens"
    assert (told in ran) is (vacuity != "ignore")
    assert ("a.feature:2: VacuityWarning: " in ran) is (vacuity == "warn")


@pytest.mark.process
@pytest.mark.parametrize(("vacuity", "code"), [("warn", 0), ("error", 1), ("ignore", 0)])
def test_behave_tells_of_it_beside_scenarios_with_steps(project: Project, vacuity: str, code: int) -> None:
    project.file("choreo.yaml", f"vacuity: {vacuity}\n")
    ran = project.feature(f"Feature: f\n  Scenario: later\n    Wenn ich sende\n{RUNS}").behave()
    assert ran.code == code
    told = "a.feature:2: the scenario has no steps: it passes whatever happens"
    assert (told in ran) is (vacuity != "ignore")


@pytest.mark.process
def test_a_scenario_of_nothing_but_such_lines_fails_the_run_under_behave(project: Project) -> None:
    ran = project.feature(f'Feature: f\n  Scenario: empty\n    When: I publish "a"\n{RUNS}').behave()
    assert ran.code == 1
    assert "a.feature:3: 'When: I publish \"a\"' is part of a description" in ran


@pytest.mark.parametrize("slip", SLIPS)
def test_lint_finds_it(tmp_path: Path, slip: str) -> None:
    path = tmp_path / "a.feature"
    path.write_text(SLIPS[slip], encoding="utf-8")
    (tmp_path / "steps").mkdir()
    found = [(each.line, each.rule) for each in lint([path]) if each.rule == "unrun-step"]
    assert found == [(line, "unrun-step") for line in ((3,) if slip == "no keyword" else (3, 4))]


@pytest.mark.parametrize(
    "text",
    ["The limit is 5", 'customer is "Ada"', 'As "tester" I publish often', "When a customer pays", "I expect a reply"],
)
def test_prose_is_left_alone(text: str) -> None:
    assert not is_unrun(text)

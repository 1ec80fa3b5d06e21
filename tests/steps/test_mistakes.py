"""Mistakes of whoever writes features: told alike by lint, behave and pytest-bdd, with the place and what to do."""

from __future__ import annotations

import pytest

from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.lint.suggesting import suggestion
from choreo_bdd_steps.plan.asides import is_unrun
from tests.support.project import Project

TAKES = """
Feature: f
  Scenario: s
    When I publish "a":
      | field | value |
      | id    | 7     |
    Then I expect "a" where id is 7
"""
NOT_RUN = "is part of a description and is not run"
MISTAKES = {
    "no colon behind the only Scenario": (
        'Feature: f\n  Scenario s\n    When I publish "a"\n    Then I expect "never"\n',
        f"a.feature:3: 'When I publish \"a\"' {NOT_RUN}",
    ),
    "steps of an only scenario as a list": (
        'Feature: f\n  Scenario: s\n    - When I publish "a"\n    1. Then I expect "never"\n',
        f"a.feature:3: '- When I publish \"a\"' {NOT_RUN}",
    ),
    "a byte order mark": ("\ufeff" + TAKES.strip() + "\n", "a.feature:1: is not a feature file: it begins with a byte"),
    "a row with a cell too few": (
        TAKES.replace("| id    | 7     |", "| id |"),
        "a.feature:5: is not a feature file: this row has 1 cell where the table began with 2",
    ),
    "a colon of another width": (
        TAKES.replace("Scenario: s", "Scenario\uff1a s").replace("Feature: f", "Feature\uff1a f"),
        "a.feature:1: is not a feature file: 'Feature\uff1a f' means nothing here; did you mean: Feature: f",
    ),
    "a language there is none of": (
        f"# language: xx\n{TAKES.lstrip()}",
        "a.feature:1: is not a feature file: Gherkin knows no language 'xx'",
    ),
    "a tag with a blank": (
        TAKES.replace("  Scenario: s", "  @timeout(5 s)\n  Scenario: s"),
        "a.feature:2: is not a feature file: a tag has no blanks",
    ),
    "curly quotes": (
        TAKES.replace('I expect "a"', "I expect \u201ca\u201d"),
        'did you mean: I expect "a" where id is 7',
    ),
    "a placeholder in no outline": (
        TAKES.replace("is 7", "is <id>"),
        "<id> is filled by no examples; write Scenario Outline",
    ),
}


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_by_the_framework(project: Project, mistake: str, framework: str) -> None:
    text, told = MISTAKES[mistake]
    ran = project.feature(text).run(framework)
    assert ran.code != 0
    assert told in ran


@pytest.mark.parametrize("mistake", MISTAKES)
def test_and_by_lint(project: Project, mistake: str) -> None:
    text, told = MISTAKES[mistake]
    path = project.feature(text).folder / "features/a.feature"
    found = [f"a.feature:{each.line}: {each.message}" for each in lint([path])]
    assert any(told in each for each in found), found


@pytest.mark.process
@pytest.mark.parametrize(("vacuity", "code"), [("warn", 0), ("error", 1), ("ignore", 0)])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Feature: f\n  Scenario: later\n", "a.feature:2: the scenario has no steps: it passes whatever happens"),
        (
            'Feature: f\n  Scenario Outline: o\n    When I publish "<a>"\n    Examples:\n      | a |\n',
            "a.feature:2: the outline 'o' has no rows, so it tests nothing: give it Examples",
        ),
    ],
)
def test_behave_tells_of_it_where_nothing_else_runs(
    project: Project, text: str, told: str, vacuity: str, code: int
) -> None:
    ran = project.file("choreo.yaml", f"vacuity: {vacuity}\n").feature(text).behave()
    assert (ran.code, told in ran) == (code, vacuity != "ignore")


@pytest.mark.process
def test_what_tags_leave_out_is_not_complained_of(project: Project) -> None:
    project.feature('@later\nFeature: f\n  Scenario: s\n    - When I publish "a"\n')
    assert project.behave("--tags", "not @later").code == 0


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_file_without_a_feature_is_named(project: Project, framework: str) -> None:
    ran = project.feature(TAKES).feature("# later\n", "b").run(framework)
    assert ran.code == 0
    assert "b.feature:1: holds no feature" in ran


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_what_runs_nothing_is_named_beside_what_runs(project: Project, framework: str) -> None:
    project.feature(f'{TAKES}\n  Scenario Outline: o\n    When I publish "<a>"\n    Examples:\n      | a |\n')
    ran = project.feature("Feature: g\n\n  As a user\n", "b").run(framework)
    assert ran.code == 0
    assert "a.feature:8: the outline 'o' has no rows, so it tests nothing: give it Examples" in ran
    assert "b.feature:1: the feature has no scenarios, so it tests nothing" in ran


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_a_tag_with_a_slip_is_named(project: Project, framework: str) -> None:
    ran = project.feature(TAKES.replace("Scenario: s", "@timout(5s)\n  Scenario: s")).run(framework)
    assert "@timout(5s) means nothing here; did you mean @timeout(…)?" in ran


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("I expect \u201corders.placed\u201d within 1s", 'I expect "orders.placed" within 1s'),
        ("I expect \u201eo\u201c within 1s", 'I expect "o" within 1s'),
        ("I expect «o»", 'I expect "o"'),
        ("I expect o within 1s", 'I expect "o" within 1s'),
        ("I publish orders", 'I publish "orders"'),
        ("I expect no refusals for 100ms", 'I expect no "refusals" for 100ms'),
    ],
)
def test_a_topic_in_other_quotes_or_none_is_suggested_in_ours(written: str, meant: str) -> None:
    assert suggestion(written) == meant


@pytest.mark.parametrize("text", ["timeout(5s)", "slow(warn)", "bus(nats,kafka)"])
def test_a_tag_that_has_lost_its_sign_is_told(project: Project, text: str) -> None:
    path = project.feature(TAKES.replace("  Scenario: s", f"  {text}\n  Scenario: s")).folder / "features/a.feature"
    assert [(each.line, each.rule) for each in lint([path])] == [(2, "bad-tag")]


@pytest.mark.parametrize("text", ['- "a" is a topic', "* When a customer pays", "1. I publish often"])
def test_a_list_in_prose_is_left_alone(text: str) -> None:
    assert not is_unrun(text)


@pytest.mark.parametrize("topic", ["orders\u200b", "orders.\u0440laced", "or\u00addders"])
def test_a_topic_with_letters_that_look_like_others_is_told(project: Project, topic: str) -> None:
    path = project.feature(TAKES.replace('"a"', f'"{topic}"')).folder / "features/a.feature"
    assert {each.rule for each in lint([path])} == {"odd-letters"}


@pytest.mark.parametrize("topic", ["größe.neu", "заказы.новые", "注文", "naïve"])
def test_a_topic_in_one_script_is_left_alone(project: Project, topic: str) -> None:
    path = project.feature(TAKES.replace('"a"', f'"{topic}"')).folder / "features/a.feature"
    assert not lint([path])

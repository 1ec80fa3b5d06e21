"""What is wrong with a row of an outline is told of in that row."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.lint import Finding, lint

OUTLINE = """Feature: Rows

  Scenario Outline: Row <n>
    Given x is 7
    When I publish "a" with key "{{{{ {step} }}}}":
      | field | value |
      | id    | <id>  |
    Then I expect "a" where id is <found>

    Examples:
      | n | id          | found |
      | 1 | {{{{ x }}}} | 7     |
      | 2 | {second}    | 7     |
      | 3 | 7           | {third} |
"""


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    monkeypatch.chdir(tmp_path)
    text = OUTLINE.format(step="y", second="{{ nosuch }}", third=">>")
    Path("a.feature").write_text(text, encoding="utf-8")
    return lint([Path("a.feature")])


def test_a_fault_of_one_row_stands_there_and_one_of_the_step_in_the_step(findings: list[Finding]) -> None:
    assert [(each.line, each.rule) for each in findings] == [
        (5, "undefined-variable"),
        (13, "undefined-variable"),
        (14, "unreadable-body"),
    ]
    assert findings[1].message.startswith("in line 5, as this row fills it: the variable 'nosuch'")
    assert findings[2].message.startswith("in line 8, as this row fills it: the condition 'id is >>'")

"""What Gherkin and the frameworks can do goes on working: languages, rules, inherited tags, reruns, dry runs."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.suite import VERDICTS, reported, verdicts, written

GERMAN = """
# language: de
@timeout(500ms)
Funktionalität: Zahlungen

  Grundlage:
    Angenommen order_id is a unique id

  Szenario: Eine Bestellung wird bezahlt
    Angenommen a service that answers "bestellung.erfasst" with "zahlung.erfolgt":
      | field    | value                  |
      | order_id | {{ trigger.order_id }} |
    Wenn I publish "bestellung.erfasst":
      | field    | value          |
      | order_id | {{ order_id }} |
    Dann I expect "zahlung.erfolgt" within 2s:
      | field    | value          |
      | order_id | {{ order_id }} |
    Und I expect no "zahlung.abgelehnt" for 50ms

  Szenariogrundriss: <betrag> Cent
    Wenn I publish "kauf":
      | field  | value    |
      | betrag | <betrag> |
    Dann I expect "kauf" where betrag is <betrag>

    Beispiele:
      | betrag |
      | 1      |
      | 250    |
"""
JAPANESE = """
# language: ja
機能: 支払い

  背景:
    前提 order_id is a unique id

  シナリオ: 注文が支払われる
    前提 a service that answers "注文.受付" with "支払.完了":
      | field    | value                  |
      | order_id | {{ trigger.order_id }} |
    もし I publish "注文.受付":
      | field    | value          |
      | order_id | {{ order_id }} |
    ならば I expect "支払.完了" within 2s:
      | field    | value          |
      | order_id | {{ order_id }} |
    かつ I expect no "支払.拒否" for 50ms
"""

both = pytest.mark.parametrize("framework", ["behave", "pytest"])


@both
@pytest.mark.parametrize(
    ("text", "names"),
    [
        (GERMAN, {"Eine Bestellung wird bezahlt", "1 Cent -- @1.1", "250 Cent -- @1.2"}),
        (JAPANESE, {"注文が支払われる"}),
    ],
    ids=["German", "Japanese"],
)
def test_a_feature_with_keywords_of_another_language(
    project: Project, framework: str, text: str, names: set[str]
) -> None:
    reported(written(project).feature(text, "foreign"), framework)
    assert names <= {name for name, verdict in verdicts(project.results("out")).items() if verdict == "passed"}


@both
def test_rules_backgrounds_outlines_and_inherited_tags(project: Project, framework: str) -> None:
    reported(written(project), framework)
    assert verdicts(project.results("out")) == VERDICTS


def test_behaves_rerun_file_runs_what_failed_and_nothing_else(project: Project) -> None:
    written(project).behave("-f", "rerun", "-o", "rerun.txt", "-f", "choreo", "-o", "first")
    project.behave("@rerun.txt", "-f", "choreo", "-o", "out")
    assert verdicts(project.results("first")) == VERDICTS
    ran_again = {name for name, verdict in verdicts(project.results("out")).items() if verdict != "skipped"}
    assert ran_again == {"never settled"}


def test_pytests_last_failed_runs_what_failed_and_nothing_else(project: Project) -> None:
    written(project).pytest("features", bare=False)
    project.pytest("features", "--last-failed", "--harness-report=out", bare=False)
    assert verdicts(project.results("out")) == {"never settled": "failed"}


def test_behaves_dry_run_finds_every_step_and_sends_nothing(project: Project) -> None:
    ran = written(project).behave("--dry-run")
    assert "undefined" not in ran.text.replace("0 undefined", "")
    assert "6 untested" in ran


def test_pytests_collect_only_shows_every_scenario_and_sends_nothing(project: Project) -> None:
    ran = written(project).pytest("features", "--collect-only", "-q")
    assert all(name in ran for name in VERDICTS)
    assert ran.code == 0

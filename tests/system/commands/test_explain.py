"""``choreo-bdd explain``: the plan, without a broker."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Explain = Callable[[str], Result]

FEATURE = """\
Feature: Orders

  Background:
    Given order_id is a unique id

  Scenario: Settled
    Given a step of mine
    When I publish "orders.placed" on kafka
    Then I expect "orders.settled" within 50ms
    And I keep "id" of "orders.settled" as settlement
    And I expect no "orders.rejected" for 100ms
    And I expect "mail.sent" where id is "{{ settlement }}"
    When I publish "orders.cancelled"
    Then I expect exactly 2 "orders.undone" messages within 3s

  @timeout(5s) @slow(warn)
  Scenario Outline: Placed in <place>
    When I publish "orders.placed"
    Then I expect "orders.settled" within 8s of "orders.placed"

    Examples:
      | place  |
      | Vienna |
"""

CONFIG = """\
default_profile: brokers
timeout: 2s
profiles:
  brokers:
    nats: {type: nats, servers: ["nats://127.0.0.1:1"]}
    kafka: {type: memory}
"""


@pytest.fixture
def explain(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "choreo.yaml").write_text(CONFIG, "utf-8")
    (tmp_path / "orders.feature").write_text(FEATURE, "utf-8")
    return lambda place: run("explain", place)


def test_phases_arming_budgets_and_timeouts_are_told_without_connecting(explain: Explain) -> None:
    result = explain("orders.feature:9")
    assert result.exit_code == 0
    assert result.output == textwrap.dedent(
        """\
        orders.feature:6  Settled
          profile brokers; transport kafka (memory), nats (nats); timeout 2 s; a message over its budget fails
          phase 1
            line 4: Given order_id is a unique id
            line 7: Given a step of mine   (a step of your own)
            armed and proven live here:
              line 9: "orders.settled" on nats: at least 1; budget 50 ms from the phase's last publish; timeout 2 s
              line 11: "orders.rejected" on nats: none; watched for 100 ms
              line 12: "mail.sent" on nats: at least 1; timeout 2 s; judged when settlement is known
            line 8: When I publish "orders.placed" on kafka
            line 9: Then I expect "orders.settled" within 50ms
            line 10: And I keep "id" of "orders.settled" as settlement
            line 11: And I expect no "orders.rejected" for 100ms
            line 12: And I expect "mail.sent" where id is "{{ settlement }}"
          phase 2
            armed and proven live here:
              line 14: "orders.undone" on nats: exactly 2; watched for 3 s
            line 13: When I publish "orders.cancelled"
            line 14: Then I expect exactly 2 "orders.undone" messages within 3s
        """
    )


def test_rows_of_outlines_and_tags_are_taken_into_account(explain: Explain) -> None:
    output = explain("orders.feature:22").output
    assert "Placed in Vienna" in output
    assert "timeout 5 s; a message over its budget passes with a warning" in output
    assert 'budget 8 s from the publish of "orders.placed"; timeout 8 s' in output


def test_without_a_line_every_scenario_is_told(explain: Explain) -> None:
    output = explain("orders.feature").output
    assert output.index("Settled") < output.index("Placed in Vienna")


def test_of_a_folder_every_feature_is_told(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "again.feature").write_text(FEATURE, "utf-8")
    assert explain(".").output == f"{explain('more').output}\n{explain('orders.feature').output}"


def test_a_check_that_cannot_be_read_is_named_and_the_plan_goes_on(explain: Explain, tmp_path: Path) -> None:
    steps = ('When I publish "a"', 'Then I expect "b" where id resembles 7', 'And I expect "c"')
    (tmp_path / "broken.feature").write_text("\n  ".join(("Feature: F", "Scenario: S", *steps)), "utf-8")
    output = explain("broken.feature").output
    assert "line 4: cannot be armed: " in output
    assert 'line 5: "c" on nats: at least 1; timeout 2 s' in output


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere.feature", "nowhere.feature: there is no such file or folder"),
        ("empty", "empty: there is no feature file in this folder"),
        ("orders.feature:2", "orders.feature:2: there is no scenario here"),
        ("choreo.yaml", "choreo.yaml:1: is not a feature file"),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_line(explain: Explain, place: str, message: str) -> None:
    Path("empty").mkdir()
    result = explain(place)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr

from __future__ import annotations

from typing import Any, TextIO

import pytest

from choreo_bdd_reporter import page
from tests.support.feature_samples import ORDERS

FEATURE = (
    ORDERS
    + """
  Scenario: broken
    Then it raises

  Scenario: unknown
    Then nobody knows

  Scenario: left
    Then it is skipped
    And it is sent

  Rule: big ones
    Scenario Outline: rows
      When I buy <n>
      Examples:
        | n |
        | 1 |
        | 2 |
"""
)

STEPS = """
import pytest
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("shop.feature")

@given("a shop")
def _(): pass

@when("I buy")
def _(datatable): pass

@when(parsers.parse("I buy {n:d}"))
def _(n): pass

@then("it is sent")
def _(): pass

@then("it fails")
def _(): assert 1 == 2, "amqp://u:p@h/ is down"

@then("it raises")
def _(): raise ValueError("boom")

@then("it is skipped")
def _(): pytest.skip("not today")
"""


@pytest.fixture
def gherkin(suite: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The page data of a run of the feature above."""
    seen: list[dict[str, Any]] = []

    def write(results: object, gherkin: dict[str, Any], stream: TextIO, **_: object) -> None:
        seen.append(gherkin)
        stream.write("<!doctype html>")

    monkeypatch.setattr(page, "write_page", write)
    (suite.path / "shop.feature").write_text(FEATURE)
    suite.pytester.makepyfile(test_shop=STEPS)
    suite.pytester.makeini("[pytest]\nmarkers =\n  shop\n  fast")
    suite.report()
    return seen[0]


def statuses(gherkin: dict[str, Any]) -> dict[str, list[str]]:
    scenarios = gherkin["features"][0]["scenarios"]
    return {each["nodeid"].partition("::")[2]: [step["status"] for step in each["steps"]] for each in scenarios}


@pytest.mark.thorough
def test_the_steps_of_each_scenario_have_a_status(gherkin: dict[str, Any]) -> None:
    assert statuses(gherkin) == {
        "test_good": ["passed", "passed", "passed"],
        "test_bad": ["passed", "failed", "skipped"],
        "test_broken": ["passed", "errored"],
        "test_unknown": ["passed", "undefined"],
        "test_left": ["passed", "skipped", "skipped"],
        "test_rows[1]": ["passed", "passed"],
        "test_rows[2]": ["passed", "passed"],
    }


def test_the_feature_is_described(gherkin: dict[str, Any]) -> None:
    (feature,) = gherkin["features"]
    assert (feature["uri"], feature["name"], feature["keyword"]) == ("shop.feature", "Orders", "Feature")
    assert (feature["tags"], feature["line"]) == (["shop"], 3)
    assert "All about orders." in feature["description"]


def test_steps_carry_text_line_table_and_doc_string_without_secrets(gherkin: dict[str, Any]) -> None:
    good = gherkin["features"][0]["scenarios"][0]
    given, when, then = good["steps"]
    assert (good["name"], good["line"], good["tags"], good["rule"]) == ("good", 10, ["fast"], None)
    assert good["inherited"] == ["shop"]
    assert (given["background"], when["background"]) == (True, False)
    assert (when["keyword"], when["text"], when["line"]) == ("When", "I buy", 11)
    assert when["table"] == [["field", "value"], ["password", "<redacted>"]]
    assert then["docstring"] == '{"token": "<redacted>"}'
    assert then["duration_ms"] >= 0


def test_failed_steps_say_why_without_secrets(gherkin: dict[str, Any]) -> None:
    by_name = {each["name"]: each["steps"] for each in gherkin["features"][0]["scenarios"]}
    assert by_name["bad"][1]["message"].startswith("amqp://<redacted>@h/ is down")
    assert by_name["broken"][1]["message"] == "ValueError: boom"
    assert "nobody knows" in by_name["unknown"][1]["message"]
    assert by_name["good"][1]["message"] is None


@pytest.mark.thorough
def test_outline_rows_are_rendered_and_rules_named(gherkin: dict[str, Any]) -> None:
    rows = gherkin["features"][0]["scenarios"][-2:]
    assert [row["steps"][1]["text"] for row in rows] == ["I buy 1", "I buy 2"]
    assert {row["rule"] for row in rows} == {"big ones"}

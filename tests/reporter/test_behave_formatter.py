from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.feature_samples import ORDERS
from tests.support.started import python_m

FEATURE = (
    ORDERS
    + """
  Scenario: broken
    Then it raises

  Scenario: unknown
    Then nobody knows

  Scenario: late
    Then it is slow

  @leave
  Scenario: left
    Then it is sent

  Scenario: twin
    Then it is sent
  Scenario: twin
    Then it is sent

  Rule: big ones
    Scenario Outline: rows of <n>
      When I buy <n>
      Examples: few
        | n |
        | 1 |
        | 2 |
"""
)

STEPS = """
from behave import given, then, when
from playing import play

@given("a shop")
def _(context): pass

@when("I buy")
def _(context): print("password=opensesame and hunter22")

@when("I buy {n:d}")
def _(context, n): play(f"order {n}")

@then("it is sent")
def _(context): pass

@then("it fails")
def _(context): assert 1 == 2, "amqp://u:p@h/ is down"

@then("it raises")
def _(context): raise ValueError("boom")

@then("it is slow")
def _(context): play("late", budget_ms=1)
"""

ENVIRONMENT = """
def before_scenario(context, scenario):
    if "leave" in scenario.tags:
        scenario.skip("not today")
"""

# the page's data, beside the report, so that a test can read it without a browser
TAP = """
import json, pathlib
from choreo_bdd_reporter import page
_write = page.write_page
def write(results, gherkin, stream, **options):
    pathlib.Path("page-data.json").write_text(json.dumps(gherkin))
    _write(results, gherkin, stream, **options)
page.write_page = write
"""


@dataclass
class Project:
    """A small behave project in a directory of its own."""

    path: Path
    read: Callable[[Path], dict[str, Any]]

    def write(self, **files: str) -> None:
        for name, text in files.items():
            target = self.path / "features" / name.replace("__", "/").replace("_feature", ".feature")
            target = target if target.suffix else target.with_suffix(".py")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            python_m("behave", "-f", "choreo", *args),
            cwd=self.path, capture_output=True, text=True, check=False, timeout=50,
        )  # fmt: skip

    def tests(self, directory: str = "out") -> dict[str, dict[str, Any]]:
        results = self.read(self.path / directory)
        return {test["nodeid"].removeprefix("features/shop.feature::"): test for test in results["tests"]}

    def features(self) -> list[dict[str, Any]]:
        features: list[dict[str, Any]] = json.loads((self.path / "page-data.json").read_text())["features"]
        return features


@pytest.fixture
def project(tmp_path: Path, playing: str, read_report: Any, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the feature and steps above."""
    monkeypatch.delenv("HARNESS_REPORT_DIR", raising=False)
    made = Project(tmp_path, read_report)
    (tmp_path / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    made.write(shop_feature=FEATURE, steps__shop=STEPS, environment=TAP + ENVIRONMENT)
    (tmp_path / "playing.py").write_text(playing)
    return made


def test_every_scenario_is_a_test_with_its_outcome(project: Project) -> None:
    done = project.run("-o", "out")
    tests = project.tests()
    assert {name: test["outcome"] for name, test in tests.items()} == {
        "good": "passed",
        "bad": "failed",
        "broken": "errored",
        "unknown": "errored",
        "late": "slow",
        "left": "skipped",
        "twin:36": "passed",
        "twin:38": "passed",
        "rows of 1 -- @1.1 few": "passed",
        "rows of 2 -- @1.2 few": "passed",
    }
    line = f"choreo report: {project.path / 'out' / 'index.html'} (10 scenarios: 5 passed, 1 failed, 2 errored, "
    assert line in done.stderr
    assert done.returncode == 1
    assert tests["left"]["skip_reason"] == "Skipped: not today"
    assert tests["good"]["markers"] == ["fast", "shop"]
    assert tests["good"]["file"] == "features/shop.feature"
    assert "ASSERT FAILED: amqp://<redacted>@h/ is down" in tests["bad"]["traceback"]
    assert "features/shop.feature:20: Then it fails" in tests["bad"]["traceback"]
    assert "ValueError: boom" in tests["broken"]["traceback"]
    assert "undefined step: Then nobody knows" in tests["unknown"]["traceback"]


def test_engine_scenarios_belong_to_the_gherkin_scenario_that_ran_them(project: Project) -> None:
    project.run("-o", "out")
    names = {name: [each["name"] for each in test["scenarios"]] for name, test in project.tests().items()}
    assert {name: found for name, found in names.items() if found} == {
        "late": ["late"],
        "rows of 1 -- @1.1 few": ["order 1"],
        "rows of 2 -- @1.2 few": ["order 2"],
    }


def test_the_page_gets_the_steps_with_background_rules_and_rows(project: Project) -> None:
    project.run("-o", "out")
    (feature,) = project.features()
    assert (feature["uri"], feature["name"], feature["tags"]) == ("features/shop.feature", "Orders", ["shop"])
    assert feature["description"] == "All about orders."
    scenarios = {each["name"]: each for each in feature["scenarios"]}
    assert (scenarios["good"]["tags"], scenarios["good"]["inherited"]) == (["fast"], ["shop"])
    assert {name: [step["status"] for step in each["steps"]] for name, each in scenarios.items()} == {
        "good": ["passed", "passed", "passed"],
        "bad": ["passed", "failed", "skipped"],
        "broken": ["passed", "errored"],
        "unknown": ["passed", "undefined"],
        "late": ["passed", "passed"],
        "left": ["skipped", "skipped"],
        "twin": ["passed", "passed"],
        "rows of 1 -- @1.1 few": ["passed", "passed"],
        "rows of 2 -- @1.2 few": ["passed", "passed"],
    }
    given, when, then = scenarios["good"]["steps"]
    assert (given["background"], given["line"], when["background"], when["line"]) == (True, 7, False, 11)
    assert when["table"] == [["field", "value"], ["password", "<redacted>"]]
    assert then["docstring"] == '{"token": "<redacted>"}'
    assert scenarios["bad"]["steps"][1]["message"] == "amqp://<redacted>@h/ is down"
    assert (scenarios["good"]["rule"], scenarios["rows of 1 -- @1.1 few"]["rule"]) == (None, "big ones")


def test_secrets_of_tables_are_masked_in_captured_output_too(project: Project) -> None:
    project.run("-o", "out")
    assert project.tests()["good"]["stdout"] == "password=<redacted> and <redacted>\n"


@pytest.mark.parametrize("directory", ["new", "below/another", "existing"])
def test_the_output_is_a_directory_new_or_old(project: Project, directory: str) -> None:
    (project.path / "existing").mkdir()
    done = project.run("-o", directory, "--name", "good")
    assert done.returncode == 0
    assert list(project.tests(directory)) == ["good"]
    assert project.run("-o", directory, "--name", "late").returncode == 0
    assert list(project.tests(directory)) == ["late"]


def test_without_output_option_the_report_has_its_usual_place(project: Project) -> None:
    project.run("--name", "good")
    assert list(project.tests("test-report")) == ["good"]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_files_of_others_are_not_overwritten(project: Project, kind: str) -> None:
    target = project.path / "out"
    if kind == "directory":
        target.mkdir()
        target /= "thesis.txt"
    target.write_text("mine")
    done = project.run("-o", "out")
    assert done.returncode == 1
    assert "ConfigError: -f choreo -o out: " in done.stdout
    assert target.read_text() == "mine"


def test_it_shares_a_run_with_another_formatter(project: Project) -> None:
    done = project.run("-o", "out", "-f", "json", "-o", "out.json", "-f", "plain", "--name", "good")
    assert "Scenario: good" in done.stdout
    assert json.loads((project.path / "out.json").read_text())[0]["name"] == "Orders"
    assert list(project.tests()) == ["good"]


def test_scenarios_left_out_by_tags_are_reported_as_behave_is_told_to(project: Project) -> None:
    project.run("-o", "out", "--tags", "@fast", "--no-skipped")
    assert list(project.tests()) == ["good"]
    project.run("-o", "out", "--tags", "@fast", "--show-skipped")
    assert project.tests()["bad"]["outcome"] == "skipped"


def test_what_stop_left_undone_is_reported_as_not_run(project: Project) -> None:
    project.write(zz_feature="Feature: last\n  Scenario: never\n    Given a shop\n")
    project.run("-o", "out", "--stop", "--no-skipped")
    tests = project.tests()
    assert tests["bad"]["outcome"] == "failed"
    assert tests["broken"]["skip_reason"] == "not run: behave had stopped at the first failure, as --stop asks"
    assert tests["features/zz.feature::never"]["outcome"] == "skipped"


def test_a_dry_run_leaves_the_old_report(project: Project) -> None:
    project.run("-o", "out", "--name", "good")
    before = project.tests()
    project.run("-o", "out", "--dry-run")
    assert project.tests() == before


NOT_RUN = "not run: the run was broken off before"
HOOK = "def {name}(context, *args):\n    raise OSError('no broker')\n"


def test_a_scenario_hook_that_fails_is_in_the_report(project: Project) -> None:
    project.write(environment=HOOK.format(name="before_scenario"))
    project.run("-o", "out", "--name", "good")
    test = project.tests()["good"]
    assert test["outcome"] == "errored"
    assert "HOOK-ERROR in before_scenario: OSError: no broker" in test["traceback"]


@pytest.mark.parametrize(("name", "outcome"), [("before_feature", "errored"), ("after_feature", "passed")])
def test_a_feature_hook_that_fails_is_a_test_of_its_own(project: Project, name: str, outcome: str) -> None:
    project.write(environment=HOOK.format(name=name))
    project.run("-o", "out", "--name", "good")
    tests = project.tests()
    assert tests["good"]["outcome"] == outcome
    test = tests["Feature: Orders"]
    assert test["outcome"] == "errored"
    assert f"HOOK-ERROR in {name}: OSError: no broker" in test["traceback"]


def test_a_run_that_never_began_is_not_reported_as_empty(project: Project) -> None:
    project.write(environment=HOOK.format(name="before_all"))
    project.run("-o", "out")
    tests = project.tests()
    assert tests["<session>"]["outcome"] == "errored"
    assert "before_all" in tests["<session>"]["traceback"]
    assert (tests["good"]["outcome"], tests["good"]["traceback"]) == ("errored", NOT_RUN)


def test_a_run_that_a_step_exits_still_has_its_report(project: Project) -> None:
    project.write(steps__shop=STEPS.replace('raise ValueError("boom")', "raise SystemExit(3)"))
    assert project.run("-o", "out").returncode == 3
    tests = project.tests()
    assert tests["good"]["outcome"] == "passed"
    assert tests["broken"]["outcome"] == "errored"
    assert "sys.exit()" in tests["broken"]["traceback"]
    assert json.loads((project.path / "page-data.json").read_text())["exit"]["interrupted"] is True


def test_an_interrupted_run_still_has_its_report(project: Project) -> None:
    steps = STEPS.replace('raise ValueError("boom")', "raise KeyboardInterrupt")
    project.write(steps__shop=steps, zz_feature="Feature: last\n  Scenario: never\n    Given a shop\n")
    project.run("-o", "out")
    tests = project.tests()
    assert tests["good"]["outcome"] == "passed"
    assert tests["broken"]["outcome"] == "errored"
    never = tests["features/zz.feature::never"]
    assert (never["outcome"], never["traceback"]) == ("errored", NOT_RUN)
    assert json.loads((project.path / "page-data.json").read_text())["exit"]["interrupted"] is True


RETRIED = """
from behave.contrib.scenario_autoretry import patch_scenario_with_autoretry
def before_feature(context, feature):
    for scenario in feature.walk_scenarios():
        patch_scenario_with_autoretry(scenario, max_attempts=3)
"""


def test_a_scenario_that_is_retried_counts_once_and_tells_its_attempts(project: Project) -> None:
    steps = STEPS.replace("assert 1 == 2", "seen.append(1); play(f'try {len(seen)}'); assert len(seen) > 1")
    project.write(steps__shop=f"seen = []\n{steps}", environment=TAP + RETRIED)
    project.run("-o", "out", "--name", "bad", "--name", "broken")
    tests = project.tests()
    bad, broken = tests["bad"], tests["broken"]
    reason = "ASSERT FAILED: amqp://<redacted>@h/ is down"
    assert (bad["outcome"], bad["log"]) == ("passed", f"[attempt 1 of 2 failed: {reason}]")
    assert [scenario["name"] for scenario in bad["scenarios"]] == ["try 2"]
    told = [f"[attempt {number} of 3 failed: ValueError: boom]" for number in (1, 2)]
    assert (broken["outcome"], broken["log"].splitlines()) == ("errored", told)
    attempts = json.loads((project.path / "page-data.json").read_text())["attempts"]
    assert list(attempts) == ["features/shop.feature::bad", "features/shop.feature::broken"]
    (first,) = attempts["features/shop.feature::bad"]
    assert [scenario["name"] for scenario in first["test"]["scenarios"]] == ["try 1"]
    assert first["test"]["traceback"].endswith(reason)
    assert "failed" in [step["status"] for step in first["scenario"]["steps"]]


def test_what_a_step_attaches_is_in_the_page_masked_and_only_in_its_scenario(project: Project) -> None:
    attaching = """
        context.attach("text/plain", b"password=opensesame and more")
        context.attach("image/png", bytes.fromhex("89504e470d0a1a0a"))"""
    steps = STEPS.replace("def _(context): pass\n\n@when", f"def _(context):{attaching}\n\n@when", 1)
    project.write(
        shop_feature="Feature: Shop\n Scenario: one\n  Given a shop\n Scenario: two\n  When I buy\n", steps__shop=steps
    )
    project.run("-o", "out")
    told = json.loads((project.path / "page-data.json").read_text())
    assert list(told["attachments"]) == ["features/shop.feature::one"]
    assert told["attachments"]["features/shop.feature::one"] == [
        {
            "name": "", "media_type": "text/plain", "size": 28, "text": "password=<redacted> and more", "cut": False,
            "step": 0,
        },
        {"name": "", "media_type": "image/png", "size": 8, "base64": "iVBORw0KGgo=", "cut": False, "step": 0},
    ]  # fmt: skip


HOOKS_ATTACH = """
def before_scenario(context, scenario): context.attach("text/plain", b"before")
def before_step(context, step): context.attach("text/plain", step.name.encode())
def after_scenario(context, scenario): context.attach("text/plain", b"after")
"""


def test_an_attachment_names_its_step_and_one_of_a_hook_none(project: Project) -> None:
    feature = "Feature: Shop\n Background:\n  Given a shop\n Scenario: one\n  When I buy\n  Then nobody knows\n"
    project.write(shop_feature=feature, environment=TAP + HOOKS_ATTACH)
    project.run("-o", "out")
    (attached,) = json.loads((project.path / "page-data.json").read_text())["attachments"].values()
    assert [(each["text"], each.get("step")) for each in attached] == [
        ("before", None), ("a shop", 0), ("I buy", 1), ("after", None),
    ]  # fmt: skip


def test_without_output_option_the_configuration_names_the_place(project: Project) -> None:
    (project.path / "choreo.yaml").write_text("report: {dir: told}\n")
    project.run("--name", "good")
    assert project.tests("told")["good"]["outcome"] == "passed"

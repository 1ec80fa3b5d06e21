"""The same feature files under behave and under pytest-bdd: same verdicts, same handles, same shape of timeline."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_schemas import validate_report
from tests.support.runs import DEFAULT, ROOT, Profile, plain, run_features
from tests.system.conformance.conftest import Both

pytestmark = pytest.mark.timeout(240)


def handles(test: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [
        (plain(handle["topic"]), handle["outcome"], handle["attempts"])
        for scenario in test["scenarios"]
        for handle in scenario["handles"]
    ]


def acts(test: dict[str, Any]) -> list[tuple[str, str]]:
    """What the scenario itself did, in order: the part of a timeline that no other process can reorder."""
    return [
        (entry["action"], entry["topic"])
        for scenario in test["scenarios"]
        for entry in scenario["timeline"]
        if entry["action"] == "published"
    ]


def received_topics(test: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (entry["action"], plain(entry["topic"]))
        for scenario in test["scenarios"]
        for entry in scenario["timeline"]
        if entry["action"] in ("matched", "replied", "reply_failed")
    }


def test_both_run_every_scenario_of_the_repository(both: Both) -> None:
    named = sum(
        len(re.findall(r"^\s*Scenario:", path.read_text("utf-8"), re.MULTILINE))
        for path in (ROOT / "features").rglob("*.feature")
    )
    behave, pytest_bdd = both["behave"].tests, both["pytest"].tests
    assert sorted(behave) == sorted(pytest_bdd)
    assert len(behave) >= named >= 30


def test_each_scenario_has_the_same_verdict(both: Both) -> None:
    behave, pytest_bdd = both["behave"].tests, both["pytest"].tests
    assert {name: test["outcome"] for name, test in behave.items()} == {
        name: test["outcome"] for name, test in pytest_bdd.items()
    }


def test_only_the_deliberate_ones_fail_and_keys_where_a_bus_has_none(both: Both) -> None:
    for run in both.values():
        failed = {name: test for name, test in run.tests.items() if test["outcome"] not in ("passed", "slow")}
        deliberate = {name for name, test in run.tests.items() if "deliberate" in test["markers"]}
        without_keys = {name for name, test in failed.items() if "no keys" in (test["traceback"] or "")}
        assert failed.keys() == deliberate | without_keys
        assert without_keys in (set(), {name for name in run.tests if "with a key" in name.lower()})
        assert run.code == 1


@pytest.mark.parametrize("compared", [handles, acts, received_topics])
def test_each_scenario_has_the_same_expectations_and_timeline(both: Both, compared: Any) -> None:
    behave, pytest_bdd = both["behave"].tests, both["pytest"].tests
    differing = {
        name: (compared(behave[name]), compared(pytest_bdd[name]))
        for name in behave
        if compared(behave[name]) != compared(pytest_bdd[name])
    }
    assert differing == {}


def test_the_handles_show_every_outcome(both: Both) -> None:
    """A comparison of nothing would always agree."""
    seen = Counter(outcome for test in both["behave"].tests.values() for _, outcome, _ in handles(test))
    assert set(seen) == {"pass", "fail", "timeout", "slow"}
    assert any(attempts for test in both["behave"].tests.values() for _, _, attempts in handles(test))


def test_both_reports_follow_the_schema(both: Both) -> None:
    for run in both.values():
        assert validate_report(run.report) == []


@pytest.mark.process
@pytest.mark.parametrize("framework", ["behave", "pytest"])
def test_by_default_the_suite_is_green(framework: str, memory: Profile, tmp_path: Path) -> None:
    run = run_features(framework, DEFAULT, memory, tmp_path)
    assert run.code == 0, run.text
    assert sum(test["outcome"] == "passed" for test in run.report["tests"]) >= 15
    assert not any(test["outcome"] in ("failed", "errored") for test in run.report["tests"])

"""Flaky and broken scenarios, and causes of failures, as the API answers them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from tests.chronicle.conftest import Chronicle
from tests.chronicle.reports import BEGUN, handle, late, one_test, report, scenario, timed_out

PAID = "features/orders.feature::An order is paid"


def failed(path: str, topic: str = "orders.placed") -> dict[str, Any]:
    """A handle whose message differed in a field."""
    failure = {"kind": "mismatch", "path": path, "expected": 1, "actual": 2}
    diagnosis = {"kind": "near_miss", "attempts": 1, "deadline_ms": 100.0}
    return handle(topic, 100.0, outcome="fail", failure=failure, failures=[failure], diagnosis=diagnosis)


def keep(chronicle: Chronicle, number: int, tests: Iterable[dict[str, Any]], commit: str = "", **run: Any) -> str:
    begun = BEGUN + timedelta(hours=number)
    return chronicle.keep(report(begun=begun, git_sha=commit or f"c{number}", tests=list(tests), **run))


def one(outcome: str, nodeid: str = PAID, *handles: dict[str, Any]) -> dict[str, Any]:
    return one_test([scenario(handles or [handle()], outcome=outcome)], nodeid)


def test_passed_and_failed_at_one_commit_is_flaky(chronicle: Chronicle) -> None:
    runs = [
        keep(chronicle, number, [one(outcome), one("pass", "other")], commit=f"c{number // 2}")
        for number, outcome in enumerate(["pass", "pass", "pass", "fail", "pass", "pass"])
    ]
    found = chronicle.get("/flaky", tenant="alpha")
    (flaky,) = found["items"]
    assert (flaky["test_nodeid"], flaky["name"], flaky["condition"]) == (PAID, "An order is paid", "flaky")
    assert (flaky["rate"], flaky["transitions"], flaky["run_count"]) == (pytest.approx(1 / 6, abs=1e-4), 2, 6)
    assert flaky["evidence"] == [{"commit": "c1", "passed_in": [runs[2]], "failed_in": [runs[3]]}]
    assert (found["reason"], found["total"]) == (None, 1)


def test_broken_and_fixed_are_asked_for_by_name(chronicle: Chronicle) -> None:
    for number in range(8):
        broken, fixed = ("pass" if number < 4 else "timeout"), ("fail" if number < 4 else "pass")
        keep(chronicle, number, [one(broken, "broken"), one(fixed, "fixed"), one("slow", "stable")])
    for condition in ("broken", "fixed", "stable"):
        found = chronicle.get("/flaky", tenant="alpha", condition=condition)
        assert [each["test_nodeid"] for each in found["items"]] == [condition]
    empty = chronicle.get("/flaky", tenant="alpha")
    assert (empty["items"], empty["reason"]) == (
        [],
        "No commit was run twice; flaky means passed and failed at one commit.",
    )


def test_runs_that_failed_as_a_whole_are_named_and_count_for_none(chronicle: Chronicle) -> None:
    outcomes = ["pass", "fail", "pass", "pass"]
    runs = [
        keep(chronicle, number, [one(outcome, f"test {each}") for each in range(5)], commit="same")
        for number, outcome in enumerate(outcomes)
    ]
    found = chronicle.get("/flaky", tenant="alpha")
    assert (found["items"], found["infrastructure_run_ids"]) == ([], [runs[1]])


def test_scenarios_of_one_name_in_one_test_stay_apart(chronicle: Chronicle) -> None:
    for number in range(4):
        twins = one_test([scenario([handle()]), scenario([handle()], outcome="fail")])
        keep(chronicle, number, [twins], commit="same")
    assert chronicle.get("/flaky", tenant="alpha")["items"] == []
    assert chronicle.get("/flaky", tenant="alpha", condition="broken")["total"] == 1


def test_failures_are_grouped_by_cause_over_runs(chronicle: Chronicle) -> None:
    first = keep(chronicle, 1, [one("fail", PAID, failed("items[0].price"))])
    keep(chronicle, 2, [one("pass")])
    last = keep(
        chronicle, 3, [one("fail", PAID, failed("items[4].price")), one("fail", "other", failed("items[1].price"))]
    )
    keep(chronicle, 0, [one("timeout", PAID, timed_out())])
    price, silence = chronicle.get("/failures", tenant="alpha")["items"]
    assert (price["topic"], price["outcome"], price["kind"]) == ("orders.placed", "fail", "mismatch")
    assert (price["path"], price["count"], price["run_count"]) == ("items[*].price", 3, 2)
    assert (price["first_run_id"], price["last_run_id"]) == (first, last)
    assert price["scenarios"] == [
        {"test_nodeid": PAID, "name": "An order is paid"},
        {"test_nodeid": "other", "name": "An order is paid"},
    ]
    assert (silence["kind"], silence["path"], silence["count"]) == ("silent_timeout", None, 1)


@pytest.mark.parametrize("path", ["/flaky", "/failures"])
def test_filters_let_runs_through(chronicle: Chronicle, path: str) -> None:
    for number, outcome in enumerate(("pass", "fail")):
        keep(chronicle, number, [one(outcome, PAID, failed("x") if outcome == "fail" else handle())], commit="same")
    assert chronicle.get(path, tenant="alpha", branch="main")["total"] == 1
    assert chronicle.get(path, tenant="alpha", branch="other")["total"] == 0
    assert chronicle.get(path, tenant="alpha", environment="other")["total"] == 0
    assert chronicle.get(path, tenant="alpha", to=BEGUN.isoformat())["total"] == 0


@pytest.mark.parametrize("path", ["/flaky", "/failures"])
def test_a_tenant_is_needed_and_known(chronicle: Chronicle, path: str) -> None:
    assert chronicle.ask(path).status_code == 422
    assert chronicle.ask(path, tenant="nobody").status_code == 404
    assert chronicle.ask(path, tenant="alpha", condition="odd").status_code in (404, 422)


def of_test(outcome: str, *outcomes: str, name: str = PAID) -> dict[str, Any]:
    """A test with a scenario for each of these outcomes; a slow one has a message over its budget."""
    scenarios = [
        scenario([late() if each == "slow" else handle()], f"{each} {place}", outcome=each)
        for place, each in enumerate(outcomes)
    ]
    return one_test(scenarios, name) | {"outcome": outcome}


def test_a_scenario_whose_message_came_over_its_budget_failed_where_its_test_did(chronicle: Chronicle) -> None:
    for number, outcome in enumerate(["passed", "failed", "slow", "failed"]):
        scenarios = "pass" if outcome == "passed" else "slow"
        other = one("pass", "other")
        run = keep(chronicle, number, [of_test(outcome, scenarios), other], commit=f"c{number // 2}")
    told = [each["failed"] for each in chronicle.get(f"/runs/{run}")["scenarios"]]
    assert told == [True, False]
    (cause,) = chronicle.get("/failures", tenant="alpha")["items"]
    assert (cause["outcome"], cause["kind"], cause["count"]) == ("slow", "over_budget", 2)
    found = chronicle.get("/flaky", tenant="alpha", condition="flaky")["items"]
    assert [(each["name"], each["rate"]) for each in found] == [("slow 0", pytest.approx(2 / 3, abs=1e-4))]


def test_what_a_test_failed_for_is_told_of_those_of_its_scenarios_that_were_worst(chronicle: Chronicle) -> None:
    tests = [
        of_test("failed", "pass", "slow", "fail", name="its messages"),
        of_test("failed", "pass", "slow", name="its budget"),
        of_test("failed", "pass", "pass", name="its own assertion"),
        of_test("errored", "pass", name="its end"),
        of_test("passed", "pass", "timeout", name="expected to fail"),
        of_test("slow", "slow", name="slow only"),
    ]
    told = chronicle.get(f"/runs/{keep(chronicle, 0, tests)}")["scenarios"]
    assert [(each["test_nodeid"], each["name"]) for each in told if each["failed"]] == [
        ("its messages", "fail 2"), ("its budget", "slow 1"), ("its own assertion", "pass 0"),
        ("its own assertion", "pass 1"), ("its end", "pass 0"), ("expected to fail", "timeout 1"),
    ]  # fmt: skip

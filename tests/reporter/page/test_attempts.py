"""A scenario that was run again: each attempt is a tab with all that it did, the last one first."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import data
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_message,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

from .conftest import OpenReport

pytestmark = pytest.mark.browser
NODEID = "features/orders.feature::settled"


def _attempt(number: int, outcome: str) -> tuple[Json, list[Json]]:
    """A test whose one expectation met what it published, or did not, and the details of its scope."""
    passed = outcome == "passed"
    handle = a_handle("orders.settled", "pass" if passed else "timeout", 3.0 * number)
    timeline = [an_event(0, "published", f"orders.try{number}")]
    if passed:
        timeline += [an_event(2, action, "orders.settled") for action in ("received", "matched")]
    else:
        timeline += [an_event(9, "deadline", "orders.settled", "no message")]
    sent = a_message(f"orders.try{number}", {"number": number})
    details = {**heard([sent, *[None] * (len(timeline) - 1)]), "handles": [{}]}
    test = a_test("settled", outcome, [a_scope("pass" if passed else "timeout", [handle], timeline)])
    return {**test, "traceback": None if passed else f"E   AssertionError: try {number}"}, [details]


def _run(*, whole: bool = True) -> tuple[Json, Json]:
    last, details = _attempt(3, "passed")
    others = [_attempt(number, "failed") for number in (1, 2)]
    told = [
        {
            "outcome": "failed",
            "reason": f"AssertionError: try {number}",
            **({"test": test, "details": notes, "scenario": _described("failed"), "attachments": []} if whole else {}),
        }
        for number, (test, notes) in enumerate(others, start=1)
    ]
    steady = a_test("steady", "passed")
    described = [_described("passed"), a_description(steady["nodeid"], "steady", [a_step("Given", "a shop")])]
    gherkin = gherkin_of([a_feature("Orders", described)], {NODEID: details}, attempts={NODEID: told})
    return results_of([last, steady]), gherkin


def _described(status: str) -> Json:
    return a_description(NODEID, "settled", [a_step("Then", "it is settled", status)])


@pytest.mark.parametrize("tests_at_once", [0, 2_000], ids=["in chunks", "whole"])
def test_each_attempt_is_a_tab_with_its_own_verdict_steps_and_messages(
    tests_at_once: int, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", tests_at_once)
    opened = open_report(_run())
    page = opened.page
    tabs = page.get_by_role("group", name="Attempts").get_by_role("button")
    expect(tabs).to_have_text(["PASS attempt 3, the last", "TIMEOUT attempt 2", "TIMEOUT attempt 1"])
    expect(tabs.nth(0)).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-action=published]")).to_contain_text("orders.try3")
    tabs.nth(2).click()
    expect(page.locator("[data-action=published]")).to_contain_text("orders.try1")
    expect(page.locator(".hr-scenario-title .hr-verdict")).to_have_text("TIMEOUT")
    expect(page.locator(".hr-finding").first).to_contain_text("orders.settled")
    expect(page.locator(".hr-step")).to_have_attribute("data-outcome", "failed")
    page.locator("[data-action=published]").click()
    expect(page.locator(".hr-message")).to_contain_text('"number": 1')
    assert "attempt=1" in page.url
    page.go_back()
    page.go_back()
    expect(page.locator("[data-action=published]")).to_contain_text("orders.try3")
    assert opened.errors == []


def test_a_link_leads_to_an_attempt_and_another_scenario_leaves_it(open_report: OpenReport) -> None:
    page = open_report(_run(), f"#test={NODEID}&attempt=2").page
    expect(page.locator("[data-action=published]")).to_contain_text("orders.try2")
    expect(page.locator("[data-attempt='2']")).to_have_attribute("aria-current", "true")
    page.locator('[data-nodeid$="steady"]').click()
    expect(page.locator("#hr-scenario-title")).to_have_text("steady")
    assert "attempt" not in page.url
    assert page.get_by_role("group", name="Attempts").count() == 0


def test_the_search_finds_what_only_an_earlier_attempt_said(open_report: OpenReport) -> None:
    page = open_report(_run()).page
    page.get_by_role("searchbox").fill("orders.try1")
    expect(page.locator('[role="treeitem"][data-nodeid]')).to_have_count(1)


def test_attempts_of_which_only_the_outcome_is_known_have_no_tabs(open_report: OpenReport) -> None:
    page = open_report(_run(whole=False)).page
    expect(page.locator(".hr-article")).to_contain_text("Attempt 1 failed: AssertionError: try 1.")
    assert page.get_by_role("group", name="Attempts").count() == 0

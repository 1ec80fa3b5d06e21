"""What a tester with a red build wants to know, walked in the browser: none of it takes more than two clicks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.page_sample import FAILING, sample_run

from .conftest import OpenReport

pytestmark = pytest.mark.browser

MOST_CLICKS = 2
COUNT = "window.clicks = 0; addEventListener('click', (event) => { if (event.isTrusted) window.clicks += 1; }, true)"
TAKE = (
    "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.taken = text; } } })"
)
YESTERDAY = {"runs": [["2027-03-03T08:00:00+00:00", "a1", True], ["2027-03-03T20:00:00+00:00", "a1", True]], "ci": True}
WAVERING = "features/orders.feature::Order 3 is accepted"


def _red_build() -> Any:
    """The red run after two of yesterday: one scenario has broken since, one is new, one wavers at one commit."""
    results, gherkin = deepcopy(sample_run())
    results["run"]["git_sha"] = "b2"
    known = {test["nodeid"]: ["pp", ""] for test in results["tests"][:-1]} | {WAVERING: ["fp", ""]}
    for scenario in gherkin["features"][0]["scenarios"]:
        if scenario["nodeid"] == FAILING:
            scenario["inherited"] = ["@team-parcels"]
    return results, {**gherkin, "history": {**YESTERDAY, "tests": known}}


@pytest.fixture
def page(open_report: OpenReport) -> Iterator[Page]:
    """The report of the red build as it opens; afterwards it must not have taken more clicks than it may."""
    report = open_report(_red_build())
    report.page.evaluate(COUNT)
    report.page.evaluate(TAKE)
    yield report.page
    clicks = report.page.evaluate("window.clicks")
    assert clicks <= MOST_CLICKS
    assert report.errors == []


def _listed(page: Page) -> list[str]:
    return page.locator('[role="treeitem"][data-nodeid]').evaluate_all("all => all.map((node) => node.title)")  # type: ignore[no-any-return]


def test_why_is_it_red(page: Page) -> None:
    expect(page.locator(".hr-title")).to_contain_text("failed")
    expect(page.locator(".hr-finding-cause").first).to_contain_text("on parcels.leaving")
    expect(page.locator(".hr-finding-sentence").first).to_contain_text("parcels.leaving")


def test_what_came_instead_beside_what_was_expected(page: Page) -> None:
    line = page.locator(".hr-finding .hr-diff-line").first
    assert line.locator(".hr-value").all_inner_texts() == ["4", "3"]


def test_a_link_to_one_message(page: Page) -> None:
    page.locator('.hr-waterfall-row[data-action="mismatched"]').first.click()
    page.locator(".hr-message").get_by_role("button", name="copy link").click()
    link = page.evaluate("window.taken")
    clicks = page.evaluate("window.clicks")
    page.goto("about:blank")
    page.goto(link)
    page.evaluate(f"window.clicks = {clicks}")
    expect(page.locator(".hr-message")).to_contain_text("parcels.leaving")


def test_what_the_service_got(page: Page) -> None:
    page.locator('.hr-waterfall-row[data-kind="publish"]').first.click()
    expect(page.locator(".hr-message .hr-json")).to_contain_text("PEN-3")


def test_only_what_has_my_tag(page: Page) -> None:
    page.get_by_role("button", name="@team-parcels").click()
    assert _listed(page) == ["Parcel leaves on the express lane"]


def test_what_is_flaky(page: Page) -> None:
    page.locator("[data-field=flaky]").click()
    assert _listed(page) == ["Order 3 is accepted"]


def test_what_has_changed_since_yesterday(page: Page) -> None:
    expect(page.locator("[data-field=new]")).to_have_text("1 new since the last run")
    page.locator("[data-field=regressed]").click()
    assert "Parcel leaves on the express lane" in _listed(page)


def test_which_service_is_slow(page: Page) -> None:
    page.get_by_role("button", name="Hops and budgets").click()
    page.get_by_role("button", name="Added max").click()
    added = page.locator(".hr-data tbody tr td:nth-child(4)").all_inner_texts()
    assert added[0].endswith(" ms")
    assert float(added[0].split()[0]) == max(float(text.split()[0]) for text in added if text.endswith(" ms"))


def test_what_differs_from_an_older_run(page: Page, tmp_path: Path) -> None:
    older, _ = deepcopy(sample_run())
    for test in older["tests"]:
        if test["nodeid"] == FAILING:
            test["outcome"] = "passed"
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    page.get_by_role("button", name="Compare").click()
    with page.expect_file_chooser() as chooser:
        page.locator(".hr-file").click()
    chooser.value.set_files(tmp_path / "older.json")
    expect(page.locator('[data-change="Newly failing"]')).to_contain_text("Parcel leaves on the express lane")


def test_all_of_it_as_text_for_a_ticket(page: Page) -> None:
    page.get_by_role("button", name="copy as text").click()
    page.wait_for_function("window.taken")
    text = page.evaluate("window.taken")
    assert "parcels.leaving" in text
    assert FAILING in text
    assert "expected" in text
    assert "b2" in text
    assert "index.html#test=" in text

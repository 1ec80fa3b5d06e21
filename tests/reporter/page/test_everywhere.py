"""The page where it is not at home: on paper, in forced colours, under a server's policy, in a narrow list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from choreo_bdd_reporter.page import render_page
from tests.support.page_builders import a_handle, a_scope, a_test, results_of
from tests.support.page_sample import FAILING, sample_run

from .conftest import OpenReport

pytestmark = pytest.mark.browser

MARKS = ".hr-mark, .hr-bar, .hr-legend i, .hr-seg, .hr-budget-bar"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_marks_and_choices_to_be_seen(open_report: OpenReport, scheme: Any) -> None:
    report = open_report(sample_run(), f"#test={FAILING}", color_scheme=scheme, forced_colors="active")
    painted = report.page.locator(MARKS)
    assert painted.count() > 20
    adjust = "all => all.map(node => getComputedStyle(node).forcedColorAdjust)"
    assert set(painted.evaluate_all(adjust)) == {"none"}
    report.page.locator(".hr-waterfall-row").first.click()
    report.page.locator(".hr-pill").first.click()
    outlined = "node => getComputedStyle(node).outlineStyle"
    for chosen in (
        ".hr-row[data-selected]",
        '.hr-waterfall-row[aria-selected="true"]',
        '.hr-pill[aria-pressed="true"]',
    ):
        assert report.page.locator(chosen).first.evaluate(outlined) == "solid"
    colour = "node => getComputedStyle(node).borderBottomColor"
    tabs = [tab.evaluate(colour) for tab in report.page.locator(".hr-tab").all()]
    assert len(tabs) > 2
    assert tabs[0] not in tabs[1:]


def _many() -> tuple[dict[str, Any], dict[str, Any]]:
    """120 that passed, and two that broke."""
    scope = a_scope("fail", [a_handle("a", "fail", 5.0)])
    failed = [a_test(f"bad {word}", "failed", [scope]) for word in ("one", "two")]
    return results_of([*(a_test(f"ok {number}") for number in range(120)), *failed]), {}


def test_on_paper_stands_what_broke_with_its_bars_and_no_list_of_what_passed(open_report: OpenReport) -> None:
    report = open_report(_many())
    pages = re.findall(rb"/Type\s*/Page[^s]", report.page.pdf(format="A4"))
    assert len(pages) <= 2
    report.page.emulate_media(media="print")
    failures = report.page.locator(".hr-print li")
    expect(failures).to_have_count(2)
    expect(failures.nth(1)).to_contain_text("bad two: ")
    expect(report.page.get_by_text("ok 7", exact=True)).to_be_hidden()


@pytest.mark.parametrize("tab", ["hops", "topics"])
def test_tables_are_printed_with_the_names_in_them(tab: str, open_report: OpenReport) -> None:
    page = open_report(sample_run(), f"#tab={tab}").page
    seen = page.locator(".hr-data").inner_text()
    page.emulate_media(media="print")
    assert page.locator(".hr-data").inner_text() == seen


def test_bars_ask_to_be_printed_as_they_are(open_report: OpenReport) -> None:
    report = open_report(sample_run(), f"#test={FAILING}")
    report.page.emulate_media(media="print")
    printed = "all => all.map(node => getComputedStyle(node).printColorAdjust)"
    assert set(report.page.locator(MARKS).evaluate_all(printed)) == {"exact"}


@pytest.mark.parametrize("policy", ["default-src 'self'", "script-src 'self'; style-src 'unsafe-inline'", "sandbox"])
def test_where_a_server_forbids_the_script_the_page_says_what_failed_and_what_to_do(
    open_report: OpenReport, policy: str
) -> None:
    page = open_report(sample_run()).page

    def answer(route: Route) -> None:
        headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
        route.fulfill(body=render_page(*sample_run()), headers=headers)

    page.route("http://reports.test/", answer)
    page.goto("http://reports.test/")
    expect(page.locator("[data-slot=fallback]")).to_be_visible()
    expect(page.locator("[data-slot=fallback] tr", has_text="Parcel leaves on the express lane")).to_be_visible()
    expect(page.locator("[data-slot=fallback]")).to_contain_text("report render --folder")
    page.unroute("http://reports.test/")


def test_the_table_for_those_without_a_script_is_not_laid_out_before_it_is_needed(open_report: OpenReport) -> None:
    page = open_report(sample_run()).page
    page.route("http://reports.test/", lambda route: route.fulfill(body=_without_script(), content_type="text/html"))
    page.goto("http://reports.test/")
    table = page.locator("[data-slot=fallback] table")
    assert not table.evaluate("table => table.checkVisibility()")
    expect(table).to_be_visible()
    assert table.evaluate("table => table.checkVisibility()")
    page.unroute("http://reports.test/")


def _without_script() -> str:
    return re.sub(r'<script type="module" async>.*?</script>', "", render_page(*sample_run()), flags=re.DOTALL)


def test_where_the_script_runs_the_table_for_those_without_is_gone(open_report: OpenReport) -> None:
    expect(open_report(sample_run()).page.locator("[data-slot=fallback]")).to_have_count(0)


def test_the_list_is_widened_by_mouse_and_keys_and_stays_so(open_report: OpenReport) -> None:
    name = "A guest voucher in checkout, case number 5, twice"
    page = open_report((results_of([a_test(name)]), {}), viewport={"width": 1280, "height": 800}).page
    listed, cut = page.locator(".hr-row--scenario .hr-row-name"), "node => node.scrollWidth - node.clientWidth"
    assert listed.evaluate(cut) > 0
    bar = page.get_by_role("separator", name="Width of the list")
    before = int(bar.get_attribute("aria-valuenow") or 0)
    bar.focus()
    page.keyboard.press("ArrowRight")
    assert int(bar.get_attribute("aria-valuenow") or 0) == before + 20
    box = bar.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 4, 400)
    page.mouse.down()
    page.mouse.move(620, 400)
    page.mouse.up()
    assert listed.evaluate(cut) <= 0
    page.reload()
    assert listed.evaluate(cut) <= 0
    page.get_by_role("separator").dblclick()
    assert int(page.get_by_role("separator").get_attribute("aria-valuenow") or 0) == before

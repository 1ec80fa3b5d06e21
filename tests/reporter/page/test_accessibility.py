"""No axe finding (WCAG 2.x A and AA) in either theme, wide or narrow, with every part of the page opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import expect

from tests.support.page_builders import a_scope, a_test, an_event, results_of
from tests.support.page_sample import FAILING, green_run, sample_run, told_run

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}  # of what passes, one node a rule is told
FAILED = urlencode({"test": FAILING, "event": "0-5"})
STAGE = urlencode({"test": "features/orders.feature::Paid order reaches the warehouse", "event": "0-5"})


def _violations(report: Opened) -> list[str]:
    found: Any = Axe().run(report.page, options=OPTIONS).response["violations"]
    return [f"{item['id']}: {node['target']} {node['failureSummary']}" for item in found for node in item["nodes"]]


WIDTHS = (320, 600, 1600, 3840)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"color_scheme": "dark", "forced_colors": "active"},
}


@pytest.mark.parametrize("fragment", [FAILED, STAGE], ids=["failing", "stage"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_scenario_with_everything_opened_has_no_finding(open_report: OpenReport, look: str, fragment: str) -> None:
    report = open_report(sample_run(), f"#{fragment}", **LOOKS[look])
    for _ in range(2):  # what opens may hold something to open
        report.page.locator("main details").evaluate_all("all => all.forEach(n => { n.open = true; })")
        expect(report.page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)
    found = {}
    for width in WIDTHS if fragment == FAILED else (600,):
        report.page.set_viewport_size({"width": width, "height": 1000})
        found[width] = _violations(report)
    assert found == {width: [] for width in found}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_opened_popover_and_pressed_filters_have_no_finding(open_report: OpenReport, scheme: str) -> None:
    report = open_report(sample_run(), "#status=failed,slow,passed,timeout,errored,skipped", color_scheme=scheme)
    report.page.locator(".hr-cause").first.click()
    report.page.get_by_role("button", name="About this run").click()
    assert _violations(report) == []


@pytest.mark.parametrize("width", [1600, 600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["hops", "topics", "compare"])
def test_the_views_of_the_whole_run_have_no_finding(
    open_report: OpenReport, tab: str, scheme: str, width: int, tmp_path: Path
) -> None:
    report = open_report(sample_run(), f"#tab={tab}", color_scheme=scheme, viewport={"width": width, "height": 1000})
    if tab == "compare":
        older = tmp_path / "results.json"
        older.write_text(json.dumps(sample_run()[0]))
        report.page.locator("input[type=file]").set_input_files(older)
        expect(report.page.locator("[data-change]")).to_have_count(4)
    assert _violations(report) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_long_timeline_with_all_its_tools_has_no_finding(open_report: OpenReport, scheme: str) -> None:
    events = [an_event(n * 10.0, "published", f"t.{n}") for n in range(700)]
    results = results_of([a_test("x", "passed", [a_scope("pass", [], events)])])
    report = open_report((results, {}), "#q=x&group=by-transport&sort=name", color_scheme=scheme)
    report.page.get_by_text("Filter, sort, group").click()
    report.page.keyboard.press("w")
    report.page.locator(".hr-waterfall-row").nth(3).click()
    assert _violations(report) == []


@pytest.mark.parametrize("run", [green_run(), (results_of([]), {})], ids=["green", "empty"])
def test_green_and_empty_runs_have_no_finding(open_report: OpenReport, run: Any) -> None:
    assert _violations(open_report(run)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", ["", "#tab=topics"], ids=["scenario", "topics"])
def test_marks_attachments_strays_and_channels_have_no_finding(
    fragment: str, scheme: str, open_report: OpenReport
) -> None:
    results, gherkin = told_run()
    report = open_report((results, gherkin), fragment, color_scheme=scheme)
    report.page.locator("main details").evaluate_all("all => all.forEach(node => { node.open = true; })")
    expect(report.page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)
    assert _violations(report) == []


def test_the_key_sheet_has_no_finding(open_report: OpenReport) -> None:
    report = open_report(green_run())
    report.page.keyboard.press("?")
    assert _violations(report) == []

"""No axe finding (WCAG 2.x A and AA) in either theme, wide or narrow, with every part of the page opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
CONTRAST = "color-contrast"
ALL: dict[str, Any] = {"runOnly": RULES, "resultTypes": ["violations"]}  # of what passes, one node a rule is told
COLOURS: dict[str, Any] = {**ALL, "runOnly": [CONTRAST]}
"""All that another theme can change: the same elements have the same names, roles and places in every one."""
PLACES: dict[str, Any] = {**ALL, "rules": {CONTRAST: {"enabled": False}}}
"""All that another width can change, where nothing comes to lie on something else."""
FAILED = urlencode({"test": FAILING, "event": "0-5"})
STAGE = urlencode({"test": "features/orders.feature::Paid order reaches the warehouse", "event": "0-5"})

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"color_scheme": "dark", "forced_colors": "active"},
}
THEMES = ("light", "dark")


def _violations(report: Opened, options: dict[str, Any] = ALL) -> list[str]:
    found: Any = Axe().run(report.page, options=options).response["violations"]
    return [f"{item['id']}: {node['target']} {node['failureSummary']}" for item in found for node in item["nodes"]]


def _in_every_look(report: Opened, widths: Sequence[int], looks: Sequence[str] = tuple(LOOKS)) -> dict[str, list[str]]:
    """What is found at each width, by all rules once, and in every further look by those that ask for colours."""
    found = {}
    for width in widths:
        report.page.set_viewport_size({"width": width, "height": 1000})
        for look in looks:
            report.page.emulate_media(**LOOKS[look])
            found[f"{width}, {look}"] = _violations(report, ALL if look == looks[0] else COLOURS)
    return {place: violations for place, violations in found.items() if violations}


def _open_all(report: Opened) -> None:
    for _ in range(2):  # what opens may hold something to open
        report.page.locator("main details").evaluate_all("all => all.forEach(n => { n.open = true; })")
        expect(report.page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)


def test_a_failing_scenario_with_everything_opened_has_no_finding(open_report: OpenReport) -> None:
    report = open_report(sample_run(), f"#{FAILED}")
    _open_all(report)
    assert _in_every_look(report, (320, 1600)) == {}
    for width in (600, 3840):
        report.page.set_viewport_size({"width": width, "height": 1000})
        assert _violations(report, PLACES) == []


def test_a_stage_with_everything_opened_has_no_finding(open_report: OpenReport) -> None:
    report = open_report(sample_run(), f"#{STAGE}")
    _open_all(report)
    assert _in_every_look(report, (600,)) == {}


def test_the_opened_popover_and_pressed_filters_have_no_finding(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#status=failed,slow,passed,timeout,errored,skipped")
    report.page.locator(".hr-cause").first.click()
    report.page.get_by_role("button", name="About this run").click()
    assert _in_every_look(report, (1600,), THEMES) == {}


@pytest.mark.parametrize("tab", ["hops", "topics", "compare"])
def test_the_views_of_the_whole_run_have_no_finding(open_report: OpenReport, tab: str, tmp_path: Path) -> None:
    report = open_report(sample_run(), f"#tab={tab}")
    if tab == "compare":
        older = tmp_path / "results.json"
        older.write_text(json.dumps(sample_run()[0]))
        report.page.locator("input[type=file]").set_input_files(older)
        expect(report.page.locator("[data-change]")).to_have_count(4)
    assert _in_every_look(report, (1600, 600), THEMES) == {}


def test_a_long_timeline_with_all_its_tools_has_no_finding(open_report: OpenReport) -> None:
    events = [an_event(n * 10.0, "published", f"t.{n}") for n in range(700)]
    results = results_of([a_test("x", "passed", [a_scope("pass", [], events)])])
    report = open_report((results, {}), "#q=x&group=by-transport&sort=name")
    report.page.get_by_text("Filter, sort, group").click()
    report.page.keyboard.press("w")
    report.page.locator(".hr-waterfall-row").nth(3).click()
    assert _in_every_look(report, (1600,), THEMES) == {}


@pytest.mark.parametrize("run", [green_run(), (results_of([]), {})], ids=["green", "empty"])
def test_green_and_empty_runs_have_no_finding(open_report: OpenReport, run: Any) -> None:
    assert _violations(open_report(run)) == []


@pytest.mark.parametrize("fragment", ["", "#tab=topics"], ids=["scenario", "topics"])
def test_marks_attachments_strays_and_channels_have_no_finding(fragment: str, open_report: OpenReport) -> None:
    report = open_report(told_run(), fragment)
    _open_all(report)
    assert _in_every_look(report, (1600,), THEMES) == {}


def test_the_key_sheet_has_no_finding(open_report: OpenReport) -> None:
    report = open_report(green_run())
    report.page.keyboard.press("?")
    assert _violations(report) == []

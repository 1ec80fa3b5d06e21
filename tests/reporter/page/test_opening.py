"""The page in a browser: it opens from a file, asks for nothing, and treats all data as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import data
from tests.support.attacks import ATTACKS, CONTROLS
from tests.support.page_builders import (
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
    put_message,
    results_of,
)
from tests.support.page_sample import green_run, long_run, sample_run

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

Run = tuple[dict[str, Any], dict[str, Any]]


@pytest.mark.parametrize(
    "make",
    [sample_run, green_run, lambda: long_run(40), lambda: (results_of([]), {})],
    ids=["red", "green", "plain tests", "empty"],
)
def test_the_report_opens_without_an_error_and_without_a_request(
    make: Callable[[], Run], open_report: OpenReport
) -> None:
    report = open_report(make())
    report.page.locator("[data-field=title]").wait_for()
    report.page.keyboard.press("j")
    assert report.errors == []
    assert [url for url in report.requests if not url.startswith("file:")] == []
    assert len(report.requests) == 1


@pytest.mark.timeout(240)  # sixty tests are opened, each in all of its parts
@pytest.mark.parametrize("limit", [data.WHOLE_TESTS_MAX, 0], ids=["whole", "chunked"])
def test_hostile_texts_in_every_field_are_shown_and_never_run(
    limit: int, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", limit)
    report = open_report(_joined([_hostile_run(attack) for attack in ATTACKS]))
    for attack in ATTACKS:
        _open_everything(report, attack)
        # the heading, the finding, a step, an expectation, the message and the output each show it literally
        assert report.page.locator("main").evaluate("node => node.textContent").count(attack) >= 8, attack
    report.page.get_by_role("button", name="Hops and budgets").click()
    report.page.get_by_role("button", name="Topics").click()
    assert len(ATTACKS) >= 60
    assert report.page.evaluate("window.hit") is None
    assert report.page.locator(FOREIGN).count() == 0
    assert report.errors == []
    assert len(report.requests) == 1


FOREIGN = ", ".join(
    f".harness-report {tag}"
    for tag in [
        "img",
        "iframe",
        "a",
        "script",
        "svg[onload]",
        "object",
        "embed",
        "form",
        "base",
        "link",
        "meta",
        "style",
    ]
)


def _open_everything(report: Opened, nodeid: str) -> None:
    page = report.page
    page.evaluate("id => { location.hash = new URLSearchParams({ test: id, event: '0-1' }); }", nodeid)
    page.wait_for_function("id => document.querySelector('.hr-nodeid')?.textContent === id", arg=nodeid)
    page.locator("main details").evaluate_all("all => all.forEach(n => { n.open = true; })")
    expect(page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)


def test_characters_that_hide_or_reorder_text_are_spelt_out(open_report: OpenReport) -> None:
    report = open_report(_joined([_hostile_run(text, f"c{number}") for number, text in enumerate(CONTROLS)]))
    for number in range(len(CONTROLS)):
        _open_everything(report, f"c{number}")
        shown = report.page.locator(".harness-report").evaluate("node => node.textContent")
        assert HIDDEN.findall(shown) == []
        assert report.page.locator("#hr-scenario-title").inner_text() != ""
    _open_everything(report, "c0")
    assert report.texts("#hr-scenario-title") == ["\\u202eexe.tnemyap\\u202c"]
    assert report.errors == []


HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def test_attributes_keep_the_exact_text(open_report: OpenReport) -> None:
    report = open_report(_hostile_run(CONTROLS[0]))
    assert report.page.locator("[data-scenario-name]").get_attribute("data-scenario-name") == CONTROLS[0]


def test_without_scripts_hostile_texts_are_only_text_in_the_table(open_report: OpenReport) -> None:
    report = open_report(_joined([_hostile_run(attack) for attack in ATTACKS]), java_script_enabled=False)
    assert report.page.locator("[data-slot=fallback] tbody tr").count() == len(ATTACKS)
    assert report.page.locator("[data-slot=fallback] td").nth(1).text_content() == ATTACKS[0]
    assert report.page.locator("[data-slot=fallback] :is(img, iframe, a, script)").count() == 0
    assert len(report.requests) == 1


def test_values_no_json_has_do_not_stop_the_page(open_report: OpenReport) -> None:
    odd = {"nan": float("nan"), "inf": [float("inf")], "half": "\ud83d", "nul": "a\x00b", "big": 10**400, "set": {1}}
    results, gherkin = _hostile_run("odd")
    results["tests"][0]["scenarios"][0]["handles"][0].update(actual=odd, expected=odd)
    put_message(gherkin["details"]["odd"][0], 1, a_message("odd", odd))
    report = open_report((results, gherkin), "#event=0-1")
    assert '"nan": "nan"' in report.page.get_by_role("complementary", name="Message").inner_text()
    assert report.errors == []


def _joined(runs: list[Run]) -> Run:
    """One run of all the scenarios of ``runs``."""
    results = results_of([test for results, _ in runs for test in results["tests"]], **_facts("x"))
    features = [feature for _, gherkin in runs for feature in gherkin["features"]]
    details = {nodeid: notes for _, gherkin in runs for nodeid, notes in gherkin["details"].items()}
    return results, gherkin_of(features, details)


def _facts(text: str) -> dict[str, Any]:
    return {"project_name": text, "git_branch": text, "environment": text, "hostname": text}


def _hostile_run(text: str, nodeid: str | None = None) -> Run:
    nodeid = text if nodeid is None else nodeid
    near: dict[str, Any] = {"kind": "mismatch", "path": text, "expected": {text: text}, "actual": text}
    handle = a_handle(
        text,
        "fail",
        20.0,
        attempts=1,
        matcher_description=text,
        expected={text: text},
        actual={text: text},
        failure=near,
        failures=[near],
    )
    timeline = [an_event(0.1, "published", text, text), an_event(1.0, "mismatched", text, text)]
    scope = a_scope("fail", [handle], timeline, name=text, summary_text=text)
    test = a_test(text, "failed", [scope], nodeid=nodeid, file=text, traceback=text, stdout=text, skip_reason=text)
    step = a_step(text, text, "failed", docstring=text, table=[[text]], message=f"{text}\n{text}")
    described = a_description(nodeid, text, [step], tags=[text], rule=text, description=text)
    message = a_message(text, {text: text}, headers={text: text}, key=text)
    note = {"handles": [{"sentence": text, "cause": text, "text": text}], **heard([message] * 2)}
    gherkin = gherkin_of([a_feature(text, [described], text)], {nodeid: [note]})
    return results_of([test], **_facts(text)), gherkin


def test_details_left_out_by_an_older_writer_do_not_stop_the_page(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    report = open_report((results, {"features": gherkin["features"]}))
    assert "Parcel leaves on the express lane" in report.texts("h2")
    assert report.errors == []


def test_an_empty_run_says_so_and_tells_what_to_check(open_report: OpenReport) -> None:
    report = open_report((results_of([]), {}))
    assert report.texts("[data-field=title]") == ["No scenarios ran"]
    assert "Check the paths and tag filters" in report.texts("nav .hr-empty")[0]
    assert "recorded no scenarios" in report.texts("main")[0]


def test_a_long_tree_draws_only_the_rows_in_sight(open_report: OpenReport) -> None:
    report = open_report(long_run(2_000))
    rows = report.page.locator('[role="treeitem"]')
    assert 20 < rows.count() < 120
    report.page.locator('[role="tree"]').evaluate("tree => { tree.scrollTop = tree.scrollHeight; }")
    report.page.get_by_role("treeitem", name="test_1999").wait_for()
    assert rows.count() < 120


def test_an_interrupted_run_and_lost_workers_are_announced(open_report: OpenReport) -> None:
    results, gherkin = green_run()
    results["run"]["xdist"] = {"workers": 2, "incomplete_workers": ["gw1"]}
    gherkin["exit"] = {"status": 2, "interrupted": True}
    notices = " ".join(open_report((results, gherkin)).texts(".hr-notice"))
    assert "interrupted" in notices
    assert "gw1" in notices
    assert "exit status 2" in notices

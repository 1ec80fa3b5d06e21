"""The page in a browser: it opens from a file, asks for nothing, and treats all data as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .builders import (
    a_description,
    a_feature,
    a_handle,
    a_message,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)
from .conftest import OpenReport
from .sample import green_run, long_run, sample_run

pytestmark = pytest.mark.browser

Run = tuple[dict[str, Any], dict[str, Any]]

ATTACKS = (
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<svg/onload=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "'><iframe src=javascript:parent.hit=1>",
    "javascript:window.hit=1",
    "</template><script>window.hit = 1</script>",
    "</style><script>window.hit = 1</script>",
    "<!--<script>window.hit = 1//-->",
    "]]><script>window.hit = 1</script>",
    "&lt;script&gt;window.hit = 1&lt;/script&gt;",
    "{{ 7 * 7 }}${window.hit = 1}",
    "<math><mtext><style><img src=x onerror=window.hit=1></style>",
    "\u202e<a href='javascript:window.hit=1'>\u2028x</a>\x00",
    "__proto__",
    "constructor",
)


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


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_a_hostile_text_is_shown_and_never_run(attack: str, open_report: OpenReport) -> None:
    report = open_report(_hostile_run(attack))
    page = report.page
    for summary in page.locator(".hr-detail summary").all():
        if summary.is_visible():
            summary.click()
    page.locator('[role="treegrid"] [data-node-id]').first.click()
    page.get_by_role("button", name="About this run").click()
    # a line of text per place: the tree, the heading, a step and the message body all show it literally
    shown = page.locator(".harness-report").evaluate("node => node.textContent")
    literal = attack.replace("\x00", "\x00")
    assert shown.count(literal) >= 8
    assert page.evaluate("window.hit") is None
    assert (
        page.locator(".harness-report img, .harness-report iframe, .harness-report a, .harness-report script").count()
        == 0
    )
    assert report.errors == []


def _hostile_run(text: str) -> Run:
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
    test = a_test(text, "failed", [scope], nodeid=text, file=text, traceback=text, stdout=text, skip_reason=text)
    step = a_step(text, text, "failed", docstring=text, table=[[text]], message=f"{text}\n{text}")
    described = a_description(text, text, [step], tags=[text], rule=text, description=text)
    message = a_message(text, {text: text}, headers={text: text}, key=text)
    note = {"handles": [{"sentence": text, "cause": text, "text": text}], "timeline": [{"message": message}] * 2}
    gherkin = gherkin_of([a_feature(text, [described], text)], {text: [note]})
    return results_of([test], project_name=text, git_branch=text, environment=text, hostname=text), gherkin


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

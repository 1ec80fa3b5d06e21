"""Large reports: in chunks they show what whole ones show, decode on demand, and stay small in the browser."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import data, render_page, write_page
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)
from tests.support.page_sample import FAILING, long_run, sample_run

from .conftest import Opened, OpenReport

STAGE = "features/orders.feature::Paid order reaches the warehouse"
SLOW = "features/orders.feature::Invoice follows in time"
UNDEFINED = "features/orders.feature::Order is archived"


@pytest.fixture
def chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)


def _template(html: str, name: str) -> str:
    found = re.search(rf'<template id="{name}">(.*?)</template>', html, re.DOTALL)
    assert found is not None
    return found[1]


def _text(deflated: str) -> str:
    return zlib.decompress(base64.b64decode(deflated)).decode()


def _inflated(text: str) -> Any:
    return json.loads(_text(text))


def _chunk(html: str, number: int) -> dict[str, list[Any]]:
    lines = [json.loads(line) for line in _text(_template(html, f"c{number}")).splitlines()]
    entries, payloads = lines[1]
    ends = {"entries": (2, 2 + entries), "payloads": (2 + entries, 2 + entries + payloads)}
    return {name: lines[start:end] for name, (start, end) in ends.items()} | {
        "messages": lines[2 + entries + payloads :]
    }


def _embedded_results(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="harness-results">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_run_above_the_limit_of_tests_is_chunked_and_one_at_the_limit_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 5)
    assert _embedded_results(render_page(*long_run(5))) == long_run(5)[0]
    assert 'id="c0"' not in render_page(*long_run(5))
    assert 'id="c0"' in render_page(*long_run(6))


def test_a_run_above_the_limit_of_bytes_is_chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "WHOLE_BYTES_MAX", 20_000)
    assert 'id="c0"' in render_page(results_of([a_test("x", stdout="x" * 20_000)]), {})
    assert 'id="c0"' not in render_page(results_of([a_test("x", stdout="x" * 10_000)]), {})


def test_message_bodies_count_for_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "WHOLE_BYTES_MAX", 20_000)
    assert 'id="c0"' in render_page(results_of([a_test("x")]), gherkin_of(details={"x": [{"timeline": "x" * 20_000}]}))


@pytest.mark.usefixtures("chunked")
def test_the_results_in_brief_are_json_with_every_test_but_no_message() -> None:
    results, gherkin = sample_run()
    html = render_page(results, gherkin)
    brief = _embedded_results(html)
    assert brief["run"] == results["run"]
    assert brief["schema_version"] == "1.3"
    assert [test["nodeid"] for test in brief["tests"]] == [test["nodeid"] for test in results["tests"]]
    assert {test["outcome"] for test in brief["tests"]} == {test["outcome"] for test in results["tests"]}
    assert "shipment" not in json.dumps(brief)


@pytest.mark.usefixtures("chunked")
def test_what_the_first_rows_need_stands_before_the_chunks() -> None:
    html = render_page(*sample_run())
    places = [html.index(f'id="{name}"') for name in ("choreo-index", "harness-results", "c0", "c1", "c2")]
    assert places == sorted(places)
    assert places[1] < html.index('<script type="module"') < places[2]
    assert _inflated(_template(html, "choreo-index"))["groups"][0]["name"] == "Ordering"


@pytest.mark.usefixtures("chunked")
def test_equal_messages_are_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = _chunk(render_page(*sample_run()), 0)
    assert len(chunk["payloads"]) == len({json.dumps(payload) for payload in chunk["payloads"]})
    assert len(chunk["messages"]) < sum(
        len(part["heard"] or []) for test, *_ in chunk["entries"] for part in test["scenarios"]
    )


@pytest.mark.usefixtures("chunked")
def test_in_a_very_large_run_only_what_went_wrong_keeps_its_bodies_and_the_page_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data, "EVENTS_WITH_BODIES_MAX", 3)
    html = render_page(*sample_run())
    kept = {
        test["nodeid"].split("::")[1]: [part["heard"] is not None for part in test["scenarios"]]
        for number in range(3)
        for test, *_ in _chunk(html, number)["entries"]
        if test["scenarios"]
    }
    assert kept["Parcel leaves on the express lane"] == [True]
    assert kept["Invoice follows in time"] == [True]
    assert kept["Order 1 is accepted"] == [False]
    assert _inflated(_template(html, "choreo-index"))["bodies"] is False


def test_writing_to_a_stream_gives_the_same_text() -> None:
    stream = io.StringIO()
    write_page(*sample_run(), stream)
    assert stream.getvalue() == render_page(*sample_run())


class _Pieces:
    """A stream that keeps only the size of the largest piece it was given."""

    largest = 0

    def writelines(self, pieces: Iterator[str]) -> None:
        self.largest = max(len(piece) for piece in pieces)


@pytest.mark.thorough
def test_no_piece_that_is_written_grows_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 10)
    sizes = []
    for count in (300, 900):
        stream: Any = _Pieces()
        write_page(*_chatty_run(count), stream)
        sizes.append(stream.largest)
    assert sizes[1] < 1.5 * sizes[0]


def _chatty_run(count: int) -> tuple[Json, Json]:
    events = [an_event(n / 7, "published", f"t.{n % 5}") for n in range(20)]
    return results_of([a_test(f"test {n}", "passed", [a_scope("pass", [], events)]) for n in range(count)]), {}


@pytest.mark.browser
@pytest.mark.parametrize("nodeid", [FAILING, STAGE, SLOW, UNDEFINED])
def test_a_scenario_reads_the_same_from_a_chunk(
    nodeid: str, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragment = "#" + urlencode({"test": nodeid, "event": "0-4"})
    whole = _opened_text(open_report(sample_run(), fragment))
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)
    assert _opened_text(open_report(sample_run(), fragment)) == whole


def _opened_text(report: Opened) -> str:
    report.page.locator("#hr-scenario-title").wait_for()
    report.page.locator("main details").evaluate_all("all => all.forEach(n => { n.open = true; })")
    expect(report.page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)
    return report.page.locator(".harness-report").inner_text()


@pytest.mark.browser
@pytest.mark.usefixtures("chunked")
def test_a_chunk_is_read_when_asked_for_and_its_text_then_dropped(open_report: OpenReport) -> None:
    report = open_report(sample_run())
    expect(report.page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")
    assert report.page.locator("#c0").count() == 0
    assert report.page.locator("#c1, #c2").count() == 2
    report.page.get_by_role("treeitem", name="Invoice follows in time").click()
    expect(report.page.locator("#hr-scenario-title")).to_have_text("Invoice follows in time")
    report.page.get_by_role("treeitem", name="Order 1 is accepted").click()
    expect(report.page.locator("#hr-scenario-title")).to_have_text("Order 1 is accepted")
    assert report.errors == []


@pytest.mark.browser
@pytest.mark.usefixtures("chunked")
def test_a_file_cut_short_says_what_is_missing(open_report: OpenReport, monkeypatch: pytest.MonkeyPatch) -> None:
    report = open_report(sample_run())
    report.page.evaluate("document.getElementById('c2').remove()")
    report.page.get_by_role("treeitem", name="Invoice follows in time").click()
    expect(report.page.get_by_role("alert")).to_contain_text("This file is not complete")
    report.page.get_by_role("treeitem", name="Order 2 is accepted").click()
    expect(report.page.locator("#hr-scenario-title")).to_have_text("Order 2 is accepted")


@pytest.mark.browser
@pytest.mark.usefixtures("chunked")
def test_words_in_messages_are_searched_on_demand(open_report: OpenReport) -> None:
    report = open_report(sample_run())
    rows = report.page.locator('[role="treeitem"][data-nodeid]')
    report.page.get_by_role("searchbox").fill("shipment.lane carrier")
    expect(rows).to_have_count(0)
    report.page.get_by_role("button", name="Search steps and messages too").click()
    expect(rows).to_have_count(1)
    assert rows.get_attribute("data-nodeid") == FAILING


@pytest.mark.browser
@pytest.mark.usefixtures("chunked")
def test_a_link_into_a_large_report_opens_scenario_and_message(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#" + urlencode({"test": STAGE, "event": "0-4"}))
    expect(report.page.get_by_role("complementary", name="Message")).to_contain_text("orders.paid")


@pytest.mark.browser
def test_ten_thousand_scenarios_open_filter_and_scroll_with_few_nodes(open_report: OpenReport) -> None:
    report = open_report(long_run(10_000))
    expect(report.page.locator("[data-field=search-count]")).to_have_text("10,000 tests")
    report.page.get_by_role("searchbox").fill("test_9999")
    expect(report.page.locator('[role="treeitem"][data-nodeid]')).to_have_count(1)
    report.page.get_by_role("searchbox").fill("")
    report.page.locator('[role="tree"]').evaluate("tree => { tree.scrollTop = tree.scrollHeight; }")
    report.page.get_by_role("treeitem", name="test_9999").wait_for()
    assert report.page.evaluate("document.querySelectorAll('*').length") < 5_000


@pytest.mark.browser
def test_ten_thousand_events_are_walked_from_end_to_end_by_key(open_report: OpenReport) -> None:
    events = [an_event(n / 10, "published", f"t.{n}") for n in range(10_000)]
    report = open_report((results_of([a_test("x", "passed", [a_scope("pass", [], events)])]), {}))
    rows = report.page.locator('[role="treegrid"] .hr-waterfall-row')
    rows.first.focus()
    report.page.keyboard.press("End")
    expect(report.page.locator('[data-topic="t.9999"]')).to_be_focused()
    report.page.keyboard.press("ArrowUp")
    expect(report.page.locator('[data-topic="t.9998"]')).to_be_focused()
    assert rows.count() < 120
    assert report.page.evaluate("document.querySelectorAll('*').length") < 5_000


@pytest.mark.browser
def test_a_thousand_expectations_and_steps_are_drawn_in_parts(open_report: OpenReport) -> None:
    handles = [a_handle(f"t.{n}", "pass", 1.0) for n in range(1_000)]
    test = a_test("x", "passed", [a_scope("pass", handles)])
    steps = [a_step("Then", f'I expect "t.{n}"') for n in range(1_000)]
    gherkin = gherkin_of([a_feature("F", [a_description(test["nodeid"], "x", steps)])])
    page = open_report((results_of([test]), gherkin)).page
    assert page.locator(".hr-handle").count() == 0  # folded, and not made before somebody looks
    assert page.evaluate("document.querySelectorAll('*').length") < 5_000
    page.get_by_text("1000 passed, ").or_(page.get_by_text("1000 passed")).first.click()
    expect(page.locator(".hr-handle")).to_have_count(50)
    page.get_by_role("button", name="Show 950 more").first.click()
    page.get_by_role("button", name="Show 950 more").click()
    assert page.locator(".hr-handle").count() == 1_000
    assert page.locator(".hr-step").count() == 1_000

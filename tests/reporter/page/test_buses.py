"""Scenarios on one bus in a run over several: the page names the bus as it does for those on more than one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.outputs.comparison import as_text as as_text_of_comparison
from choreo_bdd_reporter.outputs.otlp import as_otlp
from choreo_bdd_reporter.outputs.summary import as_markdown, as_text
from choreo_bdd_reporter.read.compare import compare
from tests.support.page_builders import (
    Json,
    a_handle,
    a_message,
    a_scope,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

from .conftest import OpenReport

BUSES = {"front": "http", "letters": "rabbitmq", "events": "nats"}


def _run(*, buses: tuple[str, ...] = ("letters", "events")) -> tuple[Json, Json]:
    """A scenario on each bus, and one over both, all of which expect the same topic."""
    tests, details = [], {}
    for bus in buses:
        timeline = [an_event(1.0, "published", "start"), an_event(3.0, "received", "paid")]
        timeline.append(an_event(3.1, "matched", "paid"))
        test = a_test(bus, "failed", [a_scope("fail", [a_handle("paid", "fail", 2.0)], timeline)])
        told = heard([a_message("start", {"n": 1}), a_message("paid", {"n": 2}), None])
        details[test["nodeid"]] = [{"handles": [{}], **told, "transport": bus}]
        tests.append(test)
    both = a_scope(
        "pass",
        [a_handle("paid", "pass", 2.0, transport="letters")],
        [],
    )
    both["stage"] = {"transports": list(buses), "bridge": None, "correlation_ids": {}}
    results = results_of([*tests, a_test("both", "passed", [both])])
    results["run"] |= {"transport": None, "transports": sorted(buses)}
    return results, gherkin_of(details=details, buses=BUSES)


@pytest.mark.browser
def test_a_hop_is_one_topic_on_one_bus_however_many_its_scenarios_use(open_report: OpenReport) -> None:
    page = open_report(_run(), "#tab=hops").page
    rows = [text.split("\t") for text in page.locator(".hr-data tbody tr").all_inner_texts()]
    assert sorted((" ".join(row[0].split()), row[-2], row[-1]) for row in rows) == [
        ("paid E events", "1", "1"),
        ("paid L letters", "2", "1"),
    ]


@pytest.mark.browser
def test_a_search_for_a_bus_finds_them_and_their_cause_names_it(open_report: OpenReport) -> None:
    report = open_report(_run(), "#q=t:events")
    assert report.texts('[role="treeitem"][data-nodeid] .hr-row-name') == ["events", "both"]
    assert "events" in report.page.locator(".hr-cause", has_text="paid").last.inner_text()
    report.page.locator('[role="treeitem"][data-nodeid]').first.click()
    expect(report.page.locator('.hr-handle[data-handle-transport="events"]')).to_have_count(1)
    report.page.locator('.hr-waterfall-row[data-transport="events"]').first.click()
    copies = report.page.locator(".hr-copies").inner_text()
    assert "copy nats pub" in copies
    assert "kcat" not in copies


@pytest.mark.browser
def test_a_run_on_one_bus_does_not_repeat_it_everywhere(open_report: OpenReport) -> None:
    results, gherkin = _run(buses=("letters",))
    results["tests"].pop()
    results["run"] |= {"transport": "letters"}
    del results["run"]["transports"]
    page = open_report((results, gherkin)).page
    expect(page.locator(".hr-article .hr-transport")).to_have_count(0)
    page.get_by_role("button", name="About this run").click()
    expect(page.locator('[data-field="transport"]')).to_have_text("letters (rabbitmq)")


def test_traces_name_the_system_of_the_bus() -> None:
    spans = as_otlp(*_run())["resourceSpans"][0]["scopeSpans"][0]["spans"]
    systems = [
        attribute["value"]["stringValue"]
        for span in spans
        for attribute in span["attributes"]
        if attribute["key"] == "messaging.system"
    ]
    assert systems == ["rabbitmq"] * 2 + ["nats"] * 2


def _measured(latencies: dict[str, float], *, budget: float = 900.0) -> tuple[Json, Json]:
    """Ten scenarios on each bus, all of which expect one topic; on each bus it takes so many milliseconds."""
    tests, details = [], {}
    for bus, latency in latencies.items():
        for number in range(10):
            handle = a_handle("paid", "pass", latency + number / 10, budget_ms=budget)
            tests.append(a_test(f"{bus} {number}", "passed", [a_scope("pass", [handle])]))
            details[tests[-1]["nodeid"]] = [{"handles": [{}], "transport": bus}]
    results = results_of(tests)
    names = sorted(latencies)
    results["run"] |= {"transport": None, "transports": names} if len(names) > 1 else {"transport": names[0]}
    return results, gherkin_of(details=details, buses=BUSES)


SLOWER = {"letters": 20.0, "events": 300.0}


@pytest.mark.parametrize("told", [(True, True), (False, True), (True, False)], ids=["both", "newer", "older"])
def test_compared_runs_keep_one_topic_on_two_buses_apart(told: tuple[bool, bool]) -> None:
    (older, before), (newer, after) = _measured({"letters": 20.0, "events": 200.0}), _measured(SLOWER)
    found = compare(older, newer, gherkin=(before if told[0] else {}, after if told[1] else {}))
    (shift,) = found.shifts
    assert (shift.topic, shift.transport, shift.old.messages, shift.new.messages) == ("paid", "events", 10, 10)
    assert "paid on events: 200.5 / 200.9" in as_text_of_comparison(found)


def test_a_run_that_got_a_second_bus_is_compared_on_its_first() -> None:
    (older, before), (newer, after) = _measured({"letters": 90.0}), _measured(SLOWER)
    (shift,) = compare(older, newer, gherkin=(before, after)).shifts
    assert (shift.transport, shift.old.p50_ms, shift.new.p50_ms) == ("letters", 90.5, 20.5)


def test_compared_runs_on_one_bus_do_not_name_it() -> None:
    (older, _), (newer, _) = _measured({"letters": 90.0}), _measured({"letters": 20.0})
    (shift,) = compare(older, newer).shifts
    assert (shift.transport, shift.old.messages) == (None, 10)


def test_the_summary_has_the_hop_on_each_bus() -> None:
    run = _measured(SLOWER)
    for text in (as_text(*run), as_markdown(*run)):
        assert "paid on letters" in text
        assert "paid on events" in text


@pytest.mark.browser
def test_the_page_compares_with_an_older_run_bus_by_bus(open_report: OpenReport, tmp_path: Path) -> None:
    older = tmp_path / "results.json"
    older.write_text(json.dumps(_measured({"letters": 20.0, "events": 200.0})[0]))
    page = open_report(_measured(SLOWER), "#tab=compare").page
    page.locator("input[type=file]").set_input_files(older)
    expect(page.get_by_text("Latency shifts: 1 of 2 hops")).to_be_visible()
    expect(page.locator(".hr-data tbody tr")).to_contain_text("events")

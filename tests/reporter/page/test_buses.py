"""Scenarios on one bus in a run over several: the page names the bus as it does for those on more than one."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.outputs.otlp import as_otlp
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

"""Messages that services send by themselves: what each came of or after, which took long, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

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

pytestmark = pytest.mark.browser

SPAN = "00-0af7651916cd43dd8448eb211c80319c-{}-01"
ARRIVALS = ((2.0, "started"), (242.0, "captured"), (256.0, "mail"))


def _chain(*headers: Json | None, spans: Any = ()) -> tuple[Json, Json]:
    """An order that is started here; a payment of 240 ms and a mail of 14 ms come from services."""
    timeline = [an_event(1.0, "published", "started")]
    messages: list[Json | None] = [a_message("started", {"n": 0}, headers=headers[0] if headers else None)]
    for place, (at, topic) in enumerate(ARRIVALS):
        timeline += [an_event(at, "received", topic), an_event(at + 0.1, "matched", topic)]
        messages += [a_message(topic, {"n": place}, headers=headers[place] if headers else None), None]
    handles = [a_handle(topic, "pass", at - 1, 400.0) for at, topic in ARRIVALS]
    test = a_test("chain", scenarios=[a_scope("pass", handles, timeline)])
    note = {"handles": [{} for _ in handles], **heard(messages), "spans": list(spans)}
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]})


def _after(report: Any, topic: str) -> str:
    return str(report.page.locator(f'.hr-waterfall-row[data-topic="{topic}"][data-after]').inner_text())


def test_without_headers_a_message_is_placed_after_the_one_before_it_and_said_to_be(open_report: OpenReport) -> None:
    report = open_report(_chain(), "#test=chain")
    assert "240 ms after started" in _after(report, "captured")
    assert "14.1 ms after captured" in _after(report, "mail")
    expect(report.page.locator(".hr-note", has_text="critical path")).to_have_text("critical path 4 messages, 255 ms")
    report.page.locator('.hr-waterfall-row[data-topic="mail"]').click()
    expect(report.page.locator(".hr-facts-list").first).to_contain_text("perhaps what came before: captured")


def test_a_header_that_names_its_cause_is_believed(open_report: OpenReport) -> None:
    report = open_report(
        _chain(
            {"message-id": "m0"}, {"message-id": "m1", "Causation-Id": "m0"}, {"message-id": "m2", "Causation-Id": "m0"}
        ),
        "#test=chain",
    )
    assert "255 ms from started" in _after(report, "mail")
    report.page.locator('.hr-waterfall-row[data-topic="mail"]').click()
    expect(report.page.locator(".hr-facts-list").first).not_to_contain_text("perhaps")


def test_a_header_that_the_project_names_is_believed_in_the_timeline_and_among_the_hops(
    open_report: OpenReport,
) -> None:
    results, gherkin = _chain({"id": "m0"}, {"id": "m1", "caused-by": "m0"}, {"id": "m2", "caused-by": "m0"})
    report = open_report((results, {**gherkin, "causation": "Caused-By"}), "#test=chain")
    assert "255 ms from started" in _after(report, "mail")
    report.page.get_by_role("button", name="Hops and budgets").click()
    mail = report.page.locator(".hr-data tbody tr", has_text="mail").inner_text()
    assert mail.split("\t")[2:4] == ["255 ms", "255 ms"]


def test_a_traceparent_leads_over_the_spans_of_its_services_to_its_cause(open_report: OpenReport) -> None:
    names = ("a" * 16, "b" * 16, "c" * 16)
    span: Json = {
        "service": "s",
        "name": "n",
        "kind": "producer",
        "topic": None,
        "error": None,
        "offset_ms": 3.0,
        "duration_ms": 1.0,
    }
    spans = [
        {**span, "id": names[1], "parent": "d" * 16},
        {**span, "id": "d" * 16, "parent": names[0]},
        {**span, "id": names[2], "parent": names[0]},
    ]
    report = open_report(_chain(*({"traceparent": SPAN.format(name)} for name in names), spans=spans), "#test=chain")
    assert "240 ms from started" in _after(report, "captured")
    assert "254 ms from started" in _after(report, "mail")
    report.page.get_by_role("button", name="Hops and budgets").click()
    mail = report.page.locator(".hr-data tbody tr", has_text="mail").inner_text()
    assert mail.split("\t")[2:4] == ["254 ms", "254 ms"]


def test_a_traceparent_that_is_handed_on_as_it_came_is_no_proof(open_report: OpenReport) -> None:
    same = {"traceparent": SPAN.format("a" * 16)}
    report = open_report(_chain(same, same, same), "#test=chain")
    assert "14.1 ms after captured" in _after(report, "mail")


def test_hops_tell_what_each_added_beside_how_long_it_was_waited_for(open_report: OpenReport) -> None:
    page = open_report(_chain(), "#tab=hops").page
    page.get_by_role("button", name="Added max").click()
    rows = [text.replace("\n", " ") for text in page.locator(".hr-data tbody tr").all_inner_texts()]
    assert [row.split()[0] for row in rows] == ["captured", "mail", "started"]
    assert "240 ms 240 ms 241 ms" in " ".join(rows[0].split())
    assert "14 ms 14 ms 255 ms" in " ".join(rows[1].split())

"""What a verdict rests on: messages that met no expectation, hollow on the axis, beside what they came closest to."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.page_builders import (
    Json,
    a_handle,
    a_message,
    a_scope,
    a_stray,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

from .conftest import OpenReport

pytestmark = pytest.mark.browser

RAW = {"_unserialisable": True, "_repr": "b'\\x00\\xffOK'"}
AMOUNT = {"kind": "mismatch", "path": "amount", "expected": 12, "actual": 3}


def _run(cause: str, *strays: Json, topics: tuple[str, ...] = ("settled",)) -> tuple[Json, Json]:
    """A settlement that was not met, and what came instead; the first event cannot be read."""
    timeline = [
        an_event(1.0, "published", "order"),
        an_event(4.0, "received", "settled", "undecodable (DecodeError)"),
        an_event(60.0, "deadline", "settled", "no message"),
    ]
    messages = [a_message("order", {"n": 1}), a_message("settled", RAW, size=4), None]
    note = heard([*messages, *(a_message(topic, {"amount": 3, "from": topic}) for topic in topics)])
    note["timeline"] = note["timeline"][:3]
    note |= {"handles": [{"cause": cause, "sentence": f"no settlement: {cause}"}], "strays": list(strays)}
    test = a_test("settle", "failed", [a_scope("timeout", [a_handle("settled", "timeout", 50.0)], timeline)])
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]})


@pytest.mark.parametrize(
    ("why", "phrase", "mark"),
    [
        ("late", "arrived late", "late"),
        ("foreign", "came with another id", "foreign"),
        ("no id", "came without an id", "foreign"),
        ("other topic", "came on another topic", "foreign"),
        ("returned", "came back", "foreign"),
    ],
)
def test_it_stands_hollow_at_its_time_with_its_body_and_what_differs(
    open_report: OpenReport, why: str, phrase: str, mark: str
) -> None:
    report = open_report(_run("too late", a_stray(why, 42.0, message=2, differences=[AMOUNT])))
    row = report.page.locator('.hr-waterfall-row[data-kind="stray"]')
    expect(row).to_contain_text(phrase)
    expect(row).to_contain_text("42 ms")
    assert row.locator(f".hr-mark--{mark}").count() == 1
    row.click()
    panel = report.page.locator(".hr-message")
    expect(panel).to_contain_text("Closest to: status = accepted. It differs in:")
    assert panel.locator(".hr-diff-line").inner_text().split() == ["amount", "expected", "12", "arrived", "3"]
    expect(panel.locator(".hr-json")).to_contain_text('"amount": 3')
    assert report.errors == []


def test_the_failure_card_begins_with_the_closest_and_leads_to_it(open_report: OpenReport) -> None:
    strays = [a_stray("foreign", 20.0, message=2, differences=[AMOUNT, AMOUNT]), a_stray("late", 70.0, message=3)]
    page = open_report(_run("too late", *strays, topics=("settled", "settled"))).page
    evidence = page.locator('.hr-finding [data-field="evidence"]')
    expect(evidence).to_contain_text("This message arrived late: settled at 70 ms(2 more in the message timeline)")
    expect(evidence.locator(".hr-json")).to_contain_text('"from": "settled"')
    evidence.get_by_role("button").click()
    expect(page.locator(".hr-message")).to_contain_text("Every field is right.")
    assert page.locator('.hr-waterfall-row[aria-selected="true"]').get_attribute("data-node-id") == "0-m1"


def test_bytes_that_nobody_could_read_stand_in_the_card_and_the_panel(open_report: OpenReport) -> None:
    page = open_report(_run("undecodable")).page
    assert "00 ff 4f 4b" in page.locator('[data-field="evidence"] .hr-hex').inner_text()
    page.locator('[data-field="evidence"]').get_by_role("button").click()
    assert page.locator(".hr-message .hr-hex").inner_text().split() == ["0000", "00", "ff", "4f", "4b", "..OK"]
    assert page.locator('.hr-waterfall-row[aria-selected="true"] .hr-mark--foreign').count() == 1


def test_an_event_without_a_body_gives_way_to_the_message_it_is_about(open_report: OpenReport) -> None:
    results, gherkin = _run("wrong correlation", a_stray("foreign", 42.001, message=2))
    results["tests"][0]["scenarios"][0]["timeline"].insert(
        2, an_event(42.0, "correlation_skipped", "settled", "sha256:1")
    )
    next(iter(gherkin["details"].values()))[0]["timeline"].insert(2, -1)
    page: Any = open_report((results, gherkin)).page
    expect(page.locator('.hr-waterfall-row[data-kind="skipped"]')).to_have_attribute("data-node-id", "0-m0")
    assert page.locator('.hr-waterfall-row[data-kind="stray"]').count() == 0

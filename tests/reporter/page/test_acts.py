"""Acts of the test's own, and dead letters: rows of the waterfall, and the hop between them and what came of them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.outputs.chrome_trace import as_chrome_trace
from choreo_bdd_reporter.outputs.otlp import as_otlp
from choreo_bdd_reporter.page.added import added_by_handle
from choreo_bdd_reporter.record.dead_letters import moved
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

ACT: Json = {"service": "", "kind": "act", "parent": "", "topic": None, "error": None}
DEATH = '[{"reason": "rejected", "queue": "charges", "routing-keys": ["payments.charge"], "count": 1}]'


def _report(timeline: list[Json], messages: list[Json | None], topics: list[str], *spans: Json) -> tuple[Json, Json]:
    handles = [a_handle(topic, "pass", 1.0, 400.0) for topic in topics]
    test = a_test("chain", scenarios=[a_scope("pass", handles, timeline)])
    note = {"handles": [{} for _ in handles], **heard(messages), "spans": list(spans)}
    return results_of([test]), gherkin_of(details={test["nodeid"]: [note]})


def _note(results: Json, gherkin: Json) -> Json:
    note: Json = gherkin["details"][results["tests"][0]["nodeid"]][0]
    return note


def _booked(**act: Any) -> tuple[Json, Json]:
    """A booking at a desk of 40 ms, and what a service publishes 60 ms after it."""
    timeline = [an_event(100.0, "received", "booked"), an_event(100.1, "matched", "booked")]
    spans = {**ACT, "id": "1" * 16, "name": "I book at the desk", "offset_ms": 0.0, "duration_ms": 40.0, **act}
    return _report(timeline, [a_message("booked", {"n": 1}), None], ["booked"], spans)


def _confirmed_meanwhile() -> tuple[Json, Json]:
    """After a phase of its own, a desk of 40 ms; a service publishes 15 ms into it, and another 10 ms after it."""
    timeline = [
        an_event(0.0, "published", "seed"),
        *(
            an_event(at + judged, action, topic)
            for at, topic in ((5.0, "seeded"), (65.0, "booked"), (100.0, "confirmed"))
            for action, judged in (("received", 0.0), ("matched", 0.1))
        ),
    ]
    messages = [a_message(each["topic"], {"n": 1}) if each["action"] != "matched" else None for each in timeline]
    spans = {**ACT, "id": "1" * 16, "name": "I book at the desk", "offset_ms": 50.0, "duration_ms": 40.0}
    return _report(timeline, messages, ["seeded", "booked", "confirmed"], spans)


def _dead() -> tuple[Json, Json]:
    """Two charges, of which the first is rejected and heard again among the dead letters."""
    timeline = [
        an_event(1.0, "published", "payments.charge"),
        an_event(2.0, "published", "payments.charge"),
        an_event(30.0, "received", "charges.dead"),
        an_event(30.1, "matched", "charges.dead"),
    ]
    letter = a_message("charges.dead", {"n": 1}, headers={"x-death": DEATH}, moved=moved({"x-death": DEATH}))
    messages = [a_message("payments.charge", {"n": 1}), a_message("payments.charge", {"n": 2}), letter, None]
    results, gherkin = _report(timeline, messages, ["charges.dead"])
    note = _note(results, gherkin)
    note["messages"][2]["payload"] = note["messages"][0]["payload"]  # as the recorder keeps equal bodies
    return results, gherkin


@pytest.mark.browser
def test_an_act_is_a_row_and_what_comes_first_is_told_as_after_it(open_report: OpenReport) -> None:
    page = open_report(_booked(), "#test=chain").page
    act = page.locator('.hr-waterfall-row[data-kind="act"]')
    assert act.inner_text().split("\n")[:2] == ["act", "I book at the desk"]
    assert act.inner_text().split("\n")[-2:] == ["40 ms", "40 ms"]
    booked = page.locator('.hr-waterfall-row[data-topic="booked"]')
    expect(booked).to_contain_text("60.1 ms after I book at the desk")
    assert page.locator(".hr-waterfall-row").first.get_attribute("data-kind") == "act"
    act.click()
    expect(page.locator(".hr-message")).not_to_contain_text("body was not kept")


@pytest.mark.browser
def test_what_comes_while_an_act_is_under_way_is_told_from_its_beginning(open_report: OpenReport) -> None:
    page = open_report(_confirmed_meanwhile(), "#test=chain").page
    topics = [row.get_attribute("data-topic") for row in page.locator(".hr-waterfall-row").all()]
    assert topics == ["seed", "seeded", "I book at the desk", "booked", "confirmed"]
    booked, confirmed = (page.locator(f'.hr-waterfall-row[data-topic="{each}"]') for each in topics[3:])
    act = page.locator('.hr-waterfall-row[data-kind="act"]').get_attribute("data-node-id")
    assert [each.get_attribute("data-after") for each in (booked, confirmed)] == [act, act]
    expect(booked).to_contain_text("15.1 ms into I book at the desk")
    expect(confirmed).to_contain_text("10.1 ms after I book at the desk")


@pytest.mark.browser
def test_an_act_that_failed_says_with_what(open_report: OpenReport) -> None:
    page = open_report(_booked(error="ConnectionError: desk is closed"), "#test=chain").page
    expect(page.locator('.hr-waterfall-row[data-kind="act"]')).to_contain_text("act failed")
    expect(page.locator('.hr-waterfall-row[data-kind="act"]')).to_have_attribute("data-tone", "fail")


@pytest.mark.browser
def test_a_dead_letter_comes_of_itself_where_it_was_before(open_report: OpenReport) -> None:
    page = open_report(_dead(), "#test=chain").page
    letter = page.locator('.hr-waterfall-row[data-topic="charges.dead"]')
    expect(letter).to_have_attribute("data-after", "0-0")  # the first charge, which has its body
    expect(letter).to_contain_text("rejected by queue charges")
    assert letter.inner_text().endswith("29.1 ms")
    letter.click()
    facts = page.locator(".hr-message .hr-facts-list").first
    expect(facts).to_contain_text("payments.charge")
    expect(facts).to_contain_text("rejected by queue charges, dead-lettered to charges.dead")


def test_hops_and_traces_count_from_the_act_and_from_the_dead_message() -> None:
    results, gherkin = _booked()
    assert added_by_handle(results["tests"][0]["scenarios"][0], _note(results, gherkin)) == [60.0]
    _root, act, booked = as_otlp(results, gherkin)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (act["name"], act["attributes"]) == ("act I book at the desk", [])
    assert booked["parentSpanId"] == act["spanId"]
    slices = [each for each in as_chrome_trace(results, gherkin)["traceEvents"] if each["ph"] == "X"]
    desk = next(each for each in slices if each["name"] == "I book at the desk")
    assert desk["dur"] == 40_000
    (arrow,) = [each for each in as_chrome_trace(results, gherkin)["traceEvents"] if each["ph"] == "s"]
    assert desk["ts"] <= arrow["ts"] < desk["ts"] + desk["dur"]  # inside the slice, or no reader draws it
    results, gherkin = _dead()
    assert added_by_handle(results["tests"][0]["scenarios"][0], _note(results, gherkin)) == [29.0]
    _root, first, _second, letter = as_otlp(results, gherkin)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert letter["parentSpanId"] == first["spanId"]


def test_hops_and_traces_count_from_the_beginning_of_an_act_that_is_under_way() -> None:
    results, gherkin = _confirmed_meanwhile()
    assert added_by_handle(results["tests"][0]["scenarios"][0], _note(results, gherkin)) == [5.0, 15.0, 10.0]
    _root, _seed, _seeded, act, booked, confirmed = as_otlp(results, gherkin)["resourceSpans"][0]["scopeSpans"][0][
        "spans"
    ]
    assert [booked["parentSpanId"], confirmed["parentSpanId"]] == [act["spanId"]] * 2
    assert booked["startTimeUnixNano"] == act["startTimeUnixNano"]
    assert confirmed["startTimeUnixNano"] == act["endTimeUnixNano"]
    events = as_chrome_trace(results, gherkin)["traceEvents"]
    begun = next(each["ts"] for each in events if each["name"] == "I book at the desk")
    left = [each["ts"] - begun for each in events if each["ph"] == "s"][-2:]
    assert left[0] == 0
    assert 0 < left[1] < 40_000  # inside the slice


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"kafka_dlt-original-topic": "orders", "kafka_dlt-exception-fqcn": "java.lang.IllegalStateException"},
            {"origins": ["orders"], "how": "failed: IllegalStateException"},
        ),
        (
            {"x-death": '[{"reason":"expired","queue":"q","routing-keys":["a"]},{"routing-keys":["b"]}]'},
            {"origins": ["a", "b"], "how": "expired in queue q"},
        ),
        ({"x-death": "[1, {}]"}, {"origins": [], "how": "dead in queue  ()"}),
        ({"x-death": "no list"}, None),
        ({"other": "1"}, None),
    ],
    ids=["spring", "twice", "empty", "broken", "none"],
)
def test_headers_say_where_a_dead_letter_was(headers: dict[str, str], told: Any) -> None:
    assert moved(headers) == told

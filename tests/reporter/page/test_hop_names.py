"""Topics that differ only in an id are one hop, wherever hops stand together; an event keeps its topic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.outputs.summary import as_markdown, as_text
from choreo_bdd_reporter.page import assets
from choreo_bdd_reporter.read.compare import compare
from choreo_bdd_reporter.read.hop_names import ID, hop_name
from tests.support.page_builders import a_handle, a_scope, a_test, an_event, results_of

from .conftest import OpenReport

CALLS = ("GET /orders/4711", "GET /orders/4712")


def a_call(topic: str, outcome: str = "pass", latency: float = 12.0, budget: float = 50.0) -> Any:
    timeline = [an_event(0, "published", topic), an_event(latency, "received", topic)]
    scope = a_scope(outcome, [a_handle(topic, outcome, latency, budget)], timeline)
    return a_test(f"{outcome} of {topic}", "failed" if outcome == "timeout" else "passed", [scope])


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("GET /orders/7", "GET /orders/{id}"),
        ("POST /v2/orders/7/items?after=19&by=name", "POST /v2/orders/{id}/items?after={id}&by=name"),
        ("_INBOX.x7Sd8.1", "_INBOX.{id}"),
        ("choreo.reply.a1b2.c3", "choreo.reply.{id}"),
        ("amq.rabbitmq.reply-to.g1h2AA5yZWx5.==", "amq.rabbitmq.reply-to.{id}"),
        ("orders.4711.placed", "orders.{id}.placed"),
        ("orders.3F2A91BC-1111-2222-3333-444455556666", "orders.{id}"),
        ("replies-3f2a91bc", "replies-{id}"),
        ("carts:01ARZ3NDEKTSV4RRFFQ69G5FAV:paid", "carts:{id}:paid"),
    ],
)
def test_an_id_in_a_topic_is_no_part_of_its_hop(topic: str, name: str) -> None:
    assert hop_name(topic) == name


@pytest.mark.parametrize(
    "topic",
    ["orders.placed", "orders.v2", "orders.2", "partition.17", "GET /v1/orders", "invoice_2024", "deadbeef.facade",
     "customernotificationsv2", "orders.٤٧١١.placed"],
)  # fmt: skip
def test_a_topic_without_an_id_is_its_own_hop(topic: str) -> None:
    assert hop_name(topic) == topic


def test_the_page_knows_the_same_ids() -> None:
    source = Path(assets.__file__).with_name("js") / "core" / "format.js"
    found = re.search(r"const ID = /(.*)/gi;", source.read_text("utf-8"))
    assert found is not None
    assert found[1] == ID


@pytest.mark.browser
def test_calls_with_an_id_are_one_hop_one_topic_and_one_cause(open_report: OpenReport) -> None:
    run = results_of([*map(a_call, CALLS), *(a_call(topic, "timeout", 900.0) for topic in CALLS)])
    report = open_report((run, {}), "#tab=hops")
    assert report.texts(".hr-data tbody .hr-topic") == ["GET /orders/{id}"]
    assert report.texts(".hr-cause strong") == ["nothing arrived on GET /orders/{id}"]
    report.page.get_by_title("Show scenarios that broke on GET /orders/{id}").click()
    assert report.page.locator('[role="treeitem"][data-nodeid]').count() == 2
    report.page.get_by_role("button", name="Topics", exact=True).click()
    assert report.texts(".hr-data tbody .hr-topic") == ["GET /orders/{id}"]
    expect(report.page.locator(".hr-data tbody tr")).to_contain_text("4 sent, 4 received")


@pytest.mark.browser
def test_an_event_keeps_its_topic_and_is_found_by_it(open_report: OpenReport) -> None:
    report = open_report((results_of([a_call(topic) for topic in CALLS]), {}), "#q=c%3A%22GET+%2Forders%2F4712%22")
    assert report.page.locator('[role="treeitem"][data-nodeid]').count() == 1
    assert report.texts(".hr-waterfall-row .hr-topic") == [CALLS[1], CALLS[1]]


@pytest.mark.browser
def test_a_choice_of_topics_has_hops(open_report: OpenReport) -> None:
    page = open_report((results_of([*map(a_call, CALLS), a_call("orders.placed")]), {})).page
    page.get_by_text("Filter, sort, group").click()
    page.locator('[data-filter="topic"]').select_option("GET /orders/{id}")
    assert page.locator('[role="treeitem"][data-nodeid]').count() == 2


def test_runs_are_compared_by_hops() -> None:
    older, newer = (results_of([a_call(f"GET /orders/{number}", "pass", took) for number in range(7)])
                    for took in (10.0, 30.0))  # fmt: skip
    (shift,) = compare(older, newer).shifts
    assert (shift.topic, shift.old.messages, shift.new.messages) == ("GET /orders/{id}", 7, 7)


def test_the_hops_closest_to_their_budgets_are_told_once_each() -> None:
    run = results_of([a_call(CALLS[0], "pass", 10.0), a_call(CALLS[1], "pass", 20.0), a_call("orders.placed")])
    for told in (as_text(run, {}), as_markdown(run, {})):
        assert told.count("GET /orders/{id}") == 1
        assert "20.0" in told
        assert "orders.placed" in told


@pytest.mark.browser
@pytest.mark.parametrize(
    "topic", ["_INBOX.x7Sd8.1", "queue:choreo.reply.a1b2.c3", "amq.gen-g1h2", "amq.rabbitmq.reply-to.g1"]
)
def test_a_reply_that_is_wrong_is_told_without_the_name_of_its_inbox(topic: str, open_report: OpenReport) -> None:
    report = open_report((results_of([a_call(topic, "timeout")]), {}))
    assert report.texts(".hr-cause strong") == report.texts(".hr-finding strong")
    assert report.texts(".hr-cause strong") == ["nothing arrived on the inbox of the request"]

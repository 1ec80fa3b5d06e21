"""The stable data attributes that outside tests and tools select by (one element each is enough)."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.support.page_builders import a_scope, a_test, an_event, results_of
from tests.support.page_sample import sample_run

from .conftest import OpenReport

pytestmark = pytest.mark.browser

STAGE = "features/orders.feature::Paid order reaches the warehouse"
ON_A_STAGE = (
    "[data-schema-version='1.3']",
    "[data-grouping-mode='by-scenario']",
    "[data-source='publish']",
    "[data-source='reply']",
    "[data-source='scope']",
    "[data-stage-timeline-banner='true'][data-stage-timeline-events='9'][data-stage-timeline-transports='kafka nats']",
    "[data-scope-event='true']",
    ".hr-waterfall-row[data-transport='kafka']",
    ".hr-waterfall-lane[data-transport='nats']",
    "[data-scope-lane='true']",
    "[data-reply-link-from='0-1'][data-reply-link-to='0-2']",
    "[data-handle-transport='kafka']",
    "[data-stage-transports='kafka nats']",
    "[data-stage-transport='nats']",
    "[data-stage-bridge-class='MappedBridge']",
    "[data-reply-trigger-transport='nats']",
    "[data-reply-response-transport='kafka']",
    "[data-reply-publish-failed='true']",
    "[data-failing-transports='kafka']",
    "[data-failing-reply-response-transport='kafka']",
    f"[data-nodeid='{STAGE}'][data-outcome='failed']",
    "[data-scenario-name='paid'][data-outcome='timeout']",
    "[data-topic='warehouse.pick'][data-outcome='timeout']",
    "[data-pill='failed'][aria-pressed='false']",
    "input[data-filter='search']",
    "[data-field='title'][data-outcome='fail']",
    "[data-field='project_name']",
    "[data-field='about-toggle'][aria-expanded='false']",
    "dd[data-field='git_sha']",
    "[data-field='handles']",
    "[data-field='replies']",
    "[data-field='p50']",
    "[data-field='p95']",
    "[data-field='p99']",
    "[data-field='passed']",
    "[data-seg='passed']",
)


def test_every_stable_attribute_is_there(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    stage = next(test for test in results["tests"] if test["nodeid"] == STAGE)["scenarios"][0]
    stage["replies"][2].update(state="reply_failed", builder_error="KeyError")
    page = open_report((results, gherkin), "#" + urlencode({"test": STAGE})).page
    page.locator("main details").evaluate_all("all => all.forEach(n => { n.open = true; })")
    assert [selector for selector in ON_A_STAGE if page.locator(selector).count() == 0] == []


def test_the_percentiles_say_what_they_are_of(open_report: OpenReport) -> None:
    facts = open_report(sample_run()).page.locator(":has(> [data-field='p50']) > *").all_inner_texts()
    first = next(place for place, fact in enumerate(facts) if fact.startswith("p50 "))
    assert [fact.split()[0] for fact in facts[first - 1 : first + 3]] == ["latency", "p50", "p95", "p99"]


def test_one_handle_transport_per_expectation(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": STAGE})).page
    assert page.locator("[data-handle-transport]").count() == 2


def test_the_attributes_of_a_long_timeline_appear_only_with_one(open_report: OpenReport) -> None:
    assert open_report(sample_run()).page.locator("[data-virtualised]").count() == 0
    events = [an_event(float(n), "published", "t") for n in range(500)]
    page = open_report((results_of([a_test("x", "passed", [a_scope("pass", [], events)])]), {})).page
    assert page.locator("[data-virtualised='true'][data-virtualised-shown][data-virtualised-total='500']").count() == 1
    assert page.locator("button[data-virtualised-expand='true']").count() == 1


def test_print_shows_the_scenario_without_the_tools(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": STAGE})).page
    page.emulate_media(media="print")
    assert page.locator("#hr-scenario-title").is_visible()
    assert page.locator(".hr-waterfall-row").first.is_visible()
    for tool in (".hr-tools", ".hr-filters", ".hr-timeline-tools"):
        assert not page.locator(tool).first.is_visible()

"""Finding scenarios: the search language, sorting, grouping and the choices that write it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import expect

from tests.support.page_builders import a_description, a_feature, a_handle, a_scope, a_test, gherkin_of, results_of
from tests.support.page_sample import sample_run

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

PARCEL = "Parcel leaves on the express lane"
STAGED = ["Paid order reaches the warehouse", "Paid gift order reaches the warehouse"]


def _names(report: Opened) -> list[str]:
    nodes = report.page.locator('[role="treeitem"][data-nodeid]')
    return [name.split("::")[1] for name in nodes.evaluate_all("all => all.map(n => n.dataset.nodeid)")]


@pytest.fixture(scope="module")
def run() -> tuple[dict[str, Any], dict[str, Any]]:
    return sample_run()


def test_a_tag_or_topic_of_blanks_and_quotes_leads_to_its_scenarios(open_report: OpenReport) -> None:
    topic = 'orders "a b" placed'
    test = a_test("odd", scenarios=[a_scope("pass", [a_handle(topic, "pass", 3.0)])])
    described = [a_description(test["nodeid"], "odd", [], tags=["team a"]), a_description("other", "other", [])]
    run = results_of([test, a_test("other", nodeid="other")]), gherkin_of([a_feature("Orders", described)])
    page = open_report(run).page
    names = page.locator('[role="treeitem"][data-nodeid]')
    page.get_by_role("button", name="@team a").click()
    expect(names).to_have_count(1)
    page.fill("[data-filter=search]", "")
    page.get_by_role("button", name="Hops and budgets").click()
    page.locator(".hr-data").get_by_role("button", name=topic).click()
    expect(names).to_have_count(1)
    for choice, wanted in (("markers", "@team a"), ("topic", topic)):
        page.fill("[data-filter=search]", "")
        page.get_by_text("Filter, sort, group").click()
        page.select_option(f"[data-filter={choice}]", label=wanted)
        expect(names).to_have_count(1)
        page.get_by_text("Filter, sort, group").click()


def test_tags_of_the_feature_and_the_rule_count_for_the_scenario(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    for scenario in gherkin["features"][0]["scenarios"][:2]:
        scenario["inherited"] = ["team-payments"]
    wanted = [scenario["name"] for scenario in gherkin["features"][0]["scenarios"][:2]]
    report = open_report((results, gherkin))
    report.page.fill("[data-filter=search]", "@team-payments")
    expect(report.page.locator("[data-field=search-count]")).to_contain_text(f"{len(wanted)} of")
    assert _names(report) == wanted
    report.page.get_by_text("Filter, sort, group").click()
    assert "@team-payments" in report.texts("[data-filter=markers] option")
    report.page.locator('[role="treeitem"][data-nodeid]').first.click()
    expect(report.page.get_by_role("button", name="@team-payments")).to_be_visible()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("s:failed", [PARCEL]),
        ("s:fail,timeout", [PARCEL, *STAGED]),
        ("s:failing", [PARCEL, *STAGED, "Order is archived"]),
        ("s:error", ["Order is archived"]),
        ("s:fail", [PARCEL]),
        ("hop > 50ms", ["Invoice follows in time"]),
        ("s:slow", ["Invoice follows in time"]),
        ("@express", [PARCEL]),
        ('@"express', [PARCEL]),
        ('"leaves on the exp', [PARCEL]),
        ("@payments !gift", STAGED[:1]),
        ("t:kafka", STAGED),
        ("c:warehouse.*", STAGED),
        ("c:>.pick", STAGED),
        ("c:invoices.created", ["Invoice follows in time"]),
        ("f:billing !s:passed", ["Order is archived", "Invoice follows in time"]),
        ('f:"across brokers" s:passed', ["Card is charged"]),
        ("hop>50ms", ["Invoice follows in time"]),
        ("hop>0.05s", ["Invoice follows in time"]),
        ("hop>=67.2", ["Invoice follows in time"]),
        ("budget<10%", ["Invoice follows in time"]),
        ("miss:>0", [PARCEL]),
        ("miss>1", [PARCEL]),
        ("took>300ms", STAGED),
        ("cause:arrived", STAGED),
        ('cause:"undefined step"', ["Order is archived"]),
        ('"express lane"', [PARCEL]),
        ('"lane express"', []),
        ("express parcel", [PARCEL]),
        ("!s:passed !s:skipped !s:errored !t:nats", [PARCEL, "Invoice follows in time"]),
        ("orders.* !order", []),
        ("unknown:thing", []),
        ("C:INVOICES.CREATED", ["Invoice follows in time"]),
    ],
)
def test_a_query_finds(query: str, found: list[str], run: Any, open_report: OpenReport) -> None:
    report = open_report(run, "#" + urlencode({"q": query}))
    assert _names(report) == found
    assert report.errors == []


def test_a_link_of_many_wildcards_does_not_stall_the_page(open_report: OpenReport) -> None:
    scope = a_scope("pass", [a_handle("a" * 500, "pass", 1.0)], [], name="long")
    report = open_report(
        (results_of([a_test("test_long", "passed", [scope])]), {}), "#" + urlencode({"q": "c:" + ">a" * 30 + "b"})
    )
    expect(report.page.locator("[data-field=search-count]")).to_contain_text("0 of 1")
    assert report.errors == []


@pytest.mark.parametrize(
    "query", ["(", "!", '"', "c:(", "c:[a", "hop>", "@", "s:", "\\", "constructor:x", "__proto__:x"]
)
def test_what_is_no_term_is_looked_up_as_it_stands(query: str, run: Any, open_report: OpenReport) -> None:
    report = open_report(run, "#" + urlencode({"q": query}))
    expect(report.page.locator("[data-field=search-count]")).to_contain_text("14 scenarios")
    assert report.errors == []


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("severity", "Order is archived"),
        ("duration", STAGED[0]),
        ("headroom", "Invoice follows in time"),
        ("name", "Card is charged"),
    ],
)
def test_sorting_gives_a_flat_list_that_begins_with(sort: str, first: str, run: Any, open_report: OpenReport) -> None:
    report = open_report(run)
    report.page.get_by_text("Filter, sort, group").click()
    report.page.locator("[data-filter=sort]").select_option(sort)
    assert _names(report)[0] == first
    assert report.page.locator('[role="treeitem"][aria-expanded]').count() == 0
    assert parse_qs(report.page.url.partition("#")[2])["sort"] == [sort]


def test_the_tree_groups_by_transport_and_says_so(run: Any, open_report: OpenReport) -> None:
    report = open_report(run)
    root = report.page.locator(".harness-report")
    assert root.get_attribute("data-grouping-mode") == "by-scenario"
    report.page.get_by_text("Filter, sort, group").click()
    report.page.get_by_role("button", name="Transports").click()
    assert root.get_attribute("data-grouping-mode") == "by-transport"
    groups = report.page.locator('[role="treeitem"][aria-level="1"] .hr-row-name').all_inner_texts()
    assert groups == ["(no transport)", "kafka", "nats"]
    assert _names(report).count(STAGED[0]) == 2
    report.page.go_back()
    expect(root).to_have_attribute("data-grouping-mode", "by-scenario")


def test_a_run_on_one_transport_is_grouped_under_it(open_report: OpenReport) -> None:
    results = results_of(
        [a_test("x", "passed", [a_scope("pass", [a_handle("a", "pass", 1.0)])])], transport="nats", transports=["nats"]
    )
    report = open_report((results, {}), "#group=by-transport")
    assert report.texts('[role="treeitem"][aria-level="1"] .hr-row-name') == ["nats"]


def test_choices_write_the_search(run: Any, open_report: OpenReport) -> None:
    report = open_report(run)
    report.page.get_by_text("Filter, sort, group").click()
    report.page.locator("[data-filter=transport]").select_option("kafka")
    report.page.locator("[data-filter=topic]").select_option("warehouse.pick")
    assert report.page.get_by_role("searchbox").input_value() == "t:kafka c:warehouse.pick"
    assert _names(report) == STAGED


def test_a_tag_in_the_scenario_narrows_the_tree(run: Any, open_report: OpenReport) -> None:
    report = open_report(run)
    report.page.get_by_role("button", name="@express").click()
    assert _names(report) == [PARCEL]


def test_a_link_to_a_message_opens_it_and_back_closes_it(run: Any, open_report: OpenReport) -> None:
    report = open_report(run)
    report.page.get_by_role("treeitem", name=STAGED[0]).click()
    report.page.locator('[data-node-id="0-4"]').click()
    panel = report.page.get_by_role("complementary", name="Message")
    expect(panel).to_contain_text("orders.paid")
    report.page.go_back()
    expect(panel).to_be_hidden()
    report.page.go_back()
    expect(report.page.locator("#hr-scenario-title")).to_have_text(PARCEL)
    report.page.go_forward()
    report.page.go_forward()
    expect(panel).to_contain_text("orders.paid")


def test_typing_leaves_the_opened_scenario_as_it_is(run: Any, open_report: OpenReport) -> None:
    page = open_report(run).page
    page.locator(".hr-handle summary").first.click()
    handle = page.locator(".hr-handle").first.element_handle()
    page.get_by_role("searchbox").press_sequentially("order")
    assert handle is not None
    assert handle.evaluate("node => node.isConnected && node.open")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("s:bogus", "“bogus” is no verdict; s: takes pass, slow, fail"),
        ("s:failed,wrong", "“wrong” is no verdict"),
        ("is:bogus", "“bogus” is no change; is: takes new, regressed, fixed, flaky"),
        ("topic:orders.placed", "“topic:” is no term, so it is looked for as words; terms are s:, t:, c:, broke:"),
        ("hop>abc", "“hop>abc” is no measure; write hop>50ms"),
    ],
)
def test_a_word_that_means_nothing_is_told_of(query: str, told: str, open_report: OpenReport) -> None:
    report = open_report(sample_run())
    mistakes = report.page.locator("[data-field=search-mistakes]")
    expect(mistakes).to_have_text("")
    report.page.locator("[data-filter=search]").fill(query)
    expect(mistakes).to_contain_text(told)
    report.page.locator("[data-filter=search]").fill("s:failing hop>50ms words")
    expect(mistakes).to_have_text("")


def test_every_pill_says_the_word_that_finds_as_many(open_report: OpenReport) -> None:
    page = open_report(sample_run()).page
    for pill in page.locator(".hr-pill").all():
        *words, count = pill.inner_text().split()
        page.locator("[data-filter=search]").fill(f's:"{" ".join(words).lower()}"')
        expect(page.locator("[data-field=search-count]")).to_contain_text(f"{count} of ")


def test_the_search_that_the_empty_box_shows_finds_what_the_headline_counts(open_report: OpenReport) -> None:
    page = open_report(sample_run()).page
    box = page.locator("[data-filter=search]")
    box.fill((box.get_attribute("placeholder") or "").split()[0])
    counted = page.locator(".hr-count-broken").inner_text()
    expect(page.locator("[data-field=search-count]")).to_contain_text(f"{counted} of ")


def test_what_was_not_met_on_a_topic_is_found_and_reached_from_the_hops(open_report: OpenReport) -> None:
    met, unmet = a_handle("order.paid", "pass", 1.0), a_handle("order.paid", "timeout", 300.0)
    other = a_handle("mail.sent", "fail", 5.0)
    run = results_of([
        a_test("broke on it", "failed", [a_scope("timeout", [unmet])]),
        a_test("broke elsewhere", "failed", [a_scope("fail", [met, other])]),
        a_test("fine", scenarios=[a_scope("pass", [met])]),
    ])  # fmt: skip
    report = open_report((run, {}))
    for query in ("broke:order.paid", "broke:order.*", '"broke on" broke:>'):
        report.page.fill("[data-filter=search]", query)
        expect(report.page.locator("[data-field=search-count]")).to_contain_text("1 of 3")
        assert _names(report) == ["broke on it"]
    report.page.fill("[data-filter=search]", "")
    report.page.get_by_role("button", name="Hops and budgets").click()
    report.page.get_by_title("Show scenarios that broke on mail.sent").click()
    expect(report.page.locator("[data-field=search-count]")).to_contain_text("1 of 3")
    assert _names(report) == ["broke elsewhere"]


def test_what_needs_a_look_comes_first_and_everything_else_as_it_is_written(open_report: OpenReport) -> None:
    slow = [a_scope("slow", [a_handle("t", "slow", 9.0, 5.0)])]
    again = a_test("again")
    tests = [a_test("fine"), again, a_test("late", "slow", slow), a_test("broken", "failed")]
    quiet = [a_test(name, nodeid=f"features/a.feature::{name}") for name in ("first", "second")]
    described = [a_description(test["nodeid"], test["name"], [], rule=None) for test in (*quiet, *tests)]
    features = [a_feature("Quiet", described[:2], "features/a.feature"), a_feature("Loud", described[2:])]
    retried = {again["nodeid"]: [{"outcome": "failed", "reason": "late"}]}
    run = results_of([*quiet, *tests]), gherkin_of(features, attempts=retried)
    page = open_report(run).page
    names = page.locator('[role="treeitem"] .hr-row-name')
    expect(names).to_have_text(["Loud", "broken", "late", "again", "fine", "Quiet", "first", "second"])
    page.locator('[role="tree"]').focus()
    page.keyboard.press("j")
    expect(page.locator("#hr-scenario-title")).to_have_text("late")
    page.get_by_text("Filter, sort, group").click()
    page.locator("[data-filter=sort]").select_option(label="as written")
    expect(names).to_have_text(["Quiet", "first", "second", "Loud", "fine", "again", "late", "broken"])
    assert parse_qs(page.url.partition("#")[2])["sort"] == ["written"]
    page.get_by_role("searchbox").fill("!s:slow")
    expect(names).to_have_text(["Quiet", "first", "second", "Loud", "fine", "again", "broken"])


def test_what_is_opened_by_a_click_is_there_at_once(open_report: OpenReport) -> None:
    page = open_report(sample_run()).page
    opened = "node => { node.click(); return node.parentElement.querySelectorAll('option').length; }"
    assert page.get_by_text("Filter, sort, group").evaluate(opened) > 0

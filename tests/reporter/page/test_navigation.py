"""Finding a scenario: filters, search, links, keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from playwright.sync_api import expect

from tests.support.page_sample import FAILING, green_run, sample_run

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

SLOW = "features/orders.feature::Invoice follows in time"
STAGE = "features/orders.feature::Paid order reaches the warehouse"


@pytest.fixture
def red(open_report: OpenReport) -> Opened:
    return open_report(sample_run())


def _scenarios(report: Opened) -> list[str]:
    nodes = report.page.locator('[role="treeitem"][data-nodeid]')
    return [name.split("::")[1] for name in nodes.evaluate_all("all => all.map(n => n.dataset.nodeid)")]


def _fragment(report: Opened) -> dict[str, list[str]]:
    return parse_qs(report.page.url.partition("#")[2])


def test_a_red_run_opens_on_its_first_failure(red: Opened) -> None:
    assert red.selected == FAILING
    assert red.texts("#hr-scenario-title") == ["Parcel leaves on the express lane"]
    assert red.texts("[data-field=title]") == ["4 of 14 scenarios failed"]


def test_a_green_run_hides_nothing_and_shows_its_first_scenario(open_report: OpenReport) -> None:
    report = open_report(green_run())
    assert _scenarios(report) == ["Order 1 is accepted", "Order 2 is accepted", "Order 3 is accepted"]
    assert report.texts("[data-field=title]") == ["All 3 scenarios passed"]
    assert report.selected == "features/orders.feature::Order 1 is accepted"
    expect(report.page.locator("[data-slot=broke]")).to_be_hidden()


def test_every_verdict_has_a_word_and_a_glyph_in_the_tree(red: Opened) -> None:
    rows = red.page.locator('[role="treeitem"][data-nodeid]')
    words = rows.locator(".hr-verdict-word").all_inner_texts()
    assert set(words) == {"FAIL", "TIMEOUT", "ERROR", "SLOW", "PASS", "SKIP"}
    assert rows.locator(".hr-verdict svg").count() == rows.count()


def test_status_pills_narrow_the_tree_and_can_be_combined(red: Opened) -> None:
    red.page.locator("[data-pill=slow]").click()
    assert _scenarios(red) == ["Invoice follows in time"]
    red.page.locator("[data-pill=errored]").click()
    assert _scenarios(red) == ["Order is archived", "Invoice follows in time"]
    expect(red.page.locator("[data-field=search-count]")).to_have_text("2 of 14 scenarios shown")
    assert _fragment(red)["status"] == ["slow,errored"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("archived", ["Order is archived"]),
        ("invoices.created", ["Invoice follows in time"]),
        ("carrier", ["Parcel leaves on the express lane"]),
        ("ARCHIVE mounted", ["Order is archived"]),
        ("@no-such-thing", []),
    ],
    ids=["name", "topic", "payload", "step, several words", "nothing"],
)
def test_search_looks_at_names_topics_payloads_and_steps(red: Opened, query: str, found: list[str]) -> None:
    red.page.locator("[data-filter=search]").fill(query)
    assert _scenarios(red) == found


def test_no_match_says_what_was_asked_and_offers_the_way_back(red: Opened) -> None:
    red.page.locator("[data-filter=search]").fill("zebra")
    assert "No scenario matches the search “zebra”" in red.texts("nav .hr-empty")[0]
    red.page.get_by_role("button", name="Clear filters").click()
    assert len(_scenarios(red)) == 14


def test_typing_leaves_the_opened_scenario_as_it_is(red: Opened) -> None:
    fold = red.page.locator("details.hr-step-more").first
    fold.locator("summary").click()
    red.page.locator("[data-filter=search]").fill("parcel")
    expect(fold).to_have_attribute("open", "")


def test_causes_are_counted_and_narrow_the_tree(red: Opened) -> None:
    causes = red.page.locator(".hr-cause")
    assert "nothing arrived on warehouse.pick" in causes.first.inner_text()
    assert "2 scenarios" in causes.first.inner_text()
    causes.first.click()
    assert _scenarios(red) == ["Paid order reaches the warehouse", "Paid gift order reaches the warehouse"]
    assert red.selected == STAGE
    causes.first.click()
    assert len(_scenarios(red)) == 14


def test_a_link_restores_scenario_filter_search_and_message(open_report: OpenReport) -> None:
    wanted = urlencode({"test": STAGE, "status": "timeout", "q": "paid", "event": "0-5"})
    report = open_report(sample_run(), f"#{wanted}")
    assert report.selected == STAGE
    assert report.page.locator("[data-filter=search]").input_value() == "paid"
    expect(report.page.locator("[data-pill=timeout]")).to_have_attribute("aria-pressed", "true")
    expect(report.page.get_by_role("complementary", name="Message")).to_contain_text("orders.paid")


def test_back_and_forward_walk_through_the_chosen_scenarios(red: Opened) -> None:
    red.page.locator(f'[data-nodeid="{SLOW}"]').click()
    assert red.selected == SLOW
    assert _fragment(red)["test"] == [SLOW]
    red.page.go_back()
    expect(red.page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")
    assert red.selected == FAILING
    red.page.go_forward()
    expect(red.page.locator("#hr-scenario-title")).to_have_text("Invoice follows in time")


def test_an_edited_fragment_is_followed(red: Opened) -> None:
    red.page.evaluate("hash => { location.hash = hash; }", urlencode({"status": "skipped"}))
    expect(red.page.locator('[role="treeitem"][data-nodeid]')).to_have_count(1)
    assert red.selected == "features/orders.feature::Refund by post"


def test_letters_move_between_scenarios_and_failures(red: Opened) -> None:
    press = red.page.keyboard.press
    press("j")
    assert red.selected == "features/orders.feature::Order 1 is accepted"
    press("k")
    assert red.selected == FAILING
    press("f")
    assert red.selected == STAGE
    for _ in range(3):
        press("f")
    assert red.selected == FAILING  # after the last failure comes the first


def test_slash_goes_to_the_search_and_escape_clears_it(red: Opened) -> None:
    red.page.keyboard.press("/")
    red.page.keyboard.type("jj?")
    assert red.page.locator("[data-filter=search]").input_value() == "jj?"
    red.page.keyboard.press("Escape")
    assert red.page.locator("[data-filter=search]").input_value() == ""
    assert len(_scenarios(red)) == 14


def test_the_question_mark_opens_the_key_sheet_and_escape_closes_it(red: Opened) -> None:
    sheet = red.page.get_by_role("dialog")
    red.page.keyboard.press("?")
    expect(sheet).to_contain_text("next failed scenario")
    red.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_arrows_walk_the_tree_fold_it_and_enter_chooses(red: Opened) -> None:
    tree = red.page.get_by_role("tree")
    tree.focus()
    press = red.page.keyboard.press
    press("Home")
    press("ArrowLeft")
    expect(red.page.get_by_role("treeitem", name="Ordering")).to_have_attribute("aria-expanded", "false")
    assert "Order 1 is accepted" not in _scenarios(red)
    press("ArrowDown")
    press("ArrowDown")
    press("Enter")
    assert red.selected == STAGE
    assert tree.evaluate("node => node === document.activeElement")
    active: Any = tree.get_attribute("aria-activedescendant")
    assert red.page.locator(f"#{active}").get_attribute("data-nodeid") == STAGE


def test_brackets_fold_and_unfold_the_whole_tree(red: Opened) -> None:
    red.page.keyboard.press("[")
    assert _scenarios(red) == []
    red.page.keyboard.press("]")
    assert len(_scenarios(red)) == 14


def test_choosing_a_theme_lasts_for_the_next_visit(red: Opened) -> None:
    root = red.page.locator(".harness-report")
    background = "node => getComputedStyle(node).backgroundColor"
    light = root.evaluate(background)
    red.page.get_by_role("button", name="Dark").click()
    assert root.evaluate(background) != light
    red.page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_without_a_choice_the_theme_follows_the_system(open_report: OpenReport) -> None:
    background = "node => getComputedStyle(node).backgroundColor"
    dark, light = (
        open_report(green_run(), color_scheme=scheme).page.locator(".harness-report").evaluate(background)
        for scheme in ("dark", "light")
    )
    assert dark != light


def test_a_link_to_a_scenario_of_another_run_says_so_until_one_is_chosen(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#" + urlencode({"test": "features/old.feature::Gone", "event": "0-3"}))
    missing = report.page.locator("[data-slot=missing]")
    expect(missing).to_contain_text("This report does not have features/old.feature::Gone")
    assert report.selected == FAILING
    report.page.locator('[role="treeitem"][data-nodeid]').nth(2).click()
    expect(missing).to_be_empty()


def test_a_link_whose_filter_hides_its_scenario_says_so(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#" + urlencode({"test": FAILING, "status": "passed"}))
    missing = report.page.locator("[data-slot=missing]")
    expect(missing).to_contain_text("the filter in the link hides it")
    report.page.fill("[data-filter=search]", "order")
    expect(missing).to_be_empty()


def test_a_link_to_a_message_of_another_run_says_so(open_report: OpenReport) -> None:
    for event in ("0-999", "7-0", "nonsense"):
        page = open_report(sample_run(), "#" + urlencode({"test": FAILING, "event": event})).page
        missing = page.locator("[data-slot=missing-part]")
        expect(missing).to_have_text("This report does not have the message of the link.")
        page.locator(".hr-waterfall-row").first.click()
        expect(missing).to_be_empty()
        page.get_by_role("button", name="Hops and budgets").click()
        expect(missing).to_be_empty()


def test_a_link_to_an_attempt_of_another_run_says_so(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": FAILING, "attempt": "9", "event": "9-9"})).page
    expect(page.locator("[data-slot=missing-part]")).to_have_text(
        "This report does not have attempt 9 and the message of the link."
    )


def test_a_good_link_says_nothing(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#" + urlencode({"test": STAGE, "event": "0-1"}))
    assert report.selected == STAGE
    expect(report.page.locator("[data-slot=missing]")).to_be_empty()


def test_without_the_clipboard_of_a_safe_page_texts_are_copied_the_older_way(red: Opened) -> None:
    page = red.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    page.evaluate(
        "void (document.execCommand = (name) => { window.copied = [name, String(getSelection())]; return true; })"
    )
    page.get_by_role("button", name="copy id").click()
    expect(page.get_by_role("button", name="copied")).to_be_visible()
    assert page.evaluate("window.copied") == ["copy", FAILING]
    assert page.locator("textarea.hr-copy").count() == 0


def test_where_copying_is_forbidden_the_text_is_shown_for_copying(red: Opened) -> None:
    page = red.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    page.evaluate("void (document.execCommand = () => { throw new Error('denied'); })")
    page.get_by_role("button", name="copy as text").click()
    area = page.get_by_role("textbox", name="Text to copy")
    expect(area).to_be_focused()
    assert FAILING in area.input_value()
    page.get_by_role("button", name="copy id").click()
    assert page.locator("textarea.hr-copy").count() == 1
    assert area.input_value() == FAILING


def test_the_page_works_where_storage_is_forbidden(open_report: OpenReport) -> None:
    report = open_report(green_run())
    deny = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } });"
    report.page.add_init_script(deny)
    report.page.reload()
    report.page.get_by_role("button", name="Dark").click()
    expect(report.page.locator(".harness-report")).to_have_attribute("data-theme", "dark")
    assert report.errors == []


def test_a_narrow_window_stacks_the_panes_and_never_scrolls_sideways(open_report: OpenReport) -> None:
    report = open_report(sample_run(), viewport={"width": 600, "height": 900})
    side, detail = (report.page.locator(name).bounding_box() for name in ("nav", "main"))
    assert side is not None
    assert detail is not None
    assert detail["y"] >= side["y"] + side["height"]
    assert report.page.evaluate("document.documentElement.scrollWidth") <= 600


def test_choosing_in_a_narrow_window_brings_the_scenario_into_view(open_report: OpenReport) -> None:
    report = open_report(sample_run(), viewport={"width": 600, "height": 600})
    title = report.page.locator("#hr-scenario-title")
    expect(title).not_to_be_in_viewport()
    report.page.locator('[role="treeitem"][data-nodeid]').nth(2).click()
    expect(title).to_have_text("Order 2 is accepted")
    expect(title).to_be_in_viewport()

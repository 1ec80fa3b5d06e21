"""The whole run: hops against budgets, topics by transport, and the comparison with an older run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.page_builders import a_feature, gherkin_of, results_of
from tests.support.page_sample import FAILING, green_run, long_run, passing_test, sample_run

from .conftest import OpenReport

pytestmark = pytest.mark.browser


def _rows(page: Page) -> list[str]:
    return [text.replace("\n", " ") for text in page.locator(".hr-data tbody tr").all_inner_texts()]


def test_hops_are_listed_with_the_least_headroom_first(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#tab=hops").page
    first, *rest = _rows(page)
    assert first.startswith("invoices.created")
    assert "67.2 ms of 50 ms 17.2 ms over" in first
    assert "Invoice follows in time" in first
    assert "37.6 ms left (75 %)" in rest[0]
    assert all("no budget" in row for row in rest[1:])


@pytest.mark.parametrize(("latency", "left"), [(0.125, "49.9 ms left (> 99 %)"), (49.9, "100 µs left (< 1 %)")])
def test_a_budget_that_is_nearly_whole_or_used_up_is_neither(
    latency: float, left: str, open_report: OpenReport
) -> None:
    test, described, _ = passing_test("Order is accepted", latency)
    run = results_of([test]), gherkin_of([a_feature("Ordering", [described])])
    assert left in _rows(open_report(run, "#tab=hops").page)[0]


def test_a_column_sorts_up_and_down_and_says_so(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#tab=hops").page
    page.get_by_role("button", name="Expected").click()
    assert _rows(page)[0].startswith("orders.accepted")
    assert page.get_by_role("columnheader", name="Expected").get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="Expected").click()
    assert _rows(page)[-1].startswith("orders.accepted")
    expect(page.get_by_role("button", name="Expected")).to_be_focused()


def test_a_hop_leads_to_its_scenarios_and_back_returns(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#tab=hops").page
    page.get_by_role("button", name="Invoice follows in time").click()
    expect(page.locator("#hr-scenario-title")).to_have_text("Invoice follows in time")
    page.go_back()
    expect(page.get_by_role("heading", name="Hops and their budgets")).to_be_visible()
    page.get_by_title("Show scenarios with warehouse.pick").click()
    assert page.locator('[role="treeitem"][data-nodeid]').count() == 2


def test_topics_are_crossed_with_transports(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#tab=topics").page
    heads = page.get_by_role("columnheader").all_inner_texts()
    assert heads == ["Topic", "kafka", "nats", "messages", "All messages"]
    row = page.get_by_role("row", name="warehouse.pick")
    assert "0 of 2 expectations met (0 %)" in row.locator("td").nth(0).inner_text()
    row = page.get_by_role("row", name="orders.paid")
    assert "2 sent, 2 received" in row.locator("td").nth(1).inner_text()


def test_a_run_without_messages_says_so(open_report: OpenReport) -> None:
    report = open_report(long_run(3), "#tab=topics")
    assert "No message travelled" in report.texts("main")[0]
    report.page.get_by_role("button", name="Hops and budgets").click()
    assert "No expectation was made" in report.texts("main")[0]


def _older(tmp_path: Path) -> Path:
    """As the sample, but the parcel left in time, another order failed, one is new and invoices took longer."""
    results = deepcopy(sample_run()[0])
    by_name = {test["name"]: test for test in results["tests"]}
    by_name["Parcel leaves on the express lane"]["outcome"] = "passed"
    by_name["Order 1 is accepted"]["outcome"] = "failed"
    results["tests"].remove(by_name["Order 2 is accepted"])
    by_name["Invoice follows in time"]["scenarios"][0]["handles"][0]["latency_ms"] = 20.0
    by_name["Card is charged"].update(nodeid="features/gone.feature::Card is swiped")
    path = tmp_path / "older" / "results.json"
    path.parent.mkdir()
    path.write_text(json.dumps(results), encoding="utf-8")
    return path


def _changes(page: Page, title: str) -> list[str]:
    return page.locator(f'[data-change="{title}"] li button').all_inner_texts()


def test_an_older_run_that_is_chosen_is_compared(open_report: OpenReport, tmp_path: Path) -> None:
    page = open_report(sample_run(), "#tab=compare").page
    page.locator("input[type=file]").set_input_files(_older(tmp_path))
    expect(page.locator("[data-change]")).to_have_count(4)
    assert _changes(page, "Newly failing") == ["Parcel leaves on the express lane"]
    assert _changes(page, "Fixed") == ["Order 1 is accepted"]
    assert len(_changes(page, "Still failing")) == 3
    assert _changes(page, "New") == ["Order 2 is accepted", "Card is charged"]
    assert "Card is swiped" in page.locator("main").inner_text()
    shift = next(row for row in _rows(page) if row.startswith("invoices.created"))
    assert "+47.2 ms (236 %)" in shift
    page.get_by_role("button", name="Parcel leaves on the express lane").click()
    expect(page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")


def _of_latencies(latencies: Iterable[float]) -> dict[str, Any]:
    """A run in which one hop is met by a scenario for each latency."""
    results: dict[str, Any] = results_of(
        [passing_test(f"Order {number}", float(ms))[0] for number, ms in enumerate(latencies)]
    )
    return results


@pytest.mark.parametrize(
    ("older", "told"),
    [
        ([4, 30, 6, 9, 25, 5, 12], []),
        (
            [1, 1.2, 1.4, 1.6, 1.8, 2, 2.2],
            ["orders.accepted 1.6 ms / 2.2 ms / 2.2 ms of 7 13 ms / 31 ms / 31 ms of 7 +11.4 ms (713 %) 23 % of 50 ms"],
        ),
    ],
)
def test_only_shifts_beyond_noise_are_told_with_both_distributions(
    open_report: OpenReport, tmp_path: Path, older: list[float], told: list[str]
) -> None:
    path = tmp_path / "older.json"
    path.write_text(json.dumps(_of_latencies(older)))
    page = open_report((_of_latencies([5, 13, 28, 10, 4, 22, 31]), {}), "#tab=compare").page
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("of 1 hop", exact=False)).to_be_visible()
    assert [row.replace("\t", " ") for row in _rows(page)] == told


def test_an_older_run_that_is_dropped_is_compared(open_report: OpenReport, tmp_path: Path) -> None:
    page = open_report(sample_run()).page
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.items.add(new File([text], 'results.json'));
          document.querySelector('main').dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer: data }));
        }""",
        _older(tmp_path).read_text(),
    )
    expect(page.locator('[data-change="Newly failing"] li')).to_have_count(1)
    expect(page.get_by_text("Older run, from results.json")).to_be_visible()


@pytest.mark.parametrize("text", ["no json", "{}", '{"schema_version": "2.0", "tests": []}', "[1]", "null"])
def test_a_file_of_another_kind_is_refused_with_its_name(open_report: OpenReport, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    report = open_report(green_run(), "#tab=compare")
    report.page.locator("input[type=file]").set_input_files(path)
    expect(report.page.get_by_role("alert")).to_contain_text("other.json is no results.json of this format")
    assert report.errors == []


def test_a_hostile_older_run_is_only_text(open_report: OpenReport, tmp_path: Path) -> None:
    attack = "<img src=x onerror='window.hit = 1'>"
    results: dict[str, Any] = results_of([{**sample_run()[0]["tests"][0], "nodeid": attack, "name": attack}])
    path = tmp_path / "older.json"
    path.write_text(json.dumps(results))
    report = open_report(green_run(), "#tab=compare")
    report.page.locator("input[type=file]").set_input_files(path)
    expect(report.page.get_by_text(attack)).to_be_visible()
    assert report.page.locator("main img").count() == 0
    assert report.page.evaluate("window.hit") is None


def test_compared_runs_name_the_failing_scenario(open_report: OpenReport) -> None:
    assert open_report(sample_run()).selected == FAILING

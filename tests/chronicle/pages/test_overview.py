"""What the first view says is new, and what a run says failed, as their readers take it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chronicle.pages.conftest import Filled, Open, anomaly, page_of, send
from tests.chronicle.reports import handle, late, one_test, report, scenario

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(180)]


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def broken(begun: datetime) -> dict[str, Any]:
    """A run in which one of two tests failed."""
    tests = [
        one_test([scenario([handle()], "A plain test")], "t::plain") | {"outcome": "failed"},
        one_test([scenario([handle()], "An order is paid")]),
    ]
    totals = {"passed": 1, "failed": 1, "errored": 0, "skipped": 0, "slow": 0, "total": 2}
    return report(tests=tests, begun=begun, totals=totals)


def too_slow(begun: datetime) -> dict[str, Any]:
    """A run in which one test failed, as its message came over its budget, and another by an assertion of its own."""
    tests = [
        one_test([scenario([late()], "A label is printed", outcome="slow")], "f::label") | {"outcome": "failed"},
        one_test([scenario([handle()], "A plain test")], "t::plain") | {"outcome": "failed"},
        one_test([scenario([handle()], "An order is paid")]),
    ]
    totals = {"passed": 1, "failed": 2, "errored": 0, "skipped": 0, "slow": 0, "total": 3}
    return report(tests=tests, begun=begun, totals=totals)


@pytest.mark.parametrize(
    ("runs", "heading"),
    [
        ([3], "1 of 2 failed in the first run"),
        ([5, 3], "Nothing got worse since the first run"),
        ([30, 3], "Nothing got worse since yesterday"),
    ],
)
def test_a_yesterday_is_told_of_only_where_there_was_one(
    runs: list[int], heading: str, server: str, open_page: Open
) -> None:
    tenant = f"hours-{'-'.join(map(str, runs))}"
    for hours in runs:
        send(server, broken(ago(hours=hours)), tenant)
    assert open_page(f"{server}/?tenant={tenant}").heading == heading


def test_without_a_run_nothing_is_said_of_any_day(filled: Filled, open_page: Open) -> None:
    assert open_page(f"{filled.url}/?branch=no-such").heading == "No runs"


def test_what_began_long_ago_is_told_as_found_since_yesterday(filled: Filled, open_page: Open) -> None:
    old = anomaly(filled, changed_at=ago(days=20).isoformat())
    new = anomaly(filled, id="a2", changed_at=ago(hours=20).isoformat())
    shown = open_page(filled.url, answers={"/anomalies": page_of(old, new)})
    assert shown.heading == "2 things that got worse were found since yesterday"
    assert "began 20 days ago" in shown.texts(".anomaly")[0]
    shown = open_page(filled.url, answers={"/anomalies": page_of(new)})
    assert shown.heading == "One thing got worse since yesterday"


def test_what_failed_by_its_budget_or_its_test_is_among_what_failed(server: str, open_page: Open) -> None:
    run = send(server, too_slow(ago(hours=3)), "slow-fails")
    shown = open_page(f"{server}/runs/{run}?tenant=slow-fails&outcome=broken")
    assert shown.heading == "2 of 3 tests failed"
    assert [each.split("\n")[0] for each in shown.texts("tbody th")] == ["A label is printed", "A plain test"]
    assert shown.texts("tbody .badge.bad") == ["slow", "test failed"]
    shown = open_page(f"{server}/failures?tenant=slow-fails")
    assert "over budget" in shown.texts("tbody tr")[0]


def test_what_became_too_slow_for_its_test_is_a_new_failure(server: str, open_page: Open) -> None:
    healthy = [one_test([scenario([handle()], "A label is printed")], "f::label")]
    before = send(server, report(tests=healthy, begun=ago(hours=4)), "slower")
    after = send(server, too_slow(ago(hours=3)), "slower")
    shown = open_page(f"{server}/compare?tenant=slower&before={before}&after={after}")
    row = next(each for each in shown.texts("tbody tr") if each.startswith("A label is printed"))
    assert "new failure" in row


def test_headings_of_numbers_stand_above_them_where_it_is_narrow(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs/{filled.runs[-1]}", width=600)
    ends = shown.page.evaluate(
        "() => [...document.querySelectorAll('thead th.number')].map((th) => ["
        "th.getBoundingClientRect().right, th.querySelector('button').getBoundingClientRect().right - 4])"
    )
    padding = 8
    assert all(text <= cell - padding + 1 for cell, text in ends), ends

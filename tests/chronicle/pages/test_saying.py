"""What people do on the dashboard: speak of findings, and compare a run with a branch."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Route, expect

from tests.chronicle.pages.conftest import API, Filled, Open, send
from tests.chronicle.pages.test_dashboard import RULES, detected, query_of
from tests.chronicle.reports import BEGUN, handle, one_test, report, scenario, timed_out

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(180)]


def test_a_cause_of_failures_is_muted_and_confirmed_from_the_page(server: str, open_page: Open) -> None:
    tenant = "speaking"
    broken = scenario([timed_out("orders.lost")], outcome="timeout")
    send(server, report(tests=[one_test([broken]) | {"outcome": "failed"}]), tenant)
    shown = open_page(f"{server}/failures?tenant={tenant}")
    shown.page.get_by_text("Mute or confirm").click()
    shown.page.get_by_label("State").select_option("muted")
    shown.page.get_by_role("button", name="Say so").click()
    expect(shown.page.get_by_role("alert")).to_contain_text("muting takes an owner and a reason")
    shown.page.get_by_label("Owner").fill("team-a")
    shown.page.get_by_label("Reason").fill("the broker is being moved")
    shown.page.get_by_label("Muted until").fill("2099-01-31")
    shown.page.get_by_role("button", name="Say so").click()
    expect(shown.page.locator("tbody")).to_contain_text("muted, team-a")
    (known,) = shown.page.request.get(f"{server}{API}/known-issues?tenant={tenant}").json()["items"]
    assert (known["owner"], known["muted_until"][:10]) == ("team-a", "2099-01-31")
    shown.page.locator("summary", has_text="Muted").click()
    assert Axe().run(shown.page, options={"runOnly": RULES}).response["violations"] == []


def test_an_anomaly_is_confirmed_from_the_page(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/anomalies", answers=detected(filled))
    said: list[Any] = []

    def hear(route: Route) -> None:
        said.append((urlsplit(route.request.url).path, route.request.method, route.request.post_data_json))
        route.fulfill(status=204)

    shown.page.route(f"**{API}/anomalies/a1/state*", hear)
    first = shown.page.locator(".anomaly").first
    first.get_by_text("Mute or confirm").click()
    first.get_by_label("Owner").fill("team-b")
    first.get_by_role("button", name="Say so").click()
    expect(shown.page.locator(".saying[open]")).to_have_count(0)  # the page is shown again
    assert said == [(f"{API}/anomalies/a1/state", "PUT", {"state": "confirmed", "owner": "team-b"})]


def test_a_run_is_compared_with_a_branch(server: str, open_page: Open) -> None:
    tenant = "branches"
    for day in range(5):
        send(server, report([handle(latency=10.0) for _ in range(20)], begun=BEGUN + timedelta(days=day)), tenant)
    slow = [handle(latency=30.0) for _ in range(20)]
    failing = one_test([scenario([*slow, timed_out()], outcome="timeout")]) | {"outcome": "failed"}
    send(server, report(tests=[failing], begun=BEGUN + timedelta(days=9), git_branch="faster"), tenant)
    shown = open_page(f"{server}/compare?tenant={tenant}")
    shown.page.get_by_label("or a branch").fill("main")
    shown.page.get_by_label("or a branch").press("Enter")
    expect(shown.page.get_by_role("heading", level=1)).to_contain_text("Compare with a branch")
    assert query_of(shown)["base"] == "main"
    assert "new failure" in shown.texts("tbody tr")[0]
    (topic,) = [each for each in shown.texts("tbody tr") if each.startswith("orders.placed")]
    assert re.search(r"10(\.0)? ms.*30(\.0)? ms", topic)
    assert Axe().run(shown.page, options={"runOnly": RULES}).response["violations"] == []
    shown.page.get_by_role("button", name="Compare two runs").click()
    expect(shown.page.get_by_role("heading", level=1)).to_contain_text("Compare two runs")
    (hop,) = [each for each in shown.texts("tbody tr") if each.startswith("orders.placed")]
    assert re.search(r"10(\.0)? ms.*30(\.0)? ms.*\+200 %", hop, re.DOTALL)
    assert Axe().run(shown.page, options={"runOnly": RULES}).response["violations"] == []
    assert shown.complaints == []


def test_what_all_topics_share_is_told_apart_from_their_changes(server: str, open_page: Open) -> None:
    tenant = "shared"
    for day in range(6):
        factor = 1.5 if day == 5 else 1.0
        handles = [handle(f"t{topic}", latency=10.0 * factor * (2 if topic == day == 5 else 1)) for topic in range(6)]
        send(server, report(handles, begun=BEGUN + timedelta(days=day)), tenant)
    shown = open_page(f"{server}/compare?tenant={tenant}&base=main")
    assert (
        "All topics together are 50 % slower than on the branch, further off than usual." in shown.texts("p.quiet")[0]
    )
    rows = shown.texts("tbody tr")
    assert len(rows) == 6
    assert re.search(r"t5.*\+100 %.*yes", rows[0], re.DOTALL)


def test_the_latest_run_is_compared_with_the_one_before_it_on_its_branch(server: str, open_page: Open) -> None:
    tenant = "two"
    runs = [
        send(server, report([handle()], begun=BEGUN + timedelta(days=day), git_branch=branch), tenant)
        for day, branch in enumerate(("main", "main", "fix", "main"))
    ]
    shown = open_page(f"{server}/compare?tenant={tenant}")
    assert [shown.page.get_by_label(each).input_value() for each in ("Before", "After")] == [runs[1], runs[3]]
    shown = open_page(f"{server}/compare?tenant={tenant}&after={runs[1]}")
    assert [shown.page.get_by_label(each).input_value() for each in ("Before", "After")] == [runs[0], runs[1]]

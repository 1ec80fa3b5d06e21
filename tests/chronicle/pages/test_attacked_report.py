"""A report of which every text that may be anything is an attack: shown on every page, and run on none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest

from tests.chronicle.pages.conftest import API, Filled, Open, send
from tests.chronicle.reports import event, handle, one_test, report, scenario, timed_out
from tests.support.attacks import ATTACKS

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(180)]

TENANT = "everywhere"
HELD = frozenset((
    "schema_version", "started_at", "finished_at", "redaction_version", "outcome", "kind", "action", "wall_clock",
    "source", "transport", "transports", "state", "bridge_class", "correlation_ids", "environment",
))  # fmt: skip
"""Keys whose texts are of a form that the schema holds them to."""
DETAIL_MAX = 120
PAGES = ("", "runs", "runs/{run}", "topics", "compare?what=all", "anomalies", "flaky", "failures")


def attacked(value: Any, attacks: Iterator[str], key: str = "") -> Any:
    """The value with an attack for each text that may be anything."""
    if key in HELD:
        return value
    if isinstance(value, dict):
        return {name: attacked(each, attacks, name) for name, each in value.items()}
    if isinstance(value, list):
        return [attacked(each, attacks, key) for each in value]
    if isinstance(value, str):
        return next(attacks)[: DETAIL_MAX if key == "detail" else None]
    return value


@pytest.fixture(scope="module")
def sent(server: str) -> Filled:
    """Runs of it; a test a dozen attacks, so that each of them stands in a name, a topic and a value."""
    leaf = {"kind": "mismatch", "path": "a", "expected": "b", "actual": "c"}
    failed = handle(
        outcome="fail",
        failure=leaf,
        failures=[leaf],
        diagnosis={"kind": "near_miss", "attempts": 1, "deadline_ms": 5.0},
    )
    reply = {
        "trigger_topic": "t", "reply_topic": "r", "state": "reply_failed", "matcher_description": "m",
        "candidate_count": 1, "match_count": 1, "reply_published": False, "builder_error": "e",
        "correlation_overridden": False,
    }  # fmt: skip
    whole = scenario([handle(), timed_out(), failed], outcome="fail", replies=[reply], timeline=[event()])
    tests = [
        one_test([whole, scenario([handle()])])
        | {"outcome": "failed", "class": "c", "markers": ["m"], "traceback": "t", "skip_reason": "s", "worker_id": "w",
           "choreo_meta": {"tags": ["t"]}}
        for _ in range(len(ATTACKS) // 4)
    ]  # fmt: skip
    attacks, begun = cycle(ATTACKS), datetime.now(UTC) - timedelta(hours=2)
    run = report(tests=tests, git_sha="s", git_branch="b", project_name="p", allowlist_path="a", begun=begun)
    return Filled(server, [send(server, attacked(run, attacks), TENANT) for _ in range(3)])


def test_every_attack_stands_in_the_report(sent: Filled, open_page: Open) -> None:
    kept = (
        open_page(f"{sent.url}/runs?tenant={TENANT}")
        .page.request.get(f"{sent.url}{API}/runs/{sent.runs[0]}/raw")
        .json()
    )
    named = {each["nodeid"] for each in kept["tests"]} | {kept["run"]["git_branch"]}
    assert len(named & set(ATTACKS)) > 10


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_it_runs_on_a_page(sent: Filled, open_page: Open, path: str) -> None:
    sign = "&" if "?" in path else "?"
    shown = open_page(f"{sent.url}/{path.format(run=sent.runs[0])}{sign}tenant={TENANT}")
    assert shown.page.evaluate("window.hit") is None
    assert shown.page.locator("main :is(script, object, embed, form, base, meta, video, audio)").count() == 0
    assert shown.complaints == []


def test_nothing_of_it_runs_on_a_topics_page(sent: Filled, open_page: Open) -> None:
    shown = open_page(f"{sent.url}/topics?tenant={TENANT}")
    places = [each.get_attribute("href") for each in shown.page.locator("tbody a").all()][:5]
    assert places
    for place in places:
        shown.page.goto(f"{sent.url}{place}")
        shown.settle()
        assert shown.page.evaluate("window.hit") is None
    assert shown.complaints == []


def test_nothing_of_it_runs_in_the_reports_own_page(sent: Filled, open_page: Open) -> None:
    shown = open_page(f"{sent.url}/runs?tenant={TENANT}")
    hits: list[str] = []
    shown.page.on("dialog", lambda dialog: hits.append(dialog.message))
    shown.page.goto(f"{sent.url}{API}/runs/{sent.runs[0]}/report")
    shown.page.wait_for_selector("#app *, main *")
    shown.page.wait_for_timeout(300)
    assert shown.page.evaluate("window.hit") is None
    assert hits == []

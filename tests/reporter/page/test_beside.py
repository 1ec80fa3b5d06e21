"""What is told beside the results: repetitions, vacuous steps, channels of the contract, strays, attachments."""

from __future__ import annotations

import base64
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.page.index import build_index
from choreo_bdd_reporter.read.entries import group_entries
from tests.support.page_builders import Json, a_span
from tests.support.page_sample import FAILING, sample_run

from .conftest import OpenReport

PASSING = "features/orders.feature::Order 1 is accepted"
DOT = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccff0bf1e00067f027e"
        "d1d5b5f50000000049454e44ae426082"
    )
).decode()


def _run(**gherkin: object) -> tuple[Json, Json]:
    results, told = deepcopy(sample_run())
    return results, {**told, **gherkin}


def _with_details(**details: object) -> tuple[Json, Json]:
    results, told = _run()
    told["details"][FAILING][0].update(details)
    return results, told


def _with_attachments(*attachments: Json) -> tuple[Json, Json]:
    results, told = _run()
    told["attachments"] = {told["features"][0]["scenarios"][0]["nodeid"]: list(attachments)}
    return results, told


def _rows(results: Any, gherkin: Json) -> dict[str, Json]:
    index = build_index(group_entries(results, gherkin), results, gherkin)
    return {row["name"]: row for group in index["groups"] for row in group["rows"]}


def test_a_warning_belongs_to_the_step_on_its_line_of_its_scenario() -> None:
    results, told = _run()
    for line, step in enumerate(told["features"][0]["scenarios"][0]["steps"], start=7):
        step["line"] = line
    warnings = [
        {"nodeid": FAILING, "place": "features/orders.feature:8", "reason": "nothing checks it"},
        {"nodeid": PASSING, "place": "features/orders.feature:99", "reason": "no such step"},
    ]
    rows = _rows(results, {**told, "vacuity": warnings})
    assert rows["Parcel leaves on the express lane"]["warnings"] == [(1, "nothing checks it")]
    assert "warnings" not in rows["Order 1 is accepted"]


@pytest.mark.browser
def test_a_vacuous_step_is_marked_in_the_tree_and_says_why(open_report: OpenReport) -> None:
    results, told = _run()
    told["features"][0]["scenarios"][0]["steps"][1]["line"] = 70
    told["vacuity"] = [{"nodeid": FAILING, "place": "features/orders.feature:70", "reason": "nothing checks it"}]
    page = open_report((results, told)).page
    expect(page.locator(f'[data-nodeid="{FAILING}"]')).to_contain_text("vacuous")
    expect(page.locator(".hr-step").nth(1)).to_contain_text("nothing checks it")
    page.get_by_role("searchbox").fill("s:vacuous")
    expect(page.locator('[role="treeitem"][data-nodeid]')).to_have_count(1)


@pytest.mark.browser
def test_flaky_is_what_passed_only_when_run_again_and_the_earlier_attempts_are_told(open_report: OpenReport) -> None:
    failed = {"outcome": "failed", "reason": "no message arrived"}
    page = open_report(
        _run(attempts={PASSING: [failed], FAILING: [failed, failed]}), "#" + urlencode({"test": PASSING})
    ).page
    expect(page.locator("[data-field=flaky]")).to_have_text("1 flaky")
    expect(page.locator(f'[data-nodeid="{PASSING}"]')).to_contain_text("flaky")
    expect(page.locator(f'[data-nodeid="{FAILING}"]')).to_contain_text("rerun")
    expect(page.locator(".hr-article")).to_contain_text("Attempt 1 failed: no message arrived.")
    page.get_by_role("searchbox").fill("s:flaky")
    rows = page.locator('[role="treeitem"][data-nodeid]')
    expect(rows).to_have_count(1)
    assert rows.get_attribute("data-nodeid") == PASSING


@pytest.mark.browser
def test_channels_of_the_contract_that_nobody_touched_are_named(open_report: OpenReport) -> None:
    channels = {"spec": "shop.yaml", "touched": ["orders.created"], "untouched": ["refunds.asked", "stock.level"]}
    page = open_report(_run(channels=channels), "#tab=topics").page
    section = page.locator(".hr-channels")
    expect(section).to_contain_text("1 of 3 channels touched (33 %) shop.yaml")
    assert section.locator("li").all_inner_texts() == ["refunds.asked", "stock.level"]


@pytest.mark.browser
def test_without_a_contract_no_channels_are_mentioned(open_report: OpenReport) -> None:
    page = open_report(_run(), "#tab=topics").page
    expect(page.get_by_role("heading", name="Topics and transports")).to_be_visible()
    assert page.locator(".hr-channels").count() == 0


@pytest.mark.browser
@pytest.mark.parametrize("tests_at_once", [0, 2_000], ids=["in chunks", "whole"])
def test_late_and_foreign_messages_and_broken_transports_stand_below_the_timeline(
    tests_at_once: int, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", tests_at_once)
    strays = [
        {"topic": "parcels.leaving", "classification": "unknown_scope", "size": 512, "count": 3},
        {"topic": "orders.accepted", "classification": "timeout_race", "size": 43, "count": 1},
    ]
    broken = [{"transport": "nats", "topic": "orders.created", "reason": "connection lost"}]
    page = open_report(_with_details(surprises=strays, transport_failures=broken)).page
    rows = page.locator(".hr-strays li")
    expect(rows).to_have_count(3)
    found = rows.all_inner_texts()
    assert found[0].split() == ["orders.created", "N", "nats", "connection", "lost"]
    assert found[1].startswith("parcels.leaving 3 times with another id")
    assert found[2].startswith("orders.accepted 1 time late: its scenario had ended")


@pytest.mark.browser
@pytest.mark.parametrize("tests_at_once", [0, 2_000], ids=["in chunks", "whole"])
def test_the_work_of_services_stands_in_the_timeline_below_the_message_it_is_about(
    tests_at_once: int, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", tests_at_once)
    sent = next(
        event
        for test in sample_run()[0]["tests"]
        if test["nodeid"] == FAILING
        for event in test["scenarios"][0]["timeline"]
        if event["action"] == "published"
    )
    outer = a_span("settlement", sent["offset_ms"] + 1, topic=sent["topic"], error="ValueError")
    inner = a_span("stock", sent["offset_ms"] + 2, parent=outer["id"], name="look up")
    report = open_report(_with_details(spans=[outer, inner]), f"#{urlencode({'test': FAILING})}")
    rows = report.page.locator(".hr-waterfall-row[data-kind=span]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text(f"settlement failed{sent['topic']}")
    expect(rows.nth(1)).to_contain_text("stocklook up")
    assert rows.nth(1).get_attribute("data-parent-id") == rows.nth(0).get_attribute("data-node-id")
    assert rows.nth(0).get_attribute("data-parent-id") is not None
    rows.nth(0).click()
    expect(report.page.locator("aside.hr-message")).to_contain_text("work: ValueError")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("cause", "phrase"),
    [
        ("too late", "waited: came too late"),
        ("wrong correlation", "waited: came with another id"),
        ("no correlation id", "waited: came without an id"),
        ("too early", "waited: came too early"),
        ("out of order", "waited: out of order"),
        ("nothing arrived", "no match by the deadline"),
    ],
)
def test_a_wait_that_ended_says_how_in_its_row(cause: str, phrase: str, open_report: OpenReport) -> None:
    results, told = _run()
    told["details"][FAILING][0]["handles"][1]["cause"] = cause
    page = open_report((results, told)).page
    expect(page.locator('[data-action="deadline"] .hr-phrase')).to_have_text(phrase)


@pytest.mark.browser
def test_attachments_are_shown_by_their_kind(open_report: OpenReport) -> None:
    report = open_report(
        _with_attachments(
            {"name": "order.json", "media_type": "application/json", "text": '{"qty":2}', "size": 9, "cut": False},
            {"name": "screen", "media_type": "image/png", "base64": DOT, "size": 70, "cut": False},
            {
                "name": "run.log",
                "media_type": "text/plain",
                "text": "\x1b[31mred\x1b[0m end",
                "size": 9_000,
                "cut": True,
            },
            {"name": "dump", "media_type": "application/zip", "base64": None, "size": 9_000_000, "cut": True},
        )
    )
    page = report.page
    folds = page.locator("[data-attachment]")
    expect(folds).to_have_count(4)
    assert folds.locator("> summary").all_inner_texts()[0] == "order.json, application/json, 9 B"
    for fold in folds.all():
        fold.locator("> summary").click()
    expect(folds.nth(0).locator(".hr-json-key")).to_have_text('"qty"')
    assert page.locator(".hr-picture").evaluate("image => image.decode().then(() => image.alt)") == "screen"
    expect(folds.nth(2).locator(".hr-ansi-fail")).to_have_text("red")
    expect(folds.nth(2)).to_contain_text("Cut: the first part of 8.8 KB.")
    expect(folds.nth(3)).to_contain_text("it is too large for a report")
    assert report.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("media_type", ["text/html", "image/png"])
def test_an_attachment_names_its_step_and_can_be_saved_as_it_is(media_type: str, open_report: OpenReport) -> None:
    text = {"name": "größe.html", "media_type": media_type, "text": "50 % <b>ü</b>\ud83d", "size": 9, "cut": False}
    picture = {"name": "", "media_type": media_type, "base64": DOT, "size": 70, "cut": False}
    report = open_report(_with_attachments({**text, "step": 0}, picture))
    folds = report.page.locator("[data-attachment]")
    step = report.page.locator(".hr-step-text").first.inner_text().partition(" ")[2]
    assert folds.locator("> summary").all_inner_texts() == [
        f"größe.html, {media_type}, 9 B, in: {step}", f"attachment 2, {media_type}, 70 B",
    ]  # fmt: skip
    saved = []
    for fold in folds.all():
        fold.locator("> summary").click()
        with report.page.expect_download() as download:
            fold.get_by_role("link", name="Save").click()
        saved.append((download.value.suggested_filename, download.value.path().read_bytes()))
    assert saved[0] == ("größe.html", "50 % <b>ü</b>\ufffd".encode())
    assert saved[1] == ("attachment", base64.b64decode(DOT))
    assert report.errors == []


@pytest.mark.browser
@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/html", "image/png;,<svg onload=alert(1)>"])
def test_an_attachment_that_could_run_is_never_given_to_the_browser(media_type: str, open_report: OpenReport) -> None:
    hostile = {"name": "x", "media_type": media_type, "base64": DOT, "size": 70, "cut": False}
    report = open_report(_with_attachments(hostile))
    report.page.locator("[data-attachment] > summary").click()
    expect(report.page.locator("[data-attachment]")).to_contain_text("cannot be shown here")
    assert report.page.locator(".hr-picture").count() == 0
    assert report.errors == []


@pytest.mark.browser
def test_captured_output_is_coloured_as_in_a_terminal(open_report: OpenReport) -> None:
    results, told = _run()
    results["tests"][0]["log"] = "\x1b[1;32mINFO\x1b[0m \x1b[2Kdone"
    page = open_report((results, told)).page
    page.locator('[data-capture="log"] > summary').click()
    expect(page.locator('[data-capture="log"] .hr-ansi-pass')).to_have_text("INFO")
    expect(page.locator('[data-capture="log"] pre')).to_have_text("INFO done")

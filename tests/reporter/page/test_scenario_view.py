"""One scenario on the right: reason first, then steps, expectations, replies, messages and output."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, expect

from tests.support.page_builders import a_handle, a_message, a_scope, a_test, an_event, heard, results_of
from tests.support.page_sample import FAILING, sample_run

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser


@pytest.fixture
def red(open_report: OpenReport) -> Opened:
    return open_report(sample_run())


def _show(open_report: OpenReport, name: str) -> Opened:
    return open_report(sample_run(), "#" + urlencode({"test": f"features/orders.feature::{name}"}))


def _rows(report: Opened) -> Locator:
    return report.page.locator('[role="treegrid"] [data-node-id]')


def test_the_cause_and_the_differing_fields_come_first(red: Opened) -> None:
    card = red.page.locator(".hr-finding").first
    assert "2 messages arrived on parcels.leaving, none with shipment.lane 4" in card.inner_text()
    rows = card.locator("tbody tr.hr-diff-line").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["shipment.lane", "4", "3"],
        ["shipment.eta", "exists", "not in the message"],
    ]
    steps = red.page.locator(".hr-steps").first.bounding_box()
    box = card.bounding_box()
    assert steps is not None
    assert box is not None
    assert box["y"] < steps["y"]


def _differing(number: int, dropped: int = 0, attempts: int = 1) -> tuple[Any, Any]:
    """An expectation whose closest near-miss differs in so many fields, of which the first was reported."""
    differences = [
        {"kind": "mismatch", "path": f"field{each}", "expected": each, "actual": -each} for each in range(number)
    ]
    handle = a_handle(
        "a", "fail", 9.0, attempts=attempts, failure=differences[0], failures=[differences[0]] * attempts,
        actual={"field0": 0},
    )  # fmt: skip
    test = a_test("x", "failed", [a_scope("fail", [handle], [an_event(1, "mismatched", "a")] * attempts)])
    note = {"cause": "wrong shape", "differences": differences, "differences_dropped": dropped}
    return results_of([test]), {"details": {test["nodeid"]: [{"handles": [note]}]}}


def _fields(place: Locator) -> list[str]:
    return [text.split("\t")[0] for text in place.locator("tr.hr-diff-line").all_inner_texts()]


def test_every_field_that_differs_stands_in_each_table_and_text(open_report: OpenReport) -> None:
    page = open_report(_differing(4)).page
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    wanted = [f"field{number}" for number in range(4)]
    assert _fields(page.locator(".hr-finding")) == wanted
    page.locator(".hr-handle > summary").click()
    assert _fields(page.locator(".hr-handle")) == wanted
    page.locator('[data-action="mismatched"]').click()
    panel = page.get_by_role("complementary", name="Message")
    expect(panel.locator("tr.hr-diff-line")).to_have_count(4)
    for name in ("copy as text", "copy as LLM prompt"):
        page.get_by_role("button", name=name).click()
        copied = page.evaluate("window.copied")
        assert "field3" in copied, name
        assert "expected 3, arrived -3" in copied, name


def test_an_element_of_a_list_is_named_as_its_author_writes_it(open_report: OpenReport) -> None:
    results, gherkin = _differing(2)
    for note in (
        results["tests"][0]["scenarios"][0]["handles"][0],
        next(iter(gherkin["details"].values()))[0]["handles"][0],
    ):
        for failure in (note.get("failure"), *note.get("failures", ()), *note.get("differences", ())):
            if failure is not None:
                failure["path"] = failure["path"].replace("field", "m.0.")
    assert _fields(open_report((results, gherkin)).page.locator(".hr-finding")) == ["m[0][0]", "m[0][1]"]


def test_a_ticket_says_where_it_came_from_and_how_it_is_seen_again(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#status=failed")
    report.page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    report.page.get_by_role("button", name="copy as text").click()
    ticket = report.page.evaluate("window.copied")
    run = sample_run()[0]["run"]
    assert FAILING in ticket
    for fact in (f"commit: {run['git_sha']}", f"branch: {run['git_branch']}", "behave 'features/orders.feature:"):
        assert fact in ticket
    (link,) = [line for line in ticket.splitlines() if line.startswith("file://")]
    report.page.goto(link)
    expect(report.page.locator("#hr-scenario-title")).to_have_text("Parcel leaves on the express lane")


def test_fields_beyond_the_limit_are_counted_and_the_table_says_whose_it_is(open_report: OpenReport) -> None:
    card = open_report(_differing(2, dropped=7, attempts=3)).page.locator(".hr-finding").inner_text()
    assert "7 more fields differ: see the bodies." in card
    assert "This is the closest of 3 near-misses; the others are in the message timeline." in card


def test_near_misses_that_are_not_kept_are_not_said_to_be_in_the_timeline(open_report: OpenReport) -> None:
    results, gherkin = _differing(1, attempts=2)
    part = results["tests"][0]["scenarios"][0]
    part.update(timeline_dropped=40)
    part["handles"][0]["failures_dropped"] = 30
    card = open_report((results, gherkin)).page.locator(".hr-finding").inner_text()
    assert "in the message timeline" not in card
    assert "of 32 near-misses; the message timeline has 2 near-misses, 40 events are not kept" in card


def test_steps_show_verdict_and_time_and_fold_their_arguments(red: Opened) -> None:
    steps = red.page.locator(".hr-step")
    words = [text.split("\n")[0] for text in steps.all_inner_texts()]
    assert words == ["PASS", "PASS", "PASS", "FAIL", "SKIP"]
    failed = steps.nth(3)
    assert "201 ms" in failed.inner_text()
    failed.get_by_text("table, 3 rows").click()
    expect(failed.locator("td").first).to_be_visible()
    assert failed.locator("td").all_inner_texts()[2:4] == ["shipment.lane", "4"]


def test_a_step_that_failed_in_a_timeout_still_reads_as_written(open_report: OpenReport) -> None:
    report = _show(open_report, "Paid order reaches the warehouse")
    assert 'Then "warehouse.pick" is received on kafka within 500 ms' in report.texts(".hr-step-text")


def test_an_expectation_shows_budget_and_headroom(red: Opened) -> None:
    passed = red.page.locator('.hr-handle[data-topic="orders.accepted"]')
    assert "2.31 ms of 50 ms" in passed.inner_text()
    assert "47.7 ms left (95 %)" in passed.inner_text()


def test_a_slow_expectation_says_how_far_it_is_over(open_report: OpenReport) -> None:
    report = _show(open_report, "Invoice follows in time")
    assert "17.2 ms over" in report.texts(".hr-handle")[0]
    assert report.texts(".hr-finding")[0].split("\n")[1] == "over budget on invoices.created"
    assert "17.2 ms over the budget of 50 ms" in report.texts(".hr-finding")[0]


def test_the_budget_on_the_axis_ends_where_its_marker_stands(open_report: OpenReport) -> None:
    page = _show(open_report, "Invoice follows in time").page
    area, marker, match = (
        page.locator(f'[data-action="matched"] {part}').bounding_box()
        for part in (".hr-bar--budget", ".hr-mark--budget", ".hr-mark--slow")
    )
    assert area is not None
    assert marker is not None
    assert match is not None
    assert area["x"] + area["width"] == pytest.approx(marker["x"] + 1, abs=1.5)
    assert marker["x"] < match["x"]


def test_a_reply_that_failed_is_named_with_its_transport(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    stage = next(test for test in results["tests"] if test["name"] == "Paid order reaches the warehouse")
    stage["scenarios"][0]["replies"][0].update(state="reply_failed", builder_error="KeyError", reply_published=False)
    page = open_report((results, gherkin), "#" + urlencode({"test": stage["nodeid"]})).page
    card = page.locator(".hr-finding").first.inner_text()
    assert "failed with KeyError; nothing was published on 'payments.done'" in card
    badge = page.locator("[data-failing-reply-response-transport]")
    assert badge.get_attribute("data-failing-reply-response-transport") == "kafka"
    assert page.locator("[data-reply-publish-failed] .hr-reply-transport-badge--failed").inner_text() == "K\nkafka"


def test_opening_an_expectation_shows_both_values(red: Opened) -> None:
    handle = red.page.locator('.hr-handle[data-topic="parcels.leaving"]')
    handle.locator("summary").first.click()
    assert '"lane": 4' in handle.locator("[data-panel=expected] pre").inner_text()
    assert '"carrier": "post"' in handle.locator("[data-panel=actual] pre").inner_text()


def test_pointing_at_a_step_lights_its_expectation_and_messages(red: Opened) -> None:
    red.page.locator(".hr-step").nth(3).hover()
    lit = red.page.locator("[data-lit]")
    assert lit.locator("visible=true").count() >= 4
    assert red.page.locator(".hr-handle[data-lit]").get_attribute("data-topic") == "parcels.leaving"
    assert set(
        red.page.locator(".hr-waterfall-row[data-lit]").evaluate_all("all => all.map(n => n.dataset.topic)")
    ) == {"parcels.leaving"}


def test_pointing_at_a_message_lights_its_step(red: Opened) -> None:
    step = red.page.locator(".hr-step").nth(3)
    red.page.locator('[data-action="mismatched"]').first.hover()
    expect(step).to_have_attribute("data-lit", "")
    red.page.mouse.move(0, 0)
    expect(step).not_to_have_attribute("data-lit", "")


def _many_handles(passed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    failed = [a_handle(f"late.{n}", "timeout", 90.0, reason="no message") for n in range(3)]
    met = [a_handle(f"t.{n}", "pass", 10.0 + n, 50.0) for n in range(passed)]
    return results_of([a_test("x", "failed", [a_scope("timeout", [*met, *failed])])]), {}


def test_only_the_worst_finding_stands_open_and_the_others_are_a_line_each(open_report: OpenReport) -> None:
    page = open_report(_many_handles(1)).page
    assert page.locator(".hr-finding").count() == 3
    lines = page.locator("details.hr-finding:not([open]) > summary").all_inner_texts()
    assert [" ".join(line.split()) for line in lines] == [
        f"TIMEOUT nothing arrived on late.{n} No message arrived on 'late.{n}' within 90 ms" for n in (1, 2)
    ]


def test_many_passed_expectations_step_back_and_name_the_tightest(open_report: OpenReport) -> None:
    page = open_report(_many_handles(9)).page
    assert page.locator(".hr-handle:visible").count() == 3
    page.get_by_text("9 passed, the tightest with 32 ms left (64 %)").click()
    assert page.locator(".hr-handle:visible").count() == 12
    assert open_report(_many_handles(6)).page.locator(".hr-handle:visible").count() == 9


def test_what_is_left_out_is_told_where_it_is_with_both_numbers(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    part = results["tests"][0]["scenarios"][0]
    results["run"]["truncated"] = True
    gherkin["left_out"] = 0
    note = gherkin["details"][results["tests"][0]["nodeid"]][0]
    note["left_out"] = {"handles": 118, "replies": 0, "transport_failures": 30}
    note["transport_failures"] = [{"transport": None, "topic": "t", "reason": "gone"}]
    page = open_report((results, gherkin), "#" + urlencode({"test": results["tests"][0]["nodeid"]})).page
    heads = page.locator("main h3").all_inner_texts()
    assert f"{len(part['handles'])} of {len(part['handles']) + 118} Expectations shown" in heads
    assert "1 of 31 Transport failures shown" in heads
    assert page.locator("[data-slot=notices]").inner_text() == ""


def test_tests_that_are_left_out_are_counted_for_the_whole_page(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    results["run"]["truncated"] = True
    notices = open_report((results, {**gherkin, "left_out": 986})).page.locator("[data-slot=notices]")
    assert "14 of 1,000 scenarios are in this report, those that failed first." in notices.inner_text()


def test_whatever_the_results_say_is_shown(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    run, test = results["run"], results["tests"][0]
    part = test["scenarios"][0]
    run.update(truncated=True, transports=["kafka", "nats", "carrier-pigeon"])
    run["redactions"].update(fields=713, stream_matches=714)
    test["worker_id"] = "gw715"
    part.update(correlation_id="corr-716", summary_text="summary 717", timeline_dropped=718)
    part["handles"][1].update(failures_dropped=719, matcher_description="matcher 720")
    page = open_report((results, gherkin), "#" + urlencode({"test": FAILING, "event": "0-5"})).page
    page.get_by_role("button", name="About this run").click()
    page.locator("main details").evaluate_all("all => all.forEach(node => { node.open = true; })")
    expect(page.locator("main details[open]:not(:has(> summary + *))")).to_have_count(0)
    text = page.locator("body").inner_text()
    for shown in (
        "larger than the report may be", "carrier-pigeon", "713 fields, 714 matches", "worker gw715", "corr-716",
        "summary 717", "718 more events not kept", "latest of 721 near-misses", "matcher 720", "shipment.eta",
    ):  # fmt: skip
        assert shown in text, shown


def test_the_timeline_follows_a_message_across_transports(open_report: OpenReport) -> None:
    report = _show(open_report, "Paid order reaches the warehouse")
    report.page.get_by_role("button", name="Lanes").click()
    chain = _rows(report).evaluate_all(
        "all => all.slice(0, 6).map(n => [n.dataset.action, n.dataset.topic, n.dataset.transport, Number(n.ariaLevel)])"
    )
    assert chain == [
        ["published", "orders.pay", "nats", 1],
        ["received", "orders.pay", "nats", 2],
        ["replied", "payments.done", "kafka", 3],
        ["received", "payments.done", "kafka", 4],
        ["replied", "orders.paid", "nats", 5],
        ["matched", "orders.paid", "nats", 6],
    ]


def test_equal_topics_on_two_transports_are_kept_apart(open_report: OpenReport) -> None:
    events = [
        an_event(0.0, "published", "orders", transport="kafka", source="publish"),
        an_event(1.0, "published", "orders", transport="nats", source="publish"),
        an_event(2.0, "received", "orders", transport="kafka", source="expect"),
        an_event(2.1, "matched", "orders", transport="kafka", source="expect"),
    ]
    handle = a_handle("orders", "pass", 2.1, transport="kafka", correlation_id="sha256:5b1f0c9e77aa0142")
    stage = {"bridge_class": "SharedId", "transports": ["kafka", "nats"], "correlation_ids": {}}
    report = open_report((results_of([a_test("x", "passed", [a_scope("pass", [handle], events, stage=stage)])]), {}))
    matched = report.page.locator('[data-action="matched"]')
    assert matched.get_attribute("data-parent-id") == "0-0"
    assert report.texts(".hr-stage-tag") == ["joined by one correlation id"]


def test_replies_of_a_single_harness_join_trigger_and_answer(open_report: OpenReport) -> None:
    events = [
        an_event(0.0, "published", "ask"),
        an_event(0.2, "received", "ask", "reply:answer"),
        an_event(0.5, "replied", "ask", "reply=answer"),
        an_event(0.7, "received", "answer", "expect"),
        an_event(0.8, "matched", "answer", "ok"),
    ]
    scope = a_scope("pass", [a_handle("answer", "pass", 0.8)], events)
    report = open_report((results_of([a_test("x", "passed", [scope])]), {}))
    levels = _rows(report).evaluate_all("all => all.map(n => [n.dataset.action, n.dataset.topic, Number(n.ariaLevel)])")
    assert levels == [
        ["published", "ask", 1],
        ["received", "ask", 2],
        ["replied", "answer", 3],
        ["matched", "answer", 4],
    ]


def test_what_never_came_has_a_row_up_to_the_deadline(open_report: OpenReport) -> None:
    report = _show(open_report, "Paid order reaches the warehouse")
    absent = report.page.locator('[data-action="absent"]')
    assert "nothing arrived" in absent.inner_text()
    assert "500 ms" in absent.inner_text()


def test_a_late_deadline_does_not_squeeze_the_messages(open_report: OpenReport) -> None:
    report = _show(open_report, "Paid order reaches the warehouse")
    ticks = report.page.locator(".hr-tick")
    assert ticks.last.inner_text() == "8 ms"
    report.page.get_by_role("button", name="Show all 500 ms").click()
    assert ticks.last.inner_text() == "600 ms"


def test_a_scenario_below_a_millisecond_has_distinct_ticks(open_report: OpenReport) -> None:
    events = [
        an_event(0.031, "published", "a"),
        an_event(0.294, "received", "a", "expect"),
        an_event(0.312, "matched", "a"),
    ]
    scope = a_scope("pass", [a_handle("a", "pass", 0.281)], events)
    report = open_report((results_of([a_test("x", "passed", [scope])]), {}))
    assert report.texts(".hr-tick") == ["0 µs", "100 µs", "200 µs", "300 µs", "400 µs"]
    assert "31 µs" in _rows(report).first.inner_text()


def test_near_misses_are_hollow_and_open_with_their_own_differences(red: Opened) -> None:
    near = red.page.locator('[data-action="mismatched"]')
    assert near.count() == 2
    assert near.locator(".hr-mark--near").count() == 2
    near.first.click()
    panel = red.page.get_by_role("complementary", name="Message")
    assert panel.locator("tr.hr-diff-line").inner_text().split() == ["shipment.lane", "expected", "4", "arrived", "9"]
    assert '"lane": 9' in panel.locator("pre").inner_text()


def test_arrows_move_fold_and_open_the_timeline(open_report: OpenReport) -> None:
    report = _show(open_report, "Paid order reaches the warehouse")
    report.page.get_by_role("button", name="Lanes").click()
    rows = _rows(report)
    before = rows.count()
    rows.first.focus()
    press = report.page.keyboard.press
    press("ArrowLeft")
    expect(rows.first).to_have_attribute("aria-expanded", "false")
    assert rows.count() == before - 5
    press("ArrowRight")
    assert rows.count() == before
    press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    press("ArrowDown")
    press("Enter")
    panel = report.page.get_by_role("complementary", name="Message")
    expect(panel).to_contain_text("payments.done")
    expect(panel).to_contain_text("correlation-id")
    press("Escape")
    expect(panel).to_be_hidden()


def test_a_long_timeline_draws_what_is_in_sight_says_so_and_offers_the_rest(open_report: OpenReport) -> None:
    events = [an_event(n / 10, "published", f"t.{n}") for n in range(700)]
    report = open_report((results_of([a_test("x", "passed", [a_scope("pass", [], events)])]), {}))
    grid = report.page.get_by_role("treegrid")
    shown = _rows(report).count()
    assert 20 < shown < 120
    assert grid.get_attribute("data-virtualised-shown") == str(shown)
    assert grid.get_attribute("data-virtualised-total") == "700"
    report.page.locator(".hr-waterfall-rows").evaluate("node => { node.scrollTop = node.scrollHeight; }")
    report.page.locator('[data-topic="t.699"]').wait_for()
    assert _rows(report).count() < 120
    report.page.locator("[data-virtualised-expand]").click()
    assert _rows(report).count() == 700
    assert grid.get_attribute("data-virtualised") is None
    assert grid.get_attribute("data-virtualised-expanded") == "true"


def test_the_stage_names_its_transports_and_the_side_that_broke(open_report: OpenReport) -> None:
    page = _show(open_report, "Paid order reaches the warehouse").page
    expect(page.locator("[data-stage-transports]")).to_have_attribute("data-stage-transports", "kafka nats")
    expect(page.locator("[data-failing-transports]")).to_have_attribute("data-failing-transports", "kafka")
    assert page.locator("[data-handle-transport]").count() == 2
    assert page.locator('[role="treegrid"] [role=img]').first.get_attribute("aria-label") == "transport: kafka"


def test_a_reply_tells_how_far_it_got(open_report: OpenReport) -> None:
    page = _show(open_report, "Paid order reaches the warehouse").page
    idle = page.locator('.hr-reply-row[data-state="armed_no_match"]')
    assert "No message came on the trigger topic." in idle.inner_text()
    statuses = idle.locator(".hr-reply-stage").evaluate_all("all => all.map(n => n.dataset.stageStatus)")
    assert statuses == ["no", "skipped", "skipped", "skipped"]


def test_a_service_that_drops_what_it_takes_has_not_replied(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    stage = next(test for test in results["tests"] if test["name"] == "Paid order reaches the warehouse")
    stage["scenarios"][0]["replies"][0].update(
        state="replied", reply_topic="(nothing)", match_count=2, candidate_count=3
    )
    page = open_report((results, gherkin), "#" + urlencode({"test": stage["nodeid"]})).page
    row = page.locator('.hr-reply-row[data-reply-topic="(nothing)"]')
    expect(row.locator(".hr-verdict-word")).to_have_text("dropped")
    expect(row).to_contain_text("Took 2 messages of 3 seen, silently.")


def test_a_skipped_scenario_gives_its_reason(open_report: OpenReport) -> None:
    report = _show(open_report, "Refund by post")
    assert "the postal gateway is not built yet" in report.texts("main")[0]


def test_an_undefined_step_is_the_cause(open_report: OpenReport) -> None:
    report = _show(open_report, "Order is archived")
    assert 'No step matches "Given an archive is mounted"' in report.texts(".hr-finding")[0]


def test_the_traceback_waits_behind_a_better_explanation(red: Opened, open_report: OpenReport) -> None:
    assert red.page.locator("[data-capture=traceback]").get_attribute("open") is None
    plain = a_test("x", "failed", traceback="Traceback\nValueError: no luck")
    report = open_report((results_of([plain]), {}))
    assert "ValueError: no luck" in report.texts(".hr-finding")[0]
    assert "Traceback" in report.texts("[data-capture=traceback] pre")[0]


def test_a_failed_expectation_nobody_checked_is_marked(open_report: OpenReport) -> None:
    scope = a_scope(
        "timeout", [a_handle("orders", "timeout", 50.0)], [an_event(50.0, "deadline", "orders", "no message")]
    )
    report = open_report((results_of([a_test("x", "passed", [scope])]), {}))
    assert "unchecked" in report.texts('[role="treeitem"][data-nodeid]')[0]
    assert "no step or assertion checked" in report.texts("main")[0]


def test_a_scenario_without_messages_says_so(open_report: OpenReport) -> None:
    report = open_report((results_of([a_test("x")]), {}))
    assert "nothing was sent or expected here" in report.texts("main")[0]


def test_a_cut_value_is_shown_as_cut(open_report: OpenReport) -> None:
    cut: dict[str, Any] = {"_truncated": True, "_original_bytes": 20_480, "_head": '{"blob": "aaa'}
    handle = a_handle("big", "pass", 1.0, actual=cut, truncated=True)
    report = open_report((results_of([a_test("x", "passed", [a_scope("pass", [handle])])]), {}))
    report.page.locator(".hr-handle summary").first.click()
    assert "the first part of 20 KB" in report.texts(".hr-handle")[0]


def test_of_a_body_that_was_cut_both_ends_are_shown(open_report: OpenReport) -> None:
    body: dict[str, Any] = {"_truncated": True, "_original_bytes": 204_800, "_head": '{"blob": "aaa', "_tail": 'zzz"}'}
    scope = a_scope("pass", [a_handle("big", "pass", 1.0)], [an_event(0.0, "published", "big")])
    test = a_test("x", "passed", [scope])
    told = {"details": {test["nodeid"]: [{"handles": [{}], **heard([a_message("big", body, size=204_800)])}]}}
    report = open_report((results_of([test]), told))
    report.page.locator(".hr-waterfall-row").first.click()
    shown = report.texts(".hr-article")[0]
    assert "Cut: the first and the last part of 200 KB." in shown
    assert '{"blob": "aaa\n…\nzzz"}' in shown

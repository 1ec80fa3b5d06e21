"""The message timeline: zoom, lanes, arrows, budgets, times, and what can be taken along from a message."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from choreo_bdd_reporter.model.limits import json_safe
from tests.support.page_builders import (
    a_description,
    a_feature,
    a_handle,
    a_message,
    a_scope,
    a_test,
    an_event,
    gherkin_of,
    heard,
    put_message,
    results_of,
)
from tests.support.page_sample import FAILING, sample_run, stage_test

from .conftest import Opened, OpenReport

pytestmark = pytest.mark.browser

STAGE = "features/orders.feature::Paid order reaches the warehouse"


@pytest.fixture
def stage(open_report: OpenReport) -> Opened:
    return open_report(sample_run(), "#" + urlencode({"test": STAGE}))


def _ticks(page: Page) -> list[str]:
    return page.locator(".hr-tick").all_inner_texts()


def _box(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def _busy_run(count: int = 80) -> tuple[dict[str, Any], dict[str, Any]]:
    events = [an_event(n * 10.0, "published", f"t.{n}") for n in range(count)]
    return results_of([a_test("x", "passed", [a_scope("pass", [], events)])]), {}


def test_each_registered_transport_has_a_lane_also_an_empty_one(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    test = next(test for test in results["tests"] if test["nodeid"] == STAGE)
    test["scenarios"][0]["stage"]["transports"] = ["kafka", "nats", "redis"]
    page = open_report((results, gherkin), "#" + urlencode({"test": STAGE})).page
    lanes = page.locator(".hr-waterfall-lane")
    assert lanes.evaluate_all("all => all.map(n => n.dataset.transport ?? null)") == ["kafka", "nats", "redis", None]
    assert lanes.nth(2).locator(".hr-waterfall-row").count() == 0
    assert lanes.nth(3).get_attribute("data-scope-lane") == "true"
    assert lanes.nth(3).locator("[data-scope-event=true]").count() == 1


def test_reply_arrows_run_from_the_trigger_to_the_reply(stage: Opened) -> None:
    arrows = stage.page.locator("[data-reply-link-from]")
    assert stage.page.locator(".hr-waterfall-reply-arrows").get_attribute("data-reply-arrow-count") == "2"
    ends = arrows.evaluate_all("all => all.map(n => [n.dataset.replyLinkFrom, n.dataset.replyLinkTo])")
    assert ends == [["0-1", "0-2"], ["0-3", "0-4"]]
    _expect_arrow_at_its_rows(stage.page)


def _expect_arrow_at_its_rows(page: Page) -> None:
    arrow = _box(page.locator('[data-reply-link-to="0-2"]'))
    start, end = (_box(page.locator(f'[data-node-id="{row}"] .hr-mark')) for row in ("0-1", "0-2"))
    top, bottom = arrow["y"], arrow["y"] + arrow["height"]
    for mark in (start, end):
        assert arrow["x"] - 8 <= mark["x"] + mark["width"] / 2 <= arrow["x"] + arrow["width"] + 8
        assert top - 12 <= mark["y"] + mark["height"] / 2 <= bottom + 12


def test_arrows_follow_zoom_and_resize(stage: Opened) -> None:
    before = _box(stage.page.locator('[data-reply-link-to="0-2"]'))
    stage.page.set_viewport_size({"width": 1100, "height": 900})
    expect(stage.page.locator('[data-reply-link-to="0-2"]')).to_be_attached()
    stage.page.wait_for_function(
        "x => Math.abs(document.querySelector('[data-reply-link-to=\"0-2\"]').getBoundingClientRect().x - x) > 20",
        arg=before["x"],
    )
    _expect_arrow_at_its_rows(stage.page)
    stage.page.get_by_role("button", name="Show all 500 ms").click()
    _expect_arrow_at_its_rows(stage.page)


def test_lanes_fold_and_give_way_to_the_tree_of_causes(stage: Opened) -> None:
    rows = stage.page.locator('.hr-waterfall-lane[data-transport="kafka"] .hr-waterfall-row')
    assert rows.count() == 4
    head = stage.page.locator('[data-node-id="lane:kafka"]')
    head.click()
    expect(head).to_have_attribute("aria-expanded", "false")
    assert rows.count() == 0
    stage.page.get_by_role("button", name="Lanes").click()
    assert stage.page.locator(".hr-waterfall-lane").count() == 0
    assert stage.page.locator("[data-reply-link-from]:visible").count() == 0
    assert stage.page.locator('[data-node-id="0-2"]').get_attribute("aria-level") == "3"


def test_keys_zoom_and_pan_and_zero_shows_everything_again(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    assert (_ticks(page)[0], _ticks(page)[-1]) == ("0 ms", "1000 ms")
    page.keyboard.press("w")
    assert _ticks(page) == ["300 ms", "400 ms", "500 ms", "600 ms", "700 ms"]
    page.keyboard.press("d")
    assert _ticks(page)[0] == "400 ms"
    page.keyboard.press("a")
    assert _ticks(page)[0] == "300 ms"
    page.keyboard.press("s")
    assert _ticks(page)[-1] == "1000 ms"
    page.keyboard.press("+")
    page.keyboard.press("0")
    assert (_ticks(page)[0], _ticks(page)[-1]) == ("0 ms", "1000 ms")


def test_letters_typed_into_the_search_zoom_nothing(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    page.get_by_role("searchbox").press_sequentially("wad")
    assert _ticks(page)[-1] == "1000 ms"


def test_ctrl_and_wheel_zoom_around_the_pointer(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    mark = page.locator('[data-topic="t.20"] .hr-mark')
    before = _box(mark)
    page.mouse.move(before["x"] + before["width"] / 2, before["y"] + 5)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(page.locator(".hr-tick").first).not_to_have_text("0 ms")
    assert _box(mark)["x"] == pytest.approx(before["x"], abs=3)


def test_dragging_moves_along_and_chooses_no_message(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    page.keyboard.press("w")
    mark = page.locator('[data-topic="t.50"] .hr-mark')
    mark.scroll_into_view_if_needed()
    before = _box(mark)
    page.mouse.move(before["x"] + 5, before["y"] + 5)
    page.mouse.down()
    page.mouse.move(before["x"] - 95, before["y"] + 5, steps=5)
    page.mouse.up()
    assert _box(mark)["x"] == pytest.approx(before["x"] - 100, abs=4)
    expect(page.get_by_role("complementary", name="Message")).to_be_hidden()


def test_a_long_timeline_has_a_minimap_that_chooses_the_stretch(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    box = _box(page.locator(".hr-minimap canvas"))
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.41, box["y"] + 20, steps=4)
    page.mouse.up()
    assert _ticks(page)[0] == "200 ms"
    assert _ticks(page)[-1] == "400 ms"
    painted = page.locator(".hr-minimap canvas").evaluate(
        "node => new Set(node.getContext('2d').getImageData(0, 0, node.width, node.height).data).size"
    )
    assert painted > 3


def test_a_short_timeline_has_none_until_it_is_zoomed(stage: Opened) -> None:
    minimap = stage.page.locator(".hr-minimap")
    expect(minimap).to_be_hidden()
    stage.page.keyboard.press("w")
    expect(minimap).to_be_visible()


def test_time_can_be_read_as_the_clock_showed_it(open_report: OpenReport) -> None:
    report = open_report(sample_run(), "#" + urlencode({"test": FAILING}), timezone_id="Europe/Berlin")
    report.page.get_by_role("button", name="Clock time").click()
    assert _ticks(report.page)[0].startswith("10:12:04.1")
    assert "10:12:04.118" in report.page.locator('[data-action="published"]').inner_text()
    report.page.reload()
    assert _ticks(report.page)[0].startswith("10:12:04.1")
    report.page.locator('[data-action="published"]').click()
    expect(report.page.locator(".hr-message")).to_contain_text("10:12:04.118")


def test_the_time_before_the_first_message_takes_no_room(open_report: OpenReport) -> None:
    events = [
        an_event(602.5, "published", "a"),
        an_event(603.2, "received", "a", "expect"),
        an_event(603.3, "matched", "a"),
    ]
    scope = a_scope("pass", [a_handle("a", "pass", 0.7)], events)
    page = open_report((results_of([a_test("x", "passed", [scope])]), {})).page
    assert _ticks(page) == ["602.4 ms", "602.6 ms", "602.8 ms", "603 ms", "603.2 ms", "603.4 ms"]


def test_the_critical_path_leads_from_the_first_cause_to_the_last_message(stage: Opened) -> None:
    assert "critical path 6 messages, 6.2 ms" in stage.page.locator(".hr-waterfall-head").inner_text()
    marked = stage.page.locator("[data-critical]").evaluate_all("all => all.map(n => n.dataset.nodeId)")
    assert sorted(marked) == ["0-0", "0-1", "0-2", "0-3", "0-4", "0-5"]


def test_budgets_stand_on_the_axis_with_their_topic(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": "features/orders.feature::Invoice follows in time"})).page
    flag = page.locator(".hr-axis-budget")
    assert flag.get_attribute("title") == "budget of invoices.created: 50 ms"
    marker = _box(page.locator(".hr-mark--budget").last)
    assert _box(flag)["x"] + 4 == pytest.approx(marker["x"] + 1, abs=1.5)


def test_what_came_after_the_deadline_is_late_and_what_belongs_elsewhere_is_foreign(open_report: OpenReport) -> None:
    results, gherkin = sample_run()
    test = next(test for test in results["tests"] if test["nodeid"] == FAILING)
    test["scenarios"][0]["timeline"].append(an_event(210.0, "received", "parcels.leaving", "expect"))
    page = open_report((results, gherkin), "#" + urlencode({"test": FAILING})).page
    assert "arrived late" in page.locator("[data-late]").inner_text()
    page.get_by_role("treeitem", name="Paid order reaches the warehouse").click()
    assert "with another id" in page.locator('[data-action="correlation_skipped"]').inner_text()


def test_a_failing_path_is_what_a_very_long_timeline_opens_on(open_report: OpenReport) -> None:
    events = [an_event(n / 10, "published", f"t.{n}") for n in range(250)]
    events += [an_event(30.0, "received", "t.7", "expect"), an_event(30.1, "mismatched", "t.7")]
    scope = a_scope("fail", [a_handle("t.7", "fail", 30.1, attempts=1)], events)
    page = open_report((results_of([a_test("x", "failed", [scope])]), {})).page
    shown = page.locator(".hr-waterfall-row")
    assert shown.evaluate_all("all => all.map(n => n.dataset.action)") == ["published", "mismatched", "absent"]
    page.get_by_role("button", name="Failing path only").click()
    assert shown.count() == 252


def _copied(page: Page, name: str) -> str:
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.get_by_role("complementary", name="Message").get_by_role("button", name=name).click()
    return str(page.evaluate("window.copied"))


@pytest.fixture
def message(open_report: OpenReport) -> Page:
    results, gherkin = sample_run()
    _, _, notes = stage_test()
    body: dict[str, Any] = {
        "correlation_id": "9f2c41",
        "order": {"id": "A-17", "lines": [{"sku": "it's | 5\\2", "qty": 2}]},
        "ref": "0b4c7f5e-6a3e-4f0e-9b0e-0d6f6c1b2a3d",
        "at": "2027-03-04T09:12:04.118Z",
        "note": None,
        "a.b": [],
    }
    put_message(notes[STAGE][0], 5, a_message("orders.paid", body))
    gherkin["details"] |= notes
    return open_report((results, gherkin), "#" + urlencode({"test": STAGE, "event": "0-5"})).page


def test_a_message_is_copied_as_an_expectation_of_the_vocabulary(message: Page) -> None:
    assert _copied(message, "copy as expectation").splitlines() == [
        'Then I expect "orders.paid" on nats:',
        "  | field              | value            |",
        '  | order.id           | "A-17"           |',
        '  | order.lines[0].sku | "it\'s \\| 5\\\\\\\\2" |',
        "  | order.lines[0].qty | 2                |",
        "  | ref                | a uuid           |",
        "  | at                 | a timestamp      |",
        "  | note               | null             |",
        "  | 'a.b'              | []               |",
    ]


def test_a_message_is_copied_as_a_publish_step(message: Page) -> None:
    lines = _copied(message, "copy as publish step").splitlines()
    assert lines[0] == 'When I publish "orders.paid" on nats with key "A-17":'
    assert (lines[1], lines[-1]) == ('  """', '  """')
    assert '    "correlation_id": "9f2c41",' in lines


def test_a_message_is_copied_for_the_tool_of_its_broker_with_quotes_that_hold(message: Page) -> None:
    command = _copied(message, "copy nats pub")
    assert command.startswith("nats pub -H 'correlation-id:9f2c41' -H 'content-type:application/json' 'orders.paid' '{")
    assert "it'\\''s" in command


@pytest.fixture
def binary(open_report: OpenReport) -> Page:
    results, gherkin = sample_run()
    _, _, notes = stage_test()
    put_message(notes[STAGE][0], 5, a_message("orders.paid", json_safe(b"\x00\n\\'A\xff" + b"~" * 14)))
    gherkin["details"] |= notes
    return open_report((results, gherkin), "#" + urlencode({"test": STAGE, "event": "0-5"})).page


def test_bytes_are_shown_as_hex_and_text_and_saved_as_they_were(binary: Page) -> None:
    assert binary.get_by_label("Payload", exact=True).inner_text().splitlines() == [
        "0000  00 0a 5c 27 41 ff 7e 7e  ..\\'A.~~",
        "0008  7e 7e 7e 7e 7e 7e 7e 7e  ~~~~~~~~",
        "0010  7e 7e 7e 7e              ~~~~",
    ]
    panel = binary.get_by_role("complementary", name="Message")
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth"), "wider than its panel"
    expect(panel).to_contain_text("Bytes, 20 B.")
    assert "_unserialisable" not in panel.inner_text()
    with binary.expect_download() as saved:
        panel.get_by_role("link", name="Save").click()
    assert saved.value.path().read_bytes() == b"\x00\n\\'A\xff" + b"~" * 14


def test_bytes_are_published_again_from_the_saved_file(binary: Page) -> None:
    assert _copied(binary, "copy as publish step") == (
        'When I publish "orders.paid" on nats with key "A-17" from file "body.bin"'
    )
    assert _copied(binary, "copy as expectation") == 'Then I expect "orders.paid" on nats'


@pytest.mark.parametrize(
    ("tool", "begin"),
    [
        ("nats pub", "nats pub "),
        ("kcat", "printf %s '{"),
        ("rabbitmqadmin", "rabbitmqadmin publish exchange=choreo routing_key='parcels.leaving' payload='{"),
        ("redis-cli", "redis-cli PUBLISH 'parcels.leaving' '{"),
    ],
)
def test_without_a_named_broker_every_tool_is_offered(tool: str, begin: str, open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": FAILING, "event": "0-5"})).page
    command = _copied(page, f"copy {tool}")
    assert command.startswith(begin)
    if tool == "kcat":
        assert command.endswith(
            "| kcat -P -b localhost:9092 -t 'parcels.leaving' -k 'A-17'"
            " -H 'correlation-id=9f2c41' -H 'content-type=application/json'"
        )


def test_a_link_to_a_message_brings_its_row_into_sight(open_report: OpenReport) -> None:
    page = open_report(
        sample_run(), "#" + urlencode({"test": FAILING, "event": "0-5"}), viewport={"width": 1000, "height": 500}
    ).page
    row = page.locator('[data-node-id="0-5"]')
    expect(row).to_have_attribute("aria-selected", "true")
    expect(row).to_be_in_viewport()


def test_the_scenario_is_copied_as_a_command_as_gherkin_and_as_text(open_report: OpenReport) -> None:
    page = open_report(sample_run(), "#" + urlencode({"test": FAILING})).page
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.get_by_role("button", name="copy command").click()
    assert page.evaluate("window.copied") == "behave 'features/orders.feature:6'"
    page.get_by_role("button", name="copy Gherkin").click()
    gherkin = page.evaluate("window.copied").splitlines()
    assert gherkin[:2] == ["@orders @express", "Scenario: Parcel leaves on the express lane"]
    assert gherkin[2] == '  When "orders.created" is published with'
    assert "    | shipment.lane | 4 |" in gherkin
    page.get_by_role("button", name="copy as text").click()
    text = page.evaluate("window.copied")
    assert "wrong shape on parcels.leaving: 2 messages arrived" in text
    assert 'FAIL    And "parcels.leaving" is received with' in text
    assert "| shipment.lane | 4 |" in text


def test_a_scenario_that_a_module_of_pytest_bdd_has_bound_is_run_again_by_pytest(open_report: OpenReport) -> None:
    test = a_test("bound", nodeid="tests/test_shop.py::test_bound", file="tests/test_shop.py")
    feature = a_feature("Shop", [a_description(test["nodeid"], "bound", [])], "features/shop.feature")
    page = open_report((results_of([test]), gherkin_of([feature]))).page
    page.evaluate("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.get_by_role("button", name="copy command").click()
    assert page.evaluate("window.copied") == "pytest 'tests/test_shop.py::test_bound'"


def test_zooming_keeps_the_chosen_message_in_sight(open_report: OpenReport) -> None:
    page = open_report(_busy_run()).page
    page.locator(".hr-waterfall-row[data-topic='t.2']").click()
    for _ in range(6):
        page.keyboard.press("w")
    ticks = [float(text.split()[0]) for text in _ticks(page)]
    assert len(ticks) > 1
    assert min(ticks) - (ticks[1] - ticks[0]) <= 20 <= max(ticks) + (ticks[1] - ticks[0])
    assert max(ticks) - min(ticks) < 100


def test_a_body_that_is_cut_has_the_size_that_it_had_on_the_wire(open_report: OpenReport) -> None:
    results, _ = _busy_run(1)
    cut = {"_truncated": True, "_original_bytes": 104_038, "_head": "{", "_tail": "}"}
    details = {results["tests"][0]["nodeid"]: [heard([a_message("t.0", cut, size=92_058)])]}
    page = open_report((results, gherkin_of(details=details))).page
    page.locator(".hr-waterfall-row").first.click()
    told = page.locator(".hr-message").inner_text()
    assert told.count("89.9 KB") == 2
    assert "101.6 KB" not in told


def test_words_from_right_to_left_leave_their_neighbours_in_order(open_report: OpenReport) -> None:
    handle = a_handle("الطلبات.جديد", "fail", 1.0, matcher_description="العميل == 'أحمد'")
    page = open_report((results_of([a_test("x", "failed", [a_scope("fail", [handle], [])])]), {})).page
    described = page.locator("[data-field=handles] .hr-note", has_text="العميل").first
    places = described.evaluate(
        """node => [...node.querySelectorAll('bdi')].map(part => part.getBoundingClientRect().left)"""
    )
    assert len(places) == 2
    assert places == sorted(places)

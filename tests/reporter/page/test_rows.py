"""Every test has a row of its own, whatever it is called and however often it ran."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from choreo_bdd_reporter.page import data, render_page
from choreo_bdd_reporter.page.index import build_index
from choreo_bdd_reporter.read.entries import group_entries
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    heard,
    results_of,
)

from .conftest import OpenReport

NODEID = "tests/test_bus.py::test_arrives"


def _twin(worker: str, **fields: object) -> Json:
    scope = a_scope("pass", [a_handle("orders", "pass", 1.0)], [an_event(0.0, "published", "orders")], name=worker)
    return a_test(
        "test_arrives", "passed", [scope], nodeid=NODEID, file="tests/test_bus.py", worker_id=worker, **fields
    )


def _told(worker: str) -> list[Json]:
    message = {"topic": "orders", "payload": {"seen by": worker}}
    return [{"handles": [{}], **heard([message])}]


@pytest.fixture
def twins() -> tuple[Json, Json]:
    """One test, run by two workers, as ``--dist each`` has it; on the second it was run again and left a log."""
    log = {"name": "gw1.log", "media_type": "text/plain", "text": "of gw1", "size": 6, "cut": False}
    told: Json = {
        "details": {f"{NODEID}@{worker}": _told(worker) for worker in ("gw0", "gw1")},
        "attempts": {f"{NODEID}@gw1": [{"outcome": "failed", "reason": "late"}]},
        "attachments": {f"{NODEID}@gw1": [log]},
    }
    return results_of([_twin("gw0"), _twin("gw1")]), told


@pytest.fixture(params=[False, True], ids=["whole", "chunked"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of both forms."""
    if request.param:
        monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)


@pytest.mark.browser
@pytest.mark.usefixtures("form")
def test_a_test_that_two_workers_ran_has_two_rows_with_what_each_saw(
    twins: tuple[Json, Json], open_report: OpenReport
) -> None:
    report = open_report(twins)
    article = report.page.locator(".hr-article")
    for worker, other in (("gw0", "gw1"), ("gw1", "gw0")):
        report.page.get_by_role("treeitem", name=f"test_arrives ({worker})").click()
        expect(report.page.locator("#hr-scenario-title")).to_have_text(f"test_arrives ({worker})")
        assert report.selected == f"{NODEID}@{worker}"
        report.page.locator(".hr-waterfall-row").first.click()
        expect(article).to_contain_text(f'"{worker}"')
        expect(article).not_to_contain_text(f'"{other}"')
        expect(article.locator("[data-attachment]")).to_have_count(1 if worker == "gw1" else 0)
    assert report.errors == []


def test_what_is_told_of_one_of_them_is_not_told_of_the_other(twins: tuple[Any, Json]) -> None:
    index = build_index(group_entries(*twins), *twins)
    (group,) = index["groups"]
    assert [(row["id"], row.get("attempts")) for row in group["rows"]] == [
        (f"{NODEID}@gw0", None),
        (f"{NODEID}@gw1", [{"outcome": "failed", "reason": "late"}]),
    ]


def test_scenarios_of_two_workers_find_their_tests() -> None:
    results = results_of([_twin("gw0", duration_ms=1.0), _twin("gw1", duration_ms=2.0)])
    described = [a_description(f"{NODEID}@{worker}", "arrives", [a_step("Given", worker)]) for worker in ("gw0", "gw1")]
    (group,) = group_entries(results, gherkin_of([a_feature("Bus", described)]))
    assert [(entry.test["worker_id"], entry.steps[0]["text"]) for entry in group.entries] == [
        ("gw0", "gw0"),
        ("gw1", "gw1"),
    ]


def test_a_page_that_tells_of_a_test_twice_gives_it_one_row() -> None:
    described = [a_description("tests/test_bus.py::test_it", name, [a_step("Given", name)]) for name in ("one", "two")]
    test = a_test("test_it", "passed", nodeid="tests/test_bus.py::test_it", file="tests/test_bus.py")
    (group,) = group_entries(results_of([test]), gherkin_of([a_feature("Bus", described)]))
    assert [entry.steps[0]["text"] for entry in group.entries] == ["one"]


def test_equal_node_ids_without_workers_lose_no_test() -> None:
    results = results_of([_twin("gw0"), _twin("gw0")])
    (group,) = group_entries(results, {})
    assert [entry.row for entry in group.entries] == [f"{NODEID}@gw0", f"{NODEID}@gw0#2"]


@pytest.mark.browser
def test_a_failing_test_without_any_name_can_be_read(open_report: OpenReport) -> None:
    nameless = a_test("", "failed", nodeid="", file="", traceback="E   AssertionError: no order")
    assert "(no name)" in render_page(results_of([nameless]), {})
    report = open_report((results_of([nameless]), {}))
    expect(report.page.locator("#hr-scenario-title")).to_have_text("(no name)")
    assert report.errors == []

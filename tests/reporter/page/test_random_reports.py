"""Random reports that the schema allows: the page opens all of each without a complaint, every output counts alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree import ElementTree

import pytest

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd_reporter.outputs import as_chrome_trace, as_ctrf, as_otlp
from choreo_bdd_reporter.outputs.code_quality import as_code_quality
from choreo_bdd_reporter.outputs.junit import as_junit
from choreo_bdd_reporter.outputs.summary import as_annotations, as_markdown, as_text, flaky_tests
from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.page.index import build_index
from choreo_bdd_reporter.read.compare import compare
from choreo_bdd_reporter.read.entries import group_entries
from choreo_bdd_reporter.read.gherkin_check import checked
from choreo_bdd_schemas import validate_report
from tests.support.outcomes import OUTCOMES, of_ctrf, of_junit
from tests.support.random_reports import a_report

from .conftest import OpenReport

SEEDS = range(300)
_QUICK = 20  # of them in the inner loop
# every scenario with its messages and all that is folded, then the tabs of the whole run
_OPEN_ALL = """async () => {
  const rest = () => new Promise((done) => setTimeout(done, 5));
  const ids = [...document.querySelectorAll('[role=treeitem][data-nodeid]')].map((node) => node.dataset.nodeid);
  let backwards = 0;
  for (const view of ids.flatMap((test) => [{ test }, { test, attempt: 1 }])) {
    location.hash = new URLSearchParams(view);
    await rest();
    const rows = [...document.querySelectorAll('.hr-waterfall-row')];
    backwards += rows.filter((row) => /^[-\\u2212]/.test(row.lastElementChild.innerText)).length;
    for (const row of rows.slice(0, 4)) row.click();
    for (const fold of document.querySelectorAll('details:not([open])')) fold.open = true;
    await rest();
  }
  for (const tab of ['hops', 'topics', 'compare']) {
    location.hash = `tab=${tab}`;
    await rest();
  }
  const counts = [...document.querySelectorAll('[data-pill]')].map((node) => Number(/\\d+/.exec(node.innerText)?.[0]));
  return { rows: ids.length, backwards, counted: counts.reduce((sum, count) => sum + count, 0) };
}"""


@dataclass(frozen=True)
class Written:
    """A random report, and each output of it, written when a test first asks for it."""

    results: Any
    gherkin: Any

    @cached_property
    def junit(self) -> str:
        return as_junit(self.results, self.gherkin)

    @cached_property
    def ctrf(self) -> dict[str, Any]:
        return as_ctrf(self.results, self.gherkin)

    @cached_property
    def otlp(self) -> dict[str, Any]:
        return as_otlp(self.results, self.gherkin)

    @cached_property
    def trace(self) -> dict[str, Any]:
        return as_chrome_trace(self.results, self.gherkin)


def _seeds() -> Iterator[Any]:
    for seed in SEEDS:
        yield pytest.param(seed, marks=[pytest.mark.thorough] if seed >= _QUICK else [])


@pytest.fixture(scope="module", params=_seeds())
def written(request: pytest.FixtureRequest) -> Written:
    """For module scope, pytest runs all tests of one report before those of the next."""
    return Written(*a_report(request.param))


def test_every_export_of_a_random_report_counts_as_its_results_do(written: Written) -> None:
    results, gherkin = written.results, written.gherkin
    assert validate_report(results) == []
    assert checked(gherkin)[1] == []
    outcomes = Counter(OUTCOMES[test["outcome"]] for test in results["tests"])
    for told in (of_junit(results), of_ctrf(results)):
        assert Counter(outcome for _, outcome in told.elements()) == outcomes
    cases = ElementTree.fromstring(written.junit).iter("testcase")
    places = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(places)) == len(places) == len(results["tests"])
    for document in (written.ctrf, written.otlp, written.trace):
        json.dumps(document, allow_nan=False)
    assert len(json.loads(as_code_quality(results, gherkin))) >= outcomes["failed"]
    for write in (as_text, as_markdown, as_annotations):
        assert f"{len(results['tests'])} test" in write(results, gherkin)


def test_every_export_of_a_random_report_tells_the_causes_of_the_page(written: Written) -> None:
    results, gherkin = written.results, written.gherkin
    shown = [row for group in _index(results, gherkin)["groups"] for row in group["rows"] if row.get("failing")]
    causes = Counter(on_one_line(row["findings"][0]["cause"]) for row in shown)
    cases = list(ElementTree.fromstring(written.junit).iter("testcase"))
    assert Counter(why.get("type") for case in cases for why in case if why.tag in ("failure", "error")) == causes
    listed = [test for test in written.ctrf["results"]["tests"] if test["status"] == "failed"]
    assert Counter(on_one_line(test["extra"]["cause"]) for test in listed) == causes
    places = Counter((row["findings"][0].get("topic") or None, row["findings"][0].get("transport")) for row in shown)
    assert Counter((test["extra"].get("topic"), test["extra"].get("transport")) for test in listed) == places
    assert Counter(issue["check_name"] for issue in json.loads(as_code_quality(results, gherkin))) == causes
    sentences = Counter(row["findings"][0]["sentence"] for row in shown)
    assert Counter(test.get("message", "") for test in listed) == sentences
    same = compare(results, results, gherkin=(gherkin, gherkin))
    assert (same.new_failures, same.fixed, same.added, same.removed, same.shifts) == ((), (), (), (), ())
    assert set(same.still_failing) == {test["extra"]["nodeid"] for test in listed}


def test_every_export_of_a_random_report_calls_the_same_tests_flaky(written: Written) -> None:
    results, gherkin = written.results, written.gherkin
    shown = sum(row.get("flaky", False) for group in _index(results, gherkin)["groups"] for row in group["rows"])
    told = written.ctrf["results"]
    properties = ElementTree.fromstring(written.junit).iterfind(".//testcase/properties/property")
    in_xml = [found for found in properties if found.get("name") == "flaky"]
    assert {told["summary"]["flaky"], len(in_xml), len(flaky_tests(results, gherkin))} == {shown}


def test_no_time_of_a_random_report_runs_backwards(written: Written) -> None:
    told = written.ctrf["results"]
    assert told["summary"]["start"] <= told["summary"]["stop"]
    assert all(test["start"] <= test["stop"] for test in told["tests"] if "start" in test)
    for resource in written.otlp["resourceSpans"]:
        for span in resource["scopeSpans"][0]["spans"]:
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), span["name"]
    events = written.trace["traceEvents"]
    assert all(event["dur"] >= 0 for event in events if event["ph"] == "X")
    begun = {event["id"]: event["ts"] for event in events if event["ph"] in "bs"}
    assert all(begun[event["id"]] <= event["ts"] for event in events if event["ph"] in "ef")


def test_traces_of_a_random_report_tell_how_many_events_were_left_out(written: Written) -> None:
    events = written.trace["traceEvents"]
    left_out = [
        part["timeline_dropped"] for test in written.results["tests"] for part in test["scenarios"] if part["timeline"]
    ]
    wholes = [event for event in events if event.get("cat") == "scenario"]
    assert [event["args"]["timeline_dropped"] for event in wholes] == left_out
    roots = [span for span in written.otlp["resourceSpans"][0]["scopeSpans"][0]["spans"] if "events" in span]
    assert [span.get("droppedEventsCount", 0) for span in roots] == left_out


def _index(results: Any, gherkin: Any) -> Any:
    return build_index(group_entries(results, gherkin), results, gherkin)


@pytest.mark.browser
@pytest.mark.parametrize("seed", SEEDS[:24])
def test_a_random_report_opens_without_a_complaint(
    seed: int, open_report: OpenReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:
        monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)
    results, gherkin = a_report(seed)
    report = open_report((results, gherkin))
    report.page.locator(".hr-title").wait_for()
    found: Any = report.page.evaluate(_OPEN_ALL)
    assert report.errors == []
    assert found == {"rows": len(results["tests"]), "backwards": 0, "counted": len(results["tests"])}

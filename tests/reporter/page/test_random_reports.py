"""Random reports that the schema allows: the page opens all of each without a complaint, every output counts alike."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest

from choreo_bdd_reporter.outputs import as_chrome_trace, as_ctrf, as_otlp
from choreo_bdd_reporter.outputs.code_quality import as_code_quality
from choreo_bdd_reporter.outputs.junit import as_junit
from choreo_bdd_reporter.outputs.summary import as_annotations, as_markdown, as_text
from choreo_bdd_reporter.page import data
from choreo_bdd_schemas import validate_report
from tests.support.outcomes import OUTCOMES, of_ctrf, of_junit
from tests.support.random_reports import a_report

from .conftest import OpenReport

SEEDS = range(300)
# every scenario with its messages and all that is folded, then the tabs of the whole run
_OPEN_ALL = """async () => {
  const rest = () => new Promise((done) => setTimeout(done, 5));
  const ids = [...document.querySelectorAll('[role=treeitem][data-nodeid]')].map((node) => node.dataset.nodeid);
  for (const test of ids) {
    location.hash = new URLSearchParams({ test });
    await rest();
    for (const row of [...document.querySelectorAll('.hr-waterfall-row')].slice(0, 4)) row.click();
    for (const fold of document.querySelectorAll('details:not([open])')) fold.open = true;
    await rest();
  }
  for (const tab of ['hops', 'topics', 'compare']) {
    location.hash = `tab=${tab}`;
    await rest();
  }
  const counts = [...document.querySelectorAll('[data-pill]')].map((node) => Number(/\\d+/.exec(node.innerText)?.[0]));
  return { rows: ids.length, counted: counts.reduce((sum, count) => sum + count, 0) };
}"""


@pytest.mark.parametrize("seed", SEEDS)
def test_every_export_of_a_random_report_counts_as_its_results_do(seed: int) -> None:
    results, gherkin = a_report(seed)
    assert validate_report(results) == []
    outcomes = Counter(OUTCOMES[test["outcome"]] for test in results["tests"])
    for told in (of_junit(results), of_ctrf(results)):
        assert Counter(outcome for _, outcome in told.elements()) == outcomes
    cases = ElementTree.fromstring(as_junit(results, gherkin)).iter("testcase")
    places = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(places)) == len(places) == len(results["tests"])
    for document in (as_ctrf(results, gherkin), as_otlp(results, gherkin), as_chrome_trace(results, gherkin)):
        json.dumps(document, allow_nan=False)
    assert len(json.loads(as_code_quality(results, gherkin))) >= outcomes["failed"]
    for written in (as_text, as_markdown, as_annotations):
        assert f"{len(results['tests'])} test" in written(results, gherkin)


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
    assert found == {"rows": len(results["tests"]), "counted": len(results["tests"])}

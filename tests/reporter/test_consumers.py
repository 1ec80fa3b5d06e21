"""Official readers of what a report is written as: Cucumber's own, junitparser, CTRF's schema, OTLP's protocol.

Each must count as the results do, whatever became of a scenario.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from google.protobuf.json_format import ParseDict
from jsonschema import Draft7Validator, FormatChecker
from junitparser import Error as JUnitError
from junitparser import Failure as JUnitFailure
from junitparser import JUnitXml, Skipped, TestSuite
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, expect

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.outputs import as_ctrf, as_otlp
from choreo_bdd_reporter.outputs.code_quality import as_code_quality
from choreo_bdd_reporter.outputs.junit import as_junit
from choreo_bdd_reporter.read.report import Report, read_report
from tests.support.outcomes import OUTCOMES
from tests.support.page_sample import sample_run, told_run
from tests.support.page_tools import module_file, run_node
from tests.support.started import python_m

FEATURE = """
@team-a
Feature: Shop

  Scenario: passes
    Given a shop

  Scenario: fails
    Given a shop
    When it breaks
    Then it is shut

  Scenario: unknown
    When nobody knows

  @skipped
  Scenario: left out
    Given a shop

  @broken_before
  Scenario: breaks before
    Given a shop

  @broken_after
  Scenario: breaks after
    Given a shop

  Scenario: leaves itself out
    Given a shop
    When it is closed today
    Then it is shut

  Rule: by weight
    Scenario Outline: rows
      When I buy <n>
      Examples: few
        | n |
        | 1 |
        | 2 |
"""

STEPS = """
@given("a shop")
def _({context}): pass
@when("it breaks")
def _({context}): assert 1 == 2, "no"
@when("it is closed today")
def _({context}): {skip}
@when({parse}("I buy {{n:d}}"))
def _({context}n): assert n == 1
@then("it is shut")
def _({context}): pass
"""

BEHAVE_HOOKS = """
def before_scenario(context, scenario):
    if "skipped" in scenario.tags: scenario.skip("not today")
    if "broken_before" in scenario.tags: raise OSError("before")
def after_scenario(context, scenario):
    if "broken_after" in scenario.tags: raise OSError("after")
"""

PYTEST_HOOKS = """
import pytest
def pytest_bdd_apply_tag(tag, function):
    if tag == "skipped": return pytest.mark.skip("not today")(function) or True
@pytest.fixture(autouse=True)
def _hooks(request):
    if request.node.get_closest_marker("broken_before"): raise OSError("before")
    yield
    if request.node.get_closest_marker("broken_after"): raise OSError("after")
"""


def behave(directory: Path) -> None:
    (directory / "features" / "steps").mkdir(parents=True)
    (directory / "features" / "shop.feature").write_text(FEATURE)
    (directory / "features" / "environment.py").write_text(BEHAVE_HOOKS)
    steps = STEPS.format(context="context, ", parse="", skip='context.scenario.skip("closed")')
    (directory / "features" / "steps" / "shop.py").write_text(
        f"from behave import given, when, then\n{steps.replace('context, )', 'context)')}"
    )
    (directory / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    run(directory, "behave", "-f", "choreo", "-o", "out")


def pytest_bdd(directory: Path) -> None:
    (directory / "shop.feature").write_text(FEATURE)
    (directory / "conftest.py").write_text(PYTEST_HOOKS)
    steps = STEPS.format(context="", parse="parsers.parse", skip='pytest.skip("closed")')
    (directory / "test_shop.py").write_text(
        f"import pytest\nfrom pytest_bdd import given, parsers, scenarios, then, when\n"
        f'scenarios("shop.feature")\n{steps}\ndef test_plain(): assert {{"a": 1}} == {{"a": 2}}\n'
    )
    marks = "".join(f"\n  {name}" for name in ("team-a", "skipped", "broken_before", "broken_after"))
    (directory / "pytest.ini").write_text(f"[pytest]\nmarkers ={marks}\n")
    run(directory, "pytest", "-pno:choreo_bdd_steps", "--harness-report=out")


def run(directory: Path, *command: str) -> None:
    done = subprocess.run(python_m(*command), cwd=directory, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 1, done.stdout + done.stderr


WAYS = [pytest.param(way, marks=pytest.mark.process, id=way.__name__) for way in (behave, pytest_bdd)]


@pytest.fixture(scope="module", params=WAYS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report of every verdict that a scenario can have, of hooks and fixtures as well."""
    directory = tmp_path_factory.mktemp(request.param.__name__)
    request.param(directory)
    return read_report(directory / "out")


def verdicts(found: Report) -> Counter[str]:
    return Counter(OUTCOMES[test["outcome"]] for test in found.results["tests"])


# --- Cucumber's own ---------------------------------------------------------------------------------------------------

OF_CUCUMBER = {
    "PASSED": "passed", "FAILED": "failed", "UNDEFINED": "failed", "AMBIGUOUS": "failed", "SKIPPED": "skipped",
    "PENDING": "skipped",
}  # fmt: skip


@pytest.fixture(scope="module")
def cucumber(report: Report) -> Any:
    """What Cucumber's Query and formatters say of the messages."""
    assert report.messages is not None
    return json.loads(run_node("cucumber-counts.mjs", report.messages))


def gherkin_verdicts(found: Report) -> Counter[tuple[str, str]]:
    """Those of scenarios; plain tests stand in no message."""
    rows = dict(zip(row_ids(found.results["tests"]), found.results["tests"], strict=True))
    scenarios = [each for feature in found.gherkin["features"] for each in feature["scenarios"]]
    # to Cucumber, the rows of an outline have one name
    return Counter((each["name"].partition(" -- ")[0], OUTCOMES[rows[each["nodeid"]]["outcome"]]) for each in scenarios)


def test_cucumber_s_query_gives_each_scenario_the_verdict_that_we_give(report: Report, cucumber: Any) -> None:
    ours = gherkin_verdicts(report)
    assert Counter((each["name"], OF_CUCUMBER[each["status"]]) for each in cucumber["cases"]) == ours
    assert {outcome for _, outcome in ours} == {"passed", "failed", "skipped"}
    assert cucumber["success"] is False


@pytest.mark.browser
def test_cucumber_s_own_page_shows_our_messages_and_counts_as_we_do(
    report: Report, tmp_path: Path, browser: Browser
) -> None:
    assert report.messages is not None
    ours = Counter(outcome for _, outcome in gherkin_verdicts(report).elements())
    run_node("cucumber-html.mjs", report.messages, tmp_path / "cucumber.html")
    with browser.new_page() as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "cucumber.html").as_uri())
        expect(page.locator("body")).to_contain_text(f"({ours['passed']} / {ours.total()}) passed")
    assert errors == []


def test_cucumber_s_formatters_count_as_we_do(report: Report, cucumber: Any) -> None:
    ours = Counter(outcome for _, outcome in gherkin_verdicts(report).elements())
    suite = TestSuite.fromstring(cucumber["junit"])
    assert (suite.tests, suite.failures, suite.skipped) == (ours.total(), ours["failed"], ours["skipped"])
    (line,) = re.findall(r"^(\d+) scenarios \((.*)\)$", cucumber["summary"], re.MULTILINE)
    told: Counter[str] = Counter()
    for number, status in re.findall(r"(\d+) (\w+)", line[1]):
        told[OF_CUCUMBER[status.upper()]] += int(number)
    assert (int(line[0]), told) == (ours.total(), ours)


# --- JUnit ------------------------------------------------------------------------------------------------------------


def _cases(xml: str) -> Iterator[Any]:
    for suite in JUnitXml.fromstring(xml.encode()):
        yield from suite


def _of_case(case: Any) -> str:
    kinds = {type(result) for result in case.result}
    if kinds & {JUnitError, JUnitFailure}:
        return "failed"
    return "skipped" if Skipped in kinds else "passed"


def test_junitparser_counts_as_we_do_case_by_case_and_in_every_sum(report: Report) -> None:
    xml = as_junit(report.results, report.gherkin)
    assert Counter(map(_of_case, _cases(xml))) == verdicts(report)
    root = JUnitXml.fromstring(xml.encode())
    told = (root.tests, root.failures, root.errors, root.skipped, root.time)
    root.update_statistics()  # type: ignore[no-untyped-call]  # counted again, case by case
    assert told == pytest.approx((root.tests, root.failures, root.errors, root.skipped, root.time), abs=0.01)


def test_junit_has_what_readers_filter_by_as_properties() -> None:
    results, gherkin = told_run()
    gherkin["features"][0]["tags"] = ["@team-a"]
    root = ElementTree.fromstring(as_junit(results, gherkin).encode())
    cases = {case.get("name"): case for case in root.iter("testcase")}
    broken = cases["Parcel leaves on the express lane"]
    told = _properties(broken)
    assert [each for each in told if each[0] == "tag"][:2] == [("tag", "team-a"), ("tag", "orders")]
    facts = dict(told)
    assert (facts["cause"], facts["topic"], facts["attempts"]) == ("wrong shape", "parcels.leaving", "2")
    assert facts["correlation_id"] == "9f2c41"
    assert facts["feature"] == gherkin["features"][0]["name"]
    assert (broken.get("file"), broken.get("line")) == ("features/orders.feature", "6")
    assert ("flaky", "true") in _properties(cases["Order 1 is accepted"])
    (suite,) = [each for each in root if broken in list(each)]
    assert {name for name, _ in _properties(suite)} >= {"project", "commit"}


def _properties(of: ElementTree.Element) -> list[tuple[str | None, str | None]]:
    return [(each.get("name"), each.get("value")) for each in of.iterfind("properties/property")]


def test_each_line_is_one_of_the_file_it_is_told_with(report: Report) -> None:
    lines = FEATURE.splitlines()

    def told(place: str | None) -> str:
        file, _, line = str(place).rpartition(":")
        assert file.endswith("shop.feature")
        return lines[int(line) - 1].split()[0]

    root = ElementTree.fromstring(as_junit(report.results, report.gherkin).encode())
    cases = [case for case in root.iter("testcase") if case.get("line")]
    rows = ("Scenario:", "Scenario", "|")
    assert {told(f"{case.get('file')}:{case.get('line')}") for case in cases} <= {*rows}
    places = [fact for case in cases for name, fact in _properties(case) if name == "failed_at"]
    assert {told(place) for place in places} == {"When", "Scenario:"}
    tests = [test for test in as_ctrf(report.results, report.gherkin)["results"]["tests"] if "line" in test]
    assert {told(f"{test['filePath']}:{test['line']}") for test in tests} <= {*rows}
    issues = json.loads(as_code_quality(report.results, report.gherkin))
    where = [issue["location"] for issue in issues if not issue["description"].startswith("test_plain")]
    assert {told(f"{place['path']}:{place['lines']['begin']}") for place in where} == {"When", "Scenario:"}


# --- CTRF -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ctrf_schema() -> Draft7Validator:
    """The schema that the format's own package publishes."""
    schema = json.loads(module_file("ctrf/dist/ctrf-schema-0.0.json").read_text("utf-8"))
    return Draft7Validator(schema, format_checker=FormatChecker())


def test_ctrf_of_every_verdict_follows_the_published_schema(report: Report, ctrf_schema: Draft7Validator) -> None:
    document = as_ctrf(report.results, report.gherkin)
    assert [error.message for error in ctrf_schema.iter_errors(document)] == []
    assert Counter(test["status"] for test in document["results"]["tests"]) == verdicts(report)


@pytest.mark.parametrize("told", [sample_run, told_run], ids=["sample", "told"])
def test_ctrf_of_messages_attempts_and_attachments_follows_the_published_schema(
    told: Any, ctrf_schema: Draft7Validator
) -> None:
    assert [error.message for error in ctrf_schema.iter_errors(as_ctrf(*told()))] == []


def test_ctrf_tells_each_step_with_its_outcome(report: Report) -> None:
    tests = {test["name"]: test for test in as_ctrf(report.results, report.gherkin)["results"]["tests"]}
    broken = next(test for name, test in tests.items() if name == "fails" or name.endswith("_fails"))
    assert [(step["name"], step["status"], step["extra"]["line"]) for step in broken["steps"]] == [
        ("Given a shop", "passed", 9), ("When it breaks", "failed", 10), ("Then it is shut", "skipped", 11),
    ]  # fmt: skip
    unknown = next(test for name, test in tests.items() if name.endswith("unknown"))
    assert [(step["status"], step["extra"]["rawStatus"]) for step in unknown["steps"]] == [("failed", "undefined")]


# --- OTLP -------------------------------------------------------------------------------------------------------------

_HEXADECIMAL = ("traceId", "spanId", "parentSpanId")


def _with_bytes(node: Any) -> Any:
    """The JSON of OTLP has its ids in hexadecimal digits, that of protobuf in base64."""
    if isinstance(node, list):
        return [_with_bytes(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: base64.b64encode(bytes.fromhex(value)).decode() if name in _HEXADECIMAL else _with_bytes(value)
        for name, value in node.items()
    }


@pytest.mark.parametrize("told", [sample_run, told_run], ids=["sample", "told"])
def test_traces_are_what_the_protocol_of_opentelemetry_takes(told: Any) -> None:
    request = ParseDict(_with_bytes(as_otlp(*told())), ExportTraceServiceRequest())
    spans = [span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans]
    by_id = {(span.trace_id, span.span_id): span for span in spans}
    assert len(by_id) == len(spans) > 10
    assert {len(trace_id) for trace_id, _ in by_id} == {16}
    for span in spans:
        assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
        if span.parent_span_id:
            assert by_id[span.trace_id, span.parent_span_id].start_time_unix_nano <= span.start_time_unix_nano
    systems = {each.value.string_value for span in spans for each in span.attributes if each.key == "messaging.system"}
    assert systems >= {"nats", "kafka"}
    assert {span.status.code for span in spans if not span.parent_span_id} == {1, 2}

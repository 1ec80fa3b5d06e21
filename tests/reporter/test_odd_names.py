"""Names that nobody would choose, in every output: valid for its readers, and each told apart from the others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd_reporter.outputs import as_chrome_trace, as_ctrf, as_otlp
from choreo_bdd_reporter.outputs.code_quality import as_code_quality
from choreo_bdd_reporter.outputs.junit import as_junit
from choreo_bdd_reporter.outputs.summary import as_annotations, as_markdown, as_text
from choreo_bdd_reporter.read.report import Report, read_report
from tests.support.page_builders import (
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_step,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)
from tests.support.page_tools import run_node
from tests.support.started import python_m

ON_A_LINE = [
    'q"uote', "q'uote", "ctl\x07", "ctl\\x07", "bidi\u202eabc", "zero\u200bwidth", "zerowidth", "🙂", "🙃",
    "x" * 10_000, "x" * 9_999 + "y", "a::b", "a:b", "a/b", "a\\b", "", "a b", "a  b", "<tag>", "]]>", "a|b", "`c`",
    "e\u0301", "\u00e9", "::error::x", "##vso[x]", "%0A", "${x}", "{{x}}", "-", "line\u2028separator",
    "no\u00a0break", "../../up", "--flag",
]  # fmt: skip
ON_SEVERAL = ["a\nb", "a\\nb", "a\rb", "a\tb", " ", "\x00", "\u2400", "\ud800"]
NAMES = [*ON_A_LINE, *ON_SEVERAL]


@pytest.fixture(scope="module")
def told() -> tuple[Any, Any]:
    """A failing scenario of each name, and two that share one."""
    handle = a_handle("t", "fail", 5.0, failure={"kind": "mismatch", "path": "x", "expected": 1, "actual": 2})
    scope = a_scope("fail", [handle], [an_event(1.0, "published", "t")])
    tests = [a_test(name, "failed", [scope]) for name in NAMES]
    tests += [a_test("same", "failed", [scope], nodeid=f"features/orders.feature::same:{line}") for line in (7, 9)]
    described = [a_description(test["nodeid"], test["name"], [a_step("Given", "it")]) for test in tests]
    return results_of(tests), gherkin_of([a_feature("odd", described)])


def _are_apart(found: list[Any]) -> bool:
    return len(set(found)) == len(found) == len(NAMES) + 2


def test_junit_has_a_name_of_its_own_for_each(told: Any) -> None:
    xml = as_junit(*told)
    names = [case.name for suite in JUnitXml.fromstring(xml.encode()) for case in suite]
    assert _are_apart(names)
    assert _are_apart(
        [(case.get("classname"), case.get("name")) for case in ElementTree.fromstring(xml).iter("testcase")]
    )
    assert [name for name in names if name != on_one_line(name) or not name.strip()] == []
    assert names[-2:] == ["same", "same (2)"]


def test_ctrf_has_a_name_of_its_own_for_each(told: Any) -> None:
    names = [test["name"] for test in as_ctrf(*told)["results"]["tests"]]
    assert _are_apart(names)
    changed = [shown for shown, name in zip(names, NAMES, strict=False) if shown != name]
    nameless = "features/orders.feature::"
    assert changed == [r"ctl\x07 (2)", nameless, r"a\nb (2)", f"{nameless} "]


def test_traces_tell_each_by_its_id(told: Any) -> None:
    spans = [
        span for part in as_otlp(*told)["resourceSpans"] for scope in part["scopeSpans"] for span in scope["spans"]
    ]
    roots = [span for span in spans if not span.get("parentSpanId")]
    assert _are_apart([span["traceId"] for span in roots])
    facts = [{each["key"]: each["value"] for each in span["attributes"]} for span in roots]
    assert _are_apart([each["test.case.name"]["stringValue"] for each in facts])
    events = as_chrome_trace(*told)["traceEvents"]
    assert _are_apart([event["args"]["name"] for event in events if event["name"] == "process_name"])


def test_issues_have_a_fingerprint_each_and_descriptions_of_one_line(told: Any) -> None:
    issues = json.loads(as_code_quality(*told))
    assert _are_apart([issue["fingerprint"] for issue in issues])
    assert [issue for issue in issues if issue["description"] != on_one_line(issue["description"])] == []
    assert {issue["location"]["path"] for issue in issues} == {"features/orders.feature"}


def test_what_people_read_stays_short_and_steers_nothing(told: Any) -> None:
    markdown, annotations = as_markdown(*told), as_annotations(*told).split("\n")
    assert max(map(len, markdown.splitlines())) < 2_000
    assert max(map(len, annotations)) < 500
    assert [
        line for line in annotations if line.startswith("::") and not line.startswith(("::error ", "::notice::"))
    ] == []
    text = as_text(*told)
    assert [line for line in text.split("\n") if line != on_one_line(line)] == []
    assert "x" * 9_999 + "y" in text


# --- as the frameworks run them ---------------------------------------------------------------------------------------

STEPS = """
from {module} import given
@given("a shop")
def _({context}): pass
@given("it breaks")
def _({context}): assert 0, "no"
"""


def _feature() -> str:
    scenarios = (
        f"\n  Scenario: {name}\n    Given {'a shop' if number % 3 else 'it breaks'}\n"
        for number, name in enumerate(ON_A_LINE)
    )
    rows = "\n  Scenario Outline: <n>\n    Given a shop\n    Examples: <e>\n" + "".join(
        f"      | {cell} |\n" for cell in ("n", "a::b", "a::b", "")
    )
    return "Feature: odd \u202e <names>\n" + "".join(scenarios) + rows


def _behave(directory: Path) -> list[str]:
    (directory / "features" / "steps").mkdir(parents=True)
    (directory / "features" / "odd.feature").write_text(_feature(), "utf-8")
    (directory / "features" / "steps" / "shop.py").write_text(STEPS.format(module="behave", context="context"))
    formatter = "choreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter"
    (directory / "behave.ini").write_text(f"[behave.formatters]\n{formatter}\n")
    return ["behave", "-f", "choreo", "-o", "out"]


def _pytest_bdd(directory: Path) -> list[str]:
    (directory / "odd.feature").write_text(_feature(), "utf-8")
    text = (
        f'from pytest_bdd import scenarios\nscenarios("odd.feature")\n{STEPS.format(module="pytest_bdd", context="")}'
    )
    (directory / "test_odd.py").write_text(text)
    return ["pytest", "-pno:choreo_bdd_steps", "--harness-report=out"]


@pytest.fixture(
    scope="module",
    params=[pytest.param(way, marks=pytest.mark.process, id=way.__name__[1:]) for way in (_behave, _pytest_bdd)],
)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    directory = tmp_path_factory.mktemp("odd")
    command = python_m(*request.param(directory))
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 1, done.stdout + done.stderr
    return read_report(directory / "out")


def test_cucumber_s_tools_read_a_scenario_of_each_name(report: Report) -> None:
    assert report.messages is not None
    read = json.loads(run_node("cucumber-counts.mjs", report.messages))
    totals = report.results["run"]["totals"]
    assert len(read["cases"]) == totals["total"] == len(ON_A_LINE) + 3
    assert [case["status"] for case in read["cases"]].count("FAILED") == totals["failed"]
    assert ElementTree.fromstring(read["junit"]).get("failures") == str(totals["failed"])


def test_every_scenario_of_a_framework_has_names_of_its_own(report: Report) -> None:
    names = [
        case.name for suite in JUnitXml.fromstring(as_junit(report.results, report.gherkin).encode()) for case in suite
    ]
    assert len(set(names)) == len(names) == len(ON_A_LINE) + 3

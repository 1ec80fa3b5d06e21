"""Cucumber Messages beside the report, held against the published package."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cucumber_messages import Envelope, message_converter

from choreo_bdd_reporter.model.tests import Feature, GherkinScenario, Run, Step, Test
from choreo_bdd_reporter.read.messages import gherkin_from_messages, merged_envelopes
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.writer import write_report
from tests.support.feature_samples import ORDERS
from tests.support.started import python_m

FEATURE = (
    ORDERS
    + """
  Scenario: unknown
    Then nobody knows

  Scenario: learned
    Then it arrives as "opensesame-77"

  Rule: big ones
    Scenario Outline: rows
      When I buy <n>
      Examples: few
        | n |
        | 1 |
        | 2 |
"""
)

STEPS = """
import asyncio
from pathlib import Path
from choreo_bdd import Harness
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport

async def scenario(secret):
    harness = Harness(MockTransport())
    await harness.connect()
    try:
        async with harness.scenario("arrives") as s:
            handle = s.expect("orders.paid", contains_fields({"amount": 5, "session_token": secret}))
            handle.origin = "features/shop.feature:27"
            s.publish("orders.paid", {"amount": 5, "session_token": secret})
            return await s.await_all(timeout_ms=30)
    finally:
        await harness.disconnect()

def arrives(secret):
    asyncio.run(scenario(secret))
"""

BEHAVE = """
from behave import given, then, when
from arriving import arrives

@given("a shop")
def _(context): pass
@when("I buy")
def _(context): pass
@when("I buy {n:d}")
def _(context, n): pass
@then("it is sent")
def _(context): pass
@then("it fails")
def _(context): assert 1 == 2, "amqp://u:p@h/ is down"
@then('it arrives as "{secret}"')
def _(context, secret): arrives(secret)
"""

PYTEST_BDD = """
from arriving import arrives
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("features/shop.feature")

@given("a shop")
def _(): pass
@when("I buy")
def _(): pass
@when(parsers.parse("I buy {n:d}"))
def _(n): pass
@then("it is sent")
def _(): pass
@then("it fails")
def _(): assert 1 == 2, "amqp://u:p@h/ is down"
@then(parsers.parse('it arrives as "{secret}"'))
def _(secret): arrives(secret)
"""

Messages = list[dict[str, Any]]


def run(directory: Path, *command: str) -> None:
    subprocess.run(python_m(*command), cwd=directory, capture_output=True, text=True, check=False, timeout=50)


def behave(directory: Path) -> None:
    (directory / "features" / "steps").mkdir()
    (directory / "features" / "steps" / "shop.py").write_text(BEHAVE)
    (directory / "behave.ini").write_text(
        "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
    )
    run(directory, "behave", "-f", "choreo", "-o", "out")


def pytest_bdd(directory: Path, *options: str) -> None:
    (directory / "test_shop.py").write_text(PYTEST_BDD)
    (directory / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers =\n  shop\n  fast\n")
    run(directory, "pytest", "-pno:choreo_bdd_steps", "--harness-report=out", *options)


def pytest_bdd_parallel(directory: Path) -> None:
    pytest_bdd(directory, "-n2")


WAYS = [
    pytest.param(way, marks=pytest.mark.process, id=way.__name__) for way in (behave, pytest_bdd, pytest_bdd_parallel)
]


@pytest.fixture(scope="module", params=WAYS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report directory of a run of the feature above under each framework."""
    directory = tmp_path_factory.mktemp(request.param.__name__)
    (directory / "features").mkdir()
    (directory / "features" / "shop.feature").write_text(FEATURE)
    (directory / "arriving.py").write_text(STEPS)
    request.param(directory)
    return directory / "out"


def read(path: Path) -> Messages:
    """Messages, each of which must be what the published package makes of it, key for key."""
    messages = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for message in messages:
        envelope = message_converter.from_dict(message, Envelope)
        assert message_converter.to_dict(envelope) == without_nulls(message)
        assert [fault for node in objects(message) for fault in faults(node)] == []
    return messages


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects(child)


def faults(node: dict[str, Any]) -> Iterator[str]:
    """What the protocol's schema asks for beyond the types of the package."""
    if node.get("astNodeIds") == []:
        yield f"no node of the source behind {node.get('text') or node.get('name')!r}"
    if node.get("nanos", 0) not in range(10**9):
        yield f"no part of a second: {node}"
    if {"line", "column"} & node.keys() and min(node.get("line", 1), node.get("column", 1)) < 1:
        yield f"no place in a file: {node}"


def without_nulls(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: without_nulls(value) for name, value in node.items() if value is not None}
    return [without_nulls(value) for value in node] if isinstance(node, list) else node


def of_kind(messages: Messages, kind: str) -> Messages:
    return [message[kind] for message in messages if kind in message]


def test_every_message_follows_the_protocol_and_is_where_it_belongs(report: Path) -> None:
    messages = read(report / "messages.ndjson")
    kinds = [next(iter(message)) for message in messages]
    assert kinds[0] == "meta"
    assert kinds[-1] == "testRunFinished"
    counts = Counter(kinds)
    for kind in ("pickle", "testCase", "testCaseStarted", "testCaseFinished"):
        assert counts[kind] == 6, kind
    assert counts["source"] == counts["gherkinDocument"] == counts["testRunStarted"] == 1
    assert counts["testStepStarted"] == counts["testStepFinished"] == 14
    assert of_kind(messages, "testRunFinished")[0]["success"] is False


def test_every_reference_leads_somewhere(report: Path) -> None:
    messages = read(report / "messages.ndjson")
    document = json.dumps(of_kind(messages, "gherkinDocument"))
    pickles = {pickle["id"]: pickle for pickle in of_kind(messages, "pickle")}
    steps = {step["id"] for case in of_kind(messages, "testCase") for step in case["testSteps"]}
    attempts = {started["id"]: started["testCaseId"] for started in of_kind(messages, "testCaseStarted")}
    assert set(attempts.values()) == {case["id"] for case in of_kind(messages, "testCase")}
    for pickle in pickles.values():
        assert all(f'"id": "{node}"' in document for node in pickle["astNodeIds"])
    for case in of_kind(messages, "testCase"):
        own = {step["id"] for step in pickles[case["pickleId"]]["steps"]}
        assert [step["pickleStepId"] in own for step in case["testSteps"]] == [True] * len(own)
    for finished in of_kind(messages, "testStepFinished"):
        assert finished["testStepId"] in steps
        assert finished["testCaseStartedId"] in attempts


def results_by_scenario(messages: Messages) -> dict[str, list[str]]:
    pickles = {pickle["id"]: pickle for pickle in of_kind(messages, "pickle")}
    cases = {case["id"]: pickles[case["pickleId"]] for case in of_kind(messages, "testCase")}
    names = {
        each["id"]: f"{cases[each['testCaseId']]['name']} {cases[each['testCaseId']]['steps'][-1]['text']}"
        for each in of_kind(messages, "testCaseStarted")
    }
    found: dict[str, list[str]] = {}
    for each in of_kind(messages, "testStepFinished"):
        found.setdefault(names[each["testCaseStartedId"]], []).append(each["testStepResult"]["status"])
    return found


def test_each_step_has_its_verdict_and_the_failed_one_says_why(report: Path) -> None:
    messages = read(report / "messages.ndjson")
    assert results_by_scenario(messages) == {
        "good it is sent": ["PASSED"] * 3,
        "bad it is sent": ["PASSED", "FAILED", "SKIPPED"],
        "unknown nobody knows": ["PASSED", "UNDEFINED"],
        'learned it arrives as "<redacted>"': ["PASSED", "PASSED"],
        "rows I buy 1": ["PASSED", "PASSED"],
        "rows I buy 2": ["PASSED", "PASSED"],
    }
    failed = [each["testStepResult"] for each in of_kind(messages, "testStepFinished")]
    (message,) = {each["message"] for each in failed if each["status"] == "FAILED"}
    assert "amqp://<redacted>@h/ is down" in message


def test_time_does_not_run_backwards_within_a_test(report: Path) -> None:
    messages = read(report / "messages.ndjson")
    times: dict[str, list[tuple[int, int]]] = {}
    for kind in ("testCaseStarted", "testStepStarted", "testStepFinished", "testCaseFinished"):
        for each in of_kind(messages, kind):
            at = (each["timestamp"]["seconds"], each["timestamp"]["nanos"])
            times.setdefault(each.get("testCaseStartedId") or each["id"], []).append(at)
    assert all(min(found) == found[0] and max(found) == found[-1] for found in times.values())


def test_the_feature_stands_in_it_without_its_secrets(report: Path) -> None:
    text = (report / "messages.ndjson").read_text()
    for secret in ("hunter22", "abc123", "opensesame"):
        assert secret not in text
    (source,) = of_kind(read(report / "messages.ndjson"), "source")
    assert source["uri"] == "features/shop.feature"
    lines = source["data"].split("\n")
    assert len(lines) == len(FEATURE.split("\n"))
    assert lines[12] == "      | password | <redacted> |"
    assert lines[26] == '    Then it arrives as "<redacted>"'


def test_the_engine_s_verdict_is_attached_to_the_step_that_asked_for_it(report: Path) -> None:
    messages = read(report / "messages.ndjson")
    attached = [each for each in of_kind(messages, "attachment") if "testStepId" in each]
    (verdict,) = [json.loads(each["body"]) for each in attached]
    assert (verdict["topic"], verdict["outcome"], verdict["note"]["cause"]) == ("orders.paid", "pass", "matched")
    assert verdict["actual"]["session_token"] == "<redacted>"


def test_steps_are_recovered_from_messages_where_there_is_no_page(report: Path) -> None:
    whole = read_report(report).gherkin
    found = gherkin_from_messages(report / "messages.ndjson")
    assert found is not None
    for feature in whole["features"]:  # when a scenario began is told by the envelopes themselves
        for scenario in feature["scenarios"]:
            scenario.pop("started")
    assert found["features"] == whole["features"]
    (note,) = [each for notes in found["details"].values() for each in notes[0]["handles"]]
    assert (note["origin"], note["cause"]) == ("features/shop.feature:27", "matched")


def test_streams_of_two_runs_become_one_that_is_sound(report: Path, tmp_path: Path) -> None:
    own = report / "messages.ndjson"
    merged = tmp_path / "messages.ndjson"
    merged.write_text("".join(f"{json.dumps(each)}\n" for each in merged_envelopes([own, own])))
    messages = read(merged)
    counts = Counter(next(iter(message)) for message in messages)
    assert (counts["meta"], counts["testRunStarted"], counts["testRunFinished"]) == (1, 1, 1)
    assert counts["testCase"] == 12
    ids = [each["id"] for kind in ("testCase", "testCaseStarted", "pickle") for each in of_kind(messages, kind)]
    assert len(set(ids)) == len(ids)
    test_every_reference_leads_somewhere(tmp_path)


@pytest.mark.parametrize("source", [None, "Feature: x\n  Scenario: y\n    Given a\n  nonsense\n"])
def test_a_test_whose_source_cannot_be_read_is_told_all_the_same(
    empty_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    if source is not None:
        Path("x.feature").write_text(source)
    step = Step(keyword="Given", text="a shop", line=3, status="passed", duration_ms=1.0)
    test = Test(
        nodeid="x.feature::y", file="x.feature", name="y", outcome="passed", feature=Feature(uri="x.feature", name="x"),
        gherkin=GherkinScenario(name="y", keyword="Scenario", line=2, steps=(step,)),
    )  # fmt: skip
    write_report(empty_run, [test], tmp_path / "out")
    messages = read(tmp_path / "out" / "messages.ndjson")
    assert results_by_scenario(messages) == {"y a shop": ["PASSED"]}
    errors = of_kind(messages, "parseError")
    assert [error["source"]["location"]["line"] for error in errors] == ([] if source is None else [4])


def test_a_run_without_gherkin_has_no_messages_and_removes_old_ones(
    reported: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".harness-report").write_text("")
    (tmp_path / "out" / "messages.ndjson").write_text("{}")
    reported()
    assert not (tmp_path / "out" / "messages.ndjson").exists()

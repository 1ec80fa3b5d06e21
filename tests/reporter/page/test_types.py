"""``types.d.ts``, by which the page's modules are checked, beside what is written: compared both ways."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest

from choreo_bdd import Scenario
from choreo_bdd.matchers import field_equals
from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model import schema_types
from choreo_bdd_reporter.model.tests import Attempt, Feature, GherkinScenario, RecordedScenario, Run, Step, Test
from choreo_bdd_reporter.page import data
from choreo_bdd_reporter.page.data import page_data
from choreo_bdd_reporter.page.exact import with_exact
from choreo_bdd_reporter.read.report import read_report
from choreo_bdd_reporter.record.attachments import attachment
from choreo_bdd_reporter.writer import write_report
from tests.support.declared_types import Declared, read_declared
from tests.support.page_builders import (
    Json,
    a_description,
    a_feature,
    a_handle,
    a_scope,
    a_span,
    a_step,
    a_stray,
    a_test,
    an_event,
    gherkin_of,
    results_of,
)
from tests.support.page_sample import sample_run

_AS_IN_RESULTS = {
    "ResultsRun": "Run",
    "ResultsTest": "Test",
    "ResultsScenario": "Scenario",
    "ResultsStage": "Stage",
    "ResultsHandle": "Handle",
    "ReplyReport": "Reply",
}
_NOT_IN_THE_PAGE = {"RunTransports"}
_EMITTED = ("Index", "Group", "Row", "Finding", "Percentiles", "Exit", "Channels", "Gherkin", "Feature", "Described",
            "Step", "Check", "ScopeNote", "HandleNote", "StoredMessage", "TransportFailure", "Surprise", "Stray",
            "LeftOut", "Span", "Attachment", "Attempt", "KeptAttempt", "Vacuity", "History",
            "PackedPart", "PackedTimeline")  # fmt: skip


@pytest.fixture(scope="module")
def declared() -> Declared:
    return read_declared(Path(str(files("choreo_bdd_reporter.page").joinpath("js/types.d.ts"))).read_text("utf-8"))


def test_results_have_the_members_that_the_writer_gives_them(declared: Declared) -> None:
    written = {
        _AS_IN_RESULTS.get(name, name): get_type_hints(found, include_extras=True)
        for name, found in vars(schema_types).items()
        if isinstance(found, type) and hasattr(found, "__required_keys__") and name not in _NOT_IN_THE_PAGE
    }
    assert len(written) > 15
    for name, hints in written.items():
        members = {member: get_origin(hint) is NotRequired for member, hint in hints.items()}
        assert {member: optional for member, (_, optional) in declared.members[name].items()} == members, name


def test_what_is_written_is_declared_and_what_is_declared_is_written(
    declared: Declared, monkeypatch: pytest.MonkeyPatch, everything: tuple[Json, Json]
) -> None:
    faults = [fault for run in (sample_run(), everything) for fault in _faults(declared, *run)]
    monkeypatch.setattr(data, "WHOLE_TESTS_MAX", 0)
    faults += [fault for run in (sample_run(), everything) for fault in _packed_faults(declared, *run)]
    assert faults == []
    unseen = {(name, member) for name in _EMITTED for member in declared.members[name]} - declared.seen
    assert unseen == set()


def test_a_member_of_another_name_is_a_fault_both_ways(declared: Declared) -> None:
    results, gherkin = sample_run()
    renamed = deepcopy(gherkin)
    described = renamed["features"][0]["scenarios"][0]
    described["title"] = described.pop("name")
    at = ".features[0].scenarios[0]"
    assert declared.faults(renamed, "Gherkin") == [
        f"{at}: Described knows no title",
        f"{at}: name of Described is missing",
    ]
    assert declared.faults(results, "Results") == []


def _faults(declared: Declared, results: Json, gherkin: Json) -> Iterator[str]:
    yield from declared.faults(_as_embedded(results), "Results", "results")
    yield from declared.faults(_as_embedded(with_exact(results, gherkin)), "Gherkin", "gherkin")
    with page_data(results, gherkin) as page:
        yield from declared.faults(_as_embedded(page.index), "Index", "index")


def _as_embedded(document: Any) -> Any:
    return json.loads(json.dumps(document))


def _packed_faults(declared: Declared, results: Json, gherkin: Json) -> Iterator[str]:
    with page_data(results, gherkin) as page:
        yield from declared.faults(_as_embedded(page.index), "Index", "index")
        for name, text in page.chunk_texts():
            lines = zlib.decompress(b64decode(text)).decode("ascii").split("\n")
            entries, payloads = json.loads(lines[1])
            for line in lines[2 : 2 + entries]:
                *entry, earlier = json.loads(line)
                for test, scenario, attachments in (entry, *earlier):
                    yield from declared.faults(test["scenarios"], "PackedPart[]", name)
                    yield from declared.faults(scenario, "Described | null", name)
                    yield from declared.faults(attachments, "Attachment[]", name)
            for line in lines[2 + entries + payloads :]:
                yield from declared.faults(json.loads(line), "StoredMessage", name)


@pytest.fixture
def everything() -> tuple[Json, Json]:
    """What the sample lacks: facts of the whole run, and members that are rarely there."""
    timeline = [an_event(1.0, "published", "t", logical_topic="orders")]
    handle = a_handle("t", "fail", 5.0, transport="nats", expected=1.0)
    broken = a_test("broken", "failed", [a_scope("fail", [handle], timeline)])
    undefined = a_test("undefined", "failed")
    described = a_description(undefined["nodeid"], "undefined", [a_step("Given", "x", "undefined", line=3)])
    described |= {"rule": "a rule", "inherited": ["@feature"], "started": 1.0}
    never = a_description("features/orders.feature::never", "never", [a_step("Given", "y", "untested")])
    twins = [a_test("twin", worker_id=worker) for worker in ("gw0", "gw1")]
    unchecked = a_test("silent", scenarios=[a_scope("fail", [a_handle("t", "fail", 5.0)])])
    note = {
        "handles": [{"differences": [], "differences_dropped": 1, "asserted": True, "messages_dropped": 0}],
        "timeline": [0],
        "messages": [{"topic": "t", "payload": 0, "key": "k", "partition": 1, "offset": 2, "size": 3,
                      "broker_time": 4.0, "headers": {}, "transport": "nats",
                      "moved": {"origins": ["orders"], "how": "expired"}}],
        "payloads": ["{}"],
        "transport": "nats",
        "transport_failures": [{"transport": "nats", "topic": "t", "reason": "gone"}],
        "surprises": [{"topic": "t", "classification": "unknown_scope", "size": 1, "count": 2}],
        "strays": [a_stray("late", 4.0)],
        "spans": [a_span("settlement", 3.0, topic="t", error="ValueError")],
        "left_out": {"handles": 1, "replies": 0, "transport_failures": 0},
    }  # fmt: skip
    attached = [
        {"name": "a", "media_type": "text/plain", "size": 1, "cut": False, "text": "x", "step": 0},
        {"name": "b", "media_type": "image/png", "size": 1, "cut": False, "base64": "eA=="},
    ]
    again = a_description(broken["nodeid"], "broken", [a_step("Given", "x", "failed")])
    attempt = {"outcome": "failed", "reason": "late", "test": broken, "scenario": again, "details": [note],
               "attachments": attached}  # fmt: skip
    past = {broken["nodeid"]: ["p", "0"]}
    facts = {
        "attempts": {broken["nodeid"]: [attempt], unchecked["nodeid"]: [attempt]},
        "attachments": {broken["nodeid"]: attached},
        "left_out": 0,
        "causation": "x-cause",
        "channels": {"spec": "a.yaml", "touched": ["t"], "untouched": []},
        "vacuity": [{"nodeid": undefined["nodeid"], "place": "orders.feature:3", "reason": "checks nothing"}],
        "history": {"runs": [["2027-03-01T00:00:00Z", None, True]], "ci": True, "tests": past},
    }
    results = results_of([broken, undefined, *twins, unchecked])
    return results, gherkin_of([a_feature("F", [described, never])], {broken["nodeid"]: [note]}, **facts)


def _played(scenario: Scenario) -> None:
    scenario.expect("paid", field_equals("amount", 5))
    scenario.expect("paid", field_equals("amount", 6))
    scenario.expect("never", field_equals("amount", 5))
    scenario.publish("paid", {"amount": 5})


@pytest.fixture
async def scenarios(run_scenario: Any, recorded: Any, stage_result: Any) -> tuple[RecordedScenario, ...]:
    return recorded(await run_scenario(_played)), recorded(stage_result)


def test_a_report_of_the_engine_has_the_declared_members(
    declared: Declared, scenarios: tuple[RecordedScenario, ...], empty_run: Run, tmp_path: Path
) -> None:
    steps = (Step(keyword="Then", text="it is paid", line=3, status="failed", table=(("a",),)),)
    test = Test(
        nodeid="features/x.feature::paid", file="features/x.feature", name="paid", outcome="failed", started=1.0,
        scenarios=scenarios,
        attachments=(attachment("text/plain", "seen", Redactor()),), earlier=(Attempt("failed", "late"),),
        feature=Feature(uri="features/x.feature", name="Shop"),
        gherkin=GherkinScenario(name="paid", keyword="Scenario", line=2, steps=steps),
    )  # fmt: skip
    write_report(empty_run, [test], tmp_path)
    report = read_report(tmp_path)
    assert len(report.gherkin["details"][test.nodeid]) == 2
    assert list(_faults(declared, dict(report.results), report.gherkin)) == []

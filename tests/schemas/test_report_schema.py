from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from choreo_bdd_schemas import REPORT_VERSIONS, load, report_schema, validate_report

Report = dict[str, Any]


def scenario(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = report["tests"][0]["scenarios"][0]
    return found


def handle(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = scenario(report)["handles"][0]
    return found


def as_version(report: Report, version: str) -> Report:
    return {**report, "schema_version": version}


@pytest.mark.parametrize("version", REPORT_VERSIONS)
def test_each_schema_is_a_valid_schema_with_the_definitions_readers_look_up(version: str) -> None:
    schema = report_schema(version)
    Draft202012Validator.check_schema(schema)
    for name in ("run", "test", "scenario", "handle", "timeline_entry", "reply_report"):
        assert schema["$defs"][name]["required"], name


def test_every_object_of_every_version_is_closed() -> None:
    for version in REPORT_VERSIONS:
        for name, definition in report_schema(version)["$defs"].items():
            if "properties" in definition and name != "diagnosis":  # its five shapes are closed one by one
                assert definition["additionalProperties"] is False, (version, name)


def test_1_0_is_the_same_as_1() -> None:
    assert report_schema("1.0") == report_schema("1") == load("test-report-v1.0.json")


def test_the_example_is_valid(stage_report: Report) -> None:
    assert validate_report(stage_report) == []


def test_a_1_0_report_is_valid_in_every_later_version(plain_report: Report) -> None:
    assert [validate_report(as_version(plain_report, version)) for version in REPORT_VERSIONS] == [[]] * 4


def test_a_report_of_each_version_is_valid_in_the_next(stage_report: Report) -> None:
    for entry in scenario(stage_report)["timeline"]:
        del entry["source"]
    assert validate_report(as_version(stage_report, "1.2")) == []
    assert validate_report(as_version(stage_report, "1.3")) == []
    for entry in scenario(stage_report)["timeline"]:
        entry.setdefault("topic", "t")
        entry.pop("transport", None)
    assert validate_report(as_version(stage_report, "1.1")) == []
    assert validate_report(as_version(stage_report, "1.2")) == []


def test_what_a_version_added_is_refused_by_the_one_before(stage_report: Report) -> None:
    assert any("'source'" in error for error in validate_report(as_version(stage_report, "1.2")))
    for entry in scenario(stage_report)["timeline"]:
        del entry["source"]
        entry.setdefault("topic", "t")
    assert any("'transport'" in error for error in validate_report(as_version(stage_report, "1.1")))
    for entry in scenario(stage_report)["timeline"]:
        entry.pop("transport", None)
    assert any("'stage'" in error for error in validate_report(as_version(stage_report, "1")))


def test_a_scope_event_without_topic_needs_1_2(stage_report: Report) -> None:
    for entry in scenario(stage_report)["timeline"]:
        entry.pop("transport", None)
        del entry["source"]
    assert validate_report(as_version(stage_report, "1.2")) == []
    assert any("'topic' is a required property" in e for e in validate_report(as_version(stage_report, "1.1")))


def test_a_scenario_without_correlation_needs_1_1(plain_report: Report) -> None:
    scenario(plain_report)["correlation_id"] = None
    assert validate_report(plain_report) != []
    assert validate_report(as_version(plain_report, "1.1")) == []


def test_a_run_without_a_single_transport_needs_1_1(plain_report: Report) -> None:
    plain_report["run"]["transport"] = None
    assert validate_report(plain_report) != []
    assert validate_report(as_version(plain_report, "1.1")) == []


def test_one_of_transport_and_transports_must_be_there(stage_report: Report) -> None:
    del stage_report["run"]["transport"]
    assert validate_report(stage_report) == []
    del stage_report["run"]["transports"]
    assert validate_report(stage_report) == ["run: needs at least one of 'transport', 'transports'"]


@pytest.mark.parametrize("name", ["a<b", "a b", "a/b", "a.b", "", "x" * 65])
def test_bad_transport_names_are_refused_everywhere(stage_report: Report, name: str) -> None:
    places: list[Callable[[], object]] = [
        lambda: stage_report["run"].update(transports=[name]),
        lambda: scenario(stage_report)["stage"].update(transports=[name]),
        lambda: scenario(stage_report)["stage"].update(correlation_ids={name: "sha256:00112233aabbccdd"}),
        lambda: scenario(stage_report)["timeline"][0].update(transport=name),
    ]
    for count, place in enumerate(places, start=1):
        place()
        assert len(validate_report(stage_report)) == count


@pytest.mark.parametrize("value", ["1", "v", "v1.0", "version-1"])
def test_bad_redaction_versions_are_refused(stage_report: Report, value: str) -> None:
    stage_report["run"]["redactions"]["redaction_version"] = value
    assert len(validate_report(stage_report)) == 1


@pytest.mark.parametrize("key", ["bridge_class", "transports", "correlation_ids"])
def test_a_stage_needs_all_its_keys(stage_report: Report, key: str) -> None:
    del scenario(stage_report)["stage"][key]
    (error,) = validate_report(stage_report)
    assert error == f"tests[0].scenarios[0].stage: '{key}' is a required property"


def test_an_id_in_clear_is_refused(stage_report: Report) -> None:
    handle(stage_report)["correlation_id"] = "order-1"
    scenario(stage_report)["stage"]["correlation_ids"]["queue"] = "order-1"
    assert len(validate_report(stage_report)) == 2


@pytest.mark.parametrize(
    ("diagnosis", "valid"),
    [
        ({"kind": "matched"}, True),
        ({"kind": "matched", "attempts": 1}, False),
        ({"kind": "over_budget", "latency_ms": 5.0, "budget_ms": 1}, True),
        ({"kind": "over_budget", "latency_ms": 5.0}, False),
        ({"kind": "near_miss", "attempts": 0, "deadline_ms": 5.0}, False),
        ({"kind": "silent_timeout", "topic": "t", "deadline_ms": 5.0}, True),
        ({"kind": "silent_timeout", "deadline_ms": 5.0}, False),
        ({"kind": "pending"}, True),
        ({"kind": "no_idea"}, False),
        ({}, False),
    ],
)
def test_a_diagnosis_has_the_keys_of_its_kind(stage_report: Report, diagnosis: Report, valid: bool) -> None:
    handle(stage_report)["diagnosis"] = diagnosis
    assert (validate_report(stage_report) == []) is valid


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda r: handle(r).update(outcome="ok"), "tests[0].scenarios[0].handles[0].outcome: 'ok' is not"),
        (lambda r: r["run"].update(extra=1), "run: unknown key 'extra'; known are allowlist_path,"),
        (lambda r: r.update(tests={}), "tests: {} is not of type 'array'"),
        (lambda r: r["run"].update(started_at="yesterday"), "run.started_at: 'yesterday' does not match"),
        (lambda r: r["run"].update(started_at="2027-01-02T03:04:05"), "run.started_at: "),
        (lambda r: r["run"].update(xdist={"workers": 0, "incomplete_workers": []}), "run.xdist.workers: 0 is"),
        (lambda r: r["tests"][0].update(choreo_meta={"timeout_ms": "5s"}), "tests[0].choreo_meta.timeout_ms"),
        (
            lambda r: r.update(schema_version="1.4"),
            "schema_version: '1.4' is not one of '1', '1.1', '1.2', '1.3'; it was written by a newer choreo-bdd",
        ),
        (
            lambda r: r.update(schema_version="1.0"),
            "schema_version: '1.0' is not one of '1', '1.1', '1.2', '1.3'; the first version is written '1'",
        ),
        (lambda r: r.update(schema_version=1.3), "schema_version: 1.3 is not one of '1', '1.1', '1.2', '1.3'"),
        (
            lambda r: handle(r)["failure"].update(children=[{"kind": "odd", "path": "", "expected": 1}]),
            "tests[0].scenarios[0].handles[0].failure.children[0].kind: 'odd' is not one of",
        ),
    ],
)  # fmt: skip
def test_errors_name_the_place(stage_report: Report, change: Callable[[Report], object], error: str) -> None:
    change(stage_report)
    (found,) = validate_report(stage_report)
    assert found.startswith(error)


def test_zulu_time_is_valid_and_the_number_of_errors_can_be_bounded(stage_report: Report) -> None:
    stage_report["run"]["started_at"] = "2027-01-02T03:04:05Z"
    assert validate_report(stage_report) == []
    stage_report["tests"] = [1, 2, 3]
    assert len(validate_report(stage_report, at_most=2)) == 2


def test_something_that_is_no_object_is_told_so() -> None:
    assert validate_report([]) == ["<root>: a report is a JSON object, not list"]


def test_an_unknown_schema_name_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match="choreo-config, test-report-v1"):
        load("nope")


def test_a_loaded_schema_may_be_changed_without_harm() -> None:
    load("choreo-config")["title"] = "changed"
    assert load("choreo-config")["title"] == "choreo.yaml"


def test_a_day_that_does_not_exist_is_named_once(stage_report: Report) -> None:
    stage_report["run"]["started_at"] = "2027-02-30T03:04:05Z"
    assert validate_report(stage_report) == ["run.started_at: '2027-02-30T03:04:05Z': no such day or hour"]


def test_numbers_that_only_python_reads_are_refused_wherever_they_stand(stage_report: Report) -> None:
    handle(stage_report)["actual"] = {"prices": [1.0, float("nan")]}
    scenario(stage_report)["timeline"][0]["offset_ms"] = float("inf")
    place = "tests[0].scenarios[0]"
    assert sorted(validate_report(stage_report)) == [
        f"{place}.handles[0].actual.prices[1]: nan is no number that JSON knows",
        f"{place}.timeline[0].offset_ms: inf is no number that JSON knows",
    ]


def test_a_failure_nested_too_deep_is_an_error_and_no_crash(stage_report: Report) -> None:
    failure: dict[str, Any] = {"kind": "composed", "path": "a", "expected": 1}
    for _ in range(5000):
        failure = {"kind": "composed", "path": "a", "expected": 1, "children": [failure]}
    handle(stage_report)["failure"] = failure
    assert "<root>: nested too deep to be checked" in validate_report(stage_report)

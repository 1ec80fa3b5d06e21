"""Every edit of a sound report, in every version: the schema says what the format's description says."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from choreo_bdd_schemas import report_schema, validate_report
from tests.support.report_table import DIAGNOSES, OBJECTS, VERSIONS, Field, fields_of
from tests.support.reports import HANDLE, Place, Report, at, edited, only, places_of, sound

PROBES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, -0.5, 1.0, "", "some-name", "a<b", "a b", "a/b", "a.b", "é", "x" * 64, "x" * 65,
    "x" * 120, "x" * 121, "x" * 129, "9lives", "Bridge_2", "passed", "pass", "PASS", "slow", "fail", "pending",
    "timeout", "errored", "mismatch", "composed", "replied", "armed", "published", "matched", "scope", "expect",
    "sha256:00112233aabbccdd", "sha256:00112233AABBCCDD", "sha256:00112233", "00112233aabbccdd", "v1", "v", "1", "v1.0",
    "version-1", "2027-01-02T03:04:05Z", "2027-01-02T03:04:05.123456+00:00", "2027-01-02T03:04:05", "2027-01-02",
    "2027-13-02T03:04:05Z", "2027-02-30T03:04:05Z", "2027-01-02T24:04:05Z",
    "2027-01-02T03:04:05+0000", "yesterday", 1767323045, [], ["a"], [""], ["a b"], [1], [None], [{}], {}, {"a": 1},
    {"a": "sha256:00112233aabbccdd"}, {"a b": "sha256:00112233aabbccdd"}, {"a": "order-1"},
)  # fmt: skip


def objects(version: str) -> Iterator[tuple[Place, Field]]:
    for name in OBJECTS:
        for place in places_of(name, version):
            for field in fields_of(name, version):
                yield place, field


# the earlier ones stand still
@pytest.fixture(params=[*(pytest.param(each, marks=pytest.mark.thorough) for each in VERSIONS[:-1]), VERSIONS[-1]])
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def report(version: str) -> Report:
    return sound(version)


def is_valid(report: Report) -> bool:
    return not validate_report(report, at_most=1)


def test_the_report_that_is_edited_is_sound_itself(report: Report, version: str) -> None:
    assert validate_report(report) == []
    there = {(place, field.name): field.name in at(report, place) for place, field in objects(version)}
    assert [key for key, present in there.items() if not present] == []


def test_a_required_key_cannot_be_left_out_and_an_optional_one_can(report: Report, version: str) -> None:
    for place, field in objects(version):
        changed = copy.deepcopy(report)
        del at(changed, place)[field.name]
        assert is_valid(changed) == field.optional, (place, field.name)


@pytest.mark.thorough
def test_a_key_accepts_what_its_row_says_and_nothing_else(report: Report, version: str) -> None:
    for place, field in objects(version):
        little = only(report, place)
        assert is_valid(little)
        for value in PROBES:
            if place == () and field.name == "schema_version":
                continue
            found = is_valid(edited(little, place, field.name, value))
            assert found == field.accepts(value), (place, field.name, value)


def test_no_object_takes_a_key_it_does_not_know(report: Report, version: str) -> None:
    for name, fields in OBJECTS.items():
        for place in places_of(name, version):
            later = {field.name for field in fields} - set(at(report, place))
            for unknown in {"unknown", "_comment", *later}:
                errors = validate_report(edited(report, place, unknown, "x"))
                assert any(f"unknown key '{unknown}'" in error for error in errors), (place, unknown)


@pytest.mark.parametrize("kind", DIAGNOSES)
def test_each_kind_of_diagnosis_is_closed_and_complete(report: Report, kind: str) -> None:
    place = (*HANDLE, "diagnosis")
    samples: dict[str, Any] = {"latency_ms": 1.5, "budget_ms": 1, "deadline_ms": 2.5, "attempts": 3, "topic": "t"}
    fields = DIAGNOSES[kind]
    whole = {"kind": kind, **{field.name: samples[field.name] for field in fields}}
    report = only(report, HANDLE)
    assert is_valid(edited(report, HANDLE, "diagnosis", whole))
    for name in (set(samples) | {"note"}) - set(whole):
        assert not is_valid(edited(report, HANDLE, "diagnosis", {**whole, name: samples.get(name)})), name
    for field in fields:
        assert not is_valid(edited(report, HANDLE, "diagnosis", {k: v for k, v in whole.items() if k != field.name}))
        for value in PROBES:
            changed = edited(edited(report, HANDLE, "diagnosis", whole), place, field.name, value)
            assert is_valid(changed) == field.accepts(value), (field.name, value)


def test_a_diagnosis_needs_a_kind_that_exists(report: Report) -> None:
    values: tuple[Report, ...] = (
        {},
        {"kind": None},
        {"kind": "Matched"},
        {"kind": ["matched"]},
        {"kind": {}},
        {"attempts": 1},
    )
    for value in values:
        assert not is_valid(edited(report, HANDLE, "diagnosis", value)), value


def test_only_the_version_s_own_string_is_its_version(version: str, report: Report) -> None:
    checker = Draft202012Validator(report_schema(version))
    for value in (*VERSIONS, "1.0", "1.4", "2", "", 1, 1.1, None, [version]):
        assert checker.is_valid({**report, "schema_version": value}) == (value == version), value


def test_one_of_the_two_transport_keys_is_enough_from_1_1_on(version: str, report: Report) -> None:
    run = report["run"]
    del run["transport"]
    assert is_valid(report) == (version != "1")
    run.pop("transports", None)
    assert not is_valid(report)


def test_a_sound_report_of_one_version_is_sound_in_each_later_one(version: str, report: Report) -> None:
    for later in VERSIONS[VERSIONS.index(version) :]:
        assert validate_report({**report, "schema_version": later}) == []


@pytest.mark.thorough
@pytest.mark.parametrize("version", VERSIONS[-1:])  # how a report is taken apart knows no versions
def test_of_many_tests_the_same_is_wrong_as_of_each_alone(report: Report, version: str) -> None:
    places = [(place, field.name) for place, field in objects(version) if place[:1] == ("tests",)]
    tests = [
        edited(only(report, place), place, name, value)["tests"][0]
        for place, name in places
        for value in (*PROBES, math.nan, math.inf, "\ud800", {"a": [math.nan]}, 10**30)
    ]
    alone = [validate_report({**report, "tests": [test]}) for test in tests]
    told = [error.replace("tests[0]", f"tests[{number}]") for number, each in enumerate(alone) for error in each]
    assert len(told) > 1000
    assert sorted(validate_report({**report, "tests": tests})) == sorted(told)

"""Reports of other writers, with no more than the format's own keys: every command takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import Result

from choreo_bdd_schemas import validate_report
from tests.support.report_table import VERSIONS
from tests.support.reports import HANDLE, SCENARIO, at, edited, sound

Run = Callable[..., Result]
Put = Callable[[str, Any], Path]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"in": value}
    return value


def of_workers() -> dict[str, Any]:
    """Tests of two workers, and a pseudo-test for what finished outside them, in another writer's order."""
    report = sound("1.3")
    test = report["tests"][0]
    session = {**test, "nodeid": "<session>", "file": "", "name": "", "outcome": "passed", "traceback": None}
    report["tests"] = [{**test, "worker_id": "gw10"}, {**test, "worker_id": "gw2"}, session]
    report["run"]["totals"] = {**report["run"]["totals"], "failed": 2, "passed": 1, "total": 3}
    return report


def without_optional_keys() -> dict[str, Any]:
    report = sound("1.3")
    del report["run"]["transport"], report["run"]["redactions"]["redaction_version"]
    scenario, handle = at(report, SCENARIO), at(report, HANDLE)
    del scenario["stage"], handle["transport"], handle["correlation_id"], handle["failure"]["actual"]
    scenario["timeline"] = [{"offset_ms": -1, "wall_clock": "2027-01-02T03:04:05Z", "action": "deadline", "detail": ""}]
    scenario["correlation_id"] = None
    return report


STRANGE: dict[str, dict[str, Any]] = {
    **{f"version {version}": sound(version) for version in VERSIONS},
    "several workers": of_workers(),
    "only required keys": without_optional_keys(),
    "no tests": {**sound("1.3"), "tests": []},
    "no expectations": edited(sound("1"), SCENARIO, "handles", []),
    "deep payload": edited(sound("1.3"), HANDLE, "actual", nested(800)),
    "odd text": edited(sound("1.3"), HANDLE, "actual", {"\ud800": "\0 \u202e </script> \u2028"}),
    "a century": edited(sound("1.3"), ("run",), "duration_ms", 1e300),
}


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a report as another tool would: the results file alone, indented."""

    def written(name: str, report: Any) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps(report, indent=2), "utf-8")
        return tmp_path / name

    return written


@pytest.mark.thorough
@pytest.mark.parametrize("name", STRANGE)
def test_every_command_takes_it(run: Run, put: Put, tmp_path: Path, name: str) -> None:
    strange, other = str(put("strange", STRANGE[name])), str(put("other", sound("1")))
    merged = tmp_path / "merged"
    codes = {
        "validate": run("report", "validate", strange).exit_code,
        "render": run("report", "render", strange).exit_code,
        "merge": run("report", "merge", strange, other, "-o", str(merged)).exit_code,
        "diff": run("report", "diff", strange, strange).exit_code,
        **{form: run("report", "summary", "--format", form, strange).exit_code for form in ("text", "markdown")},
    }
    assert codes == dict.fromkeys(codes, 0)
    junit = run("report", "summary", "--format", "junit", strange).stdout
    assert len(ElementTree.fromstring(junit).findall(".//testcase")) == len(STRANGE[name]["tests"])
    assert (tmp_path / "strange" / "index.html").read_text("utf-8").startswith("<!")
    results = json.loads((merged / "results.json").read_text())
    assert validate_report(results) == []
    nodeids = {test["nodeid"] for test in (*STRANGE[name]["tests"], *sound("1")["tests"])}
    assert {test["nodeid"] for test in results["tests"]} == nodeids


def test_numbers_that_are_no_json_are_read_as_text_and_told(run: Run, put: Put) -> None:
    directory = str(put("nan", edited(sound("1.3"), HANDLE, "actual", {"price": float("nan")})))
    refused = run("report", "validate", directory)
    assert (refused.exit_code, "actual.price: nan is no number that JSON knows" in refused.stdout) == (1, True)
    drawn = run("report", "render", directory)
    assert drawn.exit_code == 0
    assert "1 values that JSON does not know (NaN) are read as text" in drawn.stderr


def test_a_stage_and_a_single_transport_are_merged_with_all_names(run: Run, put: Put, tmp_path: Path) -> None:
    single = sound("1")
    single["tests"][0]["nodeid"] = "tests/test_other.py::test_b"
    run("report", "merge", str(put("a", single)), str(put("b", sound("1.3"))), "-o", str(tmp_path / "merged"))
    results = json.loads((tmp_path / "merged" / "results.json").read_text())
    assert (results["run"]["transport"], results["run"]["transports"]) == (None, ["MockTransport", "mqtt", "queue"])
    assert results["run"]["redactions"] == {"fields": 2, "stream_matches": 0, "redaction_version": "v1"}
    assert results["run"]["xdist"] == {"workers": 4, "incomplete_workers": ["gw1", "gw1"]}
    assert results["run"]["totals"]["failed"] == results["run"]["totals"]["total"] == 2

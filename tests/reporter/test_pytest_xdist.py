from __future__ import annotations

from typing import Any

import pytest

from choreo_bdd_reporter.read.merge import merge
from choreo_bdd_reporter.read.report import read_report

pytestmark = pytest.mark.process
TESTS = """
import os, pytest
from playing import play

@pytest.mark.parametrize("n", range(6))
def test_good(n):
    print("token=abc1")
    play(f"scenario {n}")

def test_bad():
    play("wrong", amount=6).assert_passed()

def test_crash():
    play("before the crash")
    os._exit(1)

def test_skip(): pytest.skip("no")
"""


def outcomes(results: dict[str, Any]) -> dict[str, str]:
    return {test["name"]: test["outcome"] for test in results["tests"]}


def test_a_parallel_run_reports_the_same_as_a_serial_one(suite: Any) -> None:
    suite.pytester.makepyfile(TESTS)
    serial = suite.report("-k", "not crash")
    parallel = suite.report("-k", "not crash", "-n2", in_process=False)
    assert outcomes(parallel) == outcomes(serial)
    assert [test["nodeid"] for test in parallel["tests"]] == [test["nodeid"] for test in serial["tests"]]
    for key in ("totals", "transport", "redactions", "project_name"):
        assert parallel["run"][key] == serial["run"][key], key
    assert parallel["run"]["xdist"] == {"workers": 2, "incomplete_workers": []}
    assert {test["worker_id"] for test in parallel["tests"]} <= {"gw0", "gw1"}
    assert [[s["name"] for s in test["scenarios"]] for test in parallel["tests"]] == [
        [s["name"] for s in test["scenarios"]] for test in serial["tests"]
    ]


def test_a_crashed_worker_loses_neither_the_crash_nor_the_other_failures(suite: Any) -> None:
    suite.pytester.makepyfile(TESTS)
    results = suite.report("-n2", "--max-worker-restart=1", in_process=False)
    found = outcomes(results)
    assert found["test_crash"] == "errored"
    assert found["test_bad"] == "failed"
    assert results["run"]["totals"]["total"] == 9
    crashed = next(test for test in results["tests"] if test["name"] == "test_crash")
    assert "crashed while running" in crashed["traceback"]
    assert crashed["file"] == crashed["nodeid"].partition("::")[0]
    assert results["run"]["xdist"]["incomplete_workers"] == [crashed["worker_id"]]


def test_what_finishes_outside_tests_is_sent_by_the_workers(suite: Any) -> None:
    suite.pytester.makeconftest(
        """
        import pytest
        from playing import play
        def pytest_collection_finish(session):
            if hasattr(session.config, "workerinput"):
                play("collected")
        """
    )
    suite.pytester.makepyfile(test_a="def test_a(): pass", test_bad="import nowhere_to_be_found")
    results = suite.report("-n1", "--continue-on-collection-errors", in_process=False)
    by_id = {test["nodeid"]: test for test in results["tests"]}
    assert [scenario["name"] for scenario in by_id["<session>"]["scenarios"]] == ["collected"]
    assert by_id["test_bad.py"]["outcome"] == "errored"


def test_a_parallel_run_without_workers_is_a_serial_one(suite: Any) -> None:
    suite.pytester.makepyfile("def test_a(): pass")
    assert suite.report("-n0")["run"]["xdist"] is None


@pytest.mark.parametrize(
    "options", [("--tx", "2*popen", "--dist", "load"), ("-n4", "--maxprocesses=1"), ("-n2", "--dist", "each")]
)
def test_however_workers_are_asked_for_all_tests_are_reported(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(TESTS)
    results = suite.report("-k", "good", *options, in_process=False)
    names = [test["nodeid"].partition("::")[2] for test in results["tests"]]
    times = 2 if "each" in options else 1
    assert names == [name for n in range(6) for name in [f"test_good[{n}]"] * times]
    assert all(test["scenarios"] for test in results["tests"])
    started = {test["worker_id"] for test in results["tests"]}
    assert results["run"]["xdist"] == {"workers": max(len(started), results["run"]["xdist"]["workers"]),
                                       "incomplete_workers": []}  # fmt: skip
    assert suite.report("-k", "good")["run"]["totals"]["passed"] == 6


def test_what_each_of_several_workers_saw_is_kept_apart(suite: Any) -> None:
    suite.pytester.makepyfile(
        """
        import os
        from playing import play
        def test_a(choreo_attach):
            play(os.environ["PYTEST_XDIST_WORKER"])
            choreo_attach(os.environ["PYTEST_XDIST_WORKER"])
        """
    )
    results = suite.report("-n2", "--dist", "each", in_process=False)
    assert sorted(test["worker_id"] for test in results["tests"]) == ["gw0", "gw1"]
    for found in (read_report(suite.path / "out").gherkin, merge([read_report(suite.path / "out")]).gherkin):
        nodeid = results["tests"][0]["nodeid"]
        assert sorted(found["details"]) == [f"{nodeid}@gw0", f"{nodeid}@gw1"]
        attached = {row: each["text"] for row, (each,) in found["attachments"].items()}
        assert attached == {f"{nodeid}@gw0": "gw0", f"{nodeid}@gw1": "gw1"}


STAGES = """
import asyncio
from choreo_bdd import DictFieldPolicy, Harness, MappedBridge, Stage
from choreo_bdd.transports import MockTransport

async def staged(leave_early):
    links = {name: Harness(MockTransport(), correlation=DictFieldPolicy("id")) for name in ("queue", "mqtt")}
    stage = Stage(links, MappedBridge({"queue": lambda id: f"q-{id}", "mqtt": lambda id: f"m-{id}"}))
    await stage.connect()
    try:
        async with stage.scenario("across") as scope:
            if leave_early:
                raise ValueError("before any expectation was waited for")
            await scope.await_all(timeout_ms=10)
    finally:
        await stage.disconnect()

def test_without_expectations(): asyncio.run(staged(False))
def test_left_early(): asyncio.run(staged(True))
"""


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_a_stage_names_its_transports_in_serial_and_in_parallel(suite: Any, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(STAGES)
    results = suite.report(*options, in_process=False)
    run = results["run"]
    assert (run["transport"], run["transports"]) == (None, ["mqtt", "queue"])
    assert run["redactions"]["redaction_version"] == "v1"
    normally = {test["name"]: [s["completed_normally"] for s in test["scenarios"]] for test in results["tests"]}
    assert normally == {"test_without_expectations": [True], "test_left_early": [False]}


@pytest.mark.parametrize("place", ["setup", "call"])
def test_a_crash_tells_no_parameter_that_is_a_secret(suite: Any, place: str) -> None:
    suite.pytester.makepyfile(
        f"""
        import os, pytest
        @pytest.fixture
        def broker():
            if "{place}" == "setup": os._exit(3)
        @pytest.mark.parametrize("password", ["token=hunter22x"])
        def test_crash(password, broker): os._exit(3)
        """
    )
    results = suite.report("-n1", "--max-worker-restart=0", in_process=False)
    assert any("crashed while running" in (test["traceback"] or "") for test in results["tests"])
    for path in (suite.path / "out").iterdir():
        assert "hunter22x" not in path.read_text("utf-8"), path.name

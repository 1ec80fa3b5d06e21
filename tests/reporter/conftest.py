from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Scenario, ScenarioResult, ScopeOptions
from choreo_bdd.redaction import Redactor
from choreo_bdd.transports import MockTransport
from choreo_bdd_reporter import page
from choreo_bdd_reporter.frameworks.pytest import session as pytest_session
from choreo_bdd_reporter.model.tests import Environment, RecordedScenario, Run, Test
from choreo_bdd_reporter.record.serialise import serialise
from choreo_bdd_reporter.writer import write_report
from choreo_bdd_schemas import validate_report

# pytester forgets modules that its inner runs import; what is imported here is imported once
IMPORTED_ONCE = (page, pytest_session)

Play = Callable[[Scenario], None]
RunScenario = Callable[..., Awaitable[ScenarioResult]]


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("pytester"):  # pytest_plugins is for the top-level conftest only
        config.pluginmanager.import_plugin("pytester")


@pytest.fixture
def run_scenario() -> RunScenario:
    """Play one scenario with the real engine on the memory bus and return its result."""

    async def run(play: Play, *, timeout_ms: float = 30, keep: bool = True) -> ScenarioResult:
        harness = Harness(MockTransport(), correlation=DictFieldPolicy("correlation_id"))
        await harness.connect()
        try:
            async with harness.scenario("orders", options=ScopeOptions(keep_timeline=keep)) as scenario:
                play(scenario)
                return await scenario.await_all(timeout_ms=timeout_ms)
        finally:
            await harness.disconnect()

    return run


def recorded(result: Any, *, completed_normally: bool = True) -> RecordedScenario:
    return serialise(result, completed_normally=completed_normally, redactor=Redactor())


@pytest.fixture(name="recorded")
def recorded_fixture() -> Callable[..., RecordedScenario]:
    """Serialise an engine result with a redactor of its own."""
    return recorded


@pytest.fixture
def stage_result() -> SimpleNamespace:
    """A Stage result as the engine describes it: one expectation that failed, a reply, scope events."""
    handle = SimpleNamespace(
        topic="gate.opened", outcome="fail", latency_ms=50.6, budget_ms=None, matcher_description="lane = 4",
        matcher_expected={"lane": 4}, last_mismatch_payload={"lane": 3, "token": "s3cr3t-9"}, attempts=1,
        reason="lane was 3", failures=(), failures_dropped=0, transport="queue", correlation_id="wire-1",
        origin="features/gate.feature:7", step_text="I expect gate.opened", asserted=True, since_publish_ms=50.1,
        since_registration_ms=50.6, messages=(), message=None,
        diagnosis=SimpleNamespace(cause="wrong shape", sentence="lane was 3", text="wrong shape: lane was 3",
                                  differences=()),
    )  # fmt: skip
    entry = {"wall_clock": "2027-01-02T03:04:05.1+00:00", "logical_topic": None, "message": None}
    timeline = (
        SimpleNamespace(offset_ms=0.0, topic="scan", action="published", detail="", transport="mqtt",
                        source="publish", **entry),
        SimpleNamespace(offset_ms=50.4, topic=None, action="deadline", detail="timeout_ms=50", transport=None,
                        source="scope", **entry),
    )  # fmt: skip
    reply = SimpleNamespace(
        trigger_topic="scan", trigger_transport="mqtt", matcher_description="qty > 5", response_topic="gate.opened",
        response_transport="queue", state="fired", candidate_count=1, match_count=1, reply_published=True,
        builder_error=None,
    )  # fmt: skip
    return SimpleNamespace(
        name="", kind="stage", correlation_id="order-1", handles=(handle,), passed=False, timeline=timeline,
        surprises=(), transport_failures=(), allowlist_path=None, duration_ms=None,
        timeline_dropped=0, replies=(reply,), bridge_class="MappedBridge", registered_transports=("queue", "mqtt"),
    )  # fmt: skip


@pytest.fixture
def empty_run() -> Run:
    """A run, but for its tests."""
    environment = Environment(python_version="3.12.1", harness_version="1", reporter_version="1", hostname="ci-7")
    stamp = "2027-01-02T03:04:05+00:00"
    return Run(started_at=stamp, finished_at=stamp, duration_ms=1.0, environment=environment)


def read_report(directory: Path) -> dict[str, Any]:
    """The results.json of a directory, which must follow its schema and have its page beside it."""
    results: dict[str, Any] = json.loads((directory / "results.json").read_text("utf-8"))
    assert validate_report(results) == []
    assert (directory / "index.html").read_text("utf-8").startswith("<!")
    return results


@pytest.fixture
def reported(empty_run: Run, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a report of some scenarios, one test each, and read it."""

    def write(*scenarios: RecordedScenario) -> dict[str, Any]:
        named = [(f"test_{number}", scenario) for number, scenario in enumerate(scenarios)]
        tests = [
            Test(nodeid=f"t.py::{name}", file="t.py", name=name, outcome="passed", scenarios=(scenario,))
            for name, scenario in named
        ]
        write_report(empty_run, tests, tmp_path / "out")
        return read_report(tmp_path / "out")

    return write


@pytest.fixture(name="read_report")
def read_report_fixture() -> Callable[[Path], dict[str, Any]]:
    """Read and check a written report."""
    return read_report


PLAYING = """
import asyncio
from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport

async def scenario(name, amount=5, budget_ms=None, password="hunter22"):
    harness = Harness(MockTransport())
    await harness.connect()
    try:
        async with harness.scenario(name, options=ScopeOptions(keep_timeline=True)) as s:
            handle = s.expect("order.paid", contains_fields({"amount": amount, "password": password}))
            if budget_ms:
                handle.within_ms(budget_ms)
                await asyncio.sleep(budget_ms * 20 / 1000)
            s.publish("order.paid", {"amount": 5, "password": "hunter22"})
            return await s.await_all(timeout_ms=30)
    finally:
        await harness.disconnect()

def play(name, **options):
    return asyncio.run(scenario(name, **options))
"""


@pytest.fixture
def playing() -> str:
    """A module with which small projects play engine scenarios."""
    return PLAYING


class Suite:
    """A small pytest project in a directory of its own, run with the report plugin and little else."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makepyfile(playing=PLAYING)

    def run(self, *args: str, in_process: bool = True) -> pytest.RunResult:
        blocked = ("choreo_bdd_steps", "cacheprovider", "asyncio", "hypothesispytest", "valkey")
        command = (*(f"-pno:{name}" for name in blocked), *args)
        if in_process:
            return self.pytester.runpytest_inprocess(*command)
        return self.pytester.runpytest_subprocess(*command)

    def report(self, *args: str, in_process: bool = True) -> dict[str, Any]:
        """Run with a report and read it."""
        self.run("--harness-report=out", *args, in_process=in_process)
        return read_report(self.path / "out")

    def tests(self, *args: str, in_process: bool = True) -> dict[str, dict[str, Any]]:
        """The tests of a report by the part of their node id after the file."""
        results = self.report(*args, in_process=in_process)
        return {test["nodeid"].partition("::")[2] or test["nodeid"]: test for test in results["tests"]}


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A small pytest project."""
    for name in ("HARNESS_REPORT_DIR", "HARNESS_PROJECT_NAME", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)

"""The reporting plugin of one pytest run, registered when a report was asked for.

In a worker of a parallel run it only makes parts and attaches them to reports; the controller, or a serial run,
folds them into tests and writes the report.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd import observers
from choreo_bdd.redaction.afterwards import meet, values_met
from choreo_bdd_reporter.frameworks.pytest.assembly import TestAssembly
from choreo_bdd_reporter.frameworks.pytest.bdd_steps import PytestBddSteps
from choreo_bdd_reporter.frameworks.pytest.phases import (
    attach,
    complete_subtest,
    facts_of_phase,
    is_subtest,
    shown_gherkin,
)
from choreo_bdd_reporter.frameworks.pytest.shared import CHRONICLE
from choreo_bdd_reporter.frameworks.to_chronicle import hand_over
from choreo_bdd_reporter.model.clock import Stopwatch, now
from choreo_bdd_reporter.model.host_and_versions import GitLookup, describe_environment, project_name
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.tests import Environment, Run, Workers
from choreo_bdd_reporter.record.output import CapturedOutput
from choreo_bdd_reporter.record.recorder import Recorder, TestRecord
from choreo_bdd_reporter.store.configured_directory import hide_configured_secrets
from choreo_bdd_reporter.store.directory import ReportDirectoryError, file_to_open, prepare, resolve
from choreo_bdd_reporter.writer import ReportWriter

_WORKER_OUTPUT = "choreo_bdd_leftovers"
_WORKER_FACTS = "choreo_bdd_facts"
_WORKER_MET = "choreo_bdd_met"
_STREAMS = ("stdout", "stderr", "log")


def enable(config: pytest.Config, directory: str) -> None:
    """Register the plugin. A directory no report may go to is a usage error, before any test runs."""
    hide_configured_secrets(config.rootpath)
    steps = PytestBddSteps()
    config.pluginmanager.register(steps, "choreo_bdd_report_steps")
    try:
        target = resolve(directory, config.rootpath)
        if hasattr(config, "workerinput"):
            observer = TestObserver(config, steps)
            config.pluginmanager.register(observer, "choreo_bdd_report_observer")
            return
        prepare(target)
    except (ReportDirectoryError, OSError) as error:
        raise pytest.UsageError(f"--harness-report: {error}") from error
    observer = TestObserver(config, steps)
    config.pluginmanager.register(observer, "choreo_bdd_report_observer")
    config.pluginmanager.register(ReportBuilder(config, target, observer), "choreo_bdd_report_builder")


class TestObserver:
    """Runs where tests run: tells the engine which test it is, and attaches what happened to the test's reports."""

    __test__ = False

    def __init__(self, config: pytest.Config, steps: PytestBddSteps) -> None:
        self._config = config
        self._steps = steps
        self._current: str | None = None
        self._output = CapturedOutput(
            redact=not config.option.harness_report_no_stream_redact,
            processes=getattr(config, "workerinput", {}).get("workercount", 1),
        )
        self._told: dict[str, Any] = {}
        self._met: set[str] = set()
        self._recorder = Recorder(lambda: self._current)
        self._recorder.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the test to the engine while it runs."""
        self._current = item.nodeid
        token = observers.current_test_nodeid.set(item.nodeid)
        try:
            return (yield)
        finally:
            observers.current_test_nodeid.reset(token)
            self._current = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the part of this phase to its report."""
        report = yield
        try:
            self._attach(item, report)
        except Exception as error:  # noqa: BLE001 - the report must never decide a test
            notice(f"{item.nodeid} is reported without details ({type(error).__name__}: {error})")
        return report

    def _attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        record = self._recorder.take(item.nodeid, last=report.when == "teardown")
        gherkin = self._steps.take(item.nodeid)
        if gherkin is None and report.when == "setup" and not report.passed:
            gherkin = self._steps.unstarted(item)
        part = facts_of_phase(item, report, record, gherkin, self._output)
        if self.facts != self._told:  # at once, because a process that dies can tell nothing at its end
            self._told = dict(self.facts)
            part["run"] = self._told
        attach(report, part)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A subtest, whose report came into being by itself, gets the rest of its part where it ran."""
        if not is_subtest(report) or hasattr(report, "node"):
            return
        try:
            complete_subtest(report, self._recorder.redactor(report.nodeid), self._output)
        except Exception as error:  # noqa: BLE001 - the report must never decide a test
            notice(f"a subtest of {report.nodeid} is reported without details ({type(error).__name__}: {error})")

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """A worker sends what it has met with every report: one that dies can tell nothing at its end."""
        data = yield
        if data is not None and hasattr(self._config, "workeroutput"):
            new = set(values_met()) - self._met
            if new:
                self._met |= new
                data[_WORKER_MET] = json.dumps(sorted(new))  # from memory to memory: it is written nowhere
        return data

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """A worker sends what no test has taken."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_WORKER_OUTPUT] = json.dumps(self.leftovers())
            output[_WORKER_FACTS] = json.dumps(self.facts)
            output[_WORKER_MET] = json.dumps(values_met())

    def pytest_unconfigure(self) -> None:
        """Observe no more."""
        self._recorder.stop()

    @property
    def facts(self) -> dict[str, Any]:
        """What was said about the run as a whole in this process."""
        return self._recorder.facts

    def broken_off(self) -> dict[str, list[dict[str, Any]]]:
        """The Gherkin side of tests that did not come to their end, by node id."""
        return {
            nodeid: shown_gherkin(self._recorder.redactor(nodeid), *gherkin)
            for nodeid, gherkin in self._steps.rest().items()
        }

    def leftovers(self) -> dict[str, dict[str, Any]]:
        """Scenarios that no test has taken, by node id."""
        return {nodeid: _leftover(record) for nodeid, record in self._recorder.rest().items()}


def _leftover(record: TestRecord) -> dict[str, Any]:
    return {
        "scenarios": [asdict(scenario) for scenario in record.scenarios],
        "redacted": [record.redacted_fields, record.redacted_text],
    }


class ReportBuilder:
    """Runs once a run: receives every phase report, from wherever, and writes the report at the end."""

    def __init__(self, config: pytest.Config, directory: Path, observer: TestObserver) -> None:
        self._config = config
        self._directory = directory
        self._observer = observer
        self._git = GitLookup(config.rootpath)
        self._stopwatch = Stopwatch()
        self._writer = ReportWriter(
            directory,
            started_at=self._stopwatch.started_at,
            describe=lambda: self._environment,
            plain=_STREAMS if config.option.harness_report_no_stream_redact else (),
        )
        self._assembly = TestAssembly(self._writer, config.rootpath)
        self._workers: dict[str, bool] = {}
        self._interrupted = False
        self._stopped: str | None = None
        self._written = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to run."""
        self._assembly.collected([item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test has begun, whatever becomes of it."""
        self._assembly.begin(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one phase of one test."""
        try:
            self._assembly.add(report, _worker_of(report))
        except Exception as error:  # noqa: BLE001 - the report must never decide a test
            notice(f"{report.nodeid} is missing from the report ({type(error).__name__}: {error})")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> None:
        """Take in what a worker has met, before anybody sees its report."""
        meet(json.loads(data.pop(_WORKER_MET, "[]")))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take in a collection error."""
        if report.failed:
            self._assembly.add_collection_error(report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the run was broken off; pytest also stops by itself this way, which is no interruption."""
        self._interrupted = not _is_asked_stop(excinfo.value)
        self._stopped = None if self._interrupted else str(excinfo.value)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Note a worker that was started."""
        self._workers[node.gateway.id] = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Note how a worker ended and take what it sent at its end."""
        self._workers[node.gateway.id] = error is None or self._workers.get(node.gateway.id, False)
        output = getattr(node, "workeroutput", None) or {}
        meet(json.loads(output.get(_WORKER_MET, "[]")))
        self._assembly.note(json.loads(output.get(_WORKER_FACTS, "{}")), node.gateway.id)
        for nodeid, part in json.loads(output.get(_WORKER_OUTPUT, "{}")).items():
            self._assembly.add_leftovers(nodeid, part, node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note the order of the tests, which the workers mix up."""
        self._assembly.collected(ids)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Write the report, also when another plugin fails here."""
        if session.shouldfail and not self._interrupted:  # -x and --maxfail
            self._stopped = str(session.shouldfail)
        try:
            return (yield)
        finally:
            self._finish(int(exitstatus))

    def _finish(self, exit_status: int) -> None:
        """Whatever goes wrong becomes a warning, the exit status is not ours."""
        try:
            self._write(exit_status)
            self._written = True
        except Exception as error:  # noqa: BLE001 - the report must never decide a run
            notice(f"the report was not written ({type(error).__name__}: {error})")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say where the report is."""
        if self._written:
            terminalreporter.write_line(f"choreo report: {file_to_open(self._directory)}")
            server = getattr(self._config.option, CHRONICLE, None)
            if server:
                hand_over(self._directory, server, terminalreporter.write_line)

    def _write(self, exit_status: int) -> None:
        self._assembly.add_gherkin(self._observer.broken_off())
        for nodeid, part in self._observer.leftovers().items():
            self._assembly.add_leftovers(nodeid, part, None)
        self._assembly.note(self._observer.facts, None)
        self._assembly.close(interrupted=self._interrupted, stopped=self._stopped)
        self._writer.finish(self._run(exit_status), self._assembly.rank)

    @cached_property
    def _environment(self) -> Environment:
        option = self._config.option.harness_report_project_name
        return describe_environment(self._git, project_name=project_name(option, self._config.rootpath))

    def _run(self, exit_status: int) -> Run:
        return Run(
            started_at=self._stopwatch.started_at,
            finished_at=now(),
            duration_ms=self._stopwatch.elapsed_ms(),
            environment=self._environment,
            workers=self._worker_facts(),
            redacted_fields=self._assembly.redacted_fields,
            redacted_text=self._assembly.redacted_text,
            exit_status=exit_status,
            interrupted=self._interrupted,
            facts=self._assembly.run_facts,
        )

    def _worker_facts(self) -> Workers | None:
        if not self._workers:
            return None
        incomplete = tuple(worker for worker, completed in self._workers.items() if not completed)
        return Workers(count=len(self._workers), incomplete=incomplete)


def _is_asked_stop(raised: BaseException) -> bool:
    """Whether pytest, or pytest-xdist with a class of its own, stops by itself; a worker may have been broken off."""
    return type(raised).__name__ == "Interrupted" and "keyboard-interrupt" not in str(raised)


def _worker_of(report: pytest.TestReport) -> str | None:
    node = getattr(report, "node", None)  # set by pytest-xdist on reports of its workers
    return None if node is None else str(node.gateway.id)

"""The behave formatter ``choreo``: ``behave -f choreo -o DIR``. Every use of behave's internals stands here.

Proven with behave 1.3.3. What a scenario did is read from behave's model when its feature has ended, because
behave tells formatters neither when a scenario ends nor about steps that were not run.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from behave.exception import ConfigError
from behave.formatter.base import Formatter
from behave.model_type import Status
from behave.reporter.base import Reporter

from choreo_bdd import observers
from choreo_bdd.redaction import Redactor
from choreo_bdd_project.frameworks.behave_model import head_of, nodeid_of, scenario_of
from choreo_bdd_project.gherkin import step as project
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.scenario import scenario_nodeid
from choreo_bdd_reporter.documents.file_names import PAGE, RECORDINGS
from choreo_bdd_reporter.frameworks.gherkin import feature_of, gherkin_of, step_of
from choreo_bdd_reporter.frameworks.to_chronicle import hand_over
from choreo_bdd_reporter.model.clock import Stopwatch, now
from choreo_bdd_reporter.model.host_and_versions import GitLookup, describe_environment, project_name
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.schema_types import TestOutcome
from choreo_bdd_reporter.model.tests import (
    SESSION_NODEID,
    Attempt,
    Environment,
    GherkinScenario,
    Run,
    Step,
    StepStatus,
    Test,
)
from choreo_bdd_reporter.record.attachments import Attachments
from choreo_bdd_reporter.record.masking import NodeIds, masked, masked_feature, masked_gherkin, masked_or_none
from choreo_bdd_reporter.record.output import CapturedOutput
from choreo_bdd_reporter.record.recorder import Recorder, TestRecord
from choreo_bdd_reporter.store.configured_directory import configured_directory, hide_configured_secrets
from choreo_bdd_reporter.store.directory import ReportDirectoryError, begin, resolve
from choreo_bdd_reporter.writer import ReportWriter

DEFAULT_DIRECTORY = "test-report"

_STEP_STATUS: dict[Status, StepStatus] = {
    Status.passed: "passed",
    Status.xfailed: "passed",
    Status.xpassed: "passed",
    Status.pending_warn: "passed",
    Status.failed: "failed",
    Status.error: "errored",
    Status.hook_error: "errored",
    Status.cleanup_error: "errored",
    Status.pending: "errored",
    Status.undefined: "undefined",
    Status.untested_undefined: "undefined",
    Status.skipped: "skipped",
}
_BROKEN_OFF = "not run: the run was broken off before"
_EXITED = "the process ended while this scenario ran: something in it, or in a hook, calls sys.exit()"


class ChoreoFormatter(Formatter):  # type: ignore[misc]  # behave has no types
    """Writes the report of a behave run into the directory named by ``-o``.

    Without it, into that of ``HARNESS_REPORT_DIR`` or ``choreo.yaml``, else into ``test-report``.
    """

    name = "choreo"
    description = "HTML report with a waterfall of every message, and results.json; -o names a directory"

    def __init__(self, stream_opener: Any, config: Any) -> None:
        # -o stays unopened: behave would create a file where the directory belongs
        super().__init__(stream_opener, config)
        self.stream = None
        self._directory = _directory(stream_opener.name)
        hide_configured_secrets(Path.cwd())
        self._stopwatch = Stopwatch()
        self._git = GitLookup(Path.cwd())
        self._recorder = Recorder(recordings=self._directory / RECORDINGS)
        self._recorder.start()
        self._writer = ReportWriter(
            self._directory, started_at=self._stopwatch.started_at, describe=lambda: self._environment
        )
        self._nodeids = NodeIds()
        self._order: dict[str, int] = {}
        self._place = count()
        self._masked = Redactor()
        self._output = CapturedOutput()
        self._running: Any = None
        self._started = 0.0
        self._earlier: tuple[Attempt, ...] = ()
        self._attached = Attachments()
        self._steps_done, self._in_step = 0, False
        self._feature: Any = None
        self._announced: set[int] = set()
        self._broken_off = False
        self._exited = False
        atexit.register(self._cut_short)
        config.reporters.append(_Remainder(self))

    def feature(self, feature: Any) -> None:
        """A feature begins."""
        self._feature = feature

    def scenario(self, scenario: Any) -> None:
        """A scenario begins: name it to the engine. The one before it is over, its hooks included."""
        if scenario is self._running:  # an automatic retry, which behave begins only after a failure
            self._recorder.take(self._nodeid(scenario))
            self._earlier += (Attempt("failed"),)
            self._attached = Attachments()
        else:
            self._settle_running()
        self._running, self._started = scenario, time.time()
        self._steps_done, self._in_step = 0, False
        self._announced.add(id(scenario))
        observers.current_test_nodeid.set(self._nodeid(scenario))

    def match(self, match: Any) -> None:  # noqa: ARG002 - behave gives it, and not the step
        """A step begins; its hooks belong to it."""
        self._in_step = True

    def result(self, step: Any) -> None:  # noqa: ARG002 - the model is read when all is known
        """A step is over, or was passed over."""
        self._steps_done += 1
        self._in_step = False

    def embedding(self, mime_type: str, data: bytes | str) -> None:
        """A step or a hook attaches something: behave's ``context.attach()``."""
        self._attached.add(mime_type, data, step=self._steps_done if self._in_step else None)

    def eof(self) -> None:
        """A feature has ended: everything about it is known now."""
        observers.current_test_nodeid.set(None)
        if self._feature is not None:
            self._finish(self._feature)
            self._feature = None

    def left_over(self, feature: Any) -> None:
        """behave is through with a feature; one that did not end properly was broken off, or never begun."""
        if feature is not self._feature and feature.status is not Status.untested:
            return
        self._broken_off = True
        self.feature(feature)
        self.eof()

    def close(self) -> None:
        """The run has ended: write the report. Nothing that goes wrong here may fail the run."""
        atexit.unregister(self._cut_short)
        self._recorder.stop()
        if self.config.dry_run:
            return
        try:
            self._add_leftovers()
            outcomes = self._writer.finish(self._run(), self._rank)
        except Exception as error:  # noqa: BLE001 - behave would end with a traceback instead of its summary
            notice(f"the report was not written ({type(error).__name__}: {error})")
            return
        sys.stderr.write(f"choreo report: {self._directory / PAGE} ({_count(outcomes)})\n")
        if url := self.config.userdata.get("choreo.chronicle"):
            hand_over(self._directory, url, lambda line: print(line, file=sys.stderr))

    def _cut_short(self) -> None:
        """The process ends and behave has not closed us, as after ``sys.exit()`` in a step: report what there is."""
        self._broken_off = self._exited = True
        self.eof()
        self.close()

    def _finish(self, feature: Any) -> None:
        self._settle_running()
        for container in (feature, *feature.iter_rules()):
            if container.hook_failed or container.status is Status.cleanup_error:
                test = _container_test(feature, container)
                self._order[test.nodeid] = next(self._place)
                self._add(test)
        for scenario in feature.walk_scenarios():
            nodeid = self._nodeid(scenario)
            self._order[self._nodeids.find(nodeid)] = next(self._place)
            if id(scenario) not in self._announced and _was_selected(scenario, self.config):
                self._settle(scenario, nodeid)

    def _settle_running(self) -> None:
        scenario, self._running = self._running, None
        earlier, self._earlier = self._earlier, ()
        if scenario is not None:
            self._settle(scenario, self._nodeid(scenario), self._started, earlier)
        self._attached = Attachments()

    def _settle(
        self, scenario: Any, nodeid: str, started: float | None = None, earlier: tuple[Attempt, ...] = ()
    ) -> None:
        try:
            record = self._recorder.take(nodeid)
            test = _test(self._feature, scenario, nodeid, record, self._output)
            if self._exited and started is not None and test.outcome != "failed":
                test = replace(test, outcome="errored", skip_reason=None, traceback=test.traceback or _EXITED)
            shown = self._nodeids.show(nodeid, record.redactor.text(nodeid))
            attached = () if started is None else tuple(self._attached.take(record.redactor))
            self._count(record.redactor)
            self._add(replace(test, nodeid=shown, started=started, earlier=earlier, attachments=attached))
        except Exception as error:  # noqa: BLE001 - the report must never decide a run
            notice(f"{nodeid} is missing from the report ({type(error).__name__}: {error})")

    def _nodeid(self, scenario: Any) -> str:
        return clean_text(nodeid_of(self._feature, scenario))

    def _add(self, test: Test) -> None:
        if not self.config.dry_run:
            self._writer.note(self._recorder.facts)
            self._writer.add(test, redacted=(self._masked.fields, self._masked.stream_matches))

    def _rank(self, nodeid: str) -> int:
        return self._order.get(nodeid, sys.maxsize)

    def _count(self, redactor: Redactor) -> None:
        self._masked.fields += redactor.fields
        self._masked.stream_matches += redactor.stream_matches

    def _add_leftovers(self) -> None:
        if self._broken_off and not self._announced:
            self._add(_aborted_before_start())
        for nodeid, record in self._recorder.rest().items():
            self._count(record.redactor)
            stand_in = Test(nodeid=self._nodeids.find(nodeid), file="", name="", outcome="passed")
            self._writer.add_scenarios(stand_in, record.scenarios)

    @cached_property
    def _environment(self) -> Environment:
        return describe_environment(self._git, project_name=project_name(None, Path.cwd()))

    def _run(self) -> Run:
        return Run(
            started_at=self._stopwatch.started_at,
            finished_at=now(),
            duration_ms=self._stopwatch.elapsed_ms(),
            environment=self._environment,
            redacted_fields=self._masked.fields,
            redacted_text=self._masked.stream_matches,
            interrupted=self._broken_off and not self.config.stop,
            facts=self._recorder.facts,
        )


class _Remainder(Reporter):  # type: ignore[misc]  # behave has no types
    """behave tells its reporters of every feature, also of those an interrupted run never came to."""

    def __init__(self, formatter: ChoreoFormatter) -> None:
        super().__init__(formatter.config)
        self._formatter = formatter

    def feature(self, feature: Any) -> None:
        """Called after each feature, run or not."""
        self._formatter.left_over(feature)

    def end(self) -> None:
        """Called last; the report is written already."""


def _directory(name: str | None) -> Path:
    path = name or os.environ.get("HARNESS_REPORT_DIR") or configured_directory(Path.cwd()) or DEFAULT_DIRECTORY
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)  # as behave does for every -o
        directory = resolve(path, Path.cwd())
        begin(directory)
    except (ReportDirectoryError, OSError) as error:
        raise ConfigError(f"-f choreo -o {path}: {error}") from error
    return directory


# --- from behave's model to ours ---


def _uri(feature: Any) -> str:
    return clean_text(relative(feature.filename))


def _was_selected(scenario: Any, config: Any) -> bool:
    """Whether a scenario that was not run should have been."""
    return scenario.status is Status.untested and bool(scenario.should_run(config))


def _test(feature: Any, scenario: Any, nodeid: str, record: TestRecord, output: CapturedOutput) -> Test:
    redactor = record.redactor
    if scenario._row is not None:  # an example's cells stand in names and steps without their heading
        redactor.learn_secrets(dict(scenario._row.items()))
    # first: its tables name secrets that output repeats
    gherkin = masked_gherkin(redactor, _gherkin(feature, scenario))
    outcome = _outcome(scenario, record)
    traceback = masked_or_none(redactor, _failure_text(scenario))
    captured = scenario.captured
    printed = {"stdout": captured.stdout, "stderr": captured.stderr, "log": captured.log}
    kept = output.take(nodeid, printed, redactor, failed=outcome in ("failed", "errored"))
    return Test(
        nodeid=nodeid,
        file=_uri(feature),
        name=masked(redactor, scenario.name.strip()),
        outcome=outcome,
        markers=tuple(sorted(masked(redactor, str(tag)) for tag in scenario.effective_tags)),
        duration_ms=max(0.0, scenario.duration * 1000),
        traceback=traceback,
        stdout=kept["stdout"],
        stderr=kept["stderr"],
        log=kept["log"],
        skip_reason=_skip_reason(scenario, redactor) if outcome == "skipped" else None,
        scenarios=record.scenarios,
        feature=masked_feature(redactor, feature_of(head_of(feature))),
        gherkin=gherkin,
    )


def _outcome(scenario: Any, record: TestRecord) -> TestOutcome:
    status = _STEP_STATUS.get(scenario.status, "untested")
    if status in ("skipped", "untested"):
        return "skipped"
    if status == "failed":
        return "failed"
    if status != "passed":
        return "errored"
    slow = any(item.document["outcome"] == "slow" for item in record.scenarios)
    return "slow" if slow else "passed"


def _failure_text(scenario: Any) -> str | None:
    parts = [] if not scenario.error_message else [scenario.error_message]
    for step in scenario.all_steps:
        if step.status in (Status.undefined, Status.untested_undefined):
            parts.append(f"{step.location}: undefined step: {step.keyword} {step.name}")
        elif step.error_message:
            parts.append(f"{step.location}: {step.keyword} {step.name}\n{step.error_message}")
    return "\n\n".join(parts) or None


def _skip_reason(scenario: Any, redactor: Redactor) -> str:
    if scenario.status is Status.untested:
        return _BROKEN_OFF
    return f"Skipped: {masked(redactor, scenario.skip_reason)}" if scenario.skip_reason else "Skipped"


def _container_test(feature: Any, container: Any) -> Test:
    """A feature or rule whose own hooks or clean-ups failed, as an errored test beside its scenarios."""
    uri = _uri(feature)
    name = f"{container.keyword}: {container.name}"
    text = container.error_message or "a clean-up function raised"
    return Test(
        nodeid=clean_text(scenario_nodeid(uri, name, container.line)),
        file=uri,
        name=masked(Redactor(), name),
        outcome="errored",
        traceback=masked(Redactor(), text),
    )


def _aborted_before_start() -> Test:
    text = "the run was broken off before its first feature: the before_all hook failed, or the user stopped it"
    return Test(nodeid=SESSION_NODEID, file="", name="", outcome="errored", traceback=text)


def _gherkin(feature: Any, scenario: Any) -> GherkinScenario:
    read = scenario_of(feature, scenario)
    steps = (_step(step, ran) for step, ran in zip(read.steps, scenario.all_steps, strict=True))
    effective = map(str, scenario.effective_tags)
    return gherkin_of(read, tags=tuple(str(tag) for tag in scenario.tags), effective=effective, steps=steps)


def _step(step: project.Step, ran: Any) -> Step:
    return step_of(
        step,
        status=_STEP_STATUS.get(ran.status, "untested"),
        duration_ms=max(0.0, ran.duration * 1000),
        message=(ran.error_message or "").removeprefix("ASSERT FAILED: ") or None,
    )


def _count(outcomes: Sequence[str]) -> str:
    parts = [f"{number} {outcome}" for outcome, number in Counter(outcomes).items()]
    return f"{len(outcomes)} scenario{'' if len(outcomes) == 1 else 's'}: {', '.join(parts) or 'none run'}"

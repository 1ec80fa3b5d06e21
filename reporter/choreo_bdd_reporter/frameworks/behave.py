"""The behave formatter ``choreo``: ``behave -f choreo -o DIR``. Uses of behave's internals stand here and beside it.

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
from copy import copy
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
from choreo_bdd.shared.counted import counted
from choreo_bdd_project.frameworks.behave_model import nodeid_of
from choreo_bdd_reporter.frameworks.behave_tests import aborted_before_start, container_test, ran_test, was_selected
from choreo_bdd_reporter.frameworks.to_chronicle import hand_over
from choreo_bdd_reporter.model.clock import Stopwatch, now
from choreo_bdd_reporter.model.host_and_versions import GitLookup, describe_environment, project_name
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.tests import (
    Attempt,
    Environment,
    Run,
    Test,
)
from choreo_bdd_reporter.record.attachments import Attachments
from choreo_bdd_reporter.record.masking import NodeIds
from choreo_bdd_reporter.record.output import CapturedOutput
from choreo_bdd_reporter.record.recorder import Recorder
from choreo_bdd_reporter.store.configured_directory import configured_directory, hide_configured_secrets
from choreo_bdd_reporter.store.directory import ReportDirectoryError, file_to_open, prepare, resolve
from choreo_bdd_reporter.writer import ReportWriter

DEFAULT_DIRECTORY = "test-report"

_NOT_RUN = "not run: the run was broken off before"
_BROKEN_OFF = "not decided: the run was broken off here"
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
        self._recorder = Recorder()
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
        self._steps: list[Any] = []
        self._in_step = False
        self._feature: Any = None
        self._announced: set[int] = set()
        self._broken_off = False
        self._has_failed = False
        self._exited = False
        atexit.register(self._cut_short)
        config.reporters.append(_Remainder(self))

    def feature(self, feature: Any) -> None:
        """A feature begins."""
        self._feature = feature
        self._announce([each for each in feature.walk_scenarios() if was_selected(each, self.config)])

    def scenario(self, scenario: Any) -> None:
        """A scenario begins: name it to the engine. The one before it is over, its hooks included."""
        if scenario is self._running:  # an automatic retry, which behave begins only after a failure
            self._settle_attempt(scenario)
        else:
            self._settle_running()
        self._running, self._started = scenario, time.time()
        self._steps, self._in_step = [], False
        self._announced.add(id(scenario))
        observers.current_test_nodeid.set(self._nodeid(scenario))

    def match(self, match: Any) -> None:  # noqa: ARG002 - behave gives it, and not the step
        """A step begins; its hooks belong to it."""
        self._in_step = True

    def result(self, step: Any) -> None:
        """A step is over, or was passed over. The model forgets it when its scenario is retried, a copy does not."""
        self._steps.append(copy(step))
        self._in_step = False

    def embedding(self, mime_type: str, data: bytes | str) -> None:
        """A step or a hook attaches something: behave's ``context.attach()``."""
        self._attached.add(mime_type, data, step=len(self._steps) if self._in_step else None)

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
        sys.stderr.write(f"choreo report: {file_to_open(self._directory)} ({_count(outcomes)})\n")
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
                test = container_test(feature, container)
                self._order[test.nodeid] = next(self._place)
                self._add(test)
        for scenario in feature.walk_scenarios():
            nodeid = self._nodeid(scenario)
            self._order[self._nodeids.find(nodeid)] = next(self._place)
            if id(scenario) not in self._announced and was_selected(scenario, self.config):
                self._settle(scenario, nodeid)

    def _settle_running(self) -> None:
        scenario, self._running = self._running, None
        earlier, self._earlier = self._earlier, ()
        if scenario is not None:
            self._settle(scenario, self._nodeid(scenario), self._started, earlier)
        self._attached = Attachments()

    def _settle_attempt(self, scenario: Any) -> None:
        """Keep an attempt that behave is about to repeat, from what is known of its steps."""
        steps = [*self._steps, *list(scenario.all_steps)[len(self._steps) :]]
        self._settle(scenario, self._nodeid(scenario), self._started, self._earlier, attempt=steps)
        self._attached = Attachments()

    def _settle(
        self,
        scenario: Any,
        nodeid: str,
        started: float | None = None,
        earlier: tuple[Attempt, ...] = (),
        *,
        attempt: Sequence[Any] | None = None,
    ) -> None:
        """Keep what became of a scenario, or with its steps of an ``attempt`` that is not the last."""
        try:
            record = self._recorder.take(nodeid)
            stopped = started is None and self._is_stopped()
            test = ran_test(self._feature, scenario, nodeid, record, self._output, steps=attempt, stopped=stopped)
            if attempt is not None:
                test = replace(test, outcome="failed", skip_reason=None)
            elif self._exited and started is not None and test.outcome != "failed":
                test = replace(test, outcome="errored", skip_reason=None, traceback=test.traceback or _EXITED)
            elif scenario.status is Status.untested and not stopped:
                test = replace(test, traceback=_NOT_RUN if started is None else _BROKEN_OFF)
            shown = self._nodeids.show(nodeid, record.redactor.text(nodeid))
            attached = () if started is None else tuple(self._attached.take(record.redactor))
            self._count(record.redactor)
            self._add(replace(test, nodeid=shown, started=started, earlier=earlier, attachments=attached))
            if attempt is not None:
                self._earlier = self._writer.attempts(shown, None)
        except Exception as error:  # noqa: BLE001 - the report must never decide a run
            what = nodeid if attempt is None else f"an attempt at {nodeid}"
            notice(f"{what} is missing from the report ({type(error).__name__}: {error})")

    def _is_stopped(self) -> bool:
        """Whether behave goes no further because it was asked to, and not because the run was broken off."""
        return self.config.stop and self._has_failed and not self._feature.hook_failed

    def _nodeid(self, scenario: Any) -> str:
        return clean_text(nodeid_of(self._feature, scenario))

    def _announce(self, scenarios: Sequence[Any]) -> None:
        """Keep what is to run now; behave tells formatters nothing of the features that follow."""
        if scenarios and not self.config.dry_run:
            nodeids = map(self._nodeid, scenarios)
            self._writer.announce([self._nodeids.show(each, Redactor().text(each)) for each in nodeids])

    def _add(self, test: Test) -> None:
        self._has_failed = self._has_failed or test.outcome in ("failed", "errored")
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
            self._add(aborted_before_start())
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
        prepare(directory)
    except (ReportDirectoryError, OSError) as error:
        raise ConfigError(f"-f choreo -o {path}: {error}") from error
    return directory


def _count(outcomes: Sequence[str]) -> str:
    parts = [f"{number} {outcome}" for outcome, number in Counter(outcomes).items()]
    parts += [] if set(outcomes) - {"skipped"} else ["none run"]
    return f"{counted(len(outcomes), 'scenario')}: {', '.join(parts)}"

"""From phase reports to tests: outcome, failure text and scenarios of each test."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_project.gherkin.feature import find_scenario
from choreo_bdd_reporter.frameworks.gherkin import feature_of, gherkin_of, step_of
from choreo_bdd_reporter.frameworks.pytest.phases import (
    PhaseFacts,
    detach,
    is_subtest,
    read_gherkin,
    scenarios_of,
    shown_gherkin,
    skip_reason,
)
from choreo_bdd_reporter.model.limits import cap_stream
from choreo_bdd_reporter.model.run_facts import Facts, merged_facts
from choreo_bdd_reporter.model.schema_types import TestOutcome
from choreo_bdd_reporter.model.tests import (
    SESSION_NODEID,
    Attempt,
    Feature,
    GherkinScenario,
    RecordedScenario,
    Test,
    file_and_name,
)
from choreo_bdd_reporter.record.masking import NodeIds, masked
from choreo_bdd_reporter.writer import ReportWriter

_BROKEN_OFF = "not decided: the run was broken off here, by Ctrl-C, pytest.exit() or the end of its process"
_NOT_RUN = "not run: the run was broken off before"
_PHASES = ("setup", "call", "teardown")
_Key = tuple[str, "str | None"]


@dataclass(slots=True)
class _Assembled:
    """One test as far as it was reported."""

    nodeid: str
    worker_id: str | None = None
    outcome: TestOutcome = "passed"
    duration_ms: float = 0.0
    started: float | None = None
    facts: PhaseFacts = field(default_factory=dict)
    tracebacks: list[str] = field(default_factory=list)
    skip_reason: str | None = None
    scenarios: list[RecordedScenario] = field(default_factory=list)
    attachments: list[Mapping[str, Any]] = field(default_factory=list)
    gherkin: tuple[Feature, GherkinScenario] | None = None
    earlier: tuple[Attempt, ...] = ()
    phases: set[str] = field(default_factory=set)
    is_retried: bool = False
    of_subtests: list[dict[str, str]] = field(default_factory=list)

    def is_over_before(self, report: pytest.TestReport) -> bool:
        """Whether a report belongs to the next attempt; subtests may be told before the setup of their test."""
        phase = "call" if is_subtest(report) else str(report.when)
        return phase in self.phases or (phase == "setup" and bool(self.phases))

    def below(self, later: _Assembled) -> _Assembled:
        """A later run under the same node id; where it is no repetition for a better outcome, the worst one counts."""
        if not self.is_retried and self.outcome in ("failed", "errored"):
            later.outcome, later.tracebacks = self.outcome, list(self.tracebacks)
        return later

    def add(self, report: pytest.TestReport, part: PhaseFacts) -> None:
        self.scenarios += scenarios_of(part)
        self.attachments += part["attachments"]
        if part["gherkin"] is not None:
            self.gherkin = read_gherkin(part["gherkin"])
        if part["traceback"] is not None:
            self.tracebacks.append(part["traceback"])
        self.started = self.started or getattr(report, "start", None)
        self.outcome = _outcome(self.outcome, report)
        self.is_retried = self.is_retried or _is_retried(report)
        if is_subtest(report):
            self.facts = self.facts or {**part, "streams": dict.fromkeys(part["streams"], "")}
            self.of_subtests.append(part["streams"])
            return
        self.facts = part
        self.phases.add(str(report.when))
        self.skip_reason = part["skip_reason"] or self.skip_reason
        if report.when == "call":
            self.duration_ms = max(0.0, report.duration * 1000)

    def is_undecided(self, *, interrupted: bool) -> bool:
        """Whether it broke off: nobody knows what it would have come to."""
        return self.outcome == "passed" and ("teardown" if interrupted else "call") not in self.phases

    def break_off(self) -> None:
        """What was not decided is no success."""
        self.outcome = "errored"
        self.tracebacks.append(_BROKEN_OFF)

    def pass_over(self, stopped: str | None) -> None:
        """It never began, because pytest ``stopped`` as it was asked to, or because the run was broken off."""
        if stopped is None:
            self.outcome = "errored"
            self.tracebacks.append(_NOT_RUN)
        else:
            self.outcome, self.skip_reason = "skipped", f"not run: {stopped}"

    def test(self, nodeids: NodeIds) -> Test:
        facts, streams = self.facts, self._streams()
        slow = self.outcome == "passed" and any(item.document["outcome"] == "slow" for item in self.scenarios)
        feature, gherkin = self.gherkin or (None, None)
        return Test(
            nodeid=nodeids.show(self.nodeid, facts["nodeid"]),
            file=facts["file"],
            name=facts["name"],
            class_name=facts["class"],
            markers=tuple(facts["markers"]),
            choreo_meta=facts["choreo_meta"],
            outcome="slow" if slow else self.outcome,
            duration_ms=self.duration_ms,
            started=self.started,
            traceback="\n\n".join(self.tracebacks) or None,
            stdout=streams["stdout"],
            stderr=streams["stderr"],
            log=streams["log"],
            skip_reason=self.skip_reason if self.outcome == "skipped" else None,
            worker_id=self.worker_id,
            earlier=self.earlier,
            scenarios=tuple(self.scenarios),
            attachments=tuple(self.attachments),
            feature=feature,
            gherkin=gherkin,
        )

    def _streams(self) -> dict[str, str]:
        own = self.facts["streams"]
        return {
            name: cap_stream("\n".join(filter(None, (text, *(each[name] for each in self.of_subtests)))))
            for name, text in own.items()
        }


def _is_retried(report: pytest.TestReport) -> bool:
    """Whether a plugin calls a failure by a name of its own, such as "rerun", because it does not count."""
    return report.outcome not in ("passed", "failed", "skipped")


def _outcome(so_far: TestOutcome, report: pytest.TestReport) -> TestOutcome:
    if report.outcome == "failed" or _is_retried(report):
        if so_far == "failed":
            return "failed"  # a teardown error after a failure does not soften it
        return "failed" if report.when == "call" else "errored"
    if report.outcome == "skipped" and so_far == "passed" and not is_subtest(report):
        return "skipped"
    return so_far


class TestAssembly:
    """All tests of a run; each goes into the report as soon as its last phase is known.

    ``redacted_fields`` and ``redacted_text`` count what was masked, in all processes together.
    """

    def __init__(self, writer: ReportWriter, root: Path) -> None:
        self._writer = writer
        self._root = root
        self._begun: dict[str, None] = {}
        self._ahead: dict[str, None] = {}
        self._met: set[str] = set()
        self._failed: dict[_Key, _Assembled] = {}
        self._crashed: dict[str, str | None] = {}
        self._nodeids = NodeIds()
        self._open: dict[_Key, _Assembled] = {}
        self._streams_redacted: dict[_Key, int] = {}
        self._order: dict[str, int] = {}
        self._told: dict[str | None, Facts] = {}
        self._redactor = Redactor()
        self._fields = 0
        self._text = 0

    @property
    def redacted_fields(self) -> int:
        """Values masked by their key."""
        return self._fields + self._redactor.fields

    @property
    def redacted_text(self) -> int:
        """Places masked in text."""
        return self._text + self._redactor.stream_matches + sum(self._streams_redacted.values())

    @property
    def run_facts(self) -> dict[str, Any]:
        """What all processes said about the run as a whole."""
        return merged_facts(self._told.values())

    def note(self, facts: Facts, worker_id: str | None) -> None:
        """Take in what a process says about the run as a whole; what it said before no longer holds."""
        if facts:
            self._told[worker_id] = facts
            self._writer.note(self.run_facts)

    def collected(self, nodeids: list[str]) -> None:
        """Note what is to run, and in which order: a parallel run is reported in it, too."""
        redactor = Redactor()
        new = [nodeid for nodeid in nodeids if nodeid not in self._ahead]
        if new:
            self._writer.announce([self._nodeids.show(each, redactor.text(each)) for each in new])
        self._ahead.update(dict.fromkeys(new))
        for nodeid in nodeids:
            self._order.setdefault(nodeid, len(self._order))

    def rank(self, nodeid: str) -> int:
        """The place of a test in the order of collection; those that were not collected come last."""
        return self._order.get(nodeid, sys.maxsize)

    def begin(self, nodeid: str) -> None:
        """Note that a test has begun; pytest-xdist does not say where."""
        self._begun[nodeid] = None
        self._met.add(nodeid)

    def add_gherkin(self, shown: Mapping[str, list[dict[str, Any]]]) -> None:
        """Take in the Gherkin side of tests that were broken off, by node id."""
        for nodeid, gherkin in shown.items():
            key = (nodeid, None)
            self._open.setdefault(key, self._from_nodeid(key)).gherkin = read_gherkin(gherkin)

    def add(self, report: pytest.TestReport, worker_id: str | None) -> None:
        """Take in the report of one phase; a new ``setup`` of the same test is a repetition and replaces it."""
        self._begun.pop(report.nodeid, None)
        self._met.add(report.nodeid)
        key = (report.nodeid, worker_id)
        if key in self._open and self._open[key].is_over_before(report):
            self._end(key)
        if key not in self._open:
            if report.nodeid in self._crashed:
                shown = self._nodeids.find(report.nodeid)
                self._writer.take_over(shown, self._crashed.pop(report.nodeid), worker_id)
            begun = _Assembled(report.nodeid, worker_id, earlier=self._earlier(key))
            self._open[key] = self._failed[key].below(begun) if key in self._failed else begun
        part = detach(report) or self._part_without_facts(report, self._open[key].facts)
        self.note(part.get("run") or {}, worker_id)
        self._fields += part["redacted"][0]
        self._text += part["redacted"][1]
        if is_subtest(report):
            self._text += part["streams_redacted"]
        else:
            self._streams_redacted[key] = part["streams_redacted"]
        self._open[key].add(report, part)
        if report.when == "teardown":
            self._end(key)
        elif _is_retried(report) and report.when not in _PHASES:  # its worker has crashed, another one repeats it
            self._end(key)
            self._crashed[report.nodeid] = worker_id

    def add_collection_error(self, report: pytest.CollectReport) -> None:
        """A file that could not be collected is an errored test of its own."""
        nodeid = report.nodeid or SESSION_NODEID
        assembled = _Assembled(nodeid, facts=_facts_from(nodeid), outcome="errored")
        assembled.tracebacks.append(masked(self._redactor, report.longreprtext))
        self._write(assembled)

    def add_leftovers(self, nodeid: str, part: PhaseFacts, worker_id: str | None) -> None:
        """Scenarios that finished outside any test, or after theirs was reported."""
        self._fields += part["redacted"][0]
        self._text += part["redacted"][1]
        key = (nodeid, None if nodeid == SESSION_NODEID else worker_id)
        if key in self._open:
            self._open[key].scenarios += scenarios_of(part)
            return
        stand_in = _Assembled(*key, facts=_facts_from(self._nodeids.find(nodeid))).test(self._nodeids)
        self._writer.add_scenarios(stand_in, scenarios_of(part), redacted=self._redacted())

    def close(self, *, interrupted: bool, stopped: str | None) -> None:
        """Hand over the tests whose end was never reported: their worker crashed, or the run was broken off.

        Those that the run did not come to are told, too; ``stopped`` says why it was asked not to, as by ``-x``.
        """
        told = {nodeid for nodeid, _ in self._open}
        for nodeid in self._begun.keys() - told:  # not even its setup was reported
            self._open[nodeid, None] = self._from_nodeid((nodeid, None))
        unstarted = [nodeid for nodeid in self._ahead if nodeid not in self._met]
        if interrupted and not self._open and not unstarted:  # after the last test
            key = (SESSION_NODEID, None)
            self._open[key] = self._from_nodeid(key)
        for each in self._open.values():
            if each.is_undecided(interrupted=interrupted):
                each.break_off()
        for nodeid in unstarted:
            left = self._open[nodeid, None] = self._from_nodeid((nodeid, None))
            left.pass_over(stopped)
        while self._open:
            self._write(self._open.pop(next(iter(self._open))))

    def _end(self, key: _Key) -> None:
        """An attempt is over, though perhaps not the last at its test."""
        over = self._open.pop(key)
        self._write(over)
        if over.outcome in ("failed", "errored"):
            self._failed[key] = _Assembled(*key, outcome=over.outcome, tracebacks=over.tracebacks)
            self._failed[key].is_retried = over.is_retried

    def _earlier(self, key: _Key) -> tuple[Attempt, ...]:
        return self._writer.attempts(self._nodeids.find(key[0]), key[1])

    def _from_nodeid(self, key: _Key) -> _Assembled:
        return _Assembled(*key, facts=_facts_from(self._redactor.text(key[0])))

    def _write(self, assembled: _Assembled) -> None:
        if assembled.gherkin is None:  # its process could not tell
            assembled.gherkin = self._as_written(assembled.nodeid)
        test = assembled.test(self._nodeids)
        self._order.setdefault(test.nodeid, self.rank(assembled.nodeid))
        self._writer.add(test, redacted=self._redacted())

    def _as_written(self, nodeid: str) -> tuple[Feature, GherkinScenario] | None:
        """The Gherkin side of a test that stands in a feature file, from there."""
        found = find_scenario(nodeid, self._root)
        if found is None:
            return None
        steps = (step_of(step, status="skipped") for step in found[1].steps)
        gherkin = gherkin_of(found[1], tags=found[1].tags, effective=found[0].tags, steps=steps)
        return read_gherkin(shown_gherkin(self._redactor, feature_of(found[0]), gherkin))

    def _redacted(self) -> tuple[int, int]:
        return self.redacted_fields, self.redacted_text

    def _part_without_facts(self, report: pytest.TestReport, known: PhaseFacts) -> PhaseFacts:
        """The report of a phase that ran where the reporter is not, or of a crash."""
        failed, skipped = report.outcome == "failed" or _is_retried(report), report.outcome == "skipped"
        facts = known or _facts_from(self._redactor.text(report.nodeid))
        text = report.longreprtext.replace(report.nodeid, facts["nodeid"])  # pytest-xdist names the test that crashed
        return {
            **facts,
            "traceback": masked(self._redactor, text) if failed else None,
            "skip_reason": masked(self._redactor, skip_reason(report)) if skipped else None,
            "scenarios": [],
            "attachments": [],
            "gherkin": None,
            "redacted": [0, 0],
            "streams_redacted": 0,
        }


def _facts_from(nodeid: str) -> PhaseFacts:
    file, name = file_and_name(nodeid)
    facts: Mapping[str, Any] = {
        "nodeid": nodeid,
        "file": "" if nodeid == SESSION_NODEID else file,
        "name": "" if nodeid == SESSION_NODEID else name,
        "class": None,
        "markers": [],
        "choreo_meta": None,
        "streams": {"stdout": "", "stderr": "", "log": ""},
    }
    return dict(facts)

"""A report's bytes checked and taken apart into records."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from choreo_bdd_chronicle.check import documents
from choreo_bdd_chronicle.check.decoding import decode
from choreo_bdd_chronicle.check.documents import Document, Handle
from choreo_bdd_chronicle.check.moments import microseconds
from choreo_bdd_chronicle.check.names import BRANCH_MAX, ENVIRONMENT_MAX, TOPIC_MAX, TRANSPORT_MAX, cut_name
from choreo_bdd_chronicle.check.records import (
    Failed,
    Fault,
    RefusedReportError,
    Report,
    Run,
    Scenario,
    TopicTally,
    pointer,
)
from choreo_bdd_chronicle.check.soundness import UnsureError, sound
from choreo_bdd_chronicle.detect.causes import Cause
from choreo_bdd_chronicle.summarise.histogram import Histogram
from choreo_bdd_chronicle.summarise.tally import Tally, together
from choreo_bdd_reporter.model.arrival import came
from choreo_bdd_reporter.model.limits import clean_text

_FAILED = ("fail", "timeout")
_SLOW = "slow"
_PART = re.compile(r"\w+")
"""A key or an index in the place that msgspec names, such as ``$.tests[0].nodeid``."""
_DAY_DIGITS = len("2026-01-31")
_EDGES = ("0001", "9999")
"""Of these years some days can be told only in part."""


class _Column:
    """What is measured of the handles of one topic, without the handles."""

    __slots__ = ("budgets", "latencies", "missed", "outcomes")

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.latencies: list[float] = []
        self.budgets: list[float] = []
        self.missed = 0

    def add(self, handle: Handle) -> None:
        """Take in one handle."""
        self.outcomes.append(handle.outcome)
        if handle.latency_ms is not None and came(handle.outcome, handle.actual):
            self.latencies.append(handle.latency_ms)
        if handle.budget_ms is not None:
            self.budgets.append(handle.budget_ms)
            self.missed += handle.misses_budget()

    def tally(self) -> Tally:
        """All of them."""
        return Tally.of(self.outcomes, self.latencies, self.budgets, self.missed)


def check_report(body: bytes) -> Report:
    """The records of a ``results.json`` of any version 1.x. Raises ``RefusedReportError`` with the places at fault."""
    try:
        run, tests = sound(body)
        return Report(run=_run(run), warnings=[], **_measured(tests, run, by_day=True))
    except (UnsureError, RefusedReportError):  # what is wrong is told by who looks closer
        document, warnings = _looked_at(body)
    return Report(run=_run(document.run), warnings=warnings, **_measured(document.tests, document.run, by_day=False))


def _looked_at(body: bytes) -> tuple[Document, list[str]]:
    """What is read of a document, and what is odd about it though it can be taken."""
    document = decode(body)
    if not isinstance(document, dict):
        raise RefusedReportError([Fault("", f"a report is a JSON object, not {_kind(document)}")])
    if "schema_version" not in document:
        raise RefusedReportError([Fault("/schema_version", 'missing; a report names its version, such as "1.3"')])
    from choreo_bdd_chronicle.check.schemas import UPDATE, checker  # noqa: PLC0415 - most reports, and a start, do without

    found = checker(document["schema_version"])
    if found is None:
        message = (
            f'no version that is understood here; a string from "1" to "1.9" is expected; for a later one, {UPDATE}'
        )
        raise RefusedReportError([Fault("/schema_version", message)])
    faults, oddities = found.judge(document)
    if faults:
        raise RefusedReportError(faults)
    try:
        return msgspec.convert(document, Document), [str(each) for each in oddities]
    except msgspec.ValidationError as problem:  # a key that its version's schema does not know, and later ones do
        message, _, path = str(problem).partition(" - at `$")
        raise RefusedReportError([Fault(pointer(_PART.findall(path)), message)]) from problem


def _run(run: documents.Run) -> Run:
    totals = run.totals
    return Run(
        started_at=_moment(run.started_at, "run", "started_at"),
        finished_at=_moment(run.finished_at, "run", "finished_at"),
        duration_ms=run.duration_ms,
        environment=_name(run.environment, ENVIRONMENT_MAX),
        transport=_name(run.transport or None, TRANSPORT_MAX),
        transports=_transports(run.transports) if isinstance(run.transports, list) else None,
        branch=_name(run.git_branch, BRANCH_MAX),
        git_sha=_text(run.git_sha),
        hostname=_text(run.hostname),
        harness_version=_text(run.harness_version),
        reporter_version=_text(run.reporter_version),
        python_version=_text(run.python_version),
        project_name=_text(run.project_name),
        **{f"total_{name}": int(getattr(totals, name)) for name in ("passed", "failed", "errored", "skipped", "slow")},
        total_tests=int(totals.total),
    )


def _measured(tests: Iterable[documents.Test], run: documents.Run, *, by_day: bool) -> dict[str, Any]:
    scenarios: list[Scenario] = []
    failures: list[Failed] = []
    topics: defaultdict[tuple[str, str], _Column] = defaultdict(_Column)
    days: set[str] = set()
    handle_count, default = 0, run.transport or ""
    for test, scenario, failed, place in _scenarios(tests):
        _check_places(scenario, place, days, by_day=by_day)
        failing = (*_FAILED, _SLOW) if failed and scenario.outcome == _SLOW else _FAILED
        for handle in scenario.handles:
            topics[handle.topic, handle.transport or default].add(handle)
            if handle.outcome in failing:
                failures.append(Failed(len(scenarios), _cause(handle)))
        handle_count += len(scenario.handles)
        scenarios.append(_scenario(test, scenario, len(scenarios), failed=failed))
    return {"scenarios": scenarios, "failures": failures, "handle_count": handle_count, **_summed(topics)}


def _summed(topics: Mapping[tuple[str, str], _Column]) -> dict[str, Any]:
    """What each topic's handles measured, and all of them; names that become alike when they are cleaned are one."""
    tallies: dict[tuple[str, str], Tally] = {}
    for (topic, via), column in topics.items():
        key, tally = (cut_name(topic, TOPIC_MAX), cut_name(via, TRANSPORT_MAX)), column.tally()
        tallies[key] = together((tallies[key], tally)) if key in tallies else tally
    every = Histogram.merged(each.histogram for each in tallies.values())
    return {
        "topics": [TopicTally(*key, each.histogram.percentile(0.9), each.values) for key, each in tallies.items()],
        "topic_count": len({topic for topic, _ in tallies}),
        "p50_ms": every.percentile(0.5),
        "p95_ms": every.percentile(0.95),
        "p99_ms": every.percentile(0.99),
    }


def _scenarios(
    tests: Iterable[documents.Test],
) -> Iterator[tuple[documents.Test, documents.Scenario, bool, tuple[str | int, ...]]]:
    """Each with its test, whether it failed, and its place."""
    for number, test in enumerate(tests):
        for index, (scenario, failed) in enumerate(zip(test.scenarios, test.failed_scenarios(), strict=True)):
            yield test, scenario, failed, ("tests", number, "scenarios", index)


def _check_places(scenario: documents.Scenario, place: tuple[str | int, ...], days: set[str], *, by_day: bool) -> None:
    """What no schema says: a stage's handles name their transport, and events happened at moments that exist.

    ``by_day`` tells that all but the day was looked at already; ``days`` are those that are known to exist.
    """
    if scenario.stage:
        for index, handle in enumerate(scenario.handles):
            if not handle.transport:
                message = "missing; in a scenario on several transports every handle names its own"
                raise RefusedReportError([Fault(pointer((*place, "handles", index, "transport")), message)])
    for index, event in enumerate(scenario.timeline):
        day = event.wall_clock[:_DAY_DIGITS]
        if day not in days:
            _moment(event.wall_clock, *place, "timeline", index, "wall_clock")
            if by_day and day[: len("2026")] not in _EDGES:
                days.add(day)


def _scenario(test: documents.Test, scenario: documents.Scenario, position: int, *, failed: bool) -> Scenario:
    return Scenario(
        position=position,
        test_nodeid=clean_text(test.nodeid),
        name=clean_text(scenario.name),
        correlation_id=_text(scenario.correlation_id),
        outcome=scenario.outcome,
        duration_ms=scenario.duration_ms,
        completed_normally=scenario.completed_normally,
        handle_count=len(scenario.handles),
        failed=failed,
    )


def _cause(handle: Handle) -> Cause:
    found = handle.cause()
    return Cause(cut_name(found.topic, TOPIC_MAX), found.outcome, clean_text(found.kind), _text(found.path))


def _moment(text: str, *place: str | int) -> int:
    try:
        return microseconds(text)
    except ValueError as problem:
        raise RefusedReportError([Fault(pointer(place), str(problem))]) from problem


def _text(value: str | None) -> str | None:
    return None if value is None else clean_text(value)


def _name(value: str | None, most: int) -> str | None:
    return None if value is None else cut_name(value, most)


def _transports(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(cut_name(each, TRANSPORT_MAX) for each in names)


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")

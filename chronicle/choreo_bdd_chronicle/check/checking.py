"""A report's bytes checked and taken apart into records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from choreo_bdd_chronicle.check.decoding import decode
from choreo_bdd_chronicle.check.moments import microseconds
from choreo_bdd_chronicle.check.records import Failed, Fault, RefusedReportError, Report, Run, Scenario, TopicTally
from choreo_bdd_chronicle.check.schemas import checker, pointer
from choreo_bdd_chronicle.detect.causes import Cause, cause_of
from choreo_bdd_chronicle.summarise.tally import Tally
from choreo_bdd_reporter.model.arrival import latency_of_arrival
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.model.schema_types import ResultsHandle

Json = Mapping[str, Any]

_FAILED = ("fail", "timeout")


def check_report(body: bytes) -> Report:
    """The records of a ``results.json`` of any version 1.x. Raises ``RefusedReportError`` with the places at fault."""
    document = decode(body)
    if not isinstance(document, dict):
        raise RefusedReportError([Fault("", f"a report is a JSON object, not {_kind(document)}")])
    warnings = _checked(document)
    return Report(run=_run(document["run"]), warnings=warnings, **_measured(document))


def _checked(document: dict[str, Any]) -> list[str]:
    """What is odd about a document that can be taken."""
    if "schema_version" not in document:
        raise RefusedReportError([Fault("/schema_version", 'missing; a report names its version, such as "1.3"')])
    found = checker(document["schema_version"])
    if found is None:
        raise RefusedReportError(
            [Fault("/schema_version", 'no version that is understood here; a string from "1" to "1.9" is expected')]
        )
    faults, oddities = found.judge(document)
    if faults:
        raise RefusedReportError(faults)
    return oddities


def _run(run: Json) -> Run:
    totals, transports = run["totals"], run.get("transports")
    return Run(
        started_at=_moment(run["started_at"], "run", "started_at"),
        finished_at=_moment(run["finished_at"], "run", "finished_at"),
        duration_ms=run["duration_ms"],
        environment=_text(run["environment"]),
        transport=_text(run.get("transport")),
        transports=None if transports is None else tuple(clean_text(each) for each in transports),
        branch=_text(run["git_branch"]),
        git_sha=_text(run["git_sha"]),
        hostname=_text(run["hostname"]),
        harness_version=_text(run["harness_version"]),
        reporter_version=_text(run["reporter_version"]),
        python_version=_text(run["python_version"]),
        project_name=_text(run["project_name"]),
        **{f"total_{name}": int(totals[name]) for name in ("passed", "failed", "errored", "skipped", "slow")},
        total_tests=int(totals["total"]),
    )


@dataclass(slots=True)
class _Topic:
    """A topic's handles while they are counted."""

    outcomes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    latencies: list[float] = field(default_factory=list)
    budgets: list[float] = field(default_factory=list)
    over_budget: int = 0

    def count(self, handle: ResultsHandle) -> None:
        outcome, budget, latency = handle["outcome"], handle["budget_ms"], latency_of_arrival(handle)
        self.outcomes[outcome] += 1
        if latency is not None:
            self.latencies.append(latency)
        if budget is not None:
            self.budgets.append(budget)
            self.over_budget += handle["diagnosis"]["kind"] == "over_budget" or outcome == "timeout"

    def tally(self) -> Tally:
        return Tally.of(self.outcomes, self.latencies, self.budgets, self.over_budget)


def _measured(document: Json) -> dict[str, Any]:
    scenarios: list[Scenario] = []
    failures: list[Failed] = []
    topics: defaultdict[tuple[str, str], _Topic] = defaultdict(_Topic)
    handle_count, default = 0, document["run"].get("transport")
    for test, scenario, place in _scenarios(document):
        _check_places(scenario, place)
        handles = scenario["handles"]
        for handle in handles:
            topics[handle["topic"], handle.get("transport") or default or ""].count(handle)
            if handle["outcome"] in _FAILED:
                failures.append(Failed(len(scenarios), _cause(handle)))
        handle_count += len(handles)
        scenarios.append(_scenario(test, scenario, len(scenarios)))
    tallies = [TopicTally(clean_text(topic), clean_text(via), each.tally()) for (topic, via), each in topics.items()]
    return {"scenarios": scenarios, "topics": tallies, "failures": failures, "handle_count": handle_count}


def _scenarios(document: Json) -> Iterator[tuple[Json, Json, tuple[str | int, ...]]]:
    for number, test in enumerate(document["tests"]):
        for index, scenario in enumerate(test["scenarios"]):
            yield test, scenario, ("tests", number, "scenarios", index)


def _check_places(scenario: Json, place: tuple[str | int, ...]) -> None:
    """What no schema says: a stage's handles name their transport, and events happened on days that exist."""
    if scenario.get("stage") is not None:
        for index, handle in enumerate(scenario["handles"]):
            if not handle.get("transport"):
                message = "missing; in a scenario on several transports every handle names its own"
                raise RefusedReportError([Fault(pointer((*place, "handles", index, "transport")), message)])
    for index, event in enumerate(scenario["timeline"]):
        _moment(event["wall_clock"], *place, "timeline", index, "wall_clock")


def _scenario(test: Json, scenario: Json, position: int) -> Scenario:
    return Scenario(
        position=position,
        test_nodeid=clean_text(test["nodeid"]),
        name=clean_text(scenario["name"]),
        correlation_id=_text(scenario["correlation_id"]),
        outcome=scenario["outcome"],
        duration_ms=scenario["duration_ms"],
        completed_normally=scenario["completed_normally"],
        handle_count=len(scenario["handles"]),
    )


def _cause(handle: Json) -> Cause:
    found = cause_of(handle)
    return Cause(clean_text(found.topic), found.outcome, clean_text(found.kind), _text(found.path))


def _moment(text: str, *place: str | int) -> int:
    try:
        return microseconds(text)
    except ValueError as problem:
        raise RefusedReportError([Fault(pointer(place), str(problem))]) from problem


def _text(value: str | None) -> str | None:
    return None if value is None else clean_text(value)


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")

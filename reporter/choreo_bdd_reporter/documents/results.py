"""The run model as documents: ``results.json`` in schema 1.3, and what the page shows beyond it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from choreo_bdd.redaction import REDACTION_VERSION
from choreo_bdd.shared.counted import counted
from choreo_bdd_reporter.documents.headroom import least_headroom
from choreo_bdd_reporter.documents.tracebacks import line_of_exception
from choreo_bdd_reporter.model.limits import SCENARIOS_MAX, cap_detail, keep_worst
from choreo_bdd_reporter.model.schema_types import (
    Redactions,
    ResultsRun,
    ResultsTest,
    RunTransports,
    Totals,
    Xdist,
)
from choreo_bdd_reporter.model.tests import Attempt, RecordedScenario, Run, Step, Test

SCHEMA_VERSION = "1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFacts:
    """What the run as a whole needs to know of a test: its transports, and whether anything is left out of it.

    ``events`` has the length of each scenario's timeline. ``single`` are transports of scenarios on one harness,
    ``staged`` those that its Stages registered. ``headroom`` is the least share of a budget that a message left over.
    """

    __test__ = False

    events: tuple[int, ...] = ()
    single: tuple[str, ...] = ()
    staged: tuple[str, ...] | None = None
    allowlist_path: str | None = None
    truncated: bool = False
    earlier: tuple[Attempt, ...] = ()
    headroom: float | None = None


@dataclass(frozen=True, slots=True)
class TestDocument:
    """A test as it is written: its part of ``results.json``, and what the page shows beyond that.

    ``gherkin`` is empty or holds ``feature`` and ``scenario`` as the page shows them, the ``hidden`` lines of the
    feature's source and when the test ``started``; ``details`` stand in the order of the scenarios,
    ``recordings`` as well, ``attachments`` in that in which they were made.
    """

    __test__ = False

    test: ResultsTest
    gherkin: dict[str, Any]
    details: list[dict[str, Any]]
    attachments: list[Any]
    recordings: list[str]
    facts: TestFacts


def document_of(test: Test) -> TestDocument:
    """Everything a report keeps of a test."""
    kept, left_out = keep_worst(test.scenarios, SCENARIOS_MAX, map(_is_bad, test.scenarios))
    scenarios = tuple(test.scenarios[index] for index in kept)
    log = "\n".join([*([test.log] if test.log else []), *_attempt_notes(test.earlier), *_left_out_note(left_out)])
    return TestDocument(
        test={**_test(test), "log": log, "scenarios": [each.document for each in scenarios]},
        gherkin=_gherkin(test, scenarios),
        details=[each.details for each in scenarios],
        attachments=list(test.attachments),
        recordings=_recordings(scenarios),
        facts=replace(_facts(scenarios, truncated=bool(left_out)), earlier=test.earlier),
    )


def facts_document(facts: TestFacts) -> dict[str, Any]:
    """What is noted of a test for the run as a whole, as the journal has it."""
    return {
        "events": facts.events,
        "single": facts.single,
        "staged": facts.staged,
        "allowlist_path": facts.allowlist_path,
        "truncated": facts.truncated,
        "earlier": [asdict(attempt) for attempt in facts.earlier],
        "headroom": facts.headroom,
    }


def attempt_of(outcome: str, traceback: str | None) -> Attempt:
    """An attempt that is not the last; of its traceback, the line that says what was wrong."""
    return Attempt(outcome, cap_detail(line_of_exception(traceback)))


def _attempt_notes(earlier: Sequence[Attempt]) -> list[str]:
    """The format has no place for repetitions; the captured log is where readers of any version see them."""
    return [
        f"[attempt {number} of {len(earlier) + 1} {attempt.outcome}{attempt.reason and f': {attempt.reason}'}]"
        for number, attempt in enumerate(earlier, start=1)
    ]


def _left_out_note(count: int) -> list[str]:
    return [f"[{counted(count, 'more scenario')} not shown: limit {SCENARIOS_MAX} a test]"] if count else []


def row_ids(tests: Iterable[Mapping[str, Any]]) -> list[str]:
    """What tells each test of a report from the others: its node id, with the worker where several have run it."""
    known = [(test["nodeid"], test["worker_id"]) for test in tests]
    times = Counter(nodeid for nodeid, _ in known)
    seen: Counter[str] = Counter()
    ids = []
    for nodeid, worker in known:
        row = f"{nodeid}@{worker}" if worker and times[nodeid] > 1 else str(nodeid)
        seen[row] += 1
        ids.append(row if seen[row] == 1 else f"{row}#{seen[row]}")
    return ids


def attempts_document(
    repeated: Iterable[tuple[str, Sequence[Attempt], Sequence[Mapping[str, Any] | None]]],
) -> dict[str, Any]:
    """The earlier attempts of tests that were run again, by row id, for the page; with all that is kept of each.

    The format of the results has no place for them: it has one entry a test, and counts what it has.
    """
    told = {
        row: [{**asdict(attempt), **(kept or {})} for attempt, kept in zip(earlier, whole, strict=True)]
        for row, earlier, whole in repeated
        if earlier
    }
    return {"attempts": told} if told else {}


def attempt_document(test: Any, gherkin: Any, details: Any, attachments: Any) -> dict[str, Any]:
    """What is kept of an attempt, from the parts of its test; ``gherkin`` is empty or holds its ``scenario``."""
    kept = {"test": test, "scenario": gherkin and gherkin["scenario"], "details": details, "attachments": attachments}
    return {name: value for name, value in kept.items() if value}


def exit_document(run: Run) -> dict[str, Any]:
    """How a run ended, for the page."""
    return {"status": run.exit_status, "interrupted": run.interrupted}


def with_more_scenarios(known: TestDocument, scenarios: Sequence[RecordedScenario]) -> TestDocument:
    """A test with scenarios that finished after it was reported."""
    added = scenarios[: max(0, SCENARIOS_MAX - len(known.facts.events))]
    more = _facts(added, truncated=len(added) < len(scenarios))
    staged = [*(known.facts.staged or ()), *(more.staged or ())]
    facts = replace(
        known.facts,
        events=(*known.facts.events, *more.events),
        single=tuple(sorted({*known.facts.single, *more.single})),
        staged=None if known.facts.staged is None and more.staged is None else tuple(sorted(set(staged))),
        allowlist_path=known.facts.allowlist_path or more.allowlist_path,
        truncated=known.facts.truncated or more.truncated,
        headroom=min((each for each in (known.facts.headroom, more.headroom) if each is not None), default=None),
    )
    log = "\n".join(filter(None, (known.test["log"], *_left_out_note(len(scenarios) - len(added)))))
    test: ResultsTest = {
        **known.test,
        "log": log,
        "scenarios": [*known.test["scenarios"], *(each.document for each in added)],
    }
    details = [*known.details, *(each.details for each in added)]
    recordings = [*known.recordings, *_recordings(added)]
    return replace(known, test=test, details=details, recordings=recordings, facts=facts)


def _recordings(scenarios: Iterable[RecordedScenario]) -> list[str]:
    return [each.recording for each in scenarios if each.recording is not None]


def _is_bad(scenario: RecordedScenario) -> bool:
    return bool(scenario.document["outcome"] != "pass")


def _facts(scenarios: Sequence[RecordedScenario], *, truncated: bool) -> TestFacts:
    stages = [each.document["stage"]["transports"] for each in scenarios if "stage" in each.document]
    return TestFacts(
        events=tuple(len(each.document["timeline"]) for each in scenarios),
        single=tuple(sorted({each.transport for each in scenarios if each.transport})),
        staged=tuple(sorted({name for names in stages for name in names})) if stages else None,
        allowlist_path=next((each.allowlist_path for each in scenarios if each.allowlist_path), None),
        truncated=truncated or any(each.truncated for each in scenarios),
        headroom=least_headroom(each.document for each in scenarios),
    )


def run_document(run: Run, outcomes: Iterable[str], facts: Sequence[TestFacts], *, truncated: bool) -> ResultsRun:
    """The ``run`` of ``results.json``, for tests of these outcomes and facts."""
    environment = run.environment
    redactions: Redactions = {"fields": run.redacted_fields, "stream_matches": run.redacted_text}
    if any(each.staged is not None for each in facts):
        redactions["redaction_version"] = REDACTION_VERSION
    return {
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "totals": totals(outcomes),
        "project_name": environment.project_name,
        **transports(
            (name for each in facts for name in each.single), (name for each in facts for name in each.staged or ())
        ),
        "allowlist_path": next((each.allowlist_path for each in facts if each.allowlist_path), None),
        "python_version": environment.python_version,
        "harness_version": environment.harness_version,
        "reporter_version": environment.reporter_version,
        "git_sha": environment.git_sha,
        "git_branch": environment.git_branch,
        "environment": environment.environment,
        "hostname": environment.hostname,
        "xdist": _xdist(run),
        "truncated": truncated or any(each.truncated for each in facts),
        "redactions": redactions,
    }


def totals(outcomes: Iterable[str]) -> Totals:
    """``run.totals`` of tests with these outcomes."""
    counts = Counter(outcomes)
    return {
        "passed": counts["passed"],
        "failed": counts["failed"],
        "errored": counts["errored"],
        "skipped": counts["skipped"],
        "slow": counts["slow"],
        "total": counts.total(),
    }


def transports(single: Iterable[str], staged: Iterable[str]) -> RunTransports:
    """``run.transport`` and ``run.transports``: one name for a run on one harness, else all of them."""
    alone, together = set(single), set(staged)
    if not together and len(alone) <= 1:
        return {"transport": next(iter(alone), None)}
    return {"transport": None, "transports": sorted(together | {_transport_name(name) for name in alone})}


def _transport_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64]


def _xdist(run: Run) -> Xdist | None:
    if run.workers is None:
        return None
    return {"workers": run.workers.count, "incomplete_workers": list(run.workers.incomplete)}


def _test(test: Test) -> ResultsTest:
    return {
        "nodeid": test.nodeid,
        "file": test.file,
        "name": test.name,
        "class": test.class_name,
        "markers": list(test.markers),
        "choreo_meta": test.choreo_meta,
        "outcome": test.outcome,
        "duration_ms": test.duration_ms,
        "traceback": test.traceback,
        "stdout": test.stdout,
        "stderr": test.stderr,
        "log": "",
        "skip_reason": test.skip_reason,
        "worker_id": test.worker_id,
        "scenarios": [],
    }


def feature_documents(described: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The features with their scenarios, from a feature's head and a scenario for each test that is Gherkin."""
    features: dict[str, dict[str, Any]] = {}
    for head, scenario in described:
        uri = head["uri"]
        if uri not in features:
            features[uri] = {**head, "scenarios": []}
        features[uri]["scenarios"].append(scenario)
    return list(features.values())


def described(row: str, gherkin: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The head of its feature and the scenario of a test, which goes by its row id."""
    started = gherkin.get("started")
    known = {} if started is None else {"started": started}
    return gherkin["feature"], {**gherkin["scenario"], **known, "nodeid": row}


def _gherkin(test: Test, scenarios: Sequence[RecordedScenario]) -> dict[str, Any]:
    feature, gherkin = test.feature, test.gherkin
    if feature is None or gherkin is None:
        return {}
    head = {
        "uri": feature.uri,
        "name": feature.name,
        "description": feature.description,
        "keyword": feature.keyword,
        "tags": list(feature.tags),
        "line": feature.line,
    }
    scenario = {
        "nodeid": test.nodeid,
        "name": gherkin.name,
        "keyword": gherkin.keyword,
        "line": gherkin.line,
        "tags": list(gherkin.tags),
        "inherited": list(gherkin.inherited),
        "rule": gherkin.rule,
        "description": gherkin.description,
        "steps": _steps(gherkin.steps, feature.uri, scenarios),
    }
    return {"feature": head, "scenario": scenario, "hidden": feature.hidden, "started": test.started}


def _steps(steps: Sequence[Step], uri: str, scenarios: Sequence[RecordedScenario]) -> list[dict[str, Any]]:
    declared = _declared_in(uri, scenarios)
    return [_step(step, scenarios, declared.get(str(step.line), [])) for step in steps]


def _step(step: Step, scenarios: Sequence[RecordedScenario], checks: Sequence[dict[str, int]]) -> dict[str, Any]:
    return {
        "keyword": step.keyword,
        "text": step.text,
        "line": step.line,
        "status": _status(step, scenarios, checks),
        "duration_ms": step.duration_ms,
        "docstring": step.docstring,
        "table": None if step.table is None else [list(row) for row in step.table],
        "background": step.background,
        "message": step.message,
        "checks": checks,
    }


def _declared_in(uri: str, scenarios: Sequence[RecordedScenario]) -> dict[str, list[dict[str, int]]]:
    """By line of a feature, the expectations that were declared there, as indices into scenarios and handles."""
    declared: dict[str, list[dict[str, int]]] = {}
    for number, scenario in enumerate(scenarios):
        for index, handle in enumerate(scenario.details["handles"]):
            path, _, line = (handle["origin"] or "").rpartition(":")
            if path == uri:
                declared.setdefault(line, []).append({"scenario": number, "handle": index})
    return declared


def _status(step: Step, scenarios: Sequence[RecordedScenario], checks: Sequence[dict[str, int]]) -> str:
    """A step that passed although its message came over budget is shown as slow."""
    if step.status != "passed":
        return step.status
    outcomes = (scenarios[at["scenario"]].document["handles"][at["handle"]]["outcome"] for at in checks)
    return "slow" if "slow" in outcomes else "passed"

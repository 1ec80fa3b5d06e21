"""The run model as documents: ``results.json`` in schema 1.3, and its Gherkin companion for the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from choreo_bdd.redaction import REDACTION_VERSION
from choreo_bdd_reporter.limits import SCENARIOS_MAX, TESTS_MAX, keep_worst
from choreo_bdd_reporter.model import GherkinScenario, RecordedScenario, Run, Step, Test, TestOutcome

SCHEMA_VERSION = "1.3"

_OUTCOMES: tuple[TestOutcome, ...] = ("passed", "failed", "errored", "skipped", "slow")


def capped(run: Run) -> tuple[Run, bool]:
    """The run within the limits on tests and scenarios, failures kept first; and whether anything is missing."""
    kept, left_out = keep_worst(run.tests, TESTS_MAX, (test.outcome in ("failed", "errored") for test in run.tests))
    tests = tuple(_with_capped_scenarios(run.tests[index]) for index in kept)
    scenarios_out = any(len(test.scenarios) > SCENARIOS_MAX for test in run.tests)
    inside = any(scenario.truncated for test in tests for scenario in test.scenarios)
    return replace(run, tests=tests), bool(left_out) or scenarios_out or inside


def _with_capped_scenarios(test: Test) -> Test:
    kept, left_out = keep_worst(
        test.scenarios, SCENARIOS_MAX, (scenario.document["outcome"] != "pass" for scenario in test.scenarios)
    )
    if not left_out:
        return test
    note = f"[{left_out} more scenarios not shown: limit {SCENARIOS_MAX} a test]"
    return replace(
        test,
        scenarios=tuple(test.scenarios[index] for index in kept),
        log=f"{test.log}\n{note}" if test.log else note,
    )


def results_document(run: Run, *, truncated: bool) -> dict[str, Any]:
    """The ``results.json`` document of a capped run."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": _run(run, truncated),
        "tests": [_test(test) for test in run.tests],
    }


def _run(run: Run, truncated: bool) -> dict[str, Any]:
    environment = run.environment
    scenarios = [scenario for test in run.tests for scenario in test.scenarios]
    redactions: dict[str, Any] = {"fields": run.redacted_fields, "stream_matches": run.redacted_text}
    if any("stage" in scenario.document for scenario in scenarios):
        redactions["redaction_version"] = REDACTION_VERSION
    return {
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "totals": _totals(run.tests),
        "project_name": environment.project_name,
        **_transports(scenarios),
        "allowlist_path": next((item.allowlist_path for item in scenarios if item.allowlist_path), None),
        "python_version": environment.python_version,
        "harness_version": environment.harness_version,
        "reporter_version": environment.reporter_version,
        "git_sha": environment.git_sha,
        "git_branch": environment.git_branch,
        "environment": environment.environment,
        "hostname": environment.hostname,
        "xdist": _xdist(run),
        "truncated": truncated,
        "redactions": redactions,
    }


def _totals(tests: Sequence[Test]) -> dict[str, int]:
    counts = Counter(test.outcome for test in tests)
    return {**{outcome: counts[outcome] for outcome in _OUTCOMES}, "total": len(tests)}


def _transports(scenarios: Sequence[RecordedScenario]) -> dict[str, Any]:
    single = {_transport_name(scenario.transport) for scenario in scenarios if scenario.transport}
    staged = {
        name
        for scenario in scenarios
        if "stage" in scenario.document
        for name in scenario.document["stage"]["transports"]
    }
    if not staged and len(single) <= 1:
        return {"transport": next(iter(single), None)}
    return {"transport": None, "transports": sorted(single | staged)}


def _transport_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64]


def _xdist(run: Run) -> dict[str, Any] | None:
    if run.workers is None:
        return None
    return {"workers": run.workers.count, "incomplete_workers": list(run.workers.incomplete)}


def _test(test: Test) -> dict[str, Any]:
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
        "log": test.log,
        "skip_reason": test.skip_reason,
        "worker_id": test.worker_id,
        "scenarios": [scenario.document for scenario in test.scenarios],
    }


def gherkin_document(run: Run) -> dict[str, Any]:
    """What the page shows beyond ``results.json``: features with their steps, details by node id, the exit."""
    features: dict[str, dict[str, Any]] = {}
    for test in run.tests:
        if test.feature is not None and test.gherkin is not None:
            feature = features.setdefault(test.feature.uri, _feature(test))
            feature["scenarios"].append(_gherkin_scenario(test, test.feature.uri, test.gherkin))
    return {
        "features": list(features.values()),
        "details": {
            test.nodeid: [scenario.details for scenario in test.scenarios] for test in run.tests if test.scenarios
        },
        "exit": {"status": run.exit_status, "interrupted": run.interrupted},
    }


def _feature(test: Test) -> dict[str, Any]:
    feature = test.feature
    assert feature is not None
    return {
        "uri": feature.uri,
        "name": feature.name,
        "description": feature.description,
        "keyword": feature.keyword,
        "tags": list(feature.tags),
        "line": feature.line,
        "scenarios": [],
    }


def _gherkin_scenario(test: Test, uri: str, gherkin: GherkinScenario) -> dict[str, Any]:
    return {
        "nodeid": test.nodeid,
        "name": gherkin.name,
        "keyword": gherkin.keyword,
        "line": gherkin.line,
        "tags": list(gherkin.tags),
        "rule": gherkin.rule,
        "description": gherkin.description,
        "steps": [_step(step, uri, test) for step in gherkin.steps],
    }


def _step(step: Step, uri: str, test: Test) -> dict[str, Any]:
    checks = _checks(test, uri, step.line)
    return {
        "keyword": step.keyword,
        "text": step.text,
        "line": step.line,
        "status": _status(step, test, checks),
        "duration_ms": step.duration_ms,
        "docstring": step.docstring,
        "table": None if step.table is None else [list(row) for row in step.table],
        "background": step.background,
        "message": step.message,
        "checks": checks,
    }


def _checks(test: Test, uri: str, line: int) -> list[dict[str, int]]:
    """The expectations that the step on ``line`` declared, as indices into the test's scenarios and handles."""
    return [
        {"scenario": number, "handle": index}
        for number, scenario in enumerate(test.scenarios)
        for index, handle in enumerate(scenario.details["handles"])
        if _is_at(handle["origin"], uri, line)
    ]


def _is_at(origin: str | None, uri: str, line: int) -> bool:
    if not origin:
        return False
    path, _, number = origin.rpartition(":")
    return number == str(line) and (path == uri or path.endswith(f"/{uri}") or uri.endswith(f"/{path}"))


def _status(step: Step, test: Test, checks: Sequence[dict[str, int]]) -> str:
    """A step that passed although its message came over budget is shown as slow."""
    if step.status != "passed":
        return step.status
    outcomes = (test.scenarios[at["scenario"]].document["handles"][at["handle"]]["outcome"] for at in checks)
    return "slow" if "slow" in outcomes else "passed"

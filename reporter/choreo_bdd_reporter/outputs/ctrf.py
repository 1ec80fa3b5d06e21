"""A report in the Common Test Report Format, version 0.0, which collectors of many frameworks read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.model.clock import epoch_seconds
from choreo_bdd_reporter.outputs.summary import Failure, failures

_STATUS = {"passed": "passed", "slow": "passed", "failed": "failed", "errored": "failed", "skipped": "skipped"}


def as_ctrf(results: Any, gherkin: Any) -> dict[str, Any]:
    """One test each; ``rawStatus`` keeps our own word, ``message`` is the sentence that the page shows."""
    run, totals = results["run"], results["run"]["totals"]
    reasons = {failure.row: failure for failure in failures(results, gherkin)}
    attempts = gherkin.get("attempts") or {}
    tests = [_test(each, reasons.get(row), len(attempts.get(row, ()))) for row, each in _rows(results, gherkin)]
    environment = {
        "appName": run["project_name"],
        "commit": run["git_sha"],
        "branchName": run["git_branch"],
        "testEnvironment": run["environment"],
    }
    return {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "results": {
            "tool": {"name": "choreo-bdd", "version": run["reporter_version"]},
            "summary": {
                "tests": totals["total"],
                "passed": totals["passed"] + totals["slow"],
                "failed": totals["failed"] + totals["errored"],
                "skipped": totals["skipped"],
                "pending": 0,
                "other": 0,
                "flaky": sum("flaky" in test for test in tests),
                "start": _milliseconds(run["started_at"]),
                "stop": _milliseconds(run["finished_at"]),
            },
            "tests": tests,
            "environment": {name: fact for name, fact in environment.items() if fact},
        },
    }


@dataclass(frozen=True, slots=True)
class _Row:
    """A test with what Gherkin says of it: its feature and its scenario, empty without."""

    test: Any
    feature: Any
    scenario: Any

    def suite(self) -> list[str]:
        """From the outermost: the feature and its rule, or the class; a file is no suite, it has a field of its own."""
        levels = (self.feature.get("name"), self.scenario.get("rule"), self.test["class"])
        return [str(level) for level in levels if level]

    def tags(self) -> list[str]:
        """Of the feature, its rule, the scenario and the test, each once."""
        meta, scenario = self.test["choreo_meta"] or {}, self.scenario
        of_scenario = (*scenario.get("inherited", ()), *scenario.get("tags", ()))
        found = (*self.feature.get("tags", ()), *of_scenario, *meta.get("tags", ()))
        return list(dict.fromkeys(str(tag).removeprefix("@") for tag in found))

    def started(self) -> int | None:
        """In milliseconds; without Gherkin, when the first of its scopes began that has a timeline."""
        if (told := self.scenario.get("started")) is not None:
            return round(float(told) * 1000)
        first = next((event for part in self.test["scenarios"] for event in part["timeline"][:1]), None)
        return None if first is None else _milliseconds(first["wall_clock"]) - round(first["offset_ms"])


def _rows(results: Any, gherkin: Any) -> Iterator[tuple[str, _Row]]:
    told = {
        scenario["nodeid"]: (feature, scenario)
        for feature in gherkin.get("features") or ()
        for scenario in feature.get("scenarios") or ()
    }
    for row, test in zip(row_ids(results["tests"]), results["tests"], strict=True):
        yield row, _Row(test, *told.get(row, ({}, {})))


def _test(row: _Row, reason: Failure | None, retries: int) -> dict[str, Any]:
    """``line`` is that of the scenario, whether it failed or not; where it failed stands in ``extra``."""
    test, started = row.test, row.started()
    status = _STATUS[test["outcome"]]
    facts = {
        "suite": row.suite(),
        "start": started,
        "stop": None if started is None else started + round(test["duration_ms"]),
        "message": reason.sentence if reason is not None and status == "failed" else test["skip_reason"],
        "trace": test["traceback"],
        "line": row.scenario.get("line"),
        "filePath": test["file"],
        "tags": row.tags(),
        "threadId": test["worker_id"],
        "retries": retries or None,
        "flaky": True if retries and status == "passed" else None,
    }
    head = {"name": test["name"] or test["nodeid"], "status": status, "rawStatus": test["outcome"]}
    exact = {name: test[name] for name in ("nodeid", "duration_ms")}
    known = {name: fact for name, fact in facts.items() if fact}
    return {**head, "duration": round(test["duration_ms"]), **known, "extra": {**exact, **_reason(reason)}}


def _reason(reason: Failure | None) -> dict[str, Any]:
    if reason is None:
        return {}
    place = reason.file if reason.line is None else f"{reason.file}:{reason.line}"
    return {"cause": reason.cause, "failed_at": place, **({"topic": reason.topic} if reason.topic else {})}


def _milliseconds(moment: str) -> int:
    return round(epoch_seconds(moment) * 1000)

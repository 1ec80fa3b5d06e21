"""A report in the Common Test Report Format, version 0.0, which collectors of many frameworks read."""

from __future__ import annotations

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
    rows = zip(row_ids(results["tests"]), results["tests"], strict=True)
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
                "start": _milliseconds(run["started_at"]),
                "stop": _milliseconds(run["finished_at"]),
            },
            "tests": [_test(test, reasons.get(row), len(attempts.get(row, ()))) for row, test in rows],
            "environment": {name: fact for name, fact in environment.items() if fact},
        },
    }


def _test(test: Any, reason: Failure | None, retries: int) -> dict[str, Any]:
    status = _STATUS[test["outcome"]]
    told = reason.sentence if reason is not None and status == "failed" else test["skip_reason"]
    line = None if reason is None else reason.line
    facts = {
        "message": told,
        "trace": test["traceback"],
        "line": line,
        "filePath": test["file"],
        "tags": (test["choreo_meta"] or {}).get("tags"),
        "threadId": test["worker_id"],
        "retries": retries or None,
        "flaky": True if retries and status == "passed" else None,
    }
    head = {"name": test["name"] or test["nodeid"], "status": status, "rawStatus": test["outcome"]}
    exact = {name: test[name] for name in ("nodeid", "duration_ms")}
    known = {name: fact for name, fact in facts.items() if fact}
    return {**head, "duration": round(test["duration_ms"]), **known, "extra": exact}


def _milliseconds(moment: str) -> int:
    return round(epoch_seconds(moment) * 1000)

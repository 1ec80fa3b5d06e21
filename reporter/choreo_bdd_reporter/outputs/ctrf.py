"""A report in the Common Test Report Format, version 0.0, which collectors of many frameworks read."""

from __future__ import annotations

from typing import Any

from choreo_bdd_reporter.model.clock import epoch_seconds
from choreo_bdd_reporter.outputs.rows import Row, rows
from choreo_bdd_reporter.outputs.summary import Failure

_STATUS = {"passed": "passed", "slow": "passed", "failed": "failed", "errored": "failed", "skipped": "skipped"}
_STEP_STATUS = {**_STATUS, "untested": "skipped", "undefined": "failed"}


def as_ctrf(results: Any, gherkin: Any) -> dict[str, Any]:
    """One test each; ``rawStatus`` keeps our own word, ``message`` is the sentence that the page shows."""
    run, totals = results["run"], results["run"]["totals"]
    start = _milliseconds(run["started_at"])
    tests = [_test(row) for row in rows(results, gherkin)]
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
                "start": start,
                "stop": max(start, _milliseconds(run["finished_at"])),  # the clock may have been set back
            },
            "tests": tests,
            "environment": {name: fact for name, fact in environment.items() if fact},
        },
    }


def _test(row: Row) -> dict[str, Any]:
    """``line`` is that of the scenario, whether it failed or not; where it failed stands in ``extra``."""
    test, started, status = row.test, row.started, _STATUS[row.test["outcome"]]
    facts = {
        "suite": row.suite,
        "start": started,
        "stop": None if started is None else started + round(test["duration_ms"]),
        "message": row.failure.sentence if row.failure is not None and status == "failed" else test["skip_reason"],
        "trace": test["traceback"],
        "line": row.scenario.get("line"),
        "filePath": row.file,
        "tags": row.tags,
        "steps": [_step(each) for each in row.scenario.get("steps") or ()],
        "stdout": test["stdout"].splitlines(),
        "stderr": test["stderr"].splitlines(),
        "threadId": test["worker_id"],
        "retries": len(row.attempts),
        "retryAttempts": [_attempt(number, each) for number, each in enumerate(row.attempts, start=1)],
        "flaky": row.is_flaky,
    }
    head = {"name": row.title, "status": status, "rawStatus": test["outcome"]}
    exact = {name: test[name] for name in ("nodeid", "duration_ms")}
    known = {name: fact for name, fact in facts.items() if fact}
    return {**head, "duration": round(test["duration_ms"]), **known, "extra": {**exact, **_reason(row.failure)}}


def _step(step: Any) -> dict[str, Any]:
    """With our own word for what became of it, where it stands and how long it took."""
    facts = {"rawStatus": step["status"], **{name: step.get(name) for name in ("line", "duration_ms")}}
    return {
        "name": f"{step['keyword'].strip()} {step['text']}",
        "status": _STEP_STATUS.get(step["status"], "other"),
        "extra": {name: fact for name, fact in facts.items() if fact is not None},
    }


def _attempt(number: int, attempt: Any) -> dict[str, Any]:
    told = {"message": attempt["reason"]} if attempt["reason"] else {}
    return {"attempt": number, "status": _STATUS.get(attempt["outcome"], "other"), **told}


def _reason(reason: Failure | None) -> dict[str, Any]:
    if reason is None:
        return {}
    places = {"topic": reason.topic, "transport": reason.transport}
    return {
        "cause": reason.cause,
        "failed_at": reason.place,
        **{name: place for name, place in places.items() if place},
    }


def _milliseconds(moment: str) -> int:
    return round(epoch_seconds(moment) * 1000)

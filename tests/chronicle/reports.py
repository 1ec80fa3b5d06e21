"""Reports as a run would write them, with what a test is about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

BEGUN = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)

Json = dict[str, Any]


def handle(topic: str = "orders.placed", latency: float | None = 10.0, **changes: Any) -> Json:
    """A handle that was met by a message."""
    found: Json = {
        "topic": topic,
        "outcome": "pass",
        "latency_ms": latency,
        "budget_ms": None,
        "matcher_description": "anything",
        "expected": {"id": 1},
        "actual": {"id": 1},
        "attempts": 1,
        "reason": "",
        "truncated": False,
        "failure": None,
        "failures": [],
        "failures_dropped": 0,
        "diagnosis": {"kind": "matched"},
        "transport": "nats",
    }
    return found | changes


def timed_out(topic: str = "orders.placed", deadline: float = 2000.0, **changes: Any) -> Json:
    """A handle that nothing arrived for."""
    diagnosis = {"kind": "silent_timeout", "topic": topic, "deadline_ms": deadline}
    fields: Json = {"outcome": "timeout", "actual": None, "diagnosis": diagnosis, "attempts": 0}
    return handle(topic, deadline, **(fields | changes))


def late(topic: str = "orders.placed", latency: float = 300.0, budget: float = 200.0) -> Json:
    """A handle whose message came over budget."""
    diagnosis = {"kind": "over_budget", "latency_ms": latency, "budget_ms": budget}
    return handle(topic, latency, outcome="slow", budget_ms=budget, diagnosis=diagnosis)


def event(offset: float = 0.5, action: str = "published", **changes: Any) -> Json:
    """An entry of a timeline."""
    when = (BEGUN + timedelta(milliseconds=offset)).isoformat()
    found: Json = {"offset_ms": offset, "wall_clock": when, "action": action, "detail": "", "topic": "orders.placed"}
    return found | changes


def scenario(handles: Sequence[Json] = (), name: str = "An order is paid", **changes: Any) -> Json:
    """A scenario with these handles."""
    found: Json = {
        "name": name,
        "correlation_id": "abc",
        "outcome": "pass",
        "duration_ms": 12.5,
        "completed_normally": True,
        "handles": list(handles),
        "timeline": [event()],
        "timeline_dropped": 0,
        "replies": [],
        "summary_text": "",
    }
    return found | changes


def one_test(scenarios: Sequence[Json], nodeid: str = "features/orders.feature::An order is paid") -> Json:
    """A test with these scenarios."""
    return {
        "nodeid": nodeid,
        "file": nodeid.partition("::")[0],
        "name": nodeid.rpartition("::")[2],
        "class": None,
        "markers": [],
        "choreo_meta": None,
        "outcome": "passed",
        "duration_ms": 13.0,
        "traceback": None,
        "stdout": "",
        "stderr": "",
        "log": "",
        "skip_reason": None,
        "worker_id": None,
        "scenarios": list(scenarios),
    }


def report(
    handles: Iterable[Json] = (), *, begun: datetime = BEGUN, tests: Sequence[Json] | None = None, **run: Any
) -> Json:
    """A report of one test with one scenario with these handles, or of these tests."""
    found = [one_test([scenario(list(handles) or [handle()])])] if tests is None else list(tests)
    facts: Json = {
        "started_at": begun.isoformat(),
        "finished_at": (begun + timedelta(seconds=1)).isoformat(),
        "duration_ms": 1000.0,
        "totals": {
            "passed": len(found), "failed": 0, "errored": 0, "skipped": 0, "slow": 0, "total": len(found),
        },
        "project_name": "shop",
        "transport": "nats",
        "allowlist_path": None,
        "python_version": "3.11.7",
        "harness_version": "1.0.0",
        "reporter_version": "1.0.0",
        "git_sha": "0123456789abcdef",
        "git_branch": "main",
        "environment": "ci",
        "hostname": "runner",
        "xdist": None,
        "truncated": False,
        "redactions": {"fields": 0, "stream_matches": 0},
    }  # fmt: skip
    return {"schema_version": "1.3", "run": facts | run, "tests": found}


def body(document: Any) -> bytes:
    """As the bytes that are sent."""
    return json.dumps(document).encode()

"""Parts of a run: documents, tests, scopes, events, and what Gherkin adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from choreo_bdd_reporter.page.embed import ascii_json

_START = datetime(2027, 3, 4, 9, 12, 4, 118_000, tzinfo=UTC)
Json = dict[str, Any]


def results_of(tests: Sequence[Json], **run: Any) -> Any:
    """A valid 1.3 document around ``tests``; ``run`` overrides single run fields."""
    totals = dict.fromkeys(("passed", "failed", "errored", "skipped", "slow"), 0)
    for item in tests:
        totals[item["outcome"]] += 1
    facts: Json = {
        "started_at": _at(0),
        "finished_at": _at(4210.5),
        "duration_ms": 4210.5,
        "totals": {**totals, "total": len(tests)},
        "project_name": "web-shop",
        "transport": None,
        "transports": ["kafka", "nats"],
        "allowlist_path": None,
        "python_version": "3.12.4",
        "harness_version": "0.1.0",
        "reporter_version": "0.1.0",
        "git_sha": "4c1d2b0f6f0a9f5f8f2f6f1b7e0a8f5d2c3b4a59",
        "git_branch": "main",
        "environment": "staging",
        "hostname": "ci-7",
        "xdist": None,
        "truncated": False,
        "redactions": {"fields": 2, "stream_matches": 1, "redaction_version": "v1"},
    }
    return {"schema_version": "1.3", "run": {**facts, **run}, "tests": list(tests)}


def a_test(name: str, outcome: str = "passed", scenarios: Sequence[Json] = (), **fields: Any) -> Json:
    defaults: Json = {
        "nodeid": f"features/orders.feature::{name}",
        "file": "features/orders.feature",
        "name": name,
        "class": None,
        "markers": ["choreo"],
        "choreo_meta": None,
        "outcome": outcome,
        "duration_ms": 61.4,
        "traceback": None,
        "stdout": "",
        "stderr": "",
        "log": "",
        "skip_reason": None,
        "worker_id": None,
        "scenarios": list(scenarios),
    }
    return {**defaults, **fields}


def a_scope(outcome: str, handles: Sequence[Json], timeline: Sequence[Json] = (), **fields: Any) -> Json:
    defaults: Json = {
        "name": "order",
        "correlation_id": "9f2c41",
        "outcome": outcome,
        "duration_ms": max((event["offset_ms"] for event in timeline), default=0.0),
        "completed_normally": True,
        "handles": list(handles),
        "timeline": list(timeline),
        "timeline_dropped": 0,
        "replies": [],
        "summary_text": "",
    }
    return {**defaults, **fields}


def a_handle(topic: str, outcome: str, latency: float, budget: float | None = None, **fields: Any) -> Json:
    diagnoses: dict[str, Json] = {
        "pass": {"kind": "matched"},
        "slow": {"kind": "over_budget", "latency_ms": latency, "budget_ms": budget},
        "fail": {"kind": "near_miss", "attempts": fields.get("attempts", 1), "deadline_ms": latency},
        "timeout": {"kind": "silent_timeout", "topic": topic, "deadline_ms": latency},
    }
    defaults: Json = {
        "topic": topic,
        "outcome": outcome,
        "latency_ms": latency,
        "budget_ms": budget,
        "matcher_description": "status = accepted",
        "expected": {"status": "accepted"},
        "actual": {"status": "accepted", "order": "A-17"} if outcome in ("pass", "slow") else None,
        "attempts": 0,
        "reason": "",
        "truncated": False,
        "failure": None,
        "failures": [],
        "failures_dropped": 0,
        "diagnosis": diagnoses[outcome],
    }
    return {**defaults, **fields}


def an_event(offset: float, action: str, topic: str | None = None, detail: str = "", **fields: str) -> Json:
    event: Json = {"offset_ms": offset, "wall_clock": _at(offset), "action": action, "detail": detail}
    if topic is not None:
        event["topic"] = topic
    return {**event, **fields}


def a_span(service: str, offset: float, **fields: Any) -> Json:
    """What a service told of its work, 2 ms of it."""
    defaults: Json = {"id": service[:2].encode().hex() * 4, "parent": "", "name": "work", "kind": "consumer"}
    return {
        **defaults,
        "service": service,
        "topic": None,
        "error": None,
        "offset_ms": offset,
        "duration_ms": 2.0,
        **fields,
    }


def a_stray(why: str, offset: float, message: int = 0, handle: int = 0, **fields: Any) -> Json:
    """A message that met no expectation; ``message`` is its place among those of its scope."""
    return {
        "why": why,
        "offset_ms": offset,
        "detail": "",
        "message": message,
        "handle": handle,
        "differences": [],
        "differences_dropped": 0,
        **fields,
    }


def _at(offset_ms: float) -> str:
    return (_START + timedelta(milliseconds=offset_ms)).isoformat()


def a_step(keyword: str, text: str, status: str = "passed", ms: float = 0.4, **fields: Any) -> Json:
    defaults: Json = {
        "keyword": keyword,
        "text": text,
        "line": 7,
        "status": status,
        "duration_ms": ms,
        "docstring": None,
        "table": None,
        "background": False,
        "message": None,
        "checks": [],
    }
    return {**defaults, **fields}


def a_description(nodeid: str, name: str, steps: Sequence[Json], **fields: Any) -> Json:
    defaults: Json = {
        "nodeid": nodeid,
        "name": name,
        "keyword": "Scenario",
        "line": 6,
        "tags": ["orders"],
        "inherited": [],
        "rule": None,
        "description": "",
        "steps": list(steps),
    }
    return {**defaults, **fields}


def a_feature(name: str, scenarios: Sequence[Json], uri: str = "features/orders.feature") -> Json:
    return {
        "uri": uri,
        "name": name,
        "description": "",
        "keyword": "Feature",
        "tags": [],
        "line": 1,
        "scenarios": list(scenarios),
    }


def gherkin_of(features: Sequence[Json] = (), details: Json | None = None, **fields: Any) -> Json:
    finished = {"status": 1, "interrupted": False}
    return {"features": list(features), "details": details or {}, "exit": finished, **fields}


def a_message(topic: str, payload: Any, **fields: Any) -> Json:
    headers = {"correlation-id": "9f2c41", "content-type": "application/json"}
    return {"topic": topic, "payload": payload, "headers": headers, "key": "A-17", "size": 148, **fields}


def heard(messages: Sequence[Json | None]) -> Json:
    """What the events of a timeline heard, as details keep it: messages and payloads in tables."""
    note: Json = {"timeline": [-1] * len(messages), "messages": [], "payloads": []}
    for index, message in enumerate(messages):
        if message is not None:
            put_message(note, index, message)
    return note


def put_message(note: Json, index: int, message: Json) -> None:
    """Let an event of the timeline have heard this message."""
    note["timeline"][index] = len(note["messages"])
    note["messages"].append({**message, "payload": len(note["payloads"])})
    note["payloads"].append(ascii_json(message["payload"]))

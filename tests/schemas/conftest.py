from __future__ import annotations

import json
from typing import Any

import pytest

# A document with everything version 1.3 can say; written by hand from the format's description.
EXAMPLE = """
{"schema_version": "1.3",
 "run": {"started_at": "2027-01-02T03:04:05.000006+00:00", "finished_at": "2027-01-02T03:04:06+00:00",
  "duration_ms": 994.2,
  "totals": {"passed": 0, "failed": 1, "errored": 0, "skipped": 0, "slow": 0, "total": 1},
  "project_name": "parcels", "transport": null, "transports": ["mqtt", "queue"], "allowlist_path": null,
  "python_version": "3.12.1", "harness_version": "0.1.0", "reporter_version": "0.1.0", "git_sha": null,
  "git_branch": null, "environment": null, "hostname": "ci-7", "xdist": null, "truncated": false,
  "redactions": {"fields": 1, "stream_matches": 0, "redaction_version": "v1"}},
 "tests": [{"nodeid": "tests/test_gate.py::test_scan[eu]", "file": "tests/test_gate.py",
  "name": "test_scan[eu]", "class": null, "markers": ["choreo"],
  "choreo_meta": {"timeout_ms": 200, "tags": ["gate"]}, "outcome": "failed", "duration_ms": 61.0,
  "traceback": "AssertionError", "stdout": "", "stderr": "", "log": "", "skip_reason": null,
  "worker_id": null,
  "scenarios": [{"name": "scan", "correlation_id": "9f2c", "outcome": "fail", "duration_ms": 50.4,
   "completed_normally": true,
   "handles": [{"topic": "gate.opened", "outcome": "fail", "latency_ms": 50.6, "budget_ms": null,
     "matcher_description": "lane = 4", "expected": {"lane": 4},
     "actual": {"lane": 3, "token": "<redacted>"}, "attempts": 1, "reason": "lane was 3", "truncated": false,
     "failure": {"kind": "mismatch", "path": "lane", "expected": 4, "actual": 3},
     "failures": [{"kind": "mismatch", "path": "lane", "expected": 4, "actual": 3}], "failures_dropped": 0,
     "diagnosis": {"kind": "near_miss", "attempts": 1, "deadline_ms": 50.6},
     "transport": "queue", "correlation_id": "sha256:00112233aabbccdd"}],
   "timeline": [
     {"offset_ms": 0.0, "wall_clock": "2027-01-02T03:04:05.1+00:00", "action": "published", "detail": "",
      "topic": "scan", "transport": "mqtt", "source": "publish"},
     {"offset_ms": 1.2, "wall_clock": "2027-01-02T03:04:05.101+00:00", "action": "replied",
      "detail": "trigger=scan", "topic": "gate.opened", "transport": "queue", "source": "reply"},
     {"offset_ms": 50.4, "wall_clock": "2027-01-02T03:04:05.150+00:00", "action": "deadline",
      "detail": "timeout_ms=50", "source": "scope"}],
   "timeline_dropped": 0,
   "replies": [{"trigger_topic": "scan", "reply_topic": "gate.opened", "state": "replied",
     "matcher_description": "(any)", "candidate_count": 1, "match_count": 1, "reply_published": true,
     "builder_error": null, "correlation_overridden": false, "trigger_transport": "mqtt",
     "response_transport": "queue"}],
   "summary_text": "",
   "stage": {"bridge_class": "MappedBridge", "transports": ["mqtt", "queue"],
     "correlation_ids": {"queue": "sha256:00112233aabbccdd"}}}]}]}
"""


@pytest.fixture
def stage_report() -> dict[str, Any]:
    """A valid 1.3 report of a Stage scenario."""
    document: dict[str, Any] = json.loads(EXAMPLE)
    return document


@pytest.fixture
def plain_report(stage_report: dict[str, Any]) -> dict[str, Any]:
    """The same content as a valid 1.0 report: one transport, nothing that later versions added."""
    run, scenario = stage_report["run"], stage_report["tests"][0]["scenarios"][0]
    stage_report["schema_version"] = "1"
    run["transport"] = "MockTransport"
    del run["transports"], run["redactions"]["redaction_version"], scenario["stage"]
    for handle in scenario["handles"]:
        del handle["transport"], handle["correlation_id"]
    for reply in scenario["replies"]:
        del reply["trigger_transport"], reply["response_transport"]
    for entry in scenario["timeline"]:
        entry.setdefault("topic", "gate.opened")
        entry.pop("transport", None)
        del entry["source"]
    return stage_report

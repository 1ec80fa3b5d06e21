"""Reports as another tool would write them: in every version, with everything that version knows."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.support.report_table import OBJECTS, fields_of

Report = dict[str, Any]
Place = tuple[str | int, ...]

SCENARIO: Place = ("tests", 0, "scenarios", 0)
HANDLE: Place = (*SCENARIO, "handles", 0)
PLACES: dict[str, tuple[Place, ...]] = {
    "": ((),),
    "run": (("run",),),
    "totals": (("run", "totals"),),
    "xdist": (("run", "xdist"),),
    "redactions": (("run", "redactions"),),
    "test": (("tests", 0),),
    "choreo_meta": (("tests", 0, "choreo_meta"),),
    "scenario": (SCENARIO,),
    "stage": ((*SCENARIO, "stage"),),
    "handle": (HANDLE,),
    "failure": ((*HANDLE, "failure"), (*HANDLE, "failures", 0), (*HANDLE, "failure", "children", 0)),
    "timeline_entry": ((*SCENARIO, "timeline", 0),),
    "reply_report": ((*SCENARIO, "replies", 0),),
}
LISTS = frozenset({"tests", "scenarios", "handles", "failures", "timeline", "replies"})
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


def sound(version: str) -> Report:
    """A report with everything its version knows, and nothing else."""
    report: Report = json.loads(EXAMPLE)
    report["schema_version"] = version
    report["run"]["transport"] = "MockTransport"
    report["run"]["xdist"] = {"workers": 2, "incomplete_workers": ["gw1"]}
    failure: Report = {"kind": "composed", "path": "all_of", "expected": {}, "actual": None}
    leaf = {"kind": "missing", "path": "a", "expected": 1, "actual": None, "children": []}
    for root in (at(report, HANDLE), at(report, (*HANDLE, "failures"))):
        root["failure" if isinstance(root, dict) else 0] = {**failure, "children": [copy.deepcopy(leaf)]}
    entries = at(report, (*SCENARIO, "timeline"))
    entries[0]["logical_topic"] = "gate"
    del entries[1:]
    for name in OBJECTS:
        for place in places_of(name, version):
            found = at(report, place)
            for unknown in set(found) - {field.name for field in fields_of(name, version)}:
                del found[unknown]
    return report


def places_of(name: str, version: str) -> tuple[Place, ...]:
    return () if name == "stage" and version == "1" else PLACES[name]


def at(report: Report, place: Place) -> Any:
    found: Any = report
    for part in place:
        found = found[part]
    return found


def only(report: Report, place: Place) -> Report:
    """The report without the lists that lie beside the way to a place: still sound, and far sooner validated."""
    left: Report = copy.copy(report)
    inner: Any = left
    for part in (*place, None):
        if isinstance(inner, dict):
            inner.update({name: [] for name in LISTS & set(inner) if name != part})
        if part is not None:
            inner[part] = copy.copy(inner[part])
            inner = inner[part]
    return left


def edited(report: Report, place: Place, name: str, value: Any) -> Report:
    """The report with one value changed; what lies beside the way to it is shared, not copied."""
    changed = {**report}
    inner: Any = changed
    for part in place:
        inner[part] = copy.copy(inner[part])
        inner = inner[part]
    inner[name] = value
    return changed

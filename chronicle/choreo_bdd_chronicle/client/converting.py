"""Verdicts of other files as reports: JUnit XML, and the lines of ``history.jsonl``.

They say what became of a test and not why: each test is one scenario without expectations, so that it counts for
flakiness and comparisons, and for no latency. The same file makes the same bytes, and so is kept once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.store.history import LETTERS

Json = dict[str, Any]

_OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
_SCENARIO_OUTCOMES = {"failed": "fail", "errored": "fail", "slow": "slow", "passed": "pass"}
_VERSION = "unknown"


class UnreadableError(Exception):
    """A file holds no verdicts; the text says why."""


def from_junit(content: bytes, written: datetime) -> Json | None:
    """The report of a JUnit file; ``None`` for other XML. A file that says no moment was ``written`` then.

    Raises ``UnreadableError`` for what is no XML, or defines entities, which no test framework does.
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise UnreadableError("no JUnit: it defines entities")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as problem:
        raise UnreadableError(f"no XML: {problem}") from problem
    if root.tag not in ("testsuites", "testsuite"):
        return None
    suites = [root] if root.tag == "testsuite" else root.findall(".//testsuite")
    tests = [_case(case) for suite in suites for case in suite.findall("testcase")]
    moments = [moment for suite in suites if (moment := _moment(suite.get("timestamp", "")))]
    host = next((suite.get("hostname", "") for suite in suites if suite.get("hostname")), _VERSION)
    return _report(min(moments, default=written), tests, hostname=clean_text(host))


def from_history(line: Mapping[str, Any], project: str | None) -> Json:
    """The report of a line of ``history.jsonl``, as ``read_history`` takes it, of a project."""
    tests = [
        _test(f"{file}::{name}" if name else file, file, name or file, _OUTCOMES[str(seen)[0]])
        for file, names in line["tests"].items()
        for name, seen in names.items()
    ]
    begun = _moment(line["started_at"])
    if begun is None:
        raise UnreadableError(f"no moment: {line['started_at']}")
    return _report(
        begun,
        tests,
        git_sha=line["git_sha"],
        git_branch=line.get("git_branch"),
        environment="ci" if line["ci"] else None,
        project_name=project,
    )


def _case(case: ElementTree.Element) -> Json:
    name, group = clean_text(case.get("name", "")), clean_text(case.get("classname", ""))
    file = clean_text(case.get("file", "")) or group
    outcome, trace = "passed", None
    for tag, found in (("skipped", "skipped"), ("error", "errored"), ("failure", "failed")):
        told = case.find(tag)
        if told is not None:
            outcome, trace = found, clean_text("\n".join(filter(None, (told.get("message"), told.text))))
    test = _test("::".join(filter(None, (group, name))) or "?", file, name, outcome, _milliseconds(case.get("time")))
    is_skipped = outcome == "skipped"
    return test | {"traceback": None if is_skipped else trace, "skip_reason": trace if is_skipped else None}


def _test(nodeid: str, file: str, name: str, outcome: str, duration_ms: float = 0.0) -> Json:
    return {
        "nodeid": nodeid, "file": file, "name": name, "class": None, "markers": [], "choreo_meta": None,
        "outcome": outcome, "duration_ms": duration_ms, "traceback": None, "stdout": "", "stderr": "", "log": "",
        "skip_reason": None, "worker_id": None, "scenarios": list(_scenarios(name, outcome, duration_ms)),
    }  # fmt: skip


def _scenarios(name: str, outcome: str, duration_ms: float) -> Iterator[Json]:
    if outcome in _SCENARIO_OUTCOMES:
        yield {
            "name": name, "correlation_id": None, "outcome": _SCENARIO_OUTCOMES[outcome], "duration_ms": duration_ms,
            "completed_normally": outcome != "errored", "handles": [], "timeline": [], "timeline_dropped": 0,
            "replies": [], "summary_text": "",
        }  # fmt: skip


def _report(begun: datetime, tests: Sequence[Json], **facts: Any) -> Json:
    duration = sum(test["duration_ms"] for test in tests)
    run = {
        "started_at": begun.isoformat(),
        "finished_at": (begun + timedelta(milliseconds=duration)).isoformat(),
        "duration_ms": duration,
        "totals": _totals(test["outcome"] for test in tests),
        **dict.fromkeys(("project_name", "transport", "allowlist_path", "git_sha", "git_branch", "environment")),
        **dict.fromkeys(("python_version", "harness_version", "reporter_version", "hostname"), _VERSION),
        "xdist": None,
        "truncated": False,
        "redactions": {"fields": 0, "stream_matches": 0},
        **facts,
    }
    return {"schema_version": "1.3", "run": run, "tests": list(tests)}


def _totals(outcomes: Iterable[str]) -> dict[str, int]:
    found = list(outcomes)
    return {**{name: found.count(name) for name in LETTERS}, "total": len(found)}


def _moment(text: str) -> datetime | None:
    """ISO 8601; JUnit's own form has no offset, and is taken for UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _milliseconds(seconds: str | None) -> float:
    try:
        found = float((seconds or "0").replace(",", "")) * 1000
    except ValueError:
        return 0.0
    return found if 0 <= found < 1e12 else 0.0


def as_bytes(document: Json) -> bytes:
    """As it is sent."""
    return json.dumps(document).encode()

"""The report format as a table, copied by hand from its description: what the schemas are held against."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Accepts = Callable[[Any], bool]

VERSIONS = ("1", "1.1", "1.2", "1.3")
NAME = r"[a-zA-Z0-9_-]{1,64}"
HASH = r"sha256:[0-9a-f]{16}"
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def anything(_value: Any) -> bool:
    return True


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def at_least(minimum: float) -> Accepts:
    return lambda value: number(value) and value >= minimum


def count(minimum: int = 0) -> Accepts:
    return lambda value: number(value) and value == int(value) and value >= minimum


def one_of(*names: str) -> Accepts:
    return lambda value: isinstance(value, str) and value in names


def like(pattern: str) -> Accepts:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def short(characters: int) -> Accepts:
    return lambda value: isinstance(value, str) and len(value) <= characters


def moment(value: Any) -> bool:
    if not isinstance(value, str) or not TIMESTAMP.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def nullable(accepts: Accepts) -> Accepts:
    return lambda value: value is None or accepts(value)


def many(accepts: Accepts) -> Accepts:
    return lambda value: isinstance(value, list) and all(map(accepts, value))


def hashes(value: Any) -> bool:
    return isinstance(value, dict) and all(like(NAME)(k) and like(HASH)(v) for k, v in value.items())


def nested(_value: Any) -> bool:
    """An object with rows of its own: no value that a test puts in its place will do."""
    return False


def nested_list(value: Any) -> bool:
    return bool(value == [])


@dataclass(frozen=True, slots=True)
class Field:
    """A key of one object: what it accepts, whether it may be left out, and the first version that knows it."""

    name: str
    accepts: Accepts
    optional: bool = False
    since: str = "1"

    def is_known(self, version: str) -> bool:
        return VERSIONS.index(version) >= VERSIONS.index(self.since)


amount, tally, name_of_transport = at_least(0), count(), like(NAME)
maybe_text = nullable(text)


def required(accepts: Accepts, *names: str) -> list[Field]:
    return [Field(name, accepts) for name in names]


OBJECTS: dict[str, list[Field]] = {
    "": [Field("schema_version", nested), Field("run", nested), Field("tests", nested_list)],
    "run": [
        *required(moment, "started_at", "finished_at"),
        *required(maybe_text, "project_name", "allowlist_path", "git_sha", "git_branch", "environment"),
        *required(text, "python_version", "harness_version", "reporter_version", "hostname"),
        *required(nested, "totals", "redactions"),
        Field("duration_ms", amount),
        Field("xdist", nullable(nested)),
        Field("truncated", flag),
        Field("transports", many(name_of_transport), optional=True, since="1.1"),
    ],
    "totals": required(tally, "passed", "failed", "errored", "skipped", "slow", "total"),
    "xdist": [Field("workers", count(1)), Field("incomplete_workers", many(text))],
    "redactions": [
        *required(tally, "fields", "stream_matches"),
        Field("redaction_version", like(r"v[0-9]+"), optional=True, since="1.1"),
    ],
    "test": [
        *required(text, "nodeid", "file", "name", "stdout", "stderr", "log"),
        *required(maybe_text, "class", "traceback", "skip_reason", "worker_id"),
        Field("markers", many(text)),
        Field("choreo_meta", lambda value: value in (None, {})),
        Field("outcome", one_of("passed", "failed", "errored", "skipped", "slow")),
        Field("duration_ms", amount),
        Field("scenarios", nested_list),
    ],
    "choreo_meta": [Field("timeout_ms", amount, optional=True), Field("tags", many(text), optional=True)],
    "scenario": [
        *required(text, "name", "summary_text"),
        Field("outcome", one_of("pass", "fail", "timeout", "slow")),
        Field("duration_ms", amount),
        Field("completed_normally", flag),
        *required(nested_list, "handles", "timeline", "replies"),
        Field("timeline_dropped", tally),
        Field("stage", nested, optional=True, since="1.1"),
    ],
    "stage": [
        Field("bridge_class", like(r"[A-Za-z][A-Za-z0-9_]{0,127}"), since="1.1"),
        Field("transports", many(name_of_transport), since="1.1"),
        Field("correlation_ids", hashes, since="1.1"),
    ],
    "handle": [
        *required(text, "topic", "matcher_description", "reason"),
        Field("outcome", one_of("pass", "fail", "timeout", "slow", "pending")),
        *required(nullable(amount), "latency_ms", "budget_ms"),
        *required(anything, "expected", "actual"),
        *required(tally, "attempts", "failures_dropped"),
        Field("truncated", flag),
        Field("failure", nullable(nested)),
        Field("failures", nested_list),
        Field("diagnosis", nested),
        Field("transport", maybe_text, optional=True, since="1.1"),
        Field("correlation_id", like(HASH), optional=True, since="1.1"),
    ],
    "failure": [
        Field("kind", one_of("missing", "mismatch", "type_mismatch", "predicate", "composed")),
        Field("path", text),
        Field("expected", anything),
        Field("actual", anything, optional=True),
        Field("children", nested_list, optional=True),
    ],
    "timeline_entry": [
        Field("offset_ms", number),
        Field("wall_clock", moment),
        Field("action", one_of("published", "received", "matched", "mismatched", "deadline", "correlation_skipped",
                               "replied", "reply_failed")),
        Field("detail", short(120)),
        Field("transport", name_of_transport, optional=True, since="1.2"),
        Field("logical_topic", text, optional=True, since="1.2"),
        Field("source", one_of("publish", "expect", "reply", "scope"), optional=True, since="1.3"),
    ],
    "reply_report": [
        *required(text, "trigger_topic", "reply_topic", "matcher_description"),
        Field("state", one_of("armed_no_match", "armed_matcher_mismatched", "replied", "reply_failed")),
        *required(tally, "candidate_count", "match_count"),
        *required(flag, "reply_published", "correlation_overridden"),
        Field("builder_error", maybe_text),
        Field("trigger_transport", maybe_text, optional=True, since="1.1"),
        Field("response_transport", maybe_text, optional=True, since="1.1"),
    ],
}  # fmt: skip

DIAGNOSES: dict[str, list[Field]] = {
    "matched": [],
    "over_budget": required(amount, "latency_ms", "budget_ms"),
    "near_miss": [Field("attempts", count(1)), Field("deadline_ms", amount)],
    "silent_timeout": [Field("topic", text), Field("deadline_ms", amount)],
    "pending": [],
}


def fields_of(place: str, version: str) -> list[Field]:
    """The rows of one object in a version, with those whose nature changed from version to version."""
    at = VERSIONS.index(version)
    changed = {
        # either transport or transports must be there: which one may go is another test's subject
        "run": [Field("transport", maybe_text, optional=True) if at >= 1 else Field("transport", text)],
        "scenario": [Field("correlation_id", maybe_text if at >= 1 else text)],
        "timeline_entry": [Field("topic", text, optional=at >= 2)],
    }
    return [field for field in OBJECTS[place] if field.is_known(version)] + changed.get(place, [])

"""Failures grouped by their cause: what went wrong, not where it showed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from choreo_bdd_chronicle.detect.records import Run

_INDEX = re.compile(r"\[-?\d+\]")


@dataclass(frozen=True, slots=True)
class Cause:
    """What failures have in common: the topic, the handle's outcome, the kind of cause, and the field that differed.

    ``kind`` is that of the mismatch where a message came, else that of the diagnosis. Which element of a list differed
    is no matter: ``items[3].price`` and ``items[7].price`` are ``items[*].price``. ``path`` is ``None`` where no field
    is to blame.
    """

    topic: str
    outcome: str
    kind: str
    path: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """One handle that failed, in its scenario and run."""

    run: Run
    name: str
    test_nodeid: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """All failures of one cause: how many, in how many runs, of which scenarios (test and name), since when."""

    cause: Cause
    count: int
    runs: int
    scenarios: tuple[tuple[str, str], ...]
    first: Run
    last: Run


def cause_of(handle: Mapping[str, Any]) -> Cause:
    """The cause of a failed handle, as a report's ``handles`` hold it."""
    leaf = _first_leaf(handle.get("failure"))
    diagnosis = handle.get("diagnosis") or {}
    kind = leaf.get("kind") or diagnosis.get("kind") or "unknown"
    return Cause(str(handle["topic"]), str(handle["outcome"]), str(kind), _path(leaf))


def grouped(failures: Iterable[Failure]) -> list[FailureGroup]:
    """One group for each cause; those of the latest runs first, and of these the most frequent."""
    by_cause: dict[Cause, list[Failure]] = {}
    for failure in failures:
        by_cause.setdefault(failure.cause, []).append(failure)
    groups = [_group(cause, members) for cause, members in by_cause.items()]
    return sorted(groups, key=lambda group: (group.last.started_at, group.count), reverse=True)


def _group(cause: Cause, members: Sequence[Failure]) -> FailureGroup:
    runs = sorted({failure.run for failure in members}, key=lambda run: run.started_at)
    scenarios = sorted({(failure.test_nodeid, failure.name) for failure in members})
    return FailureGroup(cause, len(members), len(runs), tuple(scenarios), runs[0], runs[-1])


def _first_leaf(failure: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The innermost first mismatch: of several fields that differ, the first is the one that is told of."""
    node: Mapping[str, Any] = failure or {}
    while node.get("children"):
        inner: Mapping[str, Any] = node["children"][0]
        node = inner if inner.get("path") or not node.get("path") else {**inner, "path": node["path"]}
    return node


def _path(leaf: Mapping[str, Any]) -> str | None:
    path = leaf.get("path")
    return _INDEX.sub("[*]", str(path)) if path else None

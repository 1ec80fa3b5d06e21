"""What the page lists: one entry a scenario, in groups as Gherkin has them or, without Gherkin, by file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

BROKEN_SCENARIOS = frozenset({"fail", "timeout"})
BROKEN_TESTS = frozenset({"failed", "errored"})
BROKEN_STEPS = frozenset({"failed", "errored", "undefined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A test of the results with what Gherkin adds: its scenario, and notes by message scope."""

    test: Json
    position: int | None
    scenario: Json | None
    notes: tuple[Json, ...]

    @property
    def steps(self) -> list[Json]:
        """The steps as they ran; none without Gherkin."""
        return list((self.scenario or {}).get("steps") or ())

    @property
    def parts(self) -> list[Json]:
        """The message scopes of the test."""
        return list(self.test["scenarios"])

    def note(self, part: int, handle: int) -> Json:
        """What is known beyond the results about one expectation; empty where nothing is."""
        if part >= len(self.notes):
            return {}
        handles = self.notes[part].get("handles") or ()
        return handles[handle] if handle < len(handles) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A feature or a file, with its entries in the order they are shown."""

    head: dict[str, str]
    entries: list[Entry]


def group_entries(results: Json, gherkin: Json) -> list[Group]:
    """Every test of the run exactly once: features in their order, then the other tests by file."""
    tests = {test["nodeid"]: (position, test) for position, test in enumerate(results["tests"])}
    details: Json = gherkin.get("details") or {}
    groups = [_feature_group(feature, tests, details) for feature in gherkin.get("features") or ()]
    described = {entry.test["nodeid"] for group in groups for entry in group.entries}
    plain = ((position, test) for nodeid, (position, test) in tests.items() if nodeid not in described)
    return [group for group in (*groups, *_file_groups(plain, details)) if group.entries]


def _feature_group(feature: Json, tests: Mapping[str, tuple[int, Json]], details: Json) -> Group:
    uri = str(feature.get("uri") or "")
    name = str(feature.get("name") or uri)
    head = {
        "id": f"feature:{uri or name}",
        "name": name,
        "keyword": str(feature.get("keyword") or "Feature"),
        "description": str(feature.get("description") or ""),
        "where": uri,
    }
    entries = []
    for scenario in feature.get("scenarios") or ():
        position, test = tests.get(scenario.get("nodeid"), (None, None))
        known = test if test is not None else _test_from_steps(scenario, uri)
        entries.append(_entry(known, position, scenario, details))
    return Group(head=head, entries=entries)


def _file_groups(tests: Iterable[tuple[int, Json]], details: Json) -> list[Group]:
    groups: dict[str, Group] = {}
    for position, test in tests:
        name = test["file"] or "(no file)"
        head = {"id": f"file:{name}", "name": name, "keyword": "File", "description": "", "where": ""}
        group = groups.setdefault(name, Group(head=head, entries=[]))
        group.entries.append(_entry(test, position, None, details))
    return [groups[name] for name in sorted(groups)]


def _entry(test: Json, position: int | None, scenario: Json | None, details: Json) -> Entry:
    notes = tuple(details.get(test["nodeid"]) or ())
    return Entry(test=test, position=position, scenario=scenario, notes=notes)


def _test_from_steps(scenario: Json, uri: str) -> dict[str, Any]:
    """A scenario the runner never started has steps but no test."""
    statuses = [step.get("status") for step in scenario.get("steps") or ()]
    broken = any(status in BROKEN_STEPS for status in statuses)
    return {
        "nodeid": str(scenario.get("nodeid") or scenario.get("name") or ""),
        "file": uri,
        "name": str(scenario.get("name") or ""),
        "class": None,
        "markers": [],
        "choreo_meta": None,
        "outcome": "errored" if broken else "skipped" if "skipped" in statuses else "untested",
        "duration_ms": 0.0,
        "traceback": None,
        "stdout": "",
        "stderr": "",
        "log": "",
        "skip_reason": None,
        "worker_id": None,
        "scenarios": [],
    }

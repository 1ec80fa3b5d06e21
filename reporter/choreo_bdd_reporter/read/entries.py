"""What the page lists: one entry a scenario, in groups as Gherkin has them or, without Gherkin, by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.model.schema_types import Results, ResultsScenario, ResultsTest, TestOutcome

Json = Mapping[str, Any]

BROKEN_SCENARIOS = frozenset({"fail", "timeout"})
BROKEN_TESTS = frozenset({"failed", "errored"})
BROKEN_STEPS = frozenset({"failed", "errored", "undefined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An attempt at a test before the last; ``entry`` has what it did, as far as that is kept."""

    outcome: str
    reason: str
    entry: Entry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A test of the results with what Gherkin adds: its scenario, and notes by message scope.

    ``row`` is its own among all of the page, ``is_twin`` says that its node id is not. ``earlier`` are the attempts
    before the one that counts. ``is_on_one_bus`` says that the whole run is, so that nobody has to be told which it is.
    """

    row: str
    test: ResultsTest
    position: int | None
    scenario: Json | None
    notes: tuple[Json, ...]
    attachments: Sequence[Json] = ()
    is_twin: bool = False
    is_on_one_bus: bool = True
    earlier: tuple[Earlier, ...] = ()

    @property
    def steps(self) -> list[Json]:
        """The steps as they ran; none without Gherkin."""
        return list((self.scenario or {}).get("steps") or ())

    @property
    def parts(self) -> list[ResultsScenario]:
        """The message scopes of the test."""
        return list(self.test["scenarios"])

    def read(self) -> Entry:
        """The same with all that stays elsewhere until somebody looks inside: who looks closely looks often."""
        test = {**self.test, "scenarios": [{**part} for part in self.parts]}
        return replace(
            self,
            test=cast("ResultsTest", test),
            scenario=None if self.scenario is None else {**self.scenario},
            notes=tuple({**note} for note in self.notes),
        )

    def bus(self, part: int) -> str | None:
        """The only transport of a message scope, in a run that has several."""
        return None if self.is_on_one_bus or part >= len(self.notes) else self.notes[part].get("transport")

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


def group_entries(results: Results, gherkin: Json) -> list[Group]:
    """Every test of the run exactly once: features in their order, then the other tests by file."""
    rows = _Rows(results, gherkin)
    groups = [_feature_group(feature, rows) for feature in gherkin.get("features") or ()]
    plain = [row for row in rows.tests if row not in rows.described]
    return [group for group in (*groups, *_file_groups(plain, rows)) if group.entries]


class _Rows:
    """The tests by row id, and what is told of them."""

    def __init__(self, results: Results, gherkin: Json) -> None:
        ids = row_ids(results["tests"])
        self.tests: dict[str, ResultsTest] = dict(zip(ids, results["tests"], strict=True))
        self.described: set[str] = set()
        self._positions = {row: position for position, row in enumerate(ids)}
        self._times = Counter(test["nodeid"] for test in results["tests"])
        self._is_on_one_bus = results["run"].get("transport") is not None
        self._details: Json = gherkin.get("details") or {}
        self._attachments: Json = gherkin.get("attachments") or {}
        self._attempts: Json = gherkin.get("attempts") or {}

    def entry(self, row: str, test: ResultsTest, scenario: Json | None) -> Entry:
        return Entry(
            row=row,
            test=test,
            position=self._positions.get(row),
            scenario=scenario,
            notes=tuple(self._details.get(row) or ()),
            attachments=self._attachments.get(row, ()),
            is_twin=self._times[test["nodeid"]] > 1,
            is_on_one_bus=self._is_on_one_bus,
            earlier=tuple(
                _earlier(row, attempt, is_on_one_bus=self._is_on_one_bus) for attempt in self._attempts.get(row, ())
            ),
        )


def _earlier(row: str, attempt: Json, *, is_on_one_bus: bool) -> Earlier:
    entry = (
        Entry(
            row=row,
            test=attempt["test"],
            position=None,
            scenario=attempt.get("scenario"),
            notes=tuple(attempt.get("details") or ()),
            attachments=attempt.get("attachments") or (),
            is_on_one_bus=is_on_one_bus,
        )
        if "test" in attempt
        else None
    )
    return Earlier(outcome=attempt["outcome"], reason=attempt["reason"] or "", entry=entry)


def _feature_group(feature: Json, rows: _Rows) -> Group:
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
        row = scenario.get("nodeid")
        known = rows.tests.get(row)
        if known is not None:
            if row in rows.described:  # a page of somebody else's may tell of a test again and again
                continue
            rows.described.add(row)
        test = known if known is not None else _test_from_steps(scenario, uri)
        entries.append(rows.entry(test["nodeid"] if known is None else row, test, scenario))
    return Group(head=head, entries=entries)


def _file_groups(ids: Iterable[str], rows: _Rows) -> list[Group]:
    groups: dict[str, Group] = {}
    for row in ids:
        test = rows.tests[row]
        name = test["file"] or "(no file)"
        head = {"id": f"file:{name}", "name": name, "keyword": "File", "description": "", "where": ""}
        group = groups.setdefault(name, Group(head=head, entries=[]))
        group.entries.append(rows.entry(row, test, None))
    return [groups[name] for name in sorted(groups)]


def _test_from_steps(scenario: Json, uri: str) -> ResultsTest:
    """A scenario the runner never started has steps but no test."""
    statuses = [step.get("status") for step in scenario.get("steps") or ()]
    broken = any(status in BROKEN_STEPS for status in statuses)
    outcome = "errored" if broken else "skipped" if "skipped" in statuses else "untested"
    return {
        "nodeid": str(scenario.get("nodeid") or scenario.get("name") or ""),
        "file": uri,
        "name": str(scenario.get("name") or ""),
        "class": None,
        "markers": [],
        "choreo_meta": None,
        "outcome": cast("TestOutcome", outcome),  # "untested" is the page's own: results.json has no such test
        "duration_ms": 0.0,
        "traceback": None,
        "stdout": "",
        "stderr": "",
        "log": "",
        "skip_reason": None,
        "worker_id": None,
        "scenarios": [],
    }

"""Each test with what Gherkin says of it, for formats that have a place for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.model.clock import epoch_seconds
from choreo_bdd_reporter.outputs.summary import Failure, failures
from choreo_bdd_reporter.read.findings import is_flaky


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A test with its feature and its scenario, which are empty without Gherkin, and why it failed, if it did.

    ``title`` is its name, told apart from others of its file. ``attempts`` are those before the one that counts.
    """

    test: Any
    title: str
    feature: Any
    scenario: Any
    failure: Failure | None
    attempts: Sequence[Any]

    @property
    def is_flaky(self) -> bool:
        """Whether it has passed only when it was run again."""
        return is_flaky(self.test["outcome"], (each["outcome"] for each in self.attempts))

    @property
    def file(self) -> str:
        """The one that lines are counted in: of its feature, which a module may have bound, else the test's own."""
        return str(self.feature.get("uri") or self.test["file"])

    @property
    def suite(self) -> list[str]:
        """From the outermost: the feature and its rule, or the class; a file is no suite, it has a field of its own."""
        levels = (self.feature.get("name"), self.scenario.get("rule"), self.test["class"])
        return [str(level) for level in levels if level]

    @property
    def tags(self) -> list[str]:
        """Of the feature, its rule, the scenario and the test, each once and without its sign."""
        meta, scenario = self.test["choreo_meta"] or {}, self.scenario
        of_scenario = (*(scenario.get("inherited") or ()), *(scenario.get("tags") or ()))
        found = (*(self.feature.get("tags") or ()), *of_scenario, *(meta.get("tags") or ()))
        return list(dict.fromkeys(str(tag).removeprefix("@") for tag in found))

    @property
    def started(self) -> int | None:
        """In milliseconds; without Gherkin, when the first of its scopes began that has a timeline."""
        if (told := self.scenario.get("started")) is not None:
            return round(float(told) * 1000)
        first = next((event for part in self.test["scenarios"] for event in part["timeline"][:1]), None)
        return None if first is None else round(epoch_seconds(first["wall_clock"]) * 1000) - round(first["offset_ms"])


def rows(results: Any, gherkin: Any) -> Iterator[Row]:
    """Every test, in the order of the results."""
    told = {
        scenario.get("nodeid"): (feature, scenario)  # a foreign page may tell of one that belongs to no test
        for feature in gherkin.get("features") or ()
        for scenario in feature.get("scenarios") or ()
    }
    reasons = {failure.row: failure for failure in failures(results, gherkin)}
    attempts = gherkin.get("attempts") or {}
    tests = results["tests"]
    for row, test, title in zip(row_ids(tests), tests, titles(tests), strict=True):
        feature, scenario = told.get(row, ({}, {}))
        yield Row(
            test=test,
            title=title,
            feature=feature,
            scenario=scenario,
            failure=reasons.get(row),
            attempts=attempts.get(row, ()),
        )


def titles(tests: Sequence[Any]) -> Iterator[str]:
    """A name for each test that no other one of its file and class has, not even where both stand on one line."""
    times = Counter(test["nodeid"] for test in tests)
    taken: set[tuple[str, str | None, str]] = set()
    numbers: dict[tuple[str, str | None, str], Iterator[int]] = {}
    for test in tests:
        worker = test["worker_id"] if times[test["nodeid"]] > 1 else None
        known = next((each for each in (test["name"], test["nodeid"]) if each.strip()), "(no name)")
        name = f"{known} ({worker})" if worker else known
        place, title = (test["file"], test["class"], on_one_line(name)), name
        while (shown := (*place[:2], on_one_line(title))) in taken:
            title = f"{name} ({next(numbers.setdefault(place, count(2)))})"
        taken.add(shown)
        yield title

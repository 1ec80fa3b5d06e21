"""Several reports as one: shards of a run on several machines, or of several runners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Literal

from choreo_bdd_reporter.documents.file_names import RECORDINGS, RESULTS
from choreo_bdd_reporter.documents.results import SCHEMA_VERSION, row_ids, totals, transports
from choreo_bdd_reporter.model.run_facts import merged_facts
from choreo_bdd_reporter.model.schema_types import (
    Redactions,
    Results,
    ResultsRun,
    ResultsTest,
    RunTransports,
    Totals,
    Xdist,
)
from choreo_bdd_reporter.read.bounded_files import open_text
from choreo_bdd_reporter.read.report import Report

Duplicates = Literal["worst", "last"]

_WORST_FIRST = ("failed", "errored", "slow", "passed", "skipped")
_LONGEST_MS = 366 * 86_400_000.0  # a file may state more than a calendar can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The documents of the merged report, and the node ids that more than one of the reports had."""

    results: Results
    gherkin: dict[str, Any]
    duplicates: tuple[str, ...]


def merge(reports: Sequence[Report], *, duplicates: Duplicates = "worst") -> Merged:
    """One report of at least one; totals are counted anew, tests keep the order in which they are first met.

    A test that several reports have is kept once: with its ``worst`` outcome, or as the ``last`` report has it.
    """
    chosen = _choose(reports, duplicates)
    tests = [reports[number].results["tests"][place] for number, place in chosen.kept]
    run = _run([report.results["run"] for report in reports], totals(test["outcome"] for test in tests))
    return Merged(
        results={
            "schema_version": SCHEMA_VERSION,
            "run": run,
            "tests": tests,
        },
        gherkin=_gherkin(reports, _with_rows(reports, chosen.owner)),
        duplicates=tuple(chosen.duplicates),
    )


def messages(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """The Cucumber Messages of all reports that have some, as one stream."""
    from choreo_bdd_reporter.read.messages import merged_envelopes  # noqa: PLC0415 - rarely needed

    return merged_envelopes([report.messages for report in reports if report.messages is not None])


def recordings(reports: Sequence[Report]) -> Iterator[str]:
    """The traffic that the reports have kept, line by line; of one that cannot be read nothing."""
    for report in reports:
        if report.source.name != RESULTS:  # what lies beside the journal of a run is of the one before
            continue
        try:
            with open_text(report.source.with_name(RECORDINGS), errors="replace") as lines:
                yield from (line for line in lines if line.endswith("\n"))
        except OSError:
            continue


# --- tests ---


@dataclass(frozen=True, slots=True)
class _Choice:
    """``kept`` holds report number and place of each test; ``owner`` the report that a node id is taken from."""

    kept: list[tuple[int, int]]
    owner: dict[str, int]
    duplicates: list[str]


def _choose(reports: Sequence[Report], duplicates: Duplicates) -> _Choice:
    places: dict[str, dict[int, list[int]]] = {}
    for number, report in enumerate(reports):
        for place, test in enumerate(report.results["tests"]):
            places.setdefault(test["nodeid"], {}).setdefault(number, []).append(place)
    # within one report a node id may stand several times: pytest-xdist runs every test on every worker if told to
    owner = {nodeid: _owner(reports, where, duplicates) for nodeid, where in places.items()}
    kept = [(owner[nodeid], place) for nodeid, where in places.items() for place in where[owner[nodeid]]]
    return _Choice(kept, owner, [nodeid for nodeid, where in places.items() if len(where) > 1])


def _owner(reports: Sequence[Report], where: dict[int, list[int]], duplicates: Duplicates) -> int:
    if duplicates == "last" or len(where) == 1:
        return max(where)
    return min(where, key=lambda number: _badness(reports[number].results["tests"][place] for place in where[number]))


def _badness(tests: Iterable[ResultsTest]) -> int:
    return min(_WORST_FIRST.index(test["outcome"]) for test in tests)


# --- the run ---


def _run(runs: Sequence[ResultsRun], counted: Totals) -> ResultsRun:
    return {
        "started_at": min((run["started_at"] for run in runs), key=_moment),
        "finished_at": max((run["finished_at"] for run in runs), key=_moment),
        "duration_ms": _busy_ms(runs),
        **_transports(runs),
        "totals": counted,
        "project_name": _agreed(run["project_name"] for run in runs),
        "allowlist_path": _agreed(run["allowlist_path"] for run in runs),
        "git_sha": _agreed(run["git_sha"] for run in runs),
        "git_branch": _agreed(run["git_branch"] for run in runs),
        "environment": _agreed(run["environment"] for run in runs),
        "python_version": _listed(run["python_version"] for run in runs),
        "harness_version": _listed(run["harness_version"] for run in runs),
        "reporter_version": _listed(run["reporter_version"] for run in runs),
        "hostname": _listed(run["hostname"] for run in runs),
        "xdist": _workers(runs),
        "truncated": any(run["truncated"] for run in runs),
        "redactions": _redactions(runs),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _busy_ms(runs: Sequence[ResultsRun]) -> float:
    """Time during which at least one of the runs was under way: shards that ran side by side count once."""
    spans = sorted((_moment(run["started_at"]), _length(run["duration_ms"])) for run in runs)
    ends = list(accumulate((_end(start, length) for start, length in spans), max))
    reached = [spans[0][0], *ends[:-1]]
    busy = (
        max(timedelta(0), end - max(start, before))
        for (start, _), before, end in zip(spans, reached, ends, strict=True)
    )
    return sum(busy, timedelta(0)) / timedelta(milliseconds=1)


def _end(start: datetime, length: timedelta) -> datetime:
    try:
        return start + length
    except OverflowError:  # within the last day there is
        return datetime.max.replace(tzinfo=start.tzinfo)


def _length(milliseconds: float) -> timedelta:
    return timedelta(milliseconds=min(milliseconds, _LONGEST_MS))


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _agreed(texts: Iterable[str | None]) -> str | None:
    """What all who state it state alike; a commit that is only one shard's would be a lie about the others."""
    values = {text for text in texts if text is not None}
    return values.pop() if len(values) == 1 else None


def _transports(runs: Sequence[ResultsRun]) -> RunTransports:
    return transports(
        (name for run in runs if (name := run.get("transport")) is not None and name != "unknown"),
        (name for run in runs for name in run.get("transports") or ()),
    )


def _workers(runs: Sequence[ResultsRun]) -> Xdist | None:
    parallel = [run["xdist"] for run in runs if run["xdist"] is not None]
    if not parallel:
        return None
    return {
        "workers": sum(each["workers"] for each in parallel),
        "incomplete_workers": [name for each in parallel for name in each["incomplete_workers"]],
    }


def _redactions(runs: Sequence[ResultsRun]) -> Redactions:
    counters: Redactions = {
        "fields": sum(run["redactions"]["fields"] for run in runs),
        "stream_matches": sum(run["redactions"]["stream_matches"] for run in runs),
    }
    version = next((found for run in runs if (found := run["redactions"].get("redaction_version"))), None)
    return counters if version is None else {**counters, "redaction_version": version}


# --- what Gherkin adds ---


def _with_rows(reports: Sequence[Report], owner: dict[str, int]) -> dict[str, int]:
    """The owner of each row: where a node id stands several times, each of its tests has a row of its own."""
    tests = [report.results["tests"] for report in reports]
    return {row: owner[test["nodeid"]] for each in tests for row, test in zip(row_ids(each), each, strict=True)}


def _gherkin(reports: Sequence[Report], owner: dict[str, int]) -> dict[str, Any]:
    features: dict[str, dict[str, Any]] = {}
    for number, report in enumerate(reports):
        for feature in report.gherkin.get("features") or ():
            known = features.setdefault(feature.get("uri") or "", {**feature, "scenarios": []})
            known["scenarios"] += _owned(feature.get("scenarios") or (), owner, number)
    by_row = {name: _by_row(reports, owner, name) for name in ("attempts", "attachments")}
    return {
        "features": list(features.values()),
        "details": _by_row(reports, owner, "details"),
        "exit": _exit(reports),
        **{name: found for name, found in by_row.items() if found},
        **merged_facts(report.gherkin for report in reports),
    }


def _by_row(reports: Sequence[Report], owner: dict[str, int], name: str) -> dict[str, Any]:
    """What is told of each test, as the report has it that the test is taken from."""
    return {
        row: told
        for number, report in enumerate(reports)
        for row, told in (report.gherkin.get(name) or {}).items()
        if owner.get(row) == number
    }


def _owned(scenarios: Iterable[Any], owner: dict[str, int], number: int) -> Iterator[Any]:
    return (scenario for scenario in scenarios if owner.get(scenario.get("nodeid"), number) == number)


def _exit(reports: Sequence[Report]) -> dict[str, Any]:
    exits = [report.gherkin.get("exit") or {} for report in reports]
    statuses = [status for each in exits if (status := each.get("status")) is not None]
    return {
        "status": max(statuses, default=None),
        "interrupted": any(each.get("interrupted") for each in exits),
    }

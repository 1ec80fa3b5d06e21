"""What a report says in short, for continuous integration: Markdown, plain text, and GitHub's annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from choreo_bdd.redaction.printable import annotation, on_one_line
from choreo_bdd.shared.counted import counted
from choreo_bdd.shared.shares import percent
from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.outputs.markdown import code, in_short, plain, table
from choreo_bdd_reporter.read.entries import Entry, group_entries
from choreo_bdd_reporter.read.findings import findings_of, is_failing, is_flaky
from choreo_bdd_reporter.read.hop_names import hop_name

_TITLE_MAX = 200
ANNOTATIONS_MAX = 10
"""GitHub shows no more errors of one step."""

_SHOWN_FAILURES = 50
_SHOWN_HOPS = 5
_SHOWN_FLAKY = 10
_OUTCOMES = ("passed", "slow", "failed", "errored", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failing test: what failed, why in a word or two and in a sentence, and where to look.

    ``transport`` is told in runs that have several.
    """

    row: str
    nodeid: str
    name: str
    cause: str
    sentence: str
    file: str
    line: int | None
    topic: str | None = None
    transport: str | None = None

    @property
    def place(self) -> str:
        """``file:line``, as far as known."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHop:
    """A measured expectation with a budget, in milliseconds; ``topic`` is what its hop is called."""

    nodeid: str
    topic: str
    transport: str | None
    latency_ms: float
    budget_ms: float

    @property
    def used(self) -> float:
        """Share of the budget that is used up; above 1 it is broken."""
        return self.latency_ms / self.budget_ms if self.budget_ms else float("inf")

    @property
    def used_up(self) -> str:
        """That share in words."""
        return percent(self.latency_ms, self.budget_ms)

    @property
    def place(self) -> str:
        """Topic, and transport where there are several."""
        return self.topic if self.transport is None else f"{self.topic} on {self.transport}"


def failures(results: Any, gherkin: Any) -> list[Failure]:
    """Every failing test, in the order of the page."""
    groups = group_entries(results, gherkin)
    return [_failure(entry, group.head["where"]) for group in groups for entry in group.entries if is_failing(entry)]


def _failure(entry: Entry, feature: str) -> Failure:
    finding = findings_of(entry)[0]
    file, line = _place(entry, feature, finding)
    return Failure(
        row=entry.row,
        nodeid=entry.test["nodeid"],
        name=(entry.scenario or {}).get("name") or entry.test["name"] or entry.test["nodeid"],
        cause=finding["cause"],
        sentence=finding["sentence"],
        file=file,
        line=line,
        topic=finding.get("topic"),
        transport=finding.get("transport"),
    )


def _place(entry: Entry, feature: str, finding: Any) -> tuple[str, int | None]:
    """Where the expectation was declared, else the step that failed, else the scenario of a feature, else the file."""
    origin = entry.note(finding["part"], finding["handle"]).get("origin") if "handle" in finding else None
    path, _, number = str(origin or "").rpartition(":")
    if path and number.isdigit():
        return path, int(number)
    if entry.scenario is None:
        return entry.test["file"], None
    step = entry.steps[finding["step"]] if finding.get("step") is not None else entry.scenario
    return feature or entry.test["file"], step.get("line")


def slowest_hops(results: Any, gherkin: Any) -> list[SlowHop]:
    """Of each hop the expectation that used up most of its budget, the most used-up budget first."""
    hops = [
        SlowHop(
            nodeid=entry.test["nodeid"],
            topic=hop_name(handle["topic"]),
            transport=handle.get("transport") or entry.bus(place),
            latency_ms=handle["latency_ms"],
            budget_ms=handle["budget_ms"],
        )
        for group in group_entries(results, gherkin)
        for entry in group.entries
        for place, scenario in enumerate(entry.parts)
        for handle in scenario["handles"]
        if handle["outcome"] in ("pass", "slow")
        and handle["budget_ms"] is not None
        and handle["latency_ms"] is not None
    ]
    ordered = sorted(hops, key=lambda hop: -hop.used)
    first: dict[str, SlowHop] = {}
    for hop in ordered:
        first.setdefault(hop.place, hop)
    return list(first.values())


def headline(results: Any) -> str:
    """One line: the verdict, the counts, and what the reader must know about the report."""
    totals = results["run"]["totals"]
    counts = ", ".join(f"{totals[outcome]} {outcome}" for outcome in _OUTCOMES if totals[outcome])
    return f"{counted(totals['total'], 'test')}: {counts or 'none run'} in {results['run']['duration_ms'] / 1000:.1f} s"


def warnings(results: Any, gherkin: Any) -> Iterator[str]:
    """What makes the report less than the whole truth, and tests that have passed only when run again."""
    run = results["run"]
    flaky = flaky_tests(results, gherkin)
    if flaky:
        more = f" and {len(flaky) - _SHOWN_FLAKY} more" if len(flaky) > _SHOWN_FLAKY else ""
        yield f"passed only when run again: {', '.join(flaky[:_SHOWN_FLAKY])}{more}"
    if run["truncated"]:
        yield "some tests, scenarios or expectations are left out: a limit was reached"
    if run["xdist"] and run["xdist"]["incomplete_workers"]:
        yield f"workers broke off: {', '.join(run['xdist']['incomplete_workers'])}"


def flaky_tests(results: Any, gherkin: Any) -> list[str]:
    """Node ids of tests that have passed in the end after attempts that had not."""
    attempts = (gherkin or {}).get("attempts") or {}
    rows = zip(row_ids(results["tests"]), results["tests"], strict=True)
    return [
        test["nodeid"]
        for row, test in rows
        if is_flaky(test["outcome"], (each["outcome"] for each in attempts.get(row, ())))
    ]


def as_text(results: Any, gherkin: Any) -> str:
    """For a terminal or a log."""
    found = failures(results, gherkin)
    lines = [headline(results), *(f"note: {text}" for text in warnings(results, gherkin))]
    for failure in found:
        lines += ["", f"{failure.nodeid}", f"  {failure.cause}: {failure.sentence}", f"  at {failure.place}"]
    hops = slowest_hops(results, gherkin)[:_SHOWN_HOPS]
    if hops:
        lines += ["", "Closest to their budgets:"]
        lines += [
            f"  {hop.latency_ms:8.1f} of {hop.budget_ms:.1f} ms ({hop.used_up})  {hop.place}  ({hop.nodeid})"
            for hop in hops
        ]
    return "\n".join(map(on_one_line, lines))


def as_markdown(results: Any, gherkin: Any) -> str:
    """For a job summary or a comment."""
    run, found = results["run"], failures(results, gherkin)
    sign = "❌" if found else "✅"
    project = f"{plain(run['project_name'])}: " if run["project_name"] else ""
    lines = [f"## {sign} {project}{plain(headline(results))}", ""]
    lines += [f"> {plain(text)}\n" for text in warnings(results, gherkin)]
    if found:
        rows = [_cells(failure) for failure in found[:_SHOWN_FAILURES]]
        lines += [*table(("Scenario", "Cause", "What happened", "Where"), rows), ""]
    if len(found) > _SHOWN_FAILURES:
        lines += [f"… and {counted(len(found) - _SHOWN_FAILURES, 'more failure')}", ""]
    lines += _hop_lines(slowest_hops(results, gherkin)[:_SHOWN_HOPS])
    return "\n".join(lines)


def _cells(failure: Failure) -> tuple[str, ...]:
    where = code(failure.place) if failure.place else ""
    sentence = plain(in_short(failure.sentence))
    return plain(in_short(failure.name)), f"**{plain(failure.cause)}**", sentence, where


def _hop_lines(hops: Sequence[SlowHop]) -> list[str]:
    if not hops:
        return []
    rows = [(code(hop.place), f"{hop.latency_ms:.1f} ms", f"{hop.budget_ms:.1f} ms", hop.used_up) for hop in hops]
    return ["<details><summary>Closest to their budgets</summary>", "",
            *table(("Hop", "Latency", "Budget", "Used"), rows), "", "</details>"]  # fmt: skip


def as_annotations(results: Any, gherkin: Any) -> str:
    """Workflow commands that make GitHub mark the failing lines."""
    found = failures(results, gherkin)
    lines = [_annotation(failure) for failure in found[:ANNOTATIONS_MAX]]
    left = len(found) - ANNOTATIONS_MAX
    if left > 0:
        lines.append(annotation("notice", f"{counted(left, 'more failure is', 'more failures are')} not annotated"))
    return "\n".join([*lines, on_one_line(headline(results))])


def _annotation(failure: Failure) -> str:
    title = f"{in_short(failure.name, _TITLE_MAX)}: {failure.cause}"
    return annotation("error", failure.sentence, file=failure.file, line=failure.line, title=title)

"""A comparison in words: for a terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from choreo_bdd.redaction.printable import in_json, on_one_line
from choreo_bdd_reporter.outputs.markdown import code, table
from choreo_bdd_reporter.read.compare import Comparison, Shift

_SHOWN_MAX = 20
_LISTS = (
    ("new_failures", "New failures"),
    ("still_failing", "Still failing"),
    ("fixed", "Fixed"),
    ("added", "New tests"),
    ("removed", "No longer there"),
)


def as_json(comparison: Comparison) -> str:
    """Everything, for programs."""
    shifts = [{**asdict(shift), "over_budget": shift.is_over_budget} for shift in comparison.shifts]
    return in_json(json.dumps({**asdict(comparison), "shifts": shifts}, indent=2))


def as_text(comparison: Comparison) -> str:
    """For a terminal."""
    shifted = f"{len(comparison.shifts)} latencies shifted"
    lines = [f"{', '.join(f'{number} {what}' for what, number in _counts(comparison).items())}, {shifted}"]
    for name, title in _LISTS:
        nodeids: Sequence[str] = getattr(comparison, name)
        if nodeids:
            lines += ["", f"{title} ({len(nodeids)}):", *(f"  {text}" for text in _shown(nodeids))]
    if comparison.shifts:
        told = [_sentence(shift) for shift in comparison.shifts]
        lines += ["", f"Latency ({len(told)}):", *(f"  {text}" for text in _shown(told))]
    return "\n".join(map(on_one_line, lines))


def _counts(comparison: Comparison) -> dict[str, int]:
    return {
        "new failures": len(comparison.new_failures),
        "fixed": len(comparison.fixed),
        "still failing": len(comparison.still_failing),
    }


def as_markdown(comparison: Comparison) -> str:
    """For a pull request or a job summary."""
    counts = {**_counts(comparison), "latencies shifted": len(comparison.shifts)}
    lines = list(table([what.capitalize() for what in counts], [[str(number) for number in counts.values()]]))
    for name, title in _LISTS:
        nodeids: Sequence[str] = getattr(comparison, name)
        if nodeids:
            lines += ["", f"### {title}", "", *(f"- {text}" for text in _shown([code(each) for each in nodeids]))]
    if comparison.shifts:
        rows = [_cells(shift) for shift in comparison.shifts[:_SHOWN_MAX]]
        lines += ["", "### Latency per hop", "", *table(("Scenario", "Hop", "Before", "Now", "Change", "Budget"), rows)]
        lines += [f"\n{_more(len(comparison.shifts))}"] if len(comparison.shifts) > _SHOWN_MAX else []
    return "\n".join(lines)


def _shown(texts: Sequence[str]) -> Iterator[str]:
    yield from texts[:_SHOWN_MAX]
    if len(texts) > _SHOWN_MAX:
        yield _more(len(texts))


def _more(total: int) -> str:
    return f"… and {total - _SHOWN_MAX} more (--format json has all)"


def _hop(shift: Shift) -> str:
    return shift.topic if shift.transport is None else f"{shift.topic} on {shift.transport}"


def _sentence(shift: Shift) -> str:
    budget = "" if shift.budget_ms is None else f", budget {shift.budget_ms:.1f} ms"
    over = " OVER BUDGET" if shift.is_over_budget else ""
    return (
        f"{shift.old_ms:8.1f} ms -> {shift.new_ms:8.1f} ms  {shift.change:+.0%}{over}{budget}  "
        f"{_hop(shift)}  ({shift.nodeid})"
    )


def _cells(shift: Shift) -> tuple[str, ...]:
    budget = "" if shift.budget_ms is None else f"{shift.budget_ms:.1f} ms"
    return (
        code(shift.nodeid),
        code(_hop(shift)),
        f"{shift.old_ms:.1f} ms",
        f"{shift.new_ms:.1f} ms",
        f"{shift.change:+.0%}",
        f"**{budget}, over**" if shift.is_over_budget else budget,
    )

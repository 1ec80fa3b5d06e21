"""A comparison in words: for a terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from choreo_bdd.redaction.printable import in_json, on_one_line
from choreo_bdd.shared.counted import counted
from choreo_bdd_reporter.outputs.markdown import code, table
from choreo_bdd_reporter.read.compare import Comparison, Shift, Spread
from choreo_bdd_reporter.read.ranks import FEWEST

_SHOWN_MAX = 20
_LISTS = (
    ("new_failures", "New failures"),
    ("still_failing", "Still failing"),
    ("fixed", "Fixed"),
    ("added", "New tests"),
    ("removed", "No longer there"),
)


def as_json(comparison: Comparison) -> str:
    """Everything, for programs; ``old_ms`` and ``new_ms`` are medians."""
    shifts = [
        {
            **asdict(shift),
            "old_ms": shift.old.p50_ms,
            "new_ms": shift.new.p50_ms,
            "messages_over_budget": shift.over_budget,
            "over_budget": shift.over_budget > 0,
        }
        for shift in comparison.shifts
    ]
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
        lines += ["", f"Latency ({len(told)}), median / p95 / max:", *(f"  {text}" for text in _shown(told))]
    if comparison.too_few:
        lines += ["", _too_few(comparison)]
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
        titles = ("Hop", "Before: median / p95 / max", "Now", "Change", "Budget")
        lines += ["", "### Latency per hop", "", *table(titles, rows)]
        lines += [f"\n{_more(len(comparison.shifts))}"] if len(comparison.shifts) > _SHOWN_MAX else []
    if comparison.too_few:
        lines += ["", _too_few(comparison)]
    return "\n".join(lines)


def _shown(texts: Sequence[str]) -> Iterator[str]:
    yield from texts[:_SHOWN_MAX]
    if len(texts) > _SHOWN_MAX:
        yield _more(len(texts))


def _more(total: int) -> str:
    return f"… and {total - _SHOWN_MAX} more (--format json has all)"


def _too_few(comparison: Comparison) -> str:
    hops = counted(comparison.too_few, "hop has", "hops have")
    return f"{hops} fewer than {FEWEST} messages in a run: only a crossed budget is told of so few."


def _hop(shift: Shift) -> str:
    return shift.topic if shift.transport is None else f"{shift.topic} on {shift.transport}"


def _spread(spread: Spread) -> str:
    latencies = f"{spread.p50_ms:.1f} / {spread.p95_ms:.1f} / {spread.max_ms:.1f} ms"
    return f"{latencies} of {counted(spread.messages, 'message')}"


def _sentence(shift: Shift) -> str:
    budget = "" if shift.budget_ms is None else f", budget {shift.budget_ms:.1f} ms"
    over = f", OVER BUDGET {shift.over_budget} of {shift.new.messages}" if shift.over_budget else ""
    return f"{_hop(shift)}: {_spread(shift.old)} -> {_spread(shift.new)}, median {shift.change:+.0%}{over}{budget}"


def _cells(shift: Shift) -> tuple[str, ...]:
    budget = "" if shift.budget_ms is None else f"{shift.budget_ms:.1f} ms"
    over = f"**{budget}, over in {shift.over_budget} of {shift.new.messages}**"
    return (
        code(_hop(shift)),
        _spread(shift.old),
        _spread(shift.new),
        f"{shift.change:+.0%}",
        over if shift.over_budget else budget,
    )

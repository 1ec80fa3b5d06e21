"""Two reports side by side: what broke, what was mended, and which hops got slower."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from choreo_bdd_reporter.model.schema_types import Results

_FAILING = ("failed", "errored")
_MEASURED = ("pass", "slow")

NOISE_MS = 1.0
"""Shifts below this are not told: no scheduler is that punctual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Latency of one hop in both reports, in milliseconds; ``budget_ms`` is the newer report's."""

    nodeid: str
    scenario: str
    topic: str
    transport: str | None
    old_ms: float
    new_ms: float
    budget_ms: float | None

    @property
    def change(self) -> float:
        """How much slower, as a share of the older latency; negative when faster."""
        return (self.new_ms - self.old_ms) / max(self.old_ms, NOISE_MS)

    @property
    def is_over_budget(self) -> bool:
        """Whether the newer latency breaks the budget."""
        return self.budget_ms is not None and self.new_ms > self.budget_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Node ids by what became of them, and the hops that shifted, worst first.

    ``removed`` are tests that only the older report has, ``added`` those that only the newer one has.
    """

    new_failures: tuple[str, ...]
    still_failing: tuple[str, ...]
    fixed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    shifts: tuple[Shift, ...]


def compare(old: Results, new: Results, *, threshold: float = 0.2) -> Comparison:
    """Compare two results documents. A hop has shifted when its latency changed by more than ``threshold``.

    A test that fails and was not there before is a new failure, too.
    """
    before, after = _outcomes(old), _outcomes(new)
    failing = [nodeid for nodeid, outcome in after.items() if outcome in _FAILING]
    return Comparison(
        new_failures=tuple(nodeid for nodeid in failing if before.get(nodeid) not in _FAILING),
        still_failing=tuple(nodeid for nodeid in failing if before.get(nodeid) in _FAILING),
        fixed=tuple(n for n, outcome in before.items() if outcome in _FAILING and after.get(n) in ("passed", "slow")),
        added=tuple(nodeid for nodeid in after if nodeid not in before),
        removed=tuple(nodeid for nodeid in before if nodeid not in after),
        shifts=_shifts(old, new, threshold),
    )


def _outcomes(results: Results) -> dict[str, str]:
    """The outcome of each node id; of several runs of one test the worst."""
    outcomes: dict[str, str] = {}
    for test in results["tests"]:
        if outcomes.get(test["nodeid"]) not in _FAILING:
            outcomes[test["nodeid"]] = test["outcome"]
    return outcomes


_Hop = tuple[str, str, str, "str | None", int]


def _shifts(old: Results, new: Results, threshold: float) -> tuple[Shift, ...]:
    before = {hop: latency for hop, latency, _ in _hops(old)}
    shifts = [
        Shift(
            nodeid=hop[0], scenario=hop[1], topic=hop[2], transport=hop[3],
            old_ms=before[hop], new_ms=latency, budget_ms=budget,
        )
        for hop, latency, budget in _hops(new)
        if hop in before and abs(latency - before[hop]) > NOISE_MS
    ]  # fmt: skip
    told = (shift for shift in shifts if abs(shift.change) > threshold)
    return tuple(sorted(told, key=lambda shift: (not shift.is_over_budget, -shift.change)))


def _hops(results: Results) -> Iterator[tuple[_Hop, float, float | None]]:
    """Measured hops: test, scenario, topic, transport and, where these repeat, the how-many-eth."""
    seen: Counter[tuple[str, str, str, str | None]] = Counter()
    for test in results["tests"]:
        for scenario in test["scenarios"]:
            for handle in scenario["handles"]:
                hop = (test["nodeid"], scenario["name"], handle["topic"], handle.get("transport"))
                seen[hop] += 1
                if handle["outcome"] in _MEASURED and handle["latency_ms"] is not None:
                    yield (*hop, seen[hop]), handle["latency_ms"], handle["budget_ms"]

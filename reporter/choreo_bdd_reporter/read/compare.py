"""Two reports side by side: what broke, what was mended, and which hops got slower."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from choreo_bdd_reporter.model.schema_types import Results
from choreo_bdd_reporter.read.entries import Entry, Json, group_entries
from choreo_bdd_reporter.read.hop_names import hop_name
from choreo_bdd_reporter.read.ranks import FEWEST, differ

_FAILING = ("failed", "errored")
_MEASURED = ("pass", "slow")

NOISE_MS = 1.0
"""Shifts below this are not told: no scheduler is that punctual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the latencies of a hop's messages are distributed in one report, in milliseconds."""

    messages: int
    p50_ms: float
    p95_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A hop, which is a topic, ids apart, on a transport over all scenarios, in both reports.

    ``budget_ms`` is the tightest of the newer report's, ``over_budget`` how many of its messages broke their own.
    """

    topic: str
    transport: str | None
    old: Spread
    new: Spread
    budget_ms: float | None
    over_budget: int

    @property
    def change(self) -> float:
        """How much slower the median is, as a share of the older one; negative when faster."""
        return self._by_ms / max(self.old.p50_ms, NOISE_MS)

    @property
    def share_of_budget(self) -> float | None:
        """How much of the budget the shift is; negative when faster."""
        return self._by_ms / self.budget_ms if self.budget_ms else None

    @property
    def _by_ms(self) -> float:
        return self.new.p50_ms - self.old.p50_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Node ids by what became of them, and the hops that shifted, those that matter most to their budgets first.

    ``removed`` are tests that only the older report has, ``added`` those that only the newer one has. ``too_few`` hops
    have so few messages on a side that only a crossed budget is told of them.
    """

    new_failures: tuple[str, ...]
    still_failing: tuple[str, ...]
    fixed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    shifts: tuple[Shift, ...]
    too_few: int


def compare(old: Results, new: Results, *, threshold: float = 0.2, gherkin: tuple[Json, Json] = ({}, {})) -> Comparison:
    """Compare two results documents. A test that fails and was not there before is a new failure, too.

    A hop has shifted when its median changed by more than ``threshold``, a share of the older one, and by a
    millisecond, and its messages differ by more than chance; where they are too few for that, when all of them kept
    their budgets and now all break them. ``gherkin`` is what is known beside each document: of a scenario on one of
    several transports it tells which, and what only one of the two tells counts for both.
    """
    before, after = _outcomes(old), _outcomes(new)
    failing = [nodeid for nodeid, outcome in after.items() if outcome in _FAILING]
    hops, now = map(_hops, _measured_on_each_bus((old, new), gherkin))
    pairs = [(hops[key], hop) for key, hop in now.items() if key in hops]
    return Comparison(
        new_failures=tuple(nodeid for nodeid in failing if before.get(nodeid) not in _FAILING),
        still_failing=tuple(nodeid for nodeid in failing if before.get(nodeid) in _FAILING),
        fixed=tuple(n for n, outcome in before.items() if outcome in _FAILING and after.get(n) in ("passed", "slow")),
        added=tuple(nodeid for nodeid in after if nodeid not in before),
        removed=tuple(nodeid for nodeid in before if nodeid not in after),
        shifts=_shifts(pairs, threshold),
        too_few=sum(_are_few(*pair) for pair in pairs),
    )


def _outcomes(results: Results) -> dict[str, str]:
    """The outcome of each node id; of several runs of one test the worst."""
    outcomes: dict[str, str] = {}
    for test in results["tests"]:
        if outcomes.get(test["nodeid"]) not in _FAILING:
            outcomes[test["nodeid"]] = test["outcome"]
    return outcomes


@dataclass(frozen=True, slots=True)
class _Hop:
    """What one report measured of a topic on a transport."""

    topic: str
    transport: str | None
    latencies: list[float] = field(default_factory=list)
    budgets: list[float] = field(default_factory=list)
    over: list[float] = field(default_factory=list)

    def spread(self) -> Spread:
        ordered = sorted(self.latencies)
        return Spread(
            messages=len(ordered),
            p50_ms=ordered[len(ordered) * 50 // 100],
            p95_ms=ordered[len(ordered) * 95 // 100],
            max_ms=ordered[-1],
        )


_Measured = tuple[str, str | None, float, float | None]
"""Topic, transport, latency and budget of a message that came."""


def _hops(measured: Iterable[_Measured]) -> dict[tuple[str, str | None], _Hop]:
    hops: dict[tuple[str, str | None], _Hop] = {}
    for topic, transport, latency, budget in measured:
        name = hop_name(topic)
        hop = hops.setdefault((name, transport), _Hop(name, transport))
        hop.latencies.append(latency)
        if budget is not None:
            hop.budgets.append(budget)
            if latency > budget:
                hop.over.append(latency)
    return hops


def _measured_on_each_bus(runs: tuple[Results, Results], gherkin: tuple[Json, Json]) -> Iterator[Iterator[_Measured]]:
    """What each run measured. Transports of scenarios on one are named once a run has several."""
    names = [run["run"].get("transport") for run in runs]
    alone = names if None in names else (None, None)
    entries = [
        [entry for group in group_entries(run, told) for entry in group.entries]
        for run, told in zip(runs, gherkin, strict=True)
    ]
    own = [_buses(each) for each in entries]
    for each, known, elsewhere, name in zip(entries, own, reversed(own), alone, strict=True):
        yield _measured(each, {**elsewhere, **known}, name)


def _buses(entries: Iterable[Entry]) -> dict[tuple[str, int], str]:
    """The transport of each message scope on one, by its test and its place there."""
    scopes = ((entry, place) for entry in entries for place in range(len(entry.parts)))
    return {(entry.row, place): bus for entry, place in scopes if (bus := entry.bus(place))}


def _measured(entries: Iterable[Entry], buses: Mapping[tuple[str, int], str], alone: str | None) -> Iterator[_Measured]:
    for entry in entries:
        for place, scenario in enumerate(entry.parts):
            bus = alone or buses.get((entry.row, place))
            for handle in scenario["handles"]:
                if handle["outcome"] in _MEASURED and handle["latency_ms"] is not None:
                    yield handle["topic"], handle.get("transport") or bus, handle["latency_ms"], handle["budget_ms"]


def _are_few(old: _Hop, new: _Hop) -> bool:
    return min(len(old.latencies), len(new.latencies)) < FEWEST


def _shifts(pairs: Sequence[tuple[_Hop, _Hop]], threshold: float) -> tuple[Shift, ...]:
    shifts = [
        Shift(
            topic=new.topic, transport=new.transport, old=old.spread(), new=new.spread(),
            budget_ms=min(new.budgets, default=None), over_budget=len(new.over),
        )
        for old, new in pairs
        if (_has_crossed(old, new) if _are_few(old, new) else differ(new.latencies, old.latencies))
    ]  # fmt: skip
    told = (each for each in shifts if abs(each.new.p50_ms - each.old.p50_ms) > NOISE_MS)
    return tuple(sorted((each for each in told if abs(each.change) > threshold), key=_matters, reverse=True))


def _has_crossed(old: _Hop, new: _Hop) -> bool:
    return not old.over and len(new.over) == len(new.latencies)


def _matters(shift: Shift) -> tuple[bool, float, float]:
    """Slower before faster, then by share of the budget, then by share of the older latency."""
    return shift.change > 0, abs(shift.share_of_budget or 0.0), abs(shift.change)

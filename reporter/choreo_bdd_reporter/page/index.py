"""The index: everything the page needs before a scenario is opened, small enough for 10,000 of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from choreo_bdd_reporter.model.arrival import latency_of_arrival
from choreo_bdd_reporter.model.schema_types import Results, ResultsHandle, ResultsScenario
from choreo_bdd_reporter.page.added import added_by_handle, sent_on
from choreo_bdd_reporter.read.entries import Earlier, Entry, Group, Json
from choreo_bdd_reporter.read.findings import findings_of, is_failing, is_flaky, is_unchecked, outcome_of

HOP_OUTCOMES = ("pass", "slow", "fail", "timeout", "pending")
_SENT = frozenset({"published", "replied"})


class _Totals:
    """What is known only when every entry has been seen; texts that repeat are kept by number."""

    def __init__(self, transport: str | None) -> None:
        self.transport = transport
        self.numbers: dict[str, int] = {}
        self.traffic: Counter[tuple[int, int, int]] = Counter()
        self.transports: set[str] = {transport} if transport else set()
        self.latencies: list[float] = []

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def via(self, transport: str | None) -> int:
        name = transport or self.transport
        if not name:
            return -1
        self.transports.add(name)
        return self.number(name)

    def percentiles(self) -> dict[str, float]:
        found = sorted(self.latencies)
        return {f"p{share}": found[min(len(found) - 1, len(found) * share // 100)] for share in (50, 95, 99) if found}


class _Annotations:
    """What is known of entries beside the results: earlier attempts, earlier runs, and steps that prove nothing."""

    def __init__(self, gherkin: Json) -> None:
        self._past: Json = (gherkin.get("history") or {}).get("tests") or {}
        self._empty: dict[tuple[str, str], list[str]] = defaultdict(list)
        for warning in gherkin.get("vacuity") or ():
            line = str(warning["place"]).rpartition(":")[2]
            self._empty[str(warning["nodeid"]), line].append(str(warning["reason"]))

    def of(self, entry: Entry) -> dict[str, Any]:
        """What concerns an entry: its attempts before the last, and pairs of a step's index and its warning.

        ``past`` has the letters and the headroom of the runs before, as ``history.recalled`` spells them.
        """
        nodeid = entry.test["nodeid"]
        attempts = [_attempt(each) for each in entry.earlier]
        lines = ((index, str(step.get("line"))) for index, step in enumerate(entry.steps if self._empty else ()))
        warnings = [(index, text) for index, line in lines for text in self._empty.get((nodeid, line), ())]
        found = (("attempts", attempts), ("warnings", warnings), ("past", self._past.get(nodeid)))
        return {name: value for name, value in found if value}


def build_index(
    groups: Sequence[Group], results: Results, gherkin: Json, read: Callable[[Entry], Entry] = Entry.read
) -> dict[str, Any]:
    """One row an entry, with its findings and its hops as seven numbers each; every entry is ``read`` once, in order.

    A hop is topic, transport (-1 for none), outcome, latency and budget in microseconds (-1 for none), near-misses,
    and what it added in microseconds (-1 for not known).
    Rows name their test by its place in the results; scenarios that never started bring it along.
    """
    totals = _Totals(results["run"].get("transport"))
    annotations = _Annotations(gherkin)
    history = gherkin.get("history") or {}
    rows = [
        {
            **group.head,
            "rows": [
                {**_row(entry, totals, gherkin.get("causation")), **annotations.of(entry)}
                for entry in map(read, group.entries)
            ],
        }
        for group in groups
    ]
    with_gherkin = all(entry.scenario is not None for group in groups for entry in group.entries)
    return {
        "noun": "scenario" if with_gherkin else "test",
        "exit": gherkin.get("exit"),
        "left_out": gherkin.get("left_out"),
        "channels": gherkin.get("channels"),
        "runs": history.get("runs") or [],
        "ci": history.get("ci") or False,
        "causation": gherkin.get("causation"),
        "buses": sorted((gherkin.get("buses") or {}).items()),
        "groups": rows,
        "names": list(totals.numbers),
        "transports": sorted(totals.transports),
        "traffic": [[topic, via, count, sent] for (topic, via, sent), count in sorted(totals.traffic.items())],
        "latencies": totals.percentiles(),
    }


def _row(entry: Entry, totals: _Totals, causation: str | None) -> dict[str, Any]:
    _count_traffic(entry, totals)
    scenario = entry.scenario or {}
    meta = entry.test["choreo_meta"] or {}
    stages = [part["stage"] for part in entry.parts if part.get("stage")]
    totals.transports.update(name for stage in stages for name in stage["transports"])
    facts: dict[str, Any] = {
        "id": entry.row if entry.is_twin else None,
        "name": _name(entry),
        "rule": scenario.get("rule"),
        "tags": list(meta.get("tags") or ()) if entry.scenario is None else list(scenario.get("tags") or ()),
        "inherited": list(scenario.get("inherited") or ()),
        "unchecked": is_unchecked(entry),
        "failing": is_failing(entry),
        "flaky": is_flaky(entry.test["outcome"], (each.outcome for each in entry.earlier)),
        "findings": findings_of(entry),
        "transports": sorted({name for stage in stages for name in stage["transports"]}),
        "hops": [
            number
            for place in range(len(entry.parts))
            for hop in _hops(entry, place, totals, causation)
            for number in hop
        ],
    }
    place = entry.position if entry.position is not None else entry.test
    return {"test": place, "outcome": outcome_of(entry), **{name: value for name, value in facts.items() if value}}


def _attempt(earlier: Earlier) -> dict[str, Any]:
    """What is said of an attempt, and, where it is kept, what it found."""
    said = {"outcome": earlier.outcome, "reason": earlier.reason}
    if earlier.entry is None:
        return said
    entry = earlier.entry.read()
    took = entry.test["duration_ms"]
    return {**said, "outcome": outcome_of(entry), "duration_ms": took, "findings": findings_of(entry)}


def _name(entry: Entry) -> str:
    name, owner = entry.test["name"], entry.test["class"]
    own = f"{owner}.{name}" if owner else name or entry.test["nodeid"]
    text = str((entry.scenario or {}).get("name") or own or "(no name)")
    worker = entry.test["worker_id"] if entry.is_twin else None
    return f"{text} ({worker})" if worker else text


def _hops(entry: Entry, number: int, totals: _Totals, causation: str | None) -> list[tuple[int, ...]]:
    part: ResultsScenario = entry.parts[number]
    note: Json = entry.notes[number] if number < len(entry.notes) else {}
    added = added_by_handle(part, note, causation)
    bus = entry.bus(number)
    return [_hop(handle, totals, bus, added[place]) for place, handle in enumerate(part["handles"])]


def _hop(handle: ResultsHandle, totals: _Totals, bus: str | None = None, added: float | None = None) -> tuple[int, ...]:
    latency = None if _is_absence(handle) else handle["latency_ms"]
    arrived = latency_of_arrival(handle)
    if arrived is not None:
        totals.latencies.append(arrived)
    return (
        totals.number(handle["topic"]),
        totals.via(handle.get("transport") or bus),
        HOP_OUTCOMES.index(handle["outcome"]),
        _microseconds(latency),
        _microseconds(handle["budget_ms"]),
        handle["attempts"],
        _microseconds(added),
    )


def _is_absence(handle: ResultsHandle) -> bool:
    """Whether a passed expectation was met by silence: its latency is a wait then, and no message's."""
    return handle["outcome"] == "pass" and handle["actual"] is None


def _count_traffic(entry: Entry, totals: _Totals) -> None:
    for place, part in enumerate(entry.parts):
        bus = entry.bus(place)
        counts: Counter[tuple[str | None, str | None, bool]] = Counter()
        for event in part["timeline"]:
            action = event["action"]
            if (sent := action in _SENT) or action == "received":
                counts[sent_on(event), event.get("transport") or bus, sent] += 1
        for (topic, transport, sent), count in counts.items():
            if topic is not None:
                totals.traffic[totals.number(topic), totals.via(transport), int(sent)] += count


def _microseconds(value: float | None) -> int:
    return -1 if value is None else round(value * 1000)

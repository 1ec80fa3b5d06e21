"""Which scenarios are flaky, broken or fixed (spec/chronicle.md 9.6, docs/decisions/0007)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from choreo_bdd_chronicle.detect.records import Run

Condition = Literal["flaky", "broken", "fixed", "stable"]

PERSISTENT_RUNS = 3
"""So many failing runs one after the other are no chance."""
_IMPROBABLE = 0.01
"""A flaky scenario is broken as well when its usual rate makes its last failures less probable than this."""
_INFRASTRUCTURE = 0.8
_FEWEST_SCENARIOS = 4
"""In a run of fewer scenarios all of them may well be broken."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often a scenario passed and failed in one run: more than once when it was tried again.

    A slow scenario passed where its test did; a skipped one has no verdict. ``is_telling`` is false of a run on
    somebody's desk, where the code changes and the commit does not.
    """

    run: Run
    passed: int
    failed: int
    is_telling: bool = True


@dataclass(frozen=True, slots=True)
class ScenarioHistory:
    """The verdicts on one scenario of one test, the oldest first."""

    name: str
    test_nodeid: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A commit at which a scenario passed in some runs and failed in others; of one run, when it was tried again."""

    commit: str | None
    passed_in: tuple[str, ...]
    failed_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stability:
    """How reliable a scenario is.

    ``rate`` is the share of its runs that failed, 0 to 1; ``transitions`` is how often its verdict changed from one run
    to the next; ``since`` is the first run of the failures that last, or of the passes after them.
    """

    name: str
    test_nodeid: str
    condition: Condition
    rate: float
    transitions: int
    runs: int
    evidence: tuple[Evidence, ...]
    since: Run | None


@dataclass(frozen=True, slots=True)
class Flakiness:
    """All scenarios, the worst first, and the runs that count for none; ``why_empty`` is a sentence for people."""

    scenarios: tuple[Stability, ...]
    infrastructure: tuple[Run, ...]
    why_empty: str | None

    def of(self, condition: Condition) -> list[Stability]:
        """The scenarios in this condition, the worst first."""
        return [scenario for scenario in self.scenarios if scenario.condition == condition]


def flakiness(histories: Sequence[ScenarioHistory]) -> Flakiness:
    """How reliable each scenario is; ``why_empty`` is given when none is flaky."""
    infrastructure = infrastructure_runs(histories)
    left_out = {run.run_id for run in infrastructure}
    judged = [_judged(history, left_out) for history in histories]
    ranked = sorted(judged, key=lambda one: (-one.rate, -one.transitions, one.test_nodeid, one.name))
    is_empty = all(one.condition != "flaky" for one in ranked)
    return Flakiness(tuple(ranked), tuple(infrastructure), _why_empty(histories, left_out) if is_empty else None)


def infrastructure_runs(histories: Iterable[ScenarioHistory]) -> list[Run]:
    """The runs in which at least 80 % of the scenarios failed: the fault lies not in any one of them."""
    counts: dict[str, tuple[Run, int, int]] = {}
    for history in histories:
        for verdict in history.verdicts:
            run, failed, seen = counts.get(verdict.run.run_id, (verdict.run, 0, 0))
            counts[run.run_id] = (run, failed + _is_failed(verdict), seen + 1)
    return [
        run for run, failed, seen in counts.values() if seen >= _FEWEST_SCENARIOS and failed >= _INFRASTRUCTURE * seen
    ]


def _judged(history: ScenarioHistory, left_out: set[str]) -> Stability:
    verdicts = [one for one in history.verdicts if one.run.run_id not in left_out and one.passed + one.failed]
    blocks = [(failed, list(block)) for failed, block in groupby(verdicts, key=_is_failed)]
    evidence = _evidence(blocks)
    failures = sum(map(_is_failed, verdicts))
    condition, since = _condition(blocks, is_flaky=bool(evidence))
    return Stability(
        name=history.name,
        test_nodeid=history.test_nodeid,
        condition=condition,
        rate=failures / len(verdicts) if verdicts else 0.0,
        transitions=sum(_is_failed(one) != _is_failed(other) for one, other in pairwise(verdicts)),
        runs=len(verdicts),
        evidence=evidence,
        since=since,
    )


def _is_failed(verdict: Verdict) -> bool:
    """A scenario that passed when it was tried again has passed."""
    return verdict.failed > 0 and verdict.passed == 0


def _condition(blocks: Sequence[tuple[bool, Sequence[Verdict]]], *, is_flaky: bool) -> tuple[Condition, Run | None]:
    """By the last stretch of equal verdicts, and by whether there is evidence of flakiness."""
    if not blocks:
        return "stable", None
    fails_now, last = blocks[-1]
    if fails_now and _is_persistent(last) and not (is_flaky and _may_be_chance(blocks)):
        return "broken", last[0].run
    if is_flaky:
        return "flaky", None
    if not fails_now and any(failed and _is_persistent(block) for failed, block in blocks):
        return "fixed", last[0].run
    return "stable", None


def _may_be_chance(blocks: Sequence[tuple[bool, Sequence[Verdict]]]) -> bool:
    """Whether a scenario that fails as often as this one did before may fail so many times in a row."""
    earlier = [(failed, len(block)) for failed, block in blocks[:-1]]
    runs = sum(length for _, length in earlier)
    failures = sum(length for failed, length in earlier if failed)
    rate: float = (failures + 1) / (runs + 2)
    return bool(rate ** len(blocks[-1][1]) >= _IMPROBABLE)


def _is_persistent(block: Sequence[Verdict]) -> bool:
    return len(block) >= PERSISTENT_RUNS


def _evidence(blocks: Sequence[tuple[bool, Sequence[Verdict]]]) -> tuple[Evidence, ...]:
    """The commits with both verdicts; failures that lasted are no evidence, as something was broken and mended."""
    by_commit: dict[str, list[Verdict]] = {}
    tried_again = []
    for failed, block in blocks:
        for verdict in block:
            if verdict.passed and verdict.failed:
                run = (verdict.run.run_id,)
                tried_again.append(Evidence(verdict.run.commit, run, run))
            elif verdict.run.commit and verdict.is_telling and not (failed and _is_persistent(block)):
                by_commit.setdefault(verdict.run.commit, []).append(verdict)
    found = (Evidence(commit, *_both(verdicts)) for commit, verdicts in by_commit.items())
    return (*tried_again, *(one for one in found if one.passed_in and one.failed_in))


def _both(verdicts: Sequence[Verdict]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    passed = tuple(one.run.run_id for one in verdicts if not _is_failed(one))
    return passed, tuple(one.run.run_id for one in verdicts if _is_failed(one))


def _why_empty(histories: Sequence[ScenarioHistory], left_out: set[str]) -> str:
    """What would have to be there for a scenario to be found flaky."""
    verdicts = [one for history in histories for one in history.verdicts if one.run.run_id not in left_out]
    if not verdicts:
        return "There are no runs yet, or all of them failed as a whole."
    if not any(one.is_telling for one in verdicts):
        return "No run is from continuous integration; on a desk the code changes and the commit does not."
    if not any(one.run.commit for one in verdicts):
        return "No run names its commit, so none can be held against another one of the same code."
    runs_of: dict[str, set[str]] = {}
    for one in verdicts:
        if one.run.commit and one.is_telling:
            runs_of.setdefault(one.run.commit, set()).add(one.run.run_id)
    if all(len(runs) < 2 for runs in runs_of.values()):
        return "No commit was run twice; flaky means passed and failed at one commit."
    return "No scenario passed and failed at one commit."

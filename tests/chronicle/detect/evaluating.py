"""Detection asked after every run, as a server does it, and what it raised held against what was planted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median

from choreo_bdd_chronicle.detect import Finding, TopicSeries
from choreo_bdd_chronicle.detect.detecting import detect
from choreo_bdd_chronicle.detect.lifecycle import Known, reconcile
from tests.chronicle.detect.generating import RUNS, Planted, generated, run_at, until

_BEFORE, _AFTER, _AFTER_DRIFT = 3, 5, 25
"""A change is found when it is placed at most so many runs before or after where it was planted."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An anomaly as it was when it was opened: in which run, and where it placed the change."""

    seen: int
    place: int
    finding: Finding


def raised(series: Sequence[TopicSeries], first: int = 5, last: int = RUNS - 1) -> list[Raised]:
    """All that was opened while these runs came in one by one."""
    known: dict[str, Known] = {}
    result = []
    for number in range(first, last + 1):
        runs = [run_at(past) for past in range(number + 1)]
        for change in reconcile(list(known.values()), detect(until(series, number)), runs):
            if change.kind == "opened":
                result.append(Raised(number, int(change.finding.first.run_id[1:]), change.finding))
            key = change.anomaly_id or f"a{len(known)}"
            is_resolved = change.kind == "resolved" or change.finding.ended is not None
            known[key] = Known(key, change.finding, is_resolved)
    return result


@dataclass(frozen=True, slots=True)
class Judged:
    """How one planted topic fared: what was raised about it rightly, and what falsely."""

    planted: Planted
    hits: Sequence[Raised]
    false: Sequence[Raised]


def judged(planted: Sequence[Planted], seed: int, *, noise: float = 0.15) -> list[Judged]:
    """One tenant, judged run by run; what was raised about whole runs is false and comes last."""
    return judged_on(planted, generated(planted, seed, noise=noise))


def judged_on(planted: Sequence[Planted], series: Sequence[TopicSeries]) -> list[Judged]:
    """The same for series that somebody else made."""
    shifts = [one for one in raised(series) if one.finding.method == "change_point"]
    result = []
    for one, topic in zip(planted, series, strict=True):
        about = [shift for shift in shifts if shift.finding.subject.topic == topic.topic]
        hits = [shift for shift in about if _hits(one, shift)]
        result.append(Judged(one, hits, [shift for shift in about if shift not in hits]))
    whole = [shift for shift in shifts if shift.finding.subject.topic == "*"]
    return [*result, Judged(Planted("whole run"), (), whole)]


def _hits(planted: Planted, shift: Raised) -> bool:
    if planted.place is None or shift.finding.is_better != (planted.kind == "improving"):
        return False
    after = _AFTER_DRIFT if planted.kind == "drift" else _AFTER
    return -_BEFORE <= shift.place - planted.nearest(shift.place) <= after


@dataclass(frozen=True, slots=True)
class Score:
    """Many topics together; delay and position are medians, in runs (not-a-number of no find)."""

    planted: int
    found: int
    false: int
    delay: float
    position: float

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else nan

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found or self.false else nan

    def __str__(self) -> str:
        return f"{self.found}/{self.planted} found, {self.false} false, delay {self.delay}, position {self.position}"


def score(topics: Iterable[Judged], *kinds: str) -> Score:
    """Of the topics of these kinds, or of all."""
    chosen = [one for one in topics if not kinds or one.planted.kind in kinds]
    first = [(one.planted.nearest(one.hits[0].place), one.hits[0]) for one in chosen if one.hits]
    return Score(
        planted=sum(one.planted.place is not None for one in chosen),
        found=len(first),
        false=sum(len(one.false) for one in chosen),
        delay=median([hit.seen - place for place, hit in first]) if first else nan,
        position=median([hit.place - place for place, hit in first]) if first else nan,
    )

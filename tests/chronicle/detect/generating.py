"""Seeded topics: log-normal latencies, 20 to 50 a run, and a factor that all topics of a run share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from choreo_bdd_chronicle.detect import Run, TopicRun, TopicSeries
from choreo_bdd_chronicle.detect.measures.statistics import Values

START = datetime(2027, 1, 1, tzinfo=UTC)
RUNS = 60


@dataclass(frozen=True, slots=True)
class Planted:
    """A kind of topic: by which factor its latencies are those of a stable one, run by run, and where that began.

    ``tail`` is by which factor the slowest tenth is slower still; ``again`` where a second change of its kind began.
    """

    kind: str
    place: int | None = None
    factor: Callable[[int], float] = field(default=lambda run: 1.0)
    tail: Callable[[int], float] = field(default=lambda run: 1.0)
    again: int | None = None

    def nearest(self, run: int) -> int:
        """Of the places where something changed, that which is nearest to a run."""
        assert self.place is not None, "nothing changed"
        places = (self.place, self.place if self.again is None else self.again)
        return min(places, key=lambda place: abs(place - run))


def step(kind: str, place: int, by: float) -> Planted:
    return Planted(kind, place, lambda run: by if run >= place else 1.0)


def drift(place: int, to: float = 1.6, runs: int = 25) -> Planted:
    return Planted("drift", place, lambda run: to ** min(1.0, max(0.0, (run - place) / runs)))


def tail(place: int, by: float = 2.5) -> Planted:
    return Planted("tail", place, tail=lambda run: by if run >= place else 1.0)


def run_at(number: int) -> Run:
    return Run(f"r{number:02}", START + timedelta(hours=number), f"c{number:02}", "main", "ci")


def generated(
    planted: Sequence[Planted],
    seed: int,
    *,
    runs: int = RUNS,
    noise: float = 0.15,
    spread: tuple[float, float] = (0.2, 0.5),
    wandering: float = 0.0,
) -> list[TopicSeries]:
    """One tenant's topics; ``noise`` is the deviation of the machine's factor, ``spread`` that of latencies (logs).

    Each topic's level is ``wandering`` by itself by so much a run, and returns in the course of some ten.
    """
    random = np.random.default_rng(seed)
    machine = random.normal(0, noise, runs)
    series = []
    for number, kind in enumerate(planted):
        usual, deviation = math.log(random.uniform(8, 200)), random.uniform(*spread)
        own = wandering * _remembered(random, runs) if wandering else np.zeros(runs)
        cells = [_cell(run, kind, usual + machine[run] + own[run], deviation, random) for run in range(runs)]
        series.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return series


def _remembered(random: np.random.Generator, runs: int) -> Values:
    found = random.normal(0, 1, runs)
    for run in range(1, runs):
        found[run] += 0.9 * found[run - 1]
    return found


def _cell(run: int, kind: Planted, usual: float, deviation: float, random: np.random.Generator) -> TopicRun:
    latencies = np.exp(random.normal(usual, deviation, random.integers(20, 51))) * kind.factor(run)
    slow = latencies >= np.quantile(latencies, 0.88)
    latencies[slow] *= kind.tail(run)
    return TopicRun(run_at(run), float(np.log(latencies).mean()), float(np.quantile(latencies, 0.9)), len(latencies))


def until(series: Sequence[TopicSeries], run: int) -> list[TopicSeries]:
    """As it was after this run."""
    last = run_at(run).started_at
    return [
        TopicSeries(one.topic, one.transport, tuple(each for each in one.runs if each.run.started_at <= last))
        for one in series
    ]

"""Further generators of latencies, each with the changes that are planted into it; the first one is that of the tests.

The second has gamma latencies on a floor with rare stalls, few or many a run, a machine that remembers how slow it was,
runs that lack topics, and steps, drifts and tails of other sizes. The third has few messages a run, of which some take
several times as long, two kinds of machines, and slower week-ends. The fourth has Weibull latencies, busy times of some
runs, and changes of several topics at once. The fifth has very few messages, each topic a memory and a week of its own,
scatter that grows with the load, topics that pause, runs in which half of the topics are slow, two changes close to
each other, and drifts over most of the runs. The sixth has two services on a machine each, latencies that are read off
a coarse clock, and changes of half a service at once. The fourth to sixth were made after the rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from choreo_bdd_chronicle.detect import TopicRun, TopicSeries
from choreo_bdd_chronicle.detect.measures.statistics import Values
from tests.chronicle.detect.generating import RUNS, Planted, drift, run_at, step, tail
from tests.chronicle.detect.planning import STABLE

FLOOR_SHARE, STALLS, MISSING = 0.6, 0.01, 0.05


def remembered(planted: Sequence[Planted], seed: int) -> list[TopicSeries]:
    """A tenant of the second generator."""
    draw = np.random.default_rng([seed, 2])
    machine = np.zeros(RUNS)
    for run in range(1, RUNS):
        machine[run] = 0.7 * machine[run - 1] + draw.normal(0, 0.08)
    result = []
    for number, kind in enumerate(planted):
        usual, shape, count = draw.uniform(15, 150), draw.uniform(2, 8), int(draw.integers(15, 60))
        made = [usual * math.exp(slow) * _latencies(draw, shape, count) for slow in machine]
        cells = [
            _cell(run, kind, latencies)
            for run, latencies in enumerate(made)
            if draw.random() > MISSING or run == RUNS - 1
        ]
        result.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return result


def _latencies(draw: np.random.Generator, shape: float, count: int) -> Values:
    """A run's, around 1: a floor, a gamma distribution above it, and a stall now and then."""
    found = FLOOR_SHARE + (1 - FLOOR_SHARE) * draw.gamma(shape, 1 / shape, count)
    found[draw.random(count) < STALLS] += draw.exponential(10)
    return found


def _cell(run: int, kind: Planted, latencies: Values) -> TopicRun:
    latencies = latencies * kind.factor(run)
    latencies[np.argsort(latencies)[-max(2, len(latencies) // 8) :]] *= kind.tail(run)
    return TopicRun(run_at(run), float(np.log(latencies).mean()), float(np.quantile(latencies, 0.9)), len(latencies))


def other_tenant(seed: int) -> list[Planted]:
    """Twelve topics, half of which change, by other amounts than those of the tests."""
    draw = np.random.default_rng([seed, 3])

    def place() -> int:
        return int(draw.integers(18, 46))

    return [
        *[STABLE] * 4,
        step("+10 %", place(), 1.1),
        step("+30 %", place(), draw.uniform(1.25, 1.4)),
        step("+30 %", place(), draw.uniform(1.25, 1.4)),
        step("+100 %", place(), draw.uniform(1.8, 2.5)),
        drift(int(draw.integers(8, 30)), draw.uniform(1.4, 1.8), int(draw.integers(15, 28))),
        tail(place(), draw.uniform(2, 3)),
        step("improving", place(), draw.uniform(0.6, 0.75)),
        Planted("seasonal", factor=lambda run: 1 + 0.12 * math.sin(2 * math.pi * run / 5)),
    ]


def two_ways(planted: Sequence[Planted], seed: int) -> list[TopicSeries]:
    """A tenant of the third generator: what is found at hand or fetched, on one of two kinds of machines."""
    draw = np.random.default_rng([seed, 4])
    machine = np.where(draw.random(RUNS) < 0.3, 0.3, 0.0) + draw.normal(0, 0.05, RUNS)
    result = []
    for number, kind in enumerate(planted):
        usual, fetched, far = draw.uniform(10, 120), draw.uniform(0.1, 0.3), draw.uniform(2, 4)
        count, spread, week = int(draw.integers(8, 25)), draw.uniform(0.2, 0.5), draw.uniform(0, 0.06)
        cells = []
        for run, slow in enumerate(machine):
            found = usual * np.exp(slow + draw.normal(0, spread, count) + week * (run % 7 >= 5))
            found[draw.random(count) < fetched] *= far
            if draw.random() > 2 * MISSING or run == RUNS - 1:
                cells.append(_cell(run, kind, found))
        result.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return result


def third_tenant(seed: int) -> list[Planted]:
    """Changes that few messages in two ways can show; one of them is taken back after some runs."""
    draw = np.random.default_rng([seed, 5])

    def place() -> int:
        return int(draw.integers(18, 42))

    back = place()
    return [
        *[STABLE] * 4,
        step("+50 %", place(), 1.5),
        step("+50 %", place(), 1.5),
        step("+100 %", place(), 2.0),
        step("+100 %", place(), 2.0),
        drift(int(draw.integers(8, 28)), 1.8),
        step("improving", place(), 0.5),
        Planted("and back", back, lambda run: 1.8 if back <= run < back + 10 else 1.0),
        Planted("outlier", factor=lambda run: 4.0 if run in (back - 9, back + 5) else 1.0),
    ]


def in_bursts(planted: Sequence[Planted], seed: int) -> list[TopicSeries]:
    """A tenant of the fourth generator: Weibull latencies, and a machine that is busy for some runs."""
    draw = np.random.default_rng([seed, 6])
    busy = np.zeros(RUNS)
    for begin in draw.integers(0, RUNS, 4):
        busy[begin : begin + int(draw.integers(2, 5))] = draw.uniform(0.1, 0.4)
    machine = busy + draw.standard_t(5, RUNS) * 0.04
    result = []
    for number, kind in enumerate(planted):
        usual, shape, count = draw.uniform(12, 300), draw.uniform(1.5, 4), int(draw.integers(12, 80))
        by_day = draw.uniform(0, 0.08)
        cells = []
        for run, slow in enumerate(machine):
            swing = by_day * math.sin(2 * math.pi * run / 4)
            found = (
                usual * np.exp(slow + swing) * (0.3 + draw.weibull(shape, max(3, count + int(draw.integers(-9, 10)))))
            )
            if draw.random() > MISSING or run == RUNS - 1:
                cells.append(_cell(run, kind, found))
        result.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return result


def fourth_tenant(seed: int) -> list[Planted]:
    """Sixteen topics, a half of which change, some in the same run."""
    draw = np.random.default_rng([seed, 7])
    together = int(draw.integers(18, 42))

    def place() -> int:
        return int(draw.integers(16, 46))

    return [
        *[STABLE] * 6,
        step("+30 %", together, draw.uniform(1.28, 1.36)),
        step("+30 %", place(), draw.uniform(1.28, 1.36)),
        step("+100 %", together, draw.uniform(1.9, 2.2)),
        step("+100 %", place(), draw.uniform(1.9, 2.2)),
        drift(int(draw.integers(8, 28)), draw.uniform(1.5, 1.9), int(draw.integers(12, 30))),
        tail(place(), draw.uniform(2.2, 3)),
        step("improving", place(), draw.uniform(0.55, 0.72)),
        step("+50 %", place(), 1.5),
        Planted("seasonal", factor=lambda run: 1 + 0.1 * math.sin(2 * math.pi * run / 6)),
        Planted("outlier", factor=lambda run: 3.0 if run in (together - 7, together + 6) else 1.0),
    ]


def by_week(planted: Sequence[Planted], seed: int) -> list[TopicSeries]:
    """A tenant of the fifth generator: few messages, memory, weeks, load, pauses, and half of a run that is slow."""
    draw = np.random.default_rng([seed, 8])
    load = draw.uniform(0.7, 1.6, RUNS)
    machine = draw.normal(0, 0.08, RUNS)
    broken = set(draw.choice(np.arange(6, RUNS - 1), 3, replace=False).tolist())
    result = []
    for number, kind in enumerate(planted):
        usual, spread, count = draw.uniform(10, 250), draw.uniform(0.15, 0.4), int(draw.integers(5, 16))
        weekend, own = draw.uniform(-0.08, 0.02), _remembering(draw, 0.5, 0.03)
        pause = int(draw.integers(10, RUNS)) if draw.random() < 0.2 else RUNS
        cells = []
        for run in range(RUNS):
            slow = machine[run] + own[run] + weekend * (run % 7 >= 5) + (0.9 if run in broken and number % 2 else 0.0)
            found = usual * np.exp(slow + draw.normal(0, spread * load[run], max(3, count + int(draw.integers(-3, 4)))))
            is_there = draw.random() > 2 * MISSING and not pause <= run < pause + 6
            if is_there or run == RUNS - 1:
                cells.append(_cell(run, kind, found))
        result.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return result


def _remembering(draw: np.random.Generator, share: float, noise: float) -> Values:
    found = draw.normal(0, noise, RUNS)
    for run in range(1, RUNS):
        found[run] += share * found[run - 1]
    return found


def fifth_tenant(seed: int) -> list[Planted]:
    """Ten topics; one becomes slower twice within nine runs, one over most of the runs."""
    draw = np.random.default_rng([seed, 9])

    def place() -> int:
        return int(draw.integers(16, 44))

    twice = int(draw.integers(16, 36))
    return [
        *[STABLE] * 4,
        step("+50 %", place(), 1.5),
        step("+50 %", place(), 1.5),
        step("+100 %", place(), 2.0),
        Planted("twice", twice, lambda run: 1.45 ** ((run >= twice) + (run >= twice + 9)), again=twice + 9),
        drift(int(draw.integers(6, 14)), 1.8, 40),
        step("improving", place(), 0.55),
    ]


def two_services(planted: Sequence[Planted], seed: int) -> list[TopicSeries]:
    """A tenant of the sixth generator: every other topic is of another service, with a machine of its own."""
    draw = np.random.default_rng([seed, 10])
    machines = [0.5 * draw.standard_t(4, RUNS) * 0.06 + draw.normal(0, 0.05, RUNS) for _ in range(2)]
    common = draw.normal(0, 0.1, RUNS)
    result = []
    for number, kind in enumerate(planted):
        usual, count, retried = draw.uniform(20, 400), int(draw.integers(6, 90)), draw.uniform(0, 0.04)
        slow = common + machines[number % 2]
        cells = []
        for run in range(RUNS):
            found = usual * math.exp(slow[run]) * (0.5 + 0.5 * draw.gamma(4, 1 / 4, count))
            found[draw.random(count) < retried] += usual
            found = np.ceil(found / 4) * 4  # a clock that ticks every 4 ms
            if draw.random() > MISSING or run == RUNS - 1:
                cells.append(_cell(run, kind, found))
        result.append(TopicSeries(f"{kind.kind}.{number}", "memory", tuple(cells)))
    return result


def sixth_tenant(seed: int) -> list[Planted]:
    """Fifteen topics; three of one service become slower with one deployment, and one change is taken back."""
    draw = np.random.default_rng([seed, 11])
    deployed, back = int(draw.integers(18, 42)), int(draw.integers(16, 40))

    def place() -> int:
        return int(draw.integers(16, 46))

    return [
        *[STABLE] * 5,
        step("+30 %", deployed, 1.3),
        STABLE,
        step("+30 %", deployed, 1.35),
        step("+30 %", place(), 1.3),
        step("+100 %", deployed, 2.0),
        step("+100 %", place(), 2.0),
        drift(int(draw.integers(8, 24)), 1.7, 30),
        step("improving", place(), 0.65),
        Planted("and back", back, lambda run: 1.6 if back <= run < back + 12 else 1.0),
        tail(place(), 2.5),
    ]

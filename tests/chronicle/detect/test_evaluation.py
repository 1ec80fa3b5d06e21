"""Detection on seeded series, run by run, against its bars; ``pytest -s`` prints the figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from tests.chronicle.detect.evaluating import Judged, judged, judged_on, score
from tests.chronicle.detect.generating import Planted, drift, generated, step, tail

pytestmark = pytest.mark.thorough  # hundreds of series, judged run by run

TENANTS = 12
STABLE = Planted("stable")
WANDERING = 0.03
"""A run; some 7 % in the end."""


def tenant(seed: int) -> list[Planted]:
    """Twelve topics, more than half of which change somewhere."""
    random = np.random.default_rng(seed)

    def place(earliest: int = 20, latest: int = 45) -> int:
        return int(random.integers(earliest, latest))

    single, double = place(8, 30), place(32, 50)
    seasonal = Planted("seasonal", factor=lambda run: 1 + 0.15 * math.sin(2 * math.pi * run / 7))
    outlier = Planted("outlier", factor=lambda run: 5.0 if run in (single, double, double + 1) else 1.0)
    return [
        *[STABLE] * 4,
        step("+30 %", place(), 1.3),
        step("+30 %", place(), 1.3),
        step("+100 %", place(), 2.0),
        drift(place(8, 30)),
        tail(place()),
        step("improving", place(), 0.7),
        seasonal,
        outlier,
    ]


@cache
def mixed() -> Sequence[Judged]:
    return [one for seed in range(TENANTS) for one in judged(tenant(seed), seed)]


@cache
def stable() -> Sequence[Judged]:
    return [one for seed in range(6) for one in judged([STABLE] * 8, 1000 + seed)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kind", "fewest"), [("+30 %", 23), ("+100 %", 12), ("drift", 9), ("tail", 6), ("improving", 10)]
)
def test_planted_changes_are_found(kind: str, fewest: int) -> None:
    reached = score(mixed(), kind)
    print(f"{kind:10} {reached}")
    assert reached.found >= fewest


@pytest.mark.timeout(300)
def test_stable_series_stay_quiet() -> None:
    reached = score(stable())
    print(f"48 stable series of 60 runs: {reached}")
    assert reached.false <= 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "most"), [("seasonal", 1), ("outlier", 1), ("whole run", 1), ("stable", 4)])
def test_controls_beside_changing_topics_stay_quiet(kind: str, most: int) -> None:
    reached = score(mixed(), kind)
    print(f"{kind:10} {reached}")
    assert reached.false <= most


@pytest.mark.timeout(300)
def test_what_is_raised_is_right_and_early_and_in_its_place() -> None:
    reached = score(mixed())
    print(f"all: {reached}, precision {reached.precision:.2f}, recall {reached.recall:.2f}")
    assert reached.precision >= 0.88
    assert reached.recall >= 0.75
    assert reached.delay <= 5
    assert abs(reached.position) <= 1


def wave(turn: int) -> Planted:
    """A load that comes and goes, once in so many runs."""
    return Planted(f"wave of {turn}", factor=lambda run: 1 + 0.15 * math.sin(2 * math.pi * run / turn))


@pytest.mark.timeout(300)
def test_a_slow_wave_is_no_endless_row_of_shifts() -> None:
    """What is raised before half a turn was seen is all, and not two shifts a turn."""
    waves = [wave(turn) for turn in (20, 25, 30, 40)]
    found = [one for seed in range(2) for one in judged([STABLE] * 6 + waves, 500 + seed)]
    for one in waves:
        print(f"{one.kind:10} {score(found, one.kind)}")
    assert sum(score(found, one.kind).false for one in waves) <= 3


@pytest.mark.timeout(300)
def test_levels_that_wander_by_themselves_are_no_row_of_shifts() -> None:
    """By some 7 %, which is a good part of what a change is at least."""
    plans = [(tenant(seed), seed) for seed in range(300, 308)]
    reached = score(one for plan, seed in plans for one in judged_on(plan, generated(plan, seed, wandering=WANDERING)))
    print(f"wandering: {reached}, precision {reached.precision:.2f}, recall {reached.recall:.2f}")
    assert reached.precision >= 0.88
    assert reached.recall >= 0.7


@pytest.mark.timeout(300)
def test_those_that_stay_the_same_are_not_quicker_where_half_become_slower_one_after_the_other() -> None:
    found = []
    for seed in range(4):
        changing = [step("slower", 26 + 2 * number, 1.5) for number in range(6)]
        plan = [*[STABLE] * 5, *changing, step("improving", 24, 0.6)]
        found += judged_on(plan, generated(plan, seed, spread=(0.5, 0.8)))
    for kind in ("stable", "slower", "improving", "whole run"):
        print(f"{kind:10} {score(found, kind)}")
    assert score(found, "stable", "whole run").false <= 1
    assert score(found, "slower").found >= 22

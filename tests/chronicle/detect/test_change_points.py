"""Levels of one series at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choreo_bdd_chronicle.detect.change_points import CENTRE, levels, levels_of_all
from choreo_bdd_chronicle.detect.measures.statistics import Values

SEEDS = 60
FACTOR = replace(CENTRE, least_ms=0.0)


def busy_machine(seed: int) -> Values:
    """60 runs on a machine that is busy for a while now and then: each is 0.7 like the one before it."""
    draw = np.random.default_rng(seed)
    found = np.zeros(60)
    for run in range(1, len(found)):
        found[run] = 0.7 * found[run - 1] + draw.normal(0, 0.08)
    return found


def test_a_machine_that_is_busy_for_a_while_is_no_other_level() -> None:
    machines = [busy_machine(seed) for seed in range(SEEDS)]
    independent = sum(len(levels(each, FACTOR)) - 1 for each in machines)
    wandering = sum(len(levels_of_all([each], FACTOR)[0]) - 1 for each in machines)
    print(f"false shifts in {SEEDS} series of 60 runs: {independent} taken as independent, {wandering} not")
    assert wandering <= 3 < independent


@pytest.mark.thorough
def test_a_machine_that_got_twice_as_slow_is_another_level_all_the_same() -> None:
    found = 0
    for seed in range(SEEDS):
        logs = busy_machine(seed)
        logs[30:] += np.log(2)
        found += any(abs(level.start - 30) <= 2 for level in levels_of_all([logs], FACTOR)[0][1:])
    print(f"{found} of {SEEDS} found within two runs of their place")
    assert found >= 0.9 * SEEDS

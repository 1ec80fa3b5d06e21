"""Detection on seeded series that waver by themselves, run by run; ``pytest -s`` prints the figures."""

from __future__ import annotations

import pytest

from tests.chronicle.detect.evaluating import judged, judged_on, score
from tests.chronicle.detect.generating import generated, step
from tests.chronicle.detect.planning import STABLE, WANDERING, tenant, wave

pytestmark = pytest.mark.thorough  # hundreds of series, judged run by run


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

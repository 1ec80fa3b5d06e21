"""Detection on seeded series, run by run, against spec/chronicle.md 9.9; ``pytest -s`` prints the figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from tests.chronicle.detect.evaluating import Judged, judged, score
from tests.chronicle.detect.planning import STABLE, tenant

pytestmark = pytest.mark.thorough  # hundreds of series, judged run by run

TENANTS = 12


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

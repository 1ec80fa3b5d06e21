"""How a budget is kept over a period, and when its allowed misses are used up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from choreo_bdd_chronicle.detect.burn import BudgetRun, Burn, burn

START = datetime(2027, 1, 1, tzinfo=UTC)
MONTH = START + timedelta(days=30)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def runs(*missed: int, size: int = 100, headroom: float | None = 0.4) -> list[BudgetRun]:
    """One run a day, at noon."""
    return [BudgetRun(day(number + 0.5), size, over, headroom) for number, over in enumerate(missed)]


def month(of_runs: Sequence[BudgetRun], now: float, target: float = 0.99) -> Burn:
    return burn(of_runs, start=START, end=MONTH, now=day(now), target=target)


def test_at_the_allowed_pace_the_month_just_lasts() -> None:
    result = month(runs(*[1] * 10), now=10)
    assert result.compliance == pytest.approx(0.99)
    assert result.burned == pytest.approx(1 / 3)
    assert result.runs_out_at == MONTH


def test_at_twice_the_pace_it_runs_out_half_way() -> None:
    result = month(runs(*[2] * 10), now=10)
    assert result.burned == pytest.approx(2 / 3)
    assert result.runs_out_at == day(15)


def test_at_half_the_pace_it_lasts() -> None:
    assert month(runs(*[1, 0] * 5), now=10).runs_out_at is None


def test_what_is_used_up_already_ran_out_in_the_run_that_did_it() -> None:
    result = month(runs(0, 0, 60, *[0] * 7), now=10)
    assert result.burned == pytest.approx(2)
    assert result.runs_out_at == day(2.5)


def test_only_the_period_counts_and_only_what_was_already() -> None:
    before = BudgetRun(day(-1), 100, 100, -3.0)
    later = BudgetRun(day(20), 100, 100, -3.0)
    result = month([before, *runs(0, 0), later], now=2)
    assert (result.with_budget, result.over_budget, result.compliance) == (200, 0, 1)
    assert result.headroom == 0.4


def test_headroom_is_that_of_the_tightest_run() -> None:
    tight = [*runs(0, 0), *runs(0, headroom=-0.2), *runs(0, headroom=None)]
    assert month(tight, now=3).headroom == -0.2


def test_without_budgets_there_is_nothing_to_burn() -> None:
    result = month(runs(0, 0, size=0, headroom=None), now=5)
    assert (result.compliance, result.headroom, result.burned, result.runs_out_at) == (None, None, None, None)


def test_without_misses_nothing_is_burned() -> None:
    result = month(runs(0, 0), now=5)
    assert (result.burned, result.runs_out_at) == (0, None)


@pytest.mark.parametrize("target", [1.0, 1.5, -0.1])
def test_a_target_must_allow_something(target: float) -> None:
    with pytest.raises(ValueError, match="a share from 0 to below 1"):
        month(runs(0), now=1, target=target)


def test_a_period_has_a_length() -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        burn([], start=START, end=START, now=START)

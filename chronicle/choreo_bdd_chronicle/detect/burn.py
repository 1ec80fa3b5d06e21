"""How well budgets are kept over a period: compliance, headroom, and when the allowed misses are used up (9.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BudgetRun:
    """What one run says about a topic's budget.

    ``headroom`` is the least share of the budget that a message left over, negative when it was late, and ``None`` when
    none arrived.
    """

    at: datetime
    with_budget: int
    over_budget: int
    headroom: float | None


@dataclass(frozen=True, slots=True)
class Burn:
    """How a budget was kept from ``start`` to ``end``.

    ``compliance`` is the share of messages within budget; ``burned`` the share of the period's allowed misses that are
    used up (1 and more: all of them); ``runs_out_at`` the moment at which they are at the pace so far, in the past when
    they already were, and ``None`` when they last beyond the end of the period. Shares are ``None`` without budgets.
    """

    start: datetime
    end: datetime
    with_budget: int
    over_budget: int
    compliance: float | None
    headroom: float | None
    burned: float | None
    runs_out_at: datetime | None


def burn(runs: Sequence[BudgetRun], *, start: datetime, end: datetime, now: datetime, target: float = 0.99) -> Burn:
    """How the period goes, as of ``now``, when ``target`` is the share of messages that must be within budget.

    What is allowed is counted on the messages that the period will have at the pace so far. Raises ``ValueError`` for a
    period without length, or a target that is no share below 1.
    """
    if end <= start:
        raise ValueError(
            f"a period must end after it starts, and not at {end.isoformat()}, from {start.isoformat()} on"
        )
    if not 0 <= target < 1:
        raise ValueError(f"the target must be a share from 0 to below 1, and not {target}: it must allow some misses")
    counted = sorted((run for run in runs if start <= run.at <= min(now, end)), key=lambda run: run.at)
    total = sum(run.with_budget for run in counted)
    missed = sum(run.over_budget for run in counted)
    passed = min(max((now - start) / (end - start), 0.0), 1.0)
    share = round(1 - target, 9)  # 1 - 0.99 is a trace more than 0.01
    allowed = total / passed * share if total and passed else 0.0
    return Burn(
        start=start,
        end=end,
        with_budget=total,
        over_budget=missed,
        compliance=1 - missed / total if total else None,
        headroom=min((run.headroom for run in counted if run.headroom is not None), default=None),
        burned=missed / allowed if allowed else None,
        runs_out_at=_runs_out_at(counted, allowed, start, end, min(now, end)) if allowed else None,
    )


def _runs_out_at(
    runs: Sequence[BudgetRun], allowed: float, start: datetime, end: datetime, now: datetime
) -> datetime | None:
    missed = 0
    for run in runs:
        missed += run.over_budget
        if missed >= allowed:
            return run.at
    if not missed:
        return None
    at: datetime = start + (now - start) * (allowed / missed)
    return at if at <= end else None

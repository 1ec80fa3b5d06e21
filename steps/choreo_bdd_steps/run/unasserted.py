"""Expectations that nobody asked for: armed, and never made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from choreo_bdd.scenario import Handle, Outcome
from choreo_bdd_steps.plan.plan import Plan
from choreo_bdd_steps.plan.vacuity import VacuousStep
from choreo_bdd_steps.run.state import Armed


def never_asserted(
    plan: Plan, armed: Iterable[Armed], handles: Iterable[Handle], *, passed: int
) -> Iterator[VacuousStep]:
    """Expectations whose verdict nobody has asked for, though the first ``passed`` steps of the scenario passed."""
    planned = [(each, handle) for each in armed for handle in each.handles]
    for check in {id(each): each for each, handle in planned if not handle.asserted}.values():
        if check.step.index < passed:
            yield VacuousStep(
                check.step.call.place,
                f"the check {check.step.call.text!r} was armed, but never made: another step definition answers to "
                f"the same words and ran in its place; give one of them other words",
            )
    if passed < len(plan.steps):
        return  # the scenario ended before its end
    ours = {id(handle) for _, handle in planned}
    for handle in handles:
        if id(handle) not in ours and handle.outcome is Outcome.PENDING:
            yield VacuousStep(
                handle.origin or plan.steps[-1].call.place,
                f"a step of your own expects {handle.topic!r}, but nobody waited for it: the scenario passes whether "
                f'it comes or not; write it as a step (Then I expect "{handle.topic}"), or await it',
            )

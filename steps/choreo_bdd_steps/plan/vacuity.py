"""Steps that look like a test and are none: a publish nothing checks, a check that cannot fail or is never made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from choreo_bdd.scenario import Handle, Occurs, Outcome
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.plan.plan import Plan, PlannedStep
from choreo_bdd_steps.run.state import Armed
from choreo_bdd_steps.vocabulary.acts import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import Intent

Policy = Literal["ignore", "warn", "error"]


class VacuityWarning(UserWarning):
    """A step can pass whatever the system under test does."""


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Something that proves nothing: where it stands, and why that is so."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def guard(plan: Plan, step: PlannedStep, policy: Policy) -> Emptiness | None:
    """What to warn of about a vacuous step once it has passed; raises ``StepError`` where that is configured."""
    reason = None if policy == "ignore" else unchecked(plan, step) or cannot_fail(plan, step)
    if reason is not None and policy == "error":
        raise StepError(step.call.place, reason)
    return None if reason is None else Emptiness(step.call.place, reason)


def never_asserted(
    plan: Plan, armed: Iterable[Armed], handles: Iterable[Handle], *, passed: int
) -> Iterator[Emptiness]:
    """Expectations whose verdict nobody has asked for, though the first ``passed`` steps of the scenario passed."""
    planned = [(each, handle) for each in armed for handle in each.handles]
    for check in {id(each): each for each, handle in planned if not handle.asserted}.values():
        if check.step.index < passed:
            yield Emptiness(
                check.step.call.place,
                f"the check {check.step.call.text!r} was armed, but never made: another step definition answers to "
                f"the same words and ran in its place; give one of them other words",
            )
    if passed < len(plan.steps):
        return  # the scenario ended before its end
    ours = {id(handle) for _, handle in planned}
    for handle in handles:
        if id(handle) not in ours and handle.outcome is Outcome.PENDING:
            yield Emptiness(
                handle.origin or plan.steps[-1].call.place,
                f"a step of your own expects {handle.topic!r}, but nobody waited for it: the scenario passes whether "
                f'it comes or not; write it as a step (Then I expect "{handle.topic}"), or await it',
            )


def unchecked(plan: Plan, step: PlannedStep) -> str | None:
    """What is wrong with a phase's last publish if nothing, not even a step of the user's own, checks the phase."""
    if step.intent is not Intent.PUBLISH or not plan.is_last_publish(step):
        return None
    checked = any(each.phase == step.phase and each.intent in (Intent.EXPECT, Intent.CHECK) for each in plan.steps)
    if checked or any(each.match is None for each in plan.steps[step.index + 1 :]):
        return None
    return "nothing checks what this publish leads to: the scenario passes whatever happens"


def cannot_fail(plan: Plan, step: PlannedStep) -> str | None:
    """What is wrong with a count that is always right, or a check met by the scenario's own publish."""
    spec = step.spec
    if not isinstance(spec, ExpectationSpec):
        return None
    if spec.occurs.minimum == 0 and spec.occurs.maximum is None:
        return "`at least 0` is always true; say how many are needed"
    if spec.occurs == Occurs() and not spec.then and _is_own_echo(plan, step, spec):
        return (
            f"the scenario itself publishes {spec.topic!r} in this phase, and any message will do: "
            f"say what the answer holds"
        )
    return None


def _is_own_echo(plan: Plan, step: PlannedStep, spec: ExpectationSpec) -> bool:
    narrowed = step.match is not None and (step.match.args.get("condition") or step.match.args.get("schema"))
    if step.call.docstring or step.call.table or narrowed or spec.untaken or spec.is_reply:
        return False
    return any(
        each.intent is Intent.PUBLISH
        and each.phase == step.phase
        and each.transport == step.transport
        and each.match is not None
        and each.match.args.get("topic") == spec.topic
        for each in plan.steps
    )

"""Steps that look like a test and are none: a publish nothing checks, a check that cannot fail or is never made."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from choreo_bdd.scenario.judging.occurs import ONCE
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.plan.plan import Plan, PlannedStep
from choreo_bdd_steps.vocabulary.acts import CHECKING
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec

Policy = Literal["ignore", "warn", "error"]
NO_SCENARIOS = "the feature has no scenarios, so it tests nothing"
NO_STEPS = "the scenario has no steps: it passes whatever happens"


class VacuityWarning(UserWarning):
    """A step can pass whatever the system under test does."""


class VacuousStep(Struct, frozen=True):
    """Something that proves nothing: where it stands, and why that is so."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def without_rows(name: str) -> str:
    """What is told of an outline that no example fills."""
    return f"the outline {name!r} has no rows, so it tests nothing: give it Examples"


def guard(plan: Plan, step: PlannedStep, policy: Policy) -> VacuousStep | None:
    """What to warn of about a vacuous step once it has passed; raises ``StepError`` where that is configured."""
    if policy == "ignore" or not (step.triggers or step.spec):
        return None
    reason = unchecked(plan, step) or cannot_fail(plan, step)
    if reason is not None and policy == "error":
        raise StepError(step.call.place, reason)
    return None if reason is None else VacuousStep(step.call.place, reason)


def unchecked(plan: Plan, step: PlannedStep) -> str | None:
    """What is wrong with a phase's last publish or act if nothing, not even the user's own, checks the phase."""
    if not step.triggers or not plan.is_last_trigger(step):
        return None
    checked = any(each.phase == step.phase and isinstance(each.act, CHECKING) for each in plan.steps)
    if checked or any(each.act is None for each in plan.steps[step.index + 1 :]):
        return None
    return f"nothing checks what this {step.deed} leads to: the scenario passes whatever happens"


def cannot_fail(plan: Plan, step: PlannedStep) -> str | None:
    """What is wrong with a count that is always right, or a check met by the scenario's own publish."""
    spec = step.spec
    if spec is None:
        return None
    if spec.occurs.minimum == 0 and spec.occurs.maximum is None:
        return "`at least 0` is always true; say how many are needed"
    topics = list(dict.fromkeys(part.topic for part in spec.parts))
    if (
        spec.occurs == ONCE
        and len(topics) == len(spec.parts)
        and all(_is_own_echo(plan, step, part) for part in spec.parts)
    ):
        named = " and ".join(map(repr, topics))
        return (
            f"the scenario itself publishes {named} in this phase, and any message will do: say what the answer holds"
        )
    return None


def _is_own_echo(plan: Plan, step: PlannedStep, spec: ExpectationSpec) -> bool:
    if spec.is_narrowed or spec.untaken or spec.is_reply or spec.is_response:
        return False
    transport = spec.transport or step.transport
    return any(
        each.publishes and each.phase == step.phase and each.transport == transport and each.topic == spec.topic
        for each in plan.steps
    )

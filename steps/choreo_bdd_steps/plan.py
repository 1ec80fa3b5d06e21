"""The plan of a scenario: its phases, and what each of them has to arm (spec/steps.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from choreo_bdd.scenario import Occurs
from choreo_bdd_steps.language.body import ExpectationBody
from choreo_bdd_steps.phrase import Intent, Match, StepCall


@dataclass(frozen=True, slots=True)
class ExpectationSpec:
    """What a check step expects, before variables are filled in. Durations are seconds.

    ``window_s`` is how long a count or an absence is watched; ``None`` for the timeout.
    """

    topic: str
    transport: str | None
    body: ExpectationBody
    occurs: Occurs
    budget_s: float | None = None
    budget_topic: str | None = None
    window_s: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, its phrase if it is one of ours, its phase, and the transport it means where it names none.

    ``spec`` is what a check expects, or the error that reading it raised: its own step tells.
    """

    index: int
    call: StepCall
    match: Match | None
    phase: int
    default_transport: str
    spec: ExpectationSpec | Exception | None = field(default=None, repr=False)

    @property
    def intent(self) -> Intent | None:
        """What the step does; ``None`` for a step of the user's own."""
        return None if self.match is None else self.match.phrase.intent

    @property
    def transport(self) -> str:
        """The transport this step acts on."""
        named: Any = None if self.match is None else self.match.args.get("transport")
        return named or self.default_transport

    @property
    def assigns(self) -> frozenset[str]:
        """Variables the step sets."""
        return frozenset() if self.match is None else self.match.phrase.assigns(self.match)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a scenario, in order."""

    steps: tuple[PlannedStep, ...]

    def checks(self, phase: int) -> tuple[PlannedStep, ...]:
        """The checks of a phase."""
        return tuple(step for step in self.steps if step.phase == phase and step.intent is Intent.EXPECT)

    def has_publish(self, phase: int) -> bool:
        """Whether a phase publishes anything itself."""
        return any(step.phase == phase and step.intent is Intent.PUBLISH for step in self.steps)

    def is_last_publish(self, step: PlannedStep) -> bool:
        """Whether no later step of its phase publishes."""
        return not any(
            later.phase == step.phase and later.intent is Intent.PUBLISH for later in self.steps[step.index + 1 :]
        )

    def assigned_between(self, first: int, last: int) -> frozenset[str]:
        """Variables that steps after ``first`` and before ``last`` set."""
        return frozenset().union(*(step.assigns for step in self.steps[first + 1 : last]))

    def has_foreign_step(self, first: int, last: int) -> bool:
        """Whether a step of the user's own stands after ``first`` and before ``last``."""
        return any(step.match is None for step in self.steps[first + 1 : last])

    @property
    def transports(self) -> tuple[str, ...]:
        """Transports this scenario uses, in order of first use."""
        named: dict[str, None] = {}
        for step in self.steps:
            if step.intent in (Intent.PUBLISH, Intent.EXPECT, Intent.REPLY):
                named[step.transport] = None
                reply = None if step.match is None else step.match.args.get("reply_transport")
                if reply:
                    named[reply] = None
        return tuple(named)


def make_plan(calls: Sequence[StepCall], matches: Sequence[Match | None], default_transport: str) -> Plan:
    """Divide a scenario into phases: a publish after a check begins the next one."""
    steps: list[PlannedStep] = []
    phase, has_check = 0, False
    for index, (call, match) in enumerate(zip(calls, matches, strict=True)):
        intent = None if match is None else match.phrase.intent
        if intent is Intent.PUBLISH and has_check:
            phase, has_check = phase + 1, False
        has_check = has_check or intent in (Intent.EXPECT, Intent.CHECK)
        if match is not None and intent is Intent.TRANSPORT:
            default_transport = match.arg("transport")
        spec = None if match is None else _spec(match)
        steps.append(PlannedStep(index, call, match, phase, default_transport, spec))
    return Plan(tuple(steps))


def _spec(match: Match) -> ExpectationSpec | Exception | None:
    if match.phrase.spec is None:
        return None
    try:
        spec: ExpectationSpec = match.phrase.spec(match)
    except Exception as error:  # noqa: BLE001 - told by the check's own step, so that the others still run
        return error
    return spec

"""The plan of a scenario: its phases, and what each of them has to arm (spec/steps.md 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.vocabulary.acts import ExpectationSpec, Hop
from choreo_bdd_steps.vocabulary.phrase import Intent, Match, StepCall


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
    def is_request(self) -> bool:
        """Whether it publishes a message that wants a reply."""
        return self.match is not None and self.match.phrase.is_request

    @property
    def match_args(self) -> Mapping[str, str | None]:
        """The parameters of its phrase; none for a step of the user's own."""
        return {} if self.match is None else self.match.args

    @property
    def transport(self) -> str:
        """The transport this step acts on."""
        if isinstance(self.spec, ExpectationSpec) and self.spec.is_reply and self.spec.transport is not None:
            return self.spec.transport
        named: Any = None if self.match is None else self.match.args.get("transport")
        return named or self.default_transport

    @property
    def spec_transports(self) -> tuple[str, ...]:
        """The transports a check listens on."""
        if not isinstance(self.spec, ExpectationSpec):
            return ()
        return tuple(each.transport or self.default_transport for each in self.spec.chain)

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
                named |= dict.fromkeys(step.spec_transports or (step.transport,))
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
    return Plan(tuple(_placed(step, steps) for step in steps))


def _placed(step: PlannedStep, steps: Sequence[PlannedStep]) -> PlannedStep:
    """A check that takes its place from other steps, once all of them are known."""
    spec = step.spec
    if not isinstance(spec, ExpectationSpec):
        return step
    if spec.is_reply:
        return replace(step, spec=_to_request(spec, step, steps))
    if spec.hop_from is not None:
        return replace(step, spec=_hop(spec, spec.hop_from, steps))
    return step


def _to_request(spec: ExpectationSpec, step: PlannedStep, steps: Sequence[PlannedStep]) -> ExpectationSpec | Exception:
    requests = [each for each in steps[: step.index] if each.is_request and each.phase == step.phase]
    if not requests:
        return StepError(step.call.place, "no step of this phase requests anything, so there is no reply to expect")
    return replace(spec, transport=requests[-1].transport)


def _hop(spec: ExpectationSpec, start: Hop, steps: Sequence[PlannedStep]) -> ExpectationSpec:
    """The message a hop ends with: after the publish it begins with, or else after that topic's own message."""
    end = replace(spec, hop_from=None, transport=spec.transport or _transport_of(spec.topic, steps))
    if any(each.intent is Intent.PUBLISH and _names(each, start.topic) for each in steps):
        return end
    begin = ExpectationSpec(start.topic, start.transport or _transport_of(start.topic, steps), end.body, end.occurs)
    return replace(begin, then=(end,))


def _transport_of(topic: str, steps: Sequence[PlannedStep]) -> str | None:
    """The transport on which other steps of the scenario use a topic."""
    for step in steps:
        if step.match is not None and _names(step, topic):
            return step.transport
        if step.match is not None and step.match.args.get("reply") == topic:
            return step.match.args.get("reply_transport") or step.transport
    return None


def _names(step: PlannedStep, topic: str) -> bool:
    is_hop = isinstance(step.spec, ExpectationSpec) and step.spec.hop_from is not None
    return step.match is not None and not is_hop and step.match.args.get("topic") == topic


def _spec(match: Match) -> ExpectationSpec | Exception | None:
    if match.phrase.spec is None:
        return None
    try:
        spec: ExpectationSpec = match.phrase.spec(match)
    except Exception as error:  # noqa: BLE001 - told by the check's own step, so that the others still run
        return error
    return spec

"""The plan of a scenario: its phases, and what each of them has to arm (spec/steps.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct, structs

from choreo_bdd import topic_patterns
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.durations import INSTANT
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import parse_expectation
from choreo_bdd_steps.vocabulary import recognise
from choreo_bdd_steps.vocabulary.acts import (
    CHECKING,
    SENDING,
    Act,
    Call,
    CheckService,
    CheckTaken,
    Expect,
    Keep,
    PlayService,
    Publish,
    Request,
    SetLiteral,
    SetSeveral,
    UseTransport,
)
from choreo_bdd_steps.vocabulary.assignments import assigned, misnamed
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec, Hop
from choreo_bdd_steps.vocabulary.phrase import StepCall


class PlannedStep(Struct, frozen=True, eq=False, dict=True):
    """A step, what it means if it is one of ours, its phase, and the transport it means where it names none.

    A call means the ``callee`` then: ``None`` where the profile has none to call, or several. ``spec`` is what a check
    expects, ``unread`` the error that reading it raised; ``misplaced`` complains of what stands below a sentence that
    takes no such thing.
    """

    index: int
    call: StepCall
    act: Act | None
    phase: int
    default_transport: str
    callee: str | None = None
    spec: ExpectationSpec | None = None
    unread: Exception | None = None
    misplaced: BodyError | None = None

    @cached_property
    def problem(self) -> Exception | None:
        """What keeps the step from being read, whatever its variables are."""
        if self.misplaced is not None:
            return self.misplaced
        if wrong := misnamed(self.act):
            return wrong
        if isinstance(self.act, (Publish, Call, PlayService)) and self.act.problem is not None:
            return self.act.problem
        if isinstance(self.act, (CheckTaken, SetLiteral, SetSeveral)):
            try:
                self.act.read()
            except BodyError as error:
                return error
        if self.spec is not None and self.spec.is_instant:
            return BodyError(INSTANT)
        return self.unread

    @property
    def publishes(self) -> bool:
        """Whether it sends a message, one that wants a reply included."""
        return isinstance(self.act, (Publish, Request))

    @property
    def sends(self) -> bool:
        """Whether something leaves with it: a message, or a request over HTTP."""
        return isinstance(self.act, SENDING)

    @property
    def is_own_act(self) -> bool:
        """Whether it is a step of the user's own that is declared to make messages come."""
        return self.act is None and self.call.is_act

    @property
    def triggers(self) -> bool:
        """Whether it makes messages come: phases begin with such a step, and times count from it."""
        return self.sends or self.is_own_act

    @property
    def deed(self) -> str:
        """What to call a step that triggers."""
        return "publish" if self.publishes else "call" if self.sends else "act"

    @property
    def topic(self) -> str | None:
        """The topic its sentence names first, as it is written there."""
        match self.act:
            case Publish() | Request() | Call() | Expect() | CheckTaken() | PlayService() | CheckService() | Keep():
                return self.act.topic
            case _:
                return None

    @property
    def named_transport(self) -> str | None:
        """The transport its sentence names."""
        match self.act:
            case Publish() | Request() | Call() | Expect() | PlayService() | UseTransport():
                return self.act.transport
            case _:
                return None

    @property
    def transport(self) -> str:
        """The transport this step acts on."""
        spec = self.spec
        if spec is not None and (spec.is_reply or spec.is_response) and spec.transport is not None:
            return spec.transport
        own_default = self.callee if isinstance(self.act, Call) else None
        return self.named_transport or own_default or self.default_transport

    @property
    def parts(self) -> tuple[ExpectationSpec, ...]:
        """All that a check listens for; nothing for any other step, and for one that cannot be read."""
        return () if self.spec is None else self.spec.parts

    @property
    def spec_transports(self) -> tuple[str, ...]:
        """The transports a check listens on."""
        return tuple(each.transport or self.default_transport for each in self.parts)

    @property
    def assigns(self) -> frozenset[str]:
        """Variables the step sets."""
        return assigned(self.act)


class Plan(Struct, frozen=True, dict=True):
    """All steps of a scenario, in order."""

    steps: tuple[PlannedStep, ...]

    def checks(self, phase: int) -> tuple[PlannedStep, ...]:
        """The checks of a phase."""
        return tuple(step for step in self.steps if step.phase == phase and isinstance(step.act, Expect))

    def checks_of_response(self, call: PlannedStep) -> tuple[PlannedStep, ...]:
        """The checks of what a call answers: those that no other call stands before."""
        return tuple(
            step
            for step in self.steps[call.index :]
            if step.spec is not None and step.spec.is_response and _call_before(step, self.steps) is call
        )

    def has_trigger(self, phase: int) -> bool:
        """Whether a phase makes anything happen itself, as far as is known ahead."""
        return phase in self._triggered

    @cached_property
    def _triggered(self) -> frozenset[int]:
        return frozenset(step.phase for step in self.steps if step.triggers)

    def trigger_below(self, check: PlannedStep) -> PlannedStep | None:
        """The publish or act that a check stands above, where nothing before the check makes anything happen."""
        if any(each.sends or each.act is None for each in self.steps[: check.index]):
            return None
        return next((each for each in self.steps[check.index :] if each.triggers), None)

    def is_last_trigger(self, step: PlannedStep) -> bool:
        """Whether no later step of its phase makes anything happen."""
        return not any(later.phase == step.phase and later.triggers for later in self.steps[step.index + 1 :])

    def assigned_between(self, first: int, last: int) -> frozenset[str]:
        """Variables that steps after ``first`` and before ``last`` set."""
        return frozenset().union(*(step.assigns for step in self.steps[first + 1 : last]))

    def has_own_step(self, first: int, last: int) -> bool:
        """Whether a step of the user's own stands after ``first`` and before ``last``, declared or not."""
        return any(step.act is None for step in self.steps[first + 1 : last])

    def has_foreign_step(self, first: int, last: int) -> bool:
        """Whether a step stands after ``first`` and before ``last`` of which nobody knows what it does."""
        return any(step.act is None and not step.is_own_act for step in self.steps[first + 1 : last])

    def counted_over(self, check: PlannedStep) -> PlannedStep | None:
        """The last step of the user's own, not declared an act, that the budget of a check counts over."""
        spec = check.spec
        if spec is None or spec.chain[-1].budget_s is None or spec.chain[-1].budget_topic:
            return None
        for step in reversed(self.steps[: check.index]):
            if step.triggers:
                return None
            if step.act is None:
                return step
        return None

    @property
    def transports(self) -> tuple[str, ...]:
        """Transports this scenario uses, in order of first use."""
        named: dict[str, None] = {}
        for step in self.steps:
            if isinstance(step.act, (*SENDING, Expect, PlayService)):
                named |= dict.fromkeys(step.spec_transports or (step.transport,))
            if isinstance(step.act, PlayService) and step.act.answer is not None and step.act.answer.transport:
                named[step.act.answer.transport] = None
        return tuple(named)


def make_plan(calls: Sequence[StepCall], default_transport: str, called: Sequence[str] = ()) -> Plan:
    """Divide a scenario into phases: a publish, or another act, after a check begins the next one.

    ``called`` names the transports that a call may mean.
    """
    steps: list[PlannedStep] = []
    phase, has_check = 0, False
    for index, call in enumerate(calls):
        match = recognise(call)
        act = None if match is None else match.act()
        if has_check and (isinstance(act, SENDING) or (act is None and call.is_act)):
            phase, has_check = phase + 1, False
        has_check = has_check or isinstance(act, CHECKING)
        if isinstance(act, UseTransport):
            default_transport = act.transport
        callee = default_transport if default_transport in called else called[0] if len(called) == 1 else None
        asked = act.spec if isinstance(act, Expect) else None
        spec, unread = (None, asked) if isinstance(asked, Exception) else (asked, None)
        misplaced = None if match is None else match.misplaced()
        steps.append(PlannedStep(index, call, act, phase, default_transport, callee, spec, unread, misplaced))
    placed = [_placed(step, steps) for step in steps]
    return Plan(tuple(_spread(step, placed) for step in placed))


def _spread(step: PlannedStep, steps: Sequence[PlannedStep]) -> PlannedStep:
    """A check of everything, on the topics that the other checks of the scenario listen to, later ones too.

    Left out are, of later phases, a reply, a topic that a variable of theirs may name, and what the scenario has said
    there itself.
    """
    spec = step.spec
    if spec is None or not spec.is_everything:
        return step
    heard = [
        structs.replace(
            spec, topic=part.topic, transport=part.transport or each.default_transport, is_reply=part.is_reply
        )
        for each in steps
        for part in each.parts
        if not part.is_everything
        and not part.is_response
        and (each.phase == step.phase or not part.is_reply)
        and (each.phase <= step.phase or not _is_open(part.topic, step, steps))
    ]
    here = list(dict.fromkeys(each for each in heard if spec.transport in (None, each.transport)))
    if not here:
        on = "" if spec.transport is None else f" on {spec.transport}"
        problem = f"no check of this scenario listens to anything{on}, so there is nothing else to hear"
        return structs.replace(step, spec=None, unread=StepError(step.call.place, problem))
    return structs.replace(step, spec=structs.replace(here[0], beside=tuple(here[1:])))


def _is_open(topic: str, step: PlannedStep, steps: Sequence[PlannedStep]) -> bool:
    """Whether it is not known yet which topic this is, or the scenario itself speaks on it up to this step's phase."""
    said = (each.topic for each in steps if each.sends and each.phase <= step.phase)
    return "{{" in topic or any(own is not None and topic_patterns.matches(topic, own) for own in said)


def _placed(step: PlannedStep, steps: Sequence[PlannedStep]) -> PlannedStep:
    """A check that takes its place from other steps, once all of them are known."""
    spec = step.spec
    if spec is None:
        return step
    try:
        if spec.is_response:
            return structs.replace(step, spec=_to_call(spec, step, steps))
        if spec.is_reply:
            return structs.replace(step, spec=_to_request(spec, step, steps))
    except StepError as error:
        return structs.replace(step, spec=None, unread=error)
    return step if spec.hop_from is None else structs.replace(step, spec=_hop(spec, spec.hop_from, step, steps))


def _to_request(spec: ExpectationSpec, step: PlannedStep, steps: Sequence[PlannedStep]) -> ExpectationSpec:
    requests = [each for each in steps[: step.index] if isinstance(each.act, Request) and each.phase == step.phase]
    if not requests:
        raise StepError(step.call.place, "no step of this phase requests anything, so there is no reply to expect")
    return structs.replace(spec, transport=requests[-1].transport)


def _to_call(spec: ExpectationSpec, step: PlannedStep, steps: Sequence[PlannedStep]) -> ExpectationSpec:
    call = _call_before(step, steps)
    if call is None or call.topic is None:
        raise StepError(step.call.place, 'no step before this one calls anything; write: When I call GET "/…"')
    return structs.replace(spec, topic=call.topic, transport=call.transport)


def _call_before(step: PlannedStep, steps: Sequence[PlannedStep]) -> PlannedStep | None:
    return next((each for each in reversed(steps[: step.index]) if isinstance(each.act, Call)), None)


def _hop(spec: ExpectationSpec, start: Hop, check: PlannedStep, steps: Sequence[PlannedStep]) -> ExpectationSpec:
    """The message a hop ends with: after the publish it begins with, or else after that topic's own message."""
    end = structs.replace(spec, hop_from=None, transport=spec.transport or _transport_of(spec.topic, steps))
    publish = next((each for each in steps[: check.index] if start.condition is None and _begins(each, start)), None)
    if publish is not None:
        return structs.replace(end, budget_transport=publish.transport)
    body = start.condition or parse_expectation(None, None, None, base_dir=end.body.base_dir)
    begin = ExpectationSpec(start.topic, start.transport or _transport_of(start.topic, steps), body, end.occurs)
    return structs.replace(begin, then=(end,))


def _begins(step: PlannedStep, start: Hop) -> bool:
    """Whether a step publishes the message that a hop begins with."""
    return step.sends and _names(step, start.topic) and start.transport in (None, step.transport)


def _transport_of(topic: str, steps: Sequence[PlannedStep]) -> str | None:
    """The transport on which other steps of the scenario use a topic."""
    for step in steps:
        if _names(step, topic):
            return step.transport
        if isinstance(step.act, PlayService) and step.act.answer is not None and step.act.answer.topic == topic:
            return step.act.answer.transport or step.transport
    return None


def _names(step: PlannedStep, topic: str) -> bool:
    is_hop = step.spec is not None and step.spec.hop_from is not None
    return not is_hop and step.topic == topic

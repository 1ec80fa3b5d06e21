"""Arming: who listens for what, from when on, and until when (spec/steps.md 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from choreo_bdd.matchers import Matcher
from choreo_bdd.scenario import Handle
from choreo_bdd.scenario.judging.expectation import Beginning
from choreo_bdd.topic_patterns import malformed
from choreo_bdd_project.reply_addresses import reply_address
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.language.matching.header_case import in_lower_case
from choreo_bdd_steps.language.matching.stamped import require_place, without_stamp
from choreo_bdd_steps.language.templates.rendering import referenced_names
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.run.state import Armed, State
from choreo_bdd_steps.run.taking.rows import of_their_own
from choreo_bdd_steps.run.taking.taken_messages import TakenMessages
from choreo_bdd_steps.vocabulary.acts import SENDING, Payload
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import body_error, read

_Check = tuple[PlannedStep, ExpectationSpec]


def require_readable(step: PlannedStep) -> None:
    """Raise what keeps a step from being read, whatever its variables are."""
    problem = step.problem
    if isinstance(problem, BodyError):
        raise body_error(step.call, problem) from problem
    if problem is not None:
        raise problem


class Arming:
    """Arms a scenario's checks, phase by phase."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._entered: set[int] = set()

    # --- when -----------------------------------------------------------------------------------------------------

    def enter(self, trigger: PlannedStep) -> Sequence[_Check]:
        """Begin a phase; the checks to ``listen_to`` before anything happens."""
        if trigger.phase in self._entered:
            return ()
        if not self._entered:  # a slip in a later phase, too, is told before anything is published
            for step in self._state.plan.steps:
                require_readable(step)
                if step.phase > trigger.phase and isinstance(step.act, SENDING):
                    self._require_body(step.call, step.act.body)
        self._entered.add(trigger.phase)
        checks = self._unarmed(trigger.phase)
        for check, spec in checks:
            self.require_topic(check, spec, f"when its phase begins at {trigger.call.place}")
        return checks

    @staticmethod
    def _require_body(call: StepCall, body: Payload) -> None:
        """Raise what keeps a body from being read; a file may still be written by the steps before it."""
        if body.file is None:
            read(call, body.read)

    def listen_early(self, call: StepCall) -> None:
        """Where the scenario publishes nothing itself, a check listens from the moment its topic is known."""
        if not self._state.plan.has_trigger(0):
            known = [(check, spec) for check, spec in self._unarmed(0) if not self._unknown_in_topic(check, spec)]
            if known:
                self._state.act(call, self.listen_to(known))

    def _unarmed(self, phase: int) -> list[_Check]:
        """Checks of a phase that nothing listens for; of those that cannot be read their own steps tell."""
        known, armed = self._state.session.config.transports, self._state.armed
        return [
            (check, check.spec)
            for check in self._state.plan.checks(phase)
            if check.spec is not None
            and not check.spec.is_response  # these wait for their call
            and all(name in known and not known[name].is_called for name in check.spec_transports)
            and check.index not in armed
        ]

    def unknown(self, names: frozenset[str], check: PlannedStep) -> list[str]:
        """Variables a check needs that are not known yet, or that steps before it will set anew."""
        ahead = self._state.plan.assigned_between(self._state.done, check.index)
        return sorted(name for name in names if name in ahead or name not in self._state.variables)

    def _unknown_in_topic(self, check: PlannedStep, spec: ExpectationSpec) -> list[str]:
        topics = [each.topic for each in spec.parts]
        return self.unknown(read(check.call, lambda: referenced_names(topics)), check)

    def require_topic(self, check: PlannedStep, spec: ExpectationSpec, when: str) -> None:
        """``StepError`` for a topic that names a variable not known ``when`` it must be."""
        unknown = self._unknown_in_topic(check, spec)
        if unknown:
            topic = next(each.topic for each in spec.parts if unknown[0] in referenced_names(each.topic))
            raise StepError(
                check.call.place,
                f"the topic {topic!r} names the variable {unknown[0]!r}, which is not known {when}; a topic must "
                f"be known before anything happens on it",
            )

    def is_held_back(self, armed: Armed) -> bool:
        """Whether a held check still waits for a variable, or for its own step.

        One about what earlier ones leave waits until they are decided: what they hear through another subscription,
        of a pattern say, they may hear and take after it.
        """
        return armed.spec.untaken or bool(self.unknown(armed.spec.needs, armed.step))

    # --- how ------------------------------------------------------------------------------------------------------

    async def listen_to(self, checks: Sequence[_Check]) -> None:
        """Arm these checks and prove their subscriptions live."""
        for check, spec in checks:
            self._arm(check, spec)
        if checks:
            await self._state.scope.ready()

    def _arm(self, check: PlannedStep, spec: ExpectationSpec) -> None:
        state = self._state
        read(check.call, lambda: self._require_carried(check, spec))
        values = {} if self.unknown(spec.needs, check) else self.needed(spec)
        armed = Armed(check, spec, [], False, values, state.index)
        armed.held = self.is_held_back(armed)
        matchers = None if armed.held else self.matchers(armed)
        for position, each in enumerate(_by_message(spec)):
            after = armed.handles[-1] if armed.handles and spec.then else None
            matcher = None if matchers is None else matchers[position]
            armed.handles.append(self._expect(check, each, self._topic(check, each), matcher, after))
        state.armed[check.index] = armed

    def _require_carried(self, check: PlannedStep, spec: ExpectationSpec) -> None:
        for each in spec.parts:
            transport = each.transport or check.default_transport
            self._state.require_carried(transport, self._topic(check, each), each.body.around)

    def _expect(
        self, check: PlannedStep, spec: ExpectationSpec, topic: str, matcher: Matcher | None, after: Handle | None
    ) -> Handle:
        state = self._state
        handle = state.scope.expect(
            topic,
            matcher,
            link=state.links.get(spec.transport or check.default_transport),
            occurs=spec.occurs,
            after=after,
            unrouted=spec.is_reply or spec.is_response,
            origin=check.call.place,
            step_text=check.call.text,
        )
        named = spec.budget_topic or spec.window_topic
        anchor = named and str(state.render(named, check.call))
        if spec.budget_s is not None:
            handle.within_ms(spec.budget_s * 1000, of=anchor)
        if spec.earliest_s is not None:
            handle.not_before_ms(spec.earliest_s * 1000, of=anchor)
        if anchor is not None and after is None:
            link = None if spec.budget_transport is None else state.links[spec.budget_transport]
            had_begun = partial(state.scope.outbox.had_begun, anchor, link)
            state.scope.expectation_of(handle).begins_with = Beginning(anchor, link, had_begun)
        if spec.is_response:
            handle.counted_from(topic)
        handle.asserted = False
        return handle

    def _topic(self, check: PlannedStep, spec: ExpectationSpec) -> str:
        state = self._state
        if not spec.is_reply:
            topic = str(state.render(spec.topic, check.call))
            if problem := malformed(topic):
                raise StepError(check.call.place, problem)
            return topic
        transport = spec.transport or check.default_transport
        return reply_address(state.session.config.transports[transport], state.inbox(check.phase)).topic

    def matchers(self, armed: Armed) -> Sequence[Matcher]:
        """What a check asks of each of its messages, all variables filled in."""
        check, spec = armed.step, armed.spec
        built = self._built(spec, check.call, check.default_transport)
        apart = self._apart(check, spec, built) if spec.untaken else built
        if len(apart) == 1 or spec.then or spec.occurs.maximum == 0:
            return apart
        return of_their_own(apart, armed.handles, self._state.scope.expectation_of)

    def _built(self, spec: ExpectationSpec, call: StepCall, default: str) -> list[BodyMatcher]:
        return read(call, lambda: list(self._matchers_of(spec, default)))

    def _matchers_of(self, spec: ExpectationSpec, default: str) -> Iterator[BodyMatcher]:
        state = self._state
        for each in spec.parts:
            link = state.scope.links[state.links.get(each.transport or default)]
            for matcher in each.body.build(state.functions):
                if each.is_response:
                    yield in_lower_case(matcher)
                    continue
                if not each.is_reply:
                    require_place(matcher, link, each.topic)
                yield without_stamp(matcher, link, each.topic)

    def _apart(
        self, check: PlannedStep, spec: ExpectationSpec, built: Sequence[BodyMatcher]
    ) -> Sequence[BodyMatcher | TakenMessages]:
        """For ``another`` and ``no other``: a message that an earlier check has taken is no match."""
        scope, links = self._state.scope, self._state.links
        others = [scope.expectation_of(handle) for each in self._before(check) for handle in each.handles]
        apart: list[TakenMessages] = []
        for matcher, part in zip(built, _by_message(spec), strict=True):
            link = links.get(part.transport or check.default_transport)
            mine = tuple(each for each in others if each.link == link)
            apart.append(TakenMessages(matcher, self._topic(check, part), mine))
        return apart

    def _before(self, check: PlannedStep) -> list[Armed]:
        return [each for each in self._state.armed.values() if each.step.index < check.index]

    def needed(self, spec: ExpectationSpec) -> dict[str, Any]:
        """The variables a check names, as they are now."""
        return {name: self._state.variables.get(name) for name in spec.needs}

    # --- until when -----------------------------------------------------------------------------------------------

    def start_clocks(self, trigger: PlannedStep) -> None:
        """Every deadline of the phase runs from its last publish or act, or from a later step nobody knows."""
        plan, scope = self._state.plan, self._state.scope
        if not plan.is_last_trigger(trigger):
            return
        sent = scope.outbox.last_sent(scope.clock()) or scope.clock()
        for armed in self._state.armed.values():
            if armed.step.phase != trigger.phase or armed.spec.is_response:
                continue
            waits_for_user = plan.has_foreign_step(trigger.index, armed.step.index)
            if armed.spec.occurs.waits_the_window_out or not waits_for_user:
                self.close(armed, self._anchored(armed, sent))

    def asked(self, request: PlannedStep, topic: str) -> None:
        """Have checks of the phase's reply say what was asked, and not only the inbox."""
        for armed in self._state.armed.values():
            if armed.spec.is_reply and armed.step.phase == request.phase:
                for handle in armed.handles:
                    handle.answers(topic)

    def answered(self, checks: Sequence[_Check]) -> None:
        """A call has its answer: who checks it waits for nothing more."""
        now = self._state.scope.clock()
        for check, _ in checks:
            for handle in self._state.armed[check.index].handles:
                self._state.scope.close_at(handle, now)

    def _anchored(self, armed: Armed, sent: float) -> float:
        """Where a window begins: with the publish its step names, or with the last one of the phase."""
        scope, topic = self._state.scope, armed.spec.window_topic
        if topic is None:
            return sent
        return scope.outbox.last_sent(scope.clock(), str(self._state.render(topic, armed.step.call))) or sent

    def close(self, armed: Armed, start: float) -> None:
        """Let a check wait for so long as it may, counted from a loop time."""
        for handle in armed.handles:
            closes_at = start + self.patience_s(armed.spec)
            self._state.scope.close_at(handle, closes_at, lingers=armed.spec.is_absence)

    def patience_s(self, spec: ExpectationSpec) -> float:
        """How long a check waits, or watches."""
        return spec.patience(self._state.settings.timeout_s)


def _by_message(spec: ExpectationSpec) -> list[ExpectationSpec]:
    """What a check listens for, once for each message it is about."""
    return [part for part in spec.parts for _ in range(part.body.count)]

"""Checking: a check waits for its own expectations and tells their verdicts."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import structs

from choreo_bdd.codecs.media import NoJson
from choreo_bdd.matchers import MatchResult
from choreo_bdd.matchers.result import path_as_written
from choreo_bdd.message import MessageRecord
from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd.scenario import Handle, Outcome, ScenarioResult, Scope
from choreo_bdd.scenario.facade import finish
from choreo_bdd.scenario.foreign_messages import note_foreign_messages
from choreo_bdd.scenario.judging.diagnosis import closest_lines
from choreo_bdd.scenario.judging.expectation import Expectation
from choreo_bdd.scenario.judging.matching import in_other_case
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.matching.body_matcher import BodyMatcher
from choreo_bdd_steps.language.matching.capture import lookup
from choreo_bdd_steps.language.matching.header_case import in_lower_case, in_small_letters
from choreo_bdd_steps.language.matching.stamped import without_stamp
from choreo_bdd_steps.language.templates.functions import as_text
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.run.arming import Arming
from choreo_bdd_steps.run.services import unanswered, unsent
from choreo_bdd_steps.run.state import Armed, State
from choreo_bdd_steps.run.taking.taken_messages import taken_by_the_last, taken_in_its_phase
from choreo_bdd_steps.run.tracing.failures import failures
from choreo_bdd_steps.vocabulary.acts import CheckTaken, Expect, Keep
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import read

if TYPE_CHECKING:
    from choreo_bdd.stage import StageScenarioResult

AnyResult: TypeAlias = "ScenarioResult | StageScenarioResult"
SHARED_ID = "SharedId"
"""How reports name the bridge of a scenario over several transports: one id, behind each transport's prefix."""

_LATE_GRACE_S = 0.25
_SHOWN_CHARACTERS = 300


class Checking:
    """The checks of one scenario, when their steps are reached."""

    def __init__(self, state: State, arming: Arming) -> None:
        self._state = state
        self._arming = arming

    # --- the step's own expectations ------------------------------------------------------------------------------

    def check(self, call: StepCall) -> None:
        """Wait for this step's own expectation and tell its verdict."""
        state, step = self._state, self._state.step
        is_response = step.spec is not None and step.spec.is_response
        for transport in () if is_response else step.spec_transports:
            state.require_bus(transport, call)
        armed = state.armed.get(step.index)
        if armed is None:
            raise self._unheard(step)
        self._require_early(armed)
        self._require_anchor(armed)
        self._supply(armed)
        if any(handle.outcome is not Outcome.PASS for handle in armed.handles):  # else there is nothing to wait for
            state.scope.awaited(armed.handles)
            state.run(self._await(armed))
        self._tell(armed)

    def _unheard(self, step: PlannedStep) -> StepError:
        assert step.spec is not None  # check() has asked
        if not self._state.plan.has_trigger(step.phase):
            self._arming.require_topic(step, step.spec, "yet")
        return StepError(step.call.place, "nothing listens for this check: the step that begins its phase has failed")

    def _require_early(self, armed: Armed) -> None:
        """A check that began to listen only after the user's own steps had acted could miss what it is about."""
        step, begun, plan = armed.step, armed.armed_at, self._state.plan
        acted_before = begun > 0 and plan.has_foreign_step(-1, begun)
        if acted_before and not plan.has_trigger(step.phase) and not plan.has_foreign_step(begun, step.index):
            raise StepError(
                step.call.place,
                f"this check began to listen at {plan.steps[begun].call.place}, after steps of your own that may have "
                f"caused its message. Set the variables of its topic before them; under behave, let environment.py "
                f"call choreo_bdd_steps.adapters.behave.before_scenario(context), too",
            )

    def _require_anchor(self, armed: Armed) -> None:
        """A time that counts from a publish which never was would be that of something else."""
        step, scope = armed.step, self._state.scope
        anchor = step.act.anchor if isinstance(step.act, Expect) else None
        if anchor is None:
            return
        topic = str(self._state.render(anchor, step.call))
        if topic not in scope.outbox.topics:
            published = ", ".join(map(repr, sorted(scope.outbox.topics))) or "nothing"
            raise StepError(
                step.call.place,
                f"the time counts from the publish of {topic!r}, but this scenario has not published it; it has "
                f"published {published}. Where that message is a service's, write: "
                f'from "{topic}" to "{armed.spec.topic}" takes at most …',
            )

    def _supply(self, armed: Armed) -> None:
        if armed.values and armed.values != self._arming.needed(armed.spec):
            raise StepError(
                armed.step.call.place,
                "a variable of this check was changed by Python code after the phase had begun; set it before "
                "the publish, so that the check means one thing from beginning to end",
            )
        if armed.held:
            self._state.run(self._supplied(armed))

    async def _supplied(self, armed: Armed) -> None:
        matchers = self._arming.matchers(armed)
        armed.held, armed.values = False, self._arming.needed(armed.spec)
        for handle, matcher in zip(armed.handles, matchers, strict=True):
            self._state.scope.supply(handle, matcher)

    def judge_held(self) -> None:
        """Checks that waited for a variable are judged as soon as it is known for good."""
        for armed in self._state.armed.values():
            if armed.held and not self._arming.is_held_back(armed):
                self._supply(armed)

    async def _await(self, armed: Armed) -> None:
        scope = self._state.scope
        expectations = [scope.expectation_of(handle) for handle in armed.handles]
        if any(each.closes_at is None for each in expectations):
            self._arming.close(armed, scope.clock())
        patience_s = 0.0 if armed.spec.is_response else self._arming.patience_s(armed.spec)
        for handle in armed.handles:
            scope.reached(handle, patience_s)
        await scope.decide(expectations, timeout_ms=patience_s * 1000 or None, alone=self._is_alone)
        for each in expectations:
            if each.handle.outcome is Outcome.TIMEOUT or (each.count and not each.is_met):
                await scope.until(partial(_is_late, each), scope.clock() + _LATE_GRACE_S)

    @property
    def _is_alone(self) -> bool:
        """Whether so far only steps of ours have done anything."""
        return not self._state.plan.has_foreign_step(-1, self._state.index + 1)

    def _tell(self, armed: Armed) -> None:
        for handle in armed.handles:
            handle.asserted = True
            if handle.outcome is Outcome.PASS:
                for note in handle.notes:
                    self._state.session.warn(on_one_line(f"{armed.step.call.place}: {note}"))
        failed = [handle for handle in armed.handles if handle.outcome is not Outcome.PASS]
        if all(handle.outcome is Outcome.SLOW for handle in failed) and self._state.settings.slow == "warn":
            return
        if failed:
            evidence = self._failures_of_services()
            for handle in failed:
                handle.add_to_diagnosis([*unanswered(self._state.scope.replies, handle.asked), *evidence])
            told = [*map(_verdict_text, failed), *dict.fromkeys(self._state.broken_answers)]
            if armed.spec.is_response and self._state.response is not None:
                told.append(answered(self._state.response))
            trigger = self._state.plan.trigger_below(armed.step)
            if trigger is not None and armed.spec.occurs.minimum:
                told.append(f"this check stands above the {trigger.deed} in line {trigger.call.line}: put it below")
            raise CheckFailed("\n".join(told))
        self._require_sent(armed)

    def _require_sent(self, armed: Armed) -> None:
        """What a broken stand-in would have sent is no message that did not come."""
        state = self._state
        limited = (each for each in map(state.scope.expectation_of, armed.handles) if each.occurs.waits_the_window_out)
        for expectation in limited:
            if failure := unsent(state.scope.replies, expectation.topic, expectation.link):
                what = f"nobody can say how often {expectation.topic!r} was to come: {failure}"
                told = f"{armed.step.call.place}: {what}; correct it, or let the stand-in end with `and fails`"
                raise CheckFailed("\n".join([told, *dict.fromkeys(state.broken_answers)]))

    def _failures_of_services(self) -> list[str]:
        """What services say has failed in them since the last publish; a verdict never comes of it."""
        state, scope = self._state, self._state.scope
        state.hear_of_failures()
        ahead_s = time.time() - scope.clock()
        trigger = next((each for each in reversed(state.plan.steps[: state.index]) if each.triggers), None)
        deed = "publish" if trigger is None else trigger.deed

        def after(moment: float) -> str:
            at = moment - ahead_s
            if trigger is not None and trigger.is_own_act and scope.outbox.is_during_act(at):
                return f"during the {deed}"
            sent = scope.outbox.last_sent(at)
            return "" if sent is None else f"{(at - sent) * 1000:.0f} ms after the {deed}"

        return failures(state.spans, after)

    # --- the message a check has taken ----------------------------------------------------------------------------

    def captured(self, act: Keep, call: StepCall) -> Any:
        """A field of the message that met the last passed expectation on a topic, of the reply or of the response."""
        if act.of_response:
            return read(call, partial(lookup, in_small_letters(act.path), self._answer(call)))
        return read(call, partial(lookup, act.path, self._taken(act.topic, None, call)))

    def _answer(self, call: StepCall) -> MessageRecord:
        """What the last call has answered."""
        answer = self._state.response
        if answer is None:
            raise StepError(call.place, 'no step before this one has called anything; write: When I call GET "/…"')
        return answer

    def check_taken(self, act: CheckTaken) -> None:
        """Hold a message that a check has taken against a body, without waiting."""
        call = act.call
        body = read(call, act.read)
        message = self._answer(call) if act.of_response else self._taken(act.topic, act.position, call)
        if act.topic is not None:
            self._state.require_carried(message.transport or self._state.step.transport, message.topic, body.around)
        if act.refused:
            self._refuse(body, message, call)
            return
        (built,) = read(call, lambda: body.build(self._state.functions))
        matcher = without_stamp(built, self._state.scope.links[message.transport], message.topic)
        result = _judged(matcher, message, call)
        if not result.matched:
            lines = closest_lines(matcher.message_closeness(message.payload, message), "the message")
            path = "" if result.failure is None else result.failure.path
            reason = result.reason.replace(f"{path}: ", f"{path_as_written(path)}: ", 1)
            told = [f"[FAIL] {call.text}  ({call.place})", f"wrong shape: {reason}"]
            raise CheckFailed("\n".join([*map(on_one_line, told), *lines]))

    def _refuse(self, body: ExpectationBody, message: MessageRecord, call: StepCall) -> None:
        """Fail for each single thing a body says that holds of a message."""
        functions = self._state.functions
        if isinstance(message.payload, NoJson) and body.asks_payload:
            problem = f"undecodable: {message.topic!r} answered with a body that says it is JSON and is none"
            raise CheckFailed(f"[FAIL] {call.text}  ({call.place})\n{problem}\n{answered(message)}")
        built = [matcher for each in body.one_by_one for matcher in read(call, partial(each.build, functions))]
        if message is self._state.response:
            built = list(map(in_lower_case, built))
        held = [told for each in built if (told := _held(each, message, call)) is not None]
        if held:
            told = f"unexpected: the message on {message.topic!r} has what it should not have"
            lines = [f"  it has {each}" for each in held]
            raise CheckFailed("\n".join([f"[FAIL] {call.text}  ({call.place})", told, *lines]))

    def _taken(self, topic: str | None, position: int | None, call: StepCall) -> MessageRecord:
        """The message that is meant; ``StepError`` where no earlier check has taken one."""
        state = self._state
        wanted = None if topic is None else str(state.render(topic, call))
        earlier = [each for each in state.armed.values() if each.step.index < state.index]
        if position is None:
            taken = taken_by_the_last(earlier, wanted)
        else:
            among = taken_in_its_phase(earlier, wanted, state.scope.expectation_of)
            if 0 < len(among) < position:
                raise StepError(
                    call.place,
                    f"the checks of this phase have taken {len(among)} message(s) on {wanted!r}, and this step looks "
                    f'at number {position}; expect them first, as in: I expect at least {position} "{topic}" messages',
                )
            taken = among[position - 1 if position > 0 else position] if among else None
        if taken is None:
            what = "a reply" if wanted is None else f"a message on {wanted!r}"
            raise StepError(call.place, f"no earlier check of this scenario has taken {what}; expect it first")
        return taken

    # --- the end --------------------------------------------------------------------------------------------------

    async def finish(self, *, at_once: bool = False) -> tuple[AnyResult, bool]:
        """Unasserted expectations still get their true verdict; those nothing was published for are aborted.

        So are all that are pending when the end has to come ``at_once``.
        """
        scope, completed = self._state.scope, True
        try:
            for armed in self._state.armed.values():
                why = await self._supplied_at_last(armed, at_once=at_once)
                for expectation in map(scope.expectation_of, armed.handles):
                    if at_once or expectation.closes_at is None or expectation.matcher is None:
                        completed = completed and not expectation.is_pending
                        scope.verdicts.abort(expectation, why)
                        continue
                    await scope.decide([expectation], alone=self._is_alone)
            return _result_of(scope, self._state.only_transport, aborted=not completed), completed
        finally:
            scope.close()

    async def _supplied_at_last(self, armed: Armed, *, at_once: bool) -> str:
        """Bring a held check what it waits for, if that is known by now; returns what to say where it is not judged."""
        why = "the scenario ended before this check could be decided"
        if not armed.held or at_once or self._arming.unknown(armed.spec.needs, armed.step):
            return why
        try:
            await self._supplied(armed)  # those before it are decided by now
        except StepError as error:  # its own step, which would tell, was not reached
            return f"{why}: {error}"
        return why


def _result_of(scope: Scope, only_transport: str | None, *, aborted: bool) -> AnyResult:
    if None in scope.links:
        return finish(scope, aborted=aborted, transport_name=only_transport)
    from choreo_bdd.stage.result import stage_result  # noqa: PLC0415 - most runs use one transport

    note_foreign_messages(scope)
    return stage_result(scope, bridge_class=SHARED_ID, aborted=aborted)


def answered(response: MessageRecord) -> str:
    """What a service has answered, so that nobody has to look for what is wrong in its log first."""
    body = response.payload
    text = "" if body is None else str(as_text(body))
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return on_one_line(f"  {response.topic} answered {response.headers.get(':status')}: {shown or 'no body'}")


def _held(matcher: BodyMatcher, message: MessageRecord, call: StepCall) -> str | None:
    """What a message has of what it should not have; a header in another case is none that it lacks."""
    result = _judged(matcher, message, call)
    if result.matched:
        return matcher.description
    why = in_other_case(
        result, message.headers, lambda headers: _judged(matcher, structs.replace(message, headers=headers), call)
    )
    return None if why is None else f"{matcher.description}, but for capital or small letters: {why}"


def _judged(matcher: BodyMatcher, message: MessageRecord, call: StepCall) -> MatchResult:
    try:
        return matcher.match_message(message.payload, message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's predicate may raise anything, pytest.fail() and sys.exit() included
        told = f"the matcher raised {type(error).__name__}: {error}"
        raise CheckFailed(f"[FAIL] {call.text}  ({call.place})\n{on_one_line(told)}") from error


def _is_late(expectation: Expectation) -> bool:
    return expectation.late_at is not None


def _verdict_text(handle: Handle) -> str:
    diagnosis = handle.diagnosis
    details = diagnosis.text if diagnosis is not None else on_one_line(handle.reason)
    return f"[{handle.outcome.value.upper()}] {on_one_line(str(handle.step_text))}  ({handle.origin})\n{details}"

"""Stand-ins: services the scenario plays itself, and how often they have answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.scenario import ReplyPlan
from choreo_bdd.scenario.sending.replies import MAX_FIRINGS, NOWHERE, Answer, Reply, deed_of
from choreo_bdd.shared.counted import counted
from choreo_bdd.topic_patterns import overlap, unspeakable
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.matching.stamped import without_stamp
from choreo_bdd_steps.language.payload_body import PayloadBody
from choreo_bdd_steps.language.reserved_names import meant_by
from choreo_bdd_steps.run.state import State
from choreo_bdd_steps.vocabulary.acts import CheckService, PlayService
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import body_error, read


class StandInFailed(ChoreoError):
    """A stand-in told to fail has done so."""


class AnswerCannotBeMade(ChoreoError):
    """A stand-in's answer names what the message does not have. Reports show the name of this class, and no more."""


class StandIns:
    """The services of one scenario."""

    def __init__(self, state: State) -> None:
        self._state = state

    def play(self, act: PlayService) -> None:
        """Begin to play a service."""
        state, call, reply = self._state, act.call, act.answer
        payload = None if reply is None else reply.body
        body = None if payload is None else read(call, payload.read)
        link = state.require_bus(state.step.transport, call)
        reply_transport = None if reply is None else reply.transport
        reply_link = link if reply_transport is None else state.require_bus(reply_transport, call)
        asked = read(call, act.read_condition)
        self._require_carried(act, asked, body)
        built = None if asked is None else read(call, lambda: asked.build(state.functions)[0])
        matcher = None if built is None else without_stamp(built, state.scope.links[link], act.topic)

        def answer(trigger: Any) -> Any:
            if body is None:
                raise StandInFailed
            try:
                message = body.build(state.functions, trigger=trigger)[0]
            except BodyError as error:
                state.broken_answers.append(f"{body_error(call, error)}, so the stand-in did not answer")
                raise AnswerCannotBeMade from error
            return Answer(message.payload, message.headers, message.key)

        if body is not None:
            self._require_settable(body.needs, call)
            _require_one(body, call)
        plan = ReplyPlan(
            reply_topic=NOWHERE if reply is None else str(state.render(reply.topic, call)),
            payload=answer,
            link=reply_link,
            times=MAX_FIRINGS if reply is None or reply.times is None else reply.times,
            delay_s=0.0 if reply is None else reply.delay_s,
        )
        if reply is not None:
            state.name_unknown(plan.reply_topic, call)
        topic = str(state.render(act.topic, call))

        async def arm() -> None:
            state.scope.on(topic, matcher, plan, link=link)
            await state.scope.ready()

        state.act(call, arm())

    def _require_carried(self, act: PlayService, asked: ExpectationBody | None, body: PayloadBody | None) -> None:
        """Neither a condition nor an answer may name what its bus does not carry."""
        state, here = self._state, self._state.step.transport
        if asked is not None:
            state.require_carried(here, act.topic, asked.around)
        if act.answer is not None and body is not None:
            topic = act.answer.topic
            if "{{" not in topic and (problem := unspeakable(topic)):
                raise StepError(act.call.place, problem)
            state.require_carried(act.answer.transport or here, act.answer.topic, body.around)

    def _require_settable(self, needs: frozenset[str], call: StepCall) -> None:
        """An answer may name variables of later steps, but not one that nobody sets."""
        plan, index = self._state.plan, self._state.index
        end = len(plan.steps)
        known = {"trigger", "index"} | plan.assigned_between(index, end) | self._state.variables.keys()
        missing = sorted(needs - known)
        if missing and not plan.has_own_step(index, end):
            name = missing[0]
            hint = meant_by(name, known) or (
                f'set it with `Given {name} is "…"`, or read the trigger with {{{{ trigger.{name} }}}}'
            )
            message = f"the answer names the variable {name!r}, which no step of this scenario sets; {hint}"
            raise StepError(call.place, message)

    def check_answers(self, act: CheckService, call: StepCall) -> None:
        """Whether the stand-in on a topic has answered: just so often, or at all; never, for 0."""
        state, times = self._state, act.times
        topic = str(state.render(act.topic, call))
        replies = [reply for reply in state.scope.replies if reply.trigger_topic == topic]
        if not replies:
            raise StepError(call.place, f"no stand-in of this scenario answers {topic!r}")
        answered = state.run(self._answers(replies, times))
        broken = next((reply.condition_error for reply in replies if reply.condition_error is not None), None)
        if broken is not None:
            raise CheckFailed(
                f"{call.place}: the condition of the service on {topic!r} raised {broken}: it says nothing"
            )
        if answered < 1 if times is None else answered != times:
            wanted = "at least once" if times is None else counted(times, "time")
            states = ", ".join(map(_deed_of, replies))
            often = counted(answered, "time")
            told = f"{call.place}: the service answered {topic!r} {often}, expected {wanted} ({states})"
            raise CheckFailed("\n".join([told, *dict.fromkeys(state.broken_answers)]))
        if times is not None and (failed := next(_broken(replies), None)):
            told = f"{call.place}: the service on {topic!r} was asked once more than it answered: {failed.failure}"
            raise CheckFailed("\n".join([told, *dict.fromkeys(state.broken_answers)]))

    async def _answers(self, replies: Sequence[Reply], wanted: int | None) -> int:
        """How often they have answered, once it is so often, and as long as one more could spoil an exact number."""
        scope, timeout_s = self._state.scope, self._state.settings.timeout_s

        def answered() -> int:
            return sum(reply.answers for reply in replies)

        least = 1 if wanted is None else wanted
        await scope.until(lambda: answered() >= least, scope.clock() + timeout_s)
        if wanted is not None and any(_may_answer(reply) for reply in replies):
            await scope.until(lambda: answered() > wanted, self._phase_began() + timeout_s)
        return answered()

    def _phase_began(self) -> float:
        """When the last message of the phase left; now, where steps of the user's own may have acted since."""
        plan, scope = self._state.plan, self._state.scope
        now, phase = scope.clock(), self._state.step.phase
        begun = next(step.index for step in plan.steps if step.phase == phase)
        sent = None if plan.has_foreign_step(begun, self._state.index) else scope.outbox.last_sent(now)
        return now if sent is None else sent


def unsent(replies: Iterable[Reply], topic: str, link: str | None) -> str | None:
    """Why a stand-in that nobody told to fail has not sent something on a topic, or under a pattern."""
    return next(
        (
            reply.failure
            for reply in _broken(replies)
            if link in (None, reply.plan.link) and overlap(topic, reply.plan.reply_topic)
        ),
        None,
    )


def _broken(replies: Iterable[Reply]) -> Iterator[Reply]:
    """Those that could not judge or answer a trigger, though nobody told them to fail."""
    return (each for each in replies if each.failure is not None and each.builder_error != StandInFailed.__name__)


def unanswered(replies: Iterable[Reply], asked: str | None) -> list[str]:
    """Why what the scenario plays itself has sent no reply to a request: it knows topics, and no inbox."""
    reply = next((each for each in replies if each.trigger_topic == asked and each.matches), None)
    if reply is None:
        return []
    if reply.is_handed_over:
        topic = reply.plan.reply_topic
        did = f"answered on {topic!r}, and a stand-in answers no inbox: expect {topic!r} instead"
    else:
        did = f"did not answer ({_deed_of(reply)})"
    return [f"the stand-in for {asked!r} of this scenario {did}"]


def _deed_of(reply: Reply) -> str:
    deed = deed_of(reply.state, reply.plan.reply_topic)
    return f"{deed} {reply.matches}" if reply.plan.is_silent and reply.matches else deed


def _require_one(body: PayloadBody, call: StepCall) -> None:
    if len(body.drafts) > 1:
        raise StepError(
            call.place,
            f"a stand-in answers with one message, and this table describes {len(body.drafts)}; write one message as "
            f"| field | value |, and a stand-in for each of the others",
        )


def _may_answer(reply: Reply) -> bool:
    """Whether it has an answer to come, or triggers to wait for."""
    return not reply.plan.is_silent and (reply.is_armed or reply.answers < reply.matches)

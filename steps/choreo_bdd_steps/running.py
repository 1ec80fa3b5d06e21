"""One Gherkin scenario at work: steps in, engine calls out. One scenario is one engine scope."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from choreo_bdd import observers
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.scenario import Handle, Outcome, ReplyPlan, ScenarioResult, Scope
from choreo_bdd.scenario.expectation import Expectation
from choreo_bdd.scenario.facade import finish
from choreo_bdd.scenario.replies import MAX_FIRINGS, Reply
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language.body import PayloadBody, parse_expectation
from choreo_bdd_steps.language.capture import lookup
from choreo_bdd_steps.language.durations import parse_duration
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.functions import Variables
from choreo_bdd_steps.language.templates import referenced_names, render
from choreo_bdd_steps.phrase import Match, StepCall
from choreo_bdd_steps.plan import ExpectationSpec, Plan, PlannedStep, make_plan

if TYPE_CHECKING:
    from choreo_bdd_steps.session import Session

T = TypeVar("T")

_SEND_TIMEOUT_S = 10.0
_LATE_GRACE_S = 0.25


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """A scenario as a test framework presents it: outline rows rendered, background included."""

    name: str
    nodeid: str
    steps: Sequence[StepCall]
    tags: Sequence[str] = ()
    """Outermost first: the feature's, the rule's, the scenario's own."""


@dataclass(slots=True)
class _Armed:
    """A check whose expectations listen already."""

    step: PlannedStep
    spec: ExpectationSpec
    handles: list[Handle]
    held: bool
    values: Mapping[str, Any] = field(repr=False)
    armed_at: int


class ScenarioRun:
    """The state of one running scenario. Its methods are what phrases are made of; all are plain functions."""

    def __init__(self, session: Session, info: ScenarioInfo) -> None:
        self._session = session
        self._info = info
        self._settings = _settings(session, info)
        self._plan: Plan = make_plan(info.steps, session.recognise_all(info.steps), session.config.default_transport)
        self._variables: dict[str, Any] = {}
        self._functions = Variables(self._variables, session.config.env_names)
        self._armed: dict[int, _Armed] = {}
        self._entered: set[int] = set()
        self._scope: Scope | None = None
        self._links: dict[str, str | None] = {}
        self._index = -1
        self.result: ScenarioResult | None = None

    # --- called by the adapters -----------------------------------------------------------------------------------

    def perform(self, index: int) -> None:
        """Carry out the step at this position."""
        step = self._plan.steps[index]
        if step.match is None:
            raise StepError(step.call.place, f"{step.call.text!r} is not a step of this vocabulary")
        with observers.running(self._info.nodeid):
            self._open(step.call)
            self._index = index
            self._listen_unasked(step)
            try:
                step.match.phrase.act(self, step.match)
            except BodyError as error:
                raise StepError(_body_place(step.call, error), str(error)) from error
            self._listen_unasked(step)
            self._judge_held()

    def finish(self) -> ScenarioResult | None:
        """Settle what is armed, leave the scope and report the scenario, once."""
        scope, self._scope = self._scope, None
        if scope is None:
            return None
        with observers.running(self._info.nodeid):
            self._scope = scope
            with contextlib.suppress(StepError):  # the check's own step was not reached, so nobody is to be told
                self._judge_held()
            self._scope = None
            self.result, completed = self._session.run(self._finish(scope))
            observers.emit(self.result, completed)
        return self.result

    def listen(self) -> None:
        """Arm what the scenario expects before it publishes anything itself; for a before-scenario hook."""
        if not self._plan.has_publish(0) and self._plan.checks(0):
            with observers.running(self._info.nodeid):
                self._open(self._plan.steps[0].call)

    # --- variables ------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> Mapping[str, Any]:
        """The scenario's variables by name."""
        return dict(self._variables)

    def set_variable(self, name: str, value: Any) -> None:
        """Set a variable for the steps that follow."""
        self._variables[name] = value

    def render(self, text: str, call: StepCall) -> Any:
        """A text with its templates filled in; ``StepError`` names a variable that is not known."""
        return self.read(call, lambda: render(text, self._functions))

    @staticmethod
    def read(call: StepCall, reader: Callable[[], T]) -> T:
        """What a reader of the body language makes of a step; its complaint gets the step's place."""
        try:
            return reader()
        except BodyError as error:
            raise StepError(_body_place(call, error), str(error)) from error

    def require_transport(self, name: str, call: StepCall) -> str | None:
        """The engine's link for a transport; ``StepError`` for one the profile does not have."""
        if name not in self._session.config.transports:
            known = ", ".join(sorted(self._session.config.transports))
            raise StepError(
                call.place,
                f"there is no transport {name!r} in profile {self._session.config.profile!r}; it has {known}",
            )
        return self._links.get(name)

    def captured(self, path: str, topic: str, call: StepCall) -> Any:
        """A field of the message that satisfied the last passed expectation on a topic."""
        wanted = self.render(topic, call)
        for armed in sorted(self._armed.values(), key=lambda each: -each.step.index):
            for handle in armed.handles:
                if armed.step.index < self._index and handle.topic == wanted and handle.messages:
                    return self.read(call, partial(lookup, path, handle.messages[0]))
        raise StepError(
            call.place, f"no earlier check of this scenario has taken a message on {wanted!r}; expect it first"
        )

    # --- acts -----------------------------------------------------------------------------------------------------

    def publish(self, match: Match, body: PayloadBody, *, count: int = 1, per_second: float | None = None) -> None:
        """Arm the phase if this begins it, prove it live, then publish; returns when the messages have left."""
        step, call = self._plan.steps[self._index], match.call
        link = self.require_transport(step.transport, call)
        topic = self.render(match.arg("topic"), call)
        key = match.args.get("key")
        rendered_key = None if key is None else str(self.render(key, call))
        outgoing = [
            message
            for index in range(count)
            for message in self.read(call, partial(body.build, self._functions, index=index))
        ]
        self._enter(step)

        async def send() -> None:
            assert self._scope is not None  # opened by perform()
            for position, message in enumerate(outgoing):
                if per_second is not None and position:
                    await asyncio.sleep(1 / per_second)
                ready = self._scope.publish(
                    topic, message.payload, link=link, headers=message.headers, key=rendered_key or message.key
                )
                if ready is not None:
                    await asyncio.wait_for(ready, _SEND_TIMEOUT_S)
            self._start_clocks(step)

        self._act(call, send())

    def stand_in(
        self, match: Match, *, body: PayloadBody | None = None, fails: bool = False, silent: bool = False
    ) -> None:
        """Arm a stand-in service."""
        step, call = self._plan.steps[self._index], match.call
        link = self.require_transport(step.transport, call)
        reply_transport = match.args.get("reply_transport")
        reply_link = link if reply_transport is None else self.require_transport(reply_transport, call)
        condition = match.args.get("condition")
        matcher = None
        if condition is not None:
            read = self.read(call, lambda: parse_expectation(None, None, condition, base_dir=call.folder))
            matcher = self.read(call, lambda: read.build(self._functions)[0])

        def answer(trigger: Any) -> Any:
            if fails or body is None:
                raise StandInFailed
            return body.build(self._functions.extended(trigger=trigger))[0].payload

        times, delay = match.args.get("times"), match.args.get("delay")
        reply = match.args.get("reply")
        plan = ReplyPlan(
            reply_topic="(nothing)" if reply is None else str(self.render(reply, call)),
            payload=answer,
            link=reply_link,
            times=MAX_FIRINGS if times is None else self.times(times),
            delay_s=0.0 if delay is None else parse_duration(delay),
            is_silent=silent,
        )
        topic = str(self.render(match.arg("topic"), call))

        async def arm() -> None:
            assert self._scope is not None  # opened by perform()
            self._scope.on(topic, matcher, plan, link=link)
            await self._scope.ready()

        self._act(call, arm())

    @staticmethod
    def times(text: str) -> int:
        """``once``, ``twice`` or ``3 times`` as a number."""
        return {"once": 1, "twice": 2}.get(text) or int(text.partition(" ")[0])

    def wait(self, seconds: float) -> None:
        """Let time pass on the engine's loop."""
        self._session.run(asyncio.sleep(seconds))

    def check(self, match: Match) -> None:
        """Wait for this step's own expectation and tell its verdict."""
        step = self._plan.steps[self._index]
        if isinstance(step.spec, BodyError):
            raise StepError(_body_place(match.call, step.spec), str(step.spec)) from step.spec
        if isinstance(step.spec, Exception):
            raise step.spec
        self.require_transport(step.transport, match.call)
        self._enter(step)
        armed = self._armed[step.index]
        armed.asserted = True
        self._supply(armed)
        self._session.run(self._await(armed))
        self._tell(armed)

    def check_answers(self, match: Match, times: int | None) -> None:
        """Whether the stand-in on a topic has answered: so often, or at all; never, for 0."""
        topic = str(self.render(match.arg("topic"), match.call))
        assert self._scope is not None  # opened by perform()
        replies = [reply for reply in self._scope.replies if reply.trigger_topic == topic]
        if not replies:
            raise StepError(match.call.place, f"no stand-in of this scenario answers {topic!r}")
        answered = self._session.run(self._answers(replies, 1 if times is None else times))
        if answered < 1 if times is None else answered != times:
            wanted = "at least once" if times is None else f"{times} time(s)"
            states = ", ".join(reply.state.value for reply in replies)
            raise CheckFailed(
                f"{match.call.place}: the service answered {topic!r} {answered} time(s), expected {wanted} ({states})"
            )

    # --- phases ---------------------------------------------------------------------------------------------------

    def _open(self, call: StepCall) -> None:
        """Enter the engine's scope with the first step of the library, and arm what is expected without a publish."""
        if self._scope is not None:
            return
        names = [name for name in self._plan.transports if name in self._session.config.transports]
        self._scope, self._links = self._session.open_scope(self._info.name, names, call, self._settings)
        first = self._plan.steps[0]
        if not self._plan.has_publish(0) and self._plan.checks(0):
            self._enter(first)

    def _enter(self, step: PlannedStep) -> None:
        """Begin a phase: arm every check of it and prove the subscriptions live."""
        if step.phase in self._entered:
            return
        self._entered.add(step.phase)
        arming = [self._prepare(step, check) for check in self._plan.checks(step.phase)]

        async def arm() -> None:
            for prepared in arming:
                if prepared is not None:
                    self._arm(*prepared)
            assert self._scope is not None  # opened by perform()
            await self._scope.ready()

        self._act(step.call, arm())

    def _prepare(self, now: PlannedStep, check: PlannedStep) -> tuple[PlannedStep, ExpectationSpec, str, bool] | None:
        spec = check.spec
        if not isinstance(spec, ExpectationSpec) or check.transport not in self._session.config.transports:
            return None  # its own step tells
        ahead = self._plan.assigned_between(now.index, check.index)
        unknown = sorted(
            name
            for name in self.read(check.call, lambda: referenced_names(spec.topic))
            if name in ahead or name not in self._variables
        )
        if unknown:
            raise StepError(
                check.call.place,
                f"the topic {spec.topic!r} names the variable {unknown[0]!r}, which is not known yet when its phase "
                f"begins at {now.call.place}; a topic must be known before anything is published",
            )
        held = any(name in ahead or name not in self._variables for name in spec.body.needs)
        return check, spec, str(self.render(spec.topic, check.call)), held

    def _arm(self, check: PlannedStep, spec: ExpectationSpec, topic: str, held: bool) -> None:
        assert self._scope is not None  # opened by perform()
        matchers: Sequence[Any] = [None] * spec.body.count
        if not held:
            try:
                matchers = spec.body.build(self._functions)
            except BodyError as error:
                raise StepError(_body_place(check.call, error), str(error)) from error
        handles = []
        for matcher in matchers:
            handle = self._scope.expect(
                topic,
                matcher,
                link=self._links.get(check.transport),
                occurs=spec.occurs,
                origin=check.call.place,
                step_text=check.call.text,
            )
            if spec.budget_s is not None:
                anchor = spec.budget_topic
                handle.within_ms(spec.budget_s * 1000, of=anchor and str(self.render(anchor, check.call)))
            handle.asserted = False
            handles.append(handle)
        self._armed[check.index] = _Armed(check, spec, handles, held, self._needed(spec))

    def _needed(self, spec: ExpectationSpec) -> dict[str, Any]:
        return {name: self._variables.get(name) for name in spec.body.needs}

    def _start_clocks(self, publish: PlannedStep) -> None:
        """Every deadline of the phase runs from its last publish, or from a later act of the user's own."""
        assert self._scope is not None  # opened by perform()
        sent = self._scope.outbox.last_sent(self._scope.clock()) or self._scope.clock()
        for armed in self._armed.values():
            if armed.step.phase != publish.phase:
                continue
            waits_for_user = self._plan.has_foreign_step(publish.index, armed.step.index)
            if armed.spec.occurs.waits_the_window_out or not waits_for_user:
                self._close(armed, sent)

    def _close(self, armed: _Armed, start: float) -> None:
        assert self._scope is not None  # opened by perform()
        for handle in armed.handles:
            self._scope.close_at(handle, start + self._patience_s(armed.spec))

    def _patience_s(self, spec: ExpectationSpec) -> float:
        if spec.window_s is not None:
            return spec.window_s
        return max(self._settings.timeout_s, spec.budget_s or 0.0)

    # --- verdicts -------------------------------------------------------------------------------------------------

    def _supply(self, armed: _Armed) -> None:
        if not armed.held:
            if armed.values != self._needed(armed.spec):
                raise StepError(
                    armed.step.call.place,
                    "a variable of this check was changed by Python code after the phase had begun; set it before "
                    "the publish, so that the check means one thing from beginning to end",
                )
            return
        matchers = self.read(armed.step.call, lambda: armed.spec.body.build(self._functions))

        async def supply() -> None:
            assert self._scope is not None  # opened by perform()
            for handle, matcher in zip(armed.handles, matchers, strict=True):
                self._scope.supply(handle, matcher)

        self._session.run(supply())

    async def _await(self, armed: _Armed) -> None:
        scope = self._scope
        assert scope is not None  # opened by perform()
        expectations = [scope.expectation_of(handle) for handle in armed.handles]
        if any(each.closes_at is None for each in expectations):
            self._close(armed, scope.clock())
        for each in expectations:
            assert each.closes_at is not None  # set just now
            await scope.wait([each.handle], each.closes_at)
            scope.verdicts.expire(each, timeout_ms=self._patience_s(armed.spec) * 1000)
            if each.handle.outcome is Outcome.TIMEOUT:
                await scope.until(partial(_is_late, each), scope.clock() + _LATE_GRACE_S)

    def _tell(self, armed: _Armed) -> None:
        for handle in armed.handles:
            handle.asserted = True
        failed = [handle for handle in armed.handles if handle.outcome is not Outcome.PASS]
        if all(handle.outcome is Outcome.SLOW for handle in failed) and self._settings.slow == "warn":
            return
        raise_for = [_verdict_text(handle) for handle in failed]
        if raise_for:
            raise CheckFailed("\n".join(raise_for))

    async def _answers(self, replies: Sequence[Reply], wanted: int) -> int:
        scope = self._scope
        assert scope is not None  # opened by perform()

        def answered() -> int:
            return sum(reply.answers for reply in replies)

        if wanted:
            await scope.until(lambda: answered() >= wanted, scope.clock() + self._settings.timeout_s)
        return answered()

    async def _finish(self, scope: Scope) -> tuple[ScenarioResult, bool]:
        """Unasserted expectations still get their true verdict; those nothing was published for are aborted."""
        completed = True
        for armed in self._armed.values():
            for handle in armed.handles:
                expectation = scope.expectation_of(handle)
                if expectation.closes_at is None or expectation.matcher is None:
                    completed = completed and handle.outcome is not Outcome.PENDING
                    scope.verdicts.abort(expectation, "the scenario ended before this check could be decided")
                    continue
                await scope.wait([handle], expectation.closes_at)
                scope.verdicts.expire(expectation)
        result = finish(scope, aborted=not completed)
        scope.close()
        return result, completed

    def _act(self, call: StepCall, work: Any) -> None:
        """Run work on the engine's loop; what goes wrong there gets the step's place."""
        try:
            self._session.run(work)
        except (StepError, CheckFailed):
            raise
        except TimeoutError as error:
            raise StepError(
                call.place, f"the broker did not confirm the message within {_SEND_TIMEOUT_S:g} s"
            ) from error
        except ChoreoError as error:
            raise StepError(call.place, str(error)) from error
        except (TypeError, ValueError, RuntimeError) as error:
            raise StepError(call.place, f"{type(error).__name__}: {error}") from error


class StandInFailed(ChoreoError):
    """A stand-in told to fail has done so."""


def _is_late(expectation: Expectation) -> bool:
    return expectation.late_at is not None


def _body_place(call: StepCall, error: BodyError) -> str:
    """The line inside the body, where the error knows it: the doc string begins two lines below its step."""
    if error.line is None:
        return call.place
    return f"{call.file}:{call.line + error.line + (1 if call.docstring is not None else 0)}"


def _verdict_text(handle: Handle) -> str:
    diagnosis = handle.diagnosis
    details = diagnosis.text if diagnosis is not None else handle.reason
    return f"[{handle.outcome.value.upper()}] {handle.step_text}  ({handle.origin})\n{details}"

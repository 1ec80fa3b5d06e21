"""One Gherkin scenario at work: steps in, engine calls out. One scenario is one engine scope."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from choreo_bdd import observers
from choreo_bdd.config import ConfigError
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.scenario import Handle, Outcome, ReplyPlan, ScenarioResult, Scope
from choreo_bdd.scenario.expectation import Expectation
from choreo_bdd.scenario.facade import finish
from choreo_bdd.scenario.replies import MAX_FIRINGS, Reply
from choreo_bdd.scenario.skipped import merge_skipped
from choreo_bdd.stage import StageScenarioResult
from choreo_bdd.stage.result import stage_result
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
    from choreo_bdd_steps.session import Session, Settings

T = TypeVar("T")

AnyResult = ScenarioResult | StageScenarioResult
SHARED_ID = "SharedId"
"""How reports name the bridge of a scenario over several transports: one id, behind each transport's prefix."""

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
    topic: str
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
        self._index = self._done = -1
        self.result: AnyResult | None = None

    # --- called by the adapters -----------------------------------------------------------------------------------

    def perform(self, index: int) -> None:
        """Carry out the step at this position."""
        step = self._plan.steps[index]
        if step.match is None:
            raise StepError(step.call.place, f"{step.call.text!r} is not a step of this vocabulary")
        self._index = index
        with observers.running(self._info.nodeid):
            self._open(step.call)
            self._listen_early(step.call)
            try:
                step.match.phrase.act(self, step.match)
            except BodyError as error:
                raise StepError(_body_place(step.call, error), str(error)) from error
            self._done = index
            self._listen_early(step.call)
            self._judge_held()

    def finish(self) -> AnyResult | None:
        """Settle what is armed, leave the scope and report the scenario, once."""
        if self._scope is None:
            return None
        with observers.running(self._info.nodeid):
            with contextlib.suppress(StepError):  # of a check whose step was not reached nobody has to be told
                self._judge_held()
            scope, self._scope = self._scope, None
            self.result, completed = self._session.run(self._finish(scope))
            observers.emit(self.result, completed)
        return self.result

    def listen(self) -> None:
        """Arm what the scenario expects before it publishes anything itself; for a before-scenario hook."""
        if not self._plan.has_publish(0) and self._plan.checks(0):
            with observers.running(self._info.nodeid):
                self._open(self._plan.steps[0].call)
                self._listen_early(self._plan.steps[0].call)

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
            for message in chain.from_iterable(handle.messages for handle in armed.handles):
                if armed.step.index < self._index and wanted in (armed.topic, message.topic):
                    return self.read(call, partial(lookup, path, message))
        raise StepError(
            call.place, f"no earlier check of this scenario has taken a message on {wanted!r}; expect it first"
        )

    # --- acts -----------------------------------------------------------------------------------------------------

    def publish(
        self, match: Match, body: PayloadBody, *, count: int | None = None, per_second: float | None = None
    ) -> None:
        """Arm the phase if this begins it, prove it live, then publish; returns when the messages have left.

        With a ``count`` it is a burst, whose bodies may use ``index``.
        """
        step, call = self._plan.steps[self._index], match.call
        link = self.require_transport(step.transport, call)
        topic = self.render(match.arg("topic"), call)
        key = match.args.get("key")
        rendered_key = None if key is None else str(self.render(key, call))
        outgoing = [
            message
            for extra in ([{}] if count is None else [{"index": index} for index in range(count)])
            for message in self.read(call, partial(body.build, self._functions, **extra))
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

        if body is not None:
            self._require_settable(body.needs, call)
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

    def _require_settable(self, needs: frozenset[str], call: StepCall) -> None:
        """An answer may name variables of later steps, but not one that nobody sets."""
        end = len(self._plan.steps)
        later = self._plan.assigned_between(self._index, end)
        missing = sorted(needs - {"trigger", "index"} - later - self._variables.keys())
        if missing and not self._plan.has_foreign_step(self._index, end):
            raise StepError(
                call.place,
                f"the answer names the variable {missing[0]!r}, which no step of this scenario sets; set it with "
                f'`Given {missing[0]} is "…"`, or read the trigger with {{{{ trigger.{missing[0]} }}}}',
            )

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
        armed = self._armed.get(step.index)
        if armed is None:
            raise self._unheard(step)
        self._require_early(armed)
        self._supply(armed)
        self._session.run(self._await(armed))
        self._tell(armed)

    def _unheard(self, step: PlannedStep) -> StepError:
        assert isinstance(step.spec, ExpectationSpec)  # check() has asked
        if not self._plan.has_publish(step.phase):
            self._require_topic(step, step.spec, "yet")
        return StepError(step.call.place, "nothing listens for this check: the step that begins its phase has failed")

    def _require_early(self, armed: _Armed) -> None:
        """A check that began to listen only after the user's own steps had acted could miss what it is about."""
        step, begun, plan = armed.step, armed.armed_at, self._plan
        acted_before = begun > 0 and plan.has_foreign_step(-1, begun)
        if acted_before and not plan.has_publish(step.phase) and not plan.has_foreign_step(begun, step.index):
            raise StepError(
                step.call.place,
                f"this check began to listen at {plan.steps[begun].call.place}, after steps of your own that may have "
                f"caused its message. Set the variables of its topic before them; under behave, let environment.py "
                f"call choreo_bdd_steps.adapters.behave.before_scenario(context), too",
            )

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
        """Enter the engine's scope with the first step of the library."""
        if self._scope is None:
            names = [name for name in self._plan.transports if name in self._session.config.transports]
            opened = self._session.open_scope(self._info.name, names, call)
            self._scope, self._links = opened.scope, opened.links

    def _enter(self, publish: PlannedStep) -> None:
        """Begin a phase: arm every check of it and prove the subscriptions live."""
        if publish.phase in self._entered:
            return
        self._entered.add(publish.phase)
        checks = self._unarmed(publish.phase)
        for check, spec in checks:
            self._require_topic(check, spec, f"when its phase begins at {publish.call.place}")
        self._listen_to(checks, publish.call)

    def _listen_early(self, call: StepCall) -> None:
        """Where the scenario publishes nothing itself, a check listens from the moment its topic is known."""
        if not self._plan.has_publish(0):
            known = [(check, spec) for check, spec in self._unarmed(0) if not self._unknown_in_topic(check, spec)]
            if known:
                self._listen_to(known, call)

    def _unarmed(self, phase: int) -> list[tuple[PlannedStep, ExpectationSpec]]:
        """Checks of a phase that nothing listens for; of those that cannot be read their own steps tell."""
        known = self._session.config.transports
        return [
            (check, check.spec)
            for check in self._plan.checks(phase)
            if isinstance(check.spec, ExpectationSpec) and check.transport in known and check.index not in self._armed
        ]

    def _unknown(self, names: frozenset[str], check: PlannedStep) -> list[str]:
        """Variables a check needs that are not known yet, or that steps before it will set anew."""
        ahead = self._plan.assigned_between(self._done, check.index)
        return sorted(name for name in names if name in ahead or name not in self._variables)

    def _unknown_in_topic(self, check: PlannedStep, spec: ExpectationSpec) -> list[str]:
        return self._unknown(self.read(check.call, lambda: referenced_names(spec.topic)), check)

    def _require_topic(self, check: PlannedStep, spec: ExpectationSpec, when: str) -> None:
        unknown = self._unknown_in_topic(check, spec)
        if unknown:
            raise StepError(
                check.call.place,
                f"the topic {spec.topic!r} names the variable {unknown[0]!r}, which is not known {when}; a topic must "
                f"be known before anything happens on it",
            )

    def _listen_to(self, checks: Sequence[tuple[PlannedStep, ExpectationSpec]], call: StepCall) -> None:
        for check, spec in checks:
            self._warn_of_budget(check, spec)

        async def arm() -> None:
            for check, spec in checks:
                self._arm(check, spec)
            assert self._scope is not None  # opened by perform()
            await self._scope.ready()

        self._act(call, arm())

    def _warn_of_budget(self, check: PlannedStep, spec: ExpectationSpec) -> None:
        if spec.budget_s is not None and spec.budget_s > self._settings.timeout_s:
            warnings.warn(
                f"{check.call.place}: the budget of {spec.budget_s:g} s is longer than the timeout of "
                f"{self._settings.timeout_s:g} s, which is raised to it for this check; see @timeout(…)",
                stacklevel=2,
            )

    def _arm(self, check: PlannedStep, spec: ExpectationSpec) -> None:
        assert self._scope is not None  # opened by perform()
        topic = str(self.render(spec.topic, check.call))
        held = bool(self._unknown(spec.body.needs, check))
        matchers = [None] * spec.body.count if held else self.read(check.call, lambda: spec.body.build(self._functions))
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
        self._armed[check.index] = _Armed(check, spec, topic, handles, held, self._needed(spec), self._index)

    def _needed(self, spec: ExpectationSpec) -> dict[str, Any]:
        return {name: self._variables.get(name) for name in spec.body.needs}

    def _start_clocks(self, publish: PlannedStep) -> None:
        """Every deadline of the phase runs from its last publish, or from a later act of the user's own."""
        if not self._plan.is_last_publish(publish):
            return
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
        armed.held, armed.values = False, self._needed(armed.spec)

        async def supply() -> None:
            assert self._scope is not None  # opened by perform()
            for handle, matcher in zip(armed.handles, matchers, strict=True):
                self._scope.supply(handle, matcher)

        self._session.run(supply())

    def _judge_held(self) -> None:
        """Checks that waited for a variable are judged as soon as it is known for good."""
        for armed in self._armed.values():
            if armed.held and not self._unknown(armed.spec.body.needs, armed.step):
                self._supply(armed)

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
        elif any(reply.is_armed and not reply.plan.is_silent for reply in replies):
            await scope.until(lambda: answered() > 0, self._phase_began() + self._settings.timeout_s)
        return answered()

    def _phase_began(self) -> float:
        """When the last message of the phase left; now, where steps of the user's own may have acted since."""
        assert self._scope is not None  # opened by perform()
        now = self._scope.clock()
        phase = self._plan.steps[self._index].phase
        begun = next(step.index for step in self._plan.steps if step.phase == phase)
        sent = None if self._plan.has_foreign_step(begun, self._index) else self._scope.outbox.last_sent(now)
        return now if sent is None else sent

    async def _finish(self, scope: Scope) -> tuple[AnyResult, bool]:
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
        result = self._result_of(scope, aborted=not completed)
        scope.close()
        return result, completed

    @staticmethod
    def _result_of(scope: Scope, *, aborted: bool) -> AnyResult:
        if None in scope.links:
            return finish(scope, aborted=aborted)
        merge_skipped(scope, lambda wire, _transport: wire)
        return stage_result(scope, bridge_class=SHARED_ID, aborted=aborted)

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


def _settings(session: Session, info: ScenarioInfo) -> Settings:
    try:
        return session.settings_for(info.tags)
    except ConfigError as error:
        raise StepError(info.steps[0].place if info.steps else info.nodeid, str(error)) from error


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

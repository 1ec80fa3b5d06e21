"""One Gherkin scenario at work: steps in, engine calls out. One scenario is one engine scope."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from choreo_bdd import observers
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.redaction import Redactor
from choreo_bdd.scenario import Scope
from choreo_bdd.scenario.result import acquainted
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.plan import vacuity
from choreo_bdd_steps.plan.plan import Plan, PlannedStep
from choreo_bdd_steps.plan.settings import misspelt_tag
from choreo_bdd_steps.run.acting import Acting, UndeclaredAct, undeclared
from choreo_bdd_steps.run.arming import Arming, require_readable
from choreo_bdd_steps.run.calling import Calling
from choreo_bdd_steps.run.checking import AnyResult, Checking
from choreo_bdd_steps.run.opening import Opener, ScenarioInfo
from choreo_bdd_steps.run.perform import Performer
from choreo_bdd_steps.run.sending import Sending
from choreo_bdd_steps.run.services import StandIns
from choreo_bdd_steps.run.state import State
from choreo_bdd_steps.run.unasserted import never_asserted
from choreo_bdd_steps.services.scenario_services import ScenarioServices
from choreo_bdd_steps.vocabulary.reading import body_error

__all__ = ["AnyResult", "ScenarioInfo", "ScenarioRun"]


_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


def _of_this_scenario(
    work: Callable[Concatenate[ScenarioRun, _Given], _Returned],
) -> Callable[Concatenate[ScenarioRun, _Given], _Returned]:
    """What happens meanwhile is this scenario's; an error is cleared of all that its messages show to be secret."""

    @wraps(work)
    def done(run: ScenarioRun, /, *arguments: _Given.args, **named: _Given.kwargs) -> _Returned:
        with observers.running(run._state.info.nodeid):
            try:
                return work(run, *arguments, **named)
            except ChoreoError as error:
                error.args = (run._without_secrets(error),)
                raise

    return done


class ScenarioRun:
    """One running scenario. All methods are plain functions."""

    def __init__(self, session: Opener, info: ScenarioInfo) -> None:
        self._state = State(session, info)
        self._services = ScenarioServices(session.services)
        self._arming = Arming(self._state)
        self._checking = Checking(self._state, self._arming)
        self._acting = Acting(self._state, self._arming)
        self._performer = Performer(
            self._state,
            Sending(self._state, self._arming),
            Calling(self._state, self._arming),
            self._checking,
            StandIns(self._state),
        )
        self.result: AnyResult | None = None
        self._name_misspelt_tags()

    # --- called by the adapters -----------------------------------------------------------------------------------

    @_of_this_scenario
    def perform(self, index: int) -> None:
        """Carry out the step at this position."""
        state = self._state
        step = state.plan.steps[index]
        if step.act is None:
            raise StepError(step.call.place, f"{step.call.text!r} is not a step of this vocabulary")
        self._reach(index)
        warning = vacuity.guard(state.plan, step, state.session.config.vacuity)
        self._arming.listen_early(step.call)
        require_readable(step)
        self._name_undeclared(step)
        try:
            self._performer.perform(step.act, step.call)
        except BodyError as error:
            raise body_error(step.call, error) from error
        state.done = index
        self._arming.listen_early(step.call)
        self._checking.judge_held()
        if warning is not None:  # only now: that it proves nothing is no news of a step that fails
            self._warn_of(warning)

    def begin_act(self, index: int) -> None:
        """Before a step of the user's own that is declared an act: arm what follows."""
        state = self._state
        with observers.running(state.info.nodeid):
            self._reach(index)
            self._acting.begin(state.step)

    def end_act(self) -> None:
        """After it: from here times count, unless the act has said from where."""
        state = self._state
        step = state.step
        with observers.running(state.info.nodeid):
            self._acting.end(step)
            state.done = step.index
            self._checking.judge_held()
            warning = vacuity.guard(state.plan, step, state.session.config.vacuity)
            if warning is not None:
                self._warn_of(warning)

    def fail_act(self, error: BaseException) -> None:
        """Instead, when the step has failed: the report has the act all the same."""
        self._acting.fail(self._state.step, error)

    @property
    def plan(self) -> Plan:
        """What the scenario will do."""
        return self._state.plan

    def is_act(self, index: int) -> bool:
        """Whether the step at this position is an act of the user's own."""
        return self._state.plan.steps[index].is_own_act

    def _reach(self, index: int) -> None:
        state = self._state
        state.index = index
        state.open(state.step.call)
        state.reached[index] = state.session.time()

    def _name_misspelt_tags(self) -> None:
        info, session = self._state.info, self._state.session
        for tag, told in ((tag, misspelt_tag(tag)) for tag in info.tags):
            if told is not None and session.hints(f"@{tag}"):
                place = info.steps[0].place if info.steps else info.nodeid
                session.warn(f"{place}: {told}")

    def _name_undeclared(self, check: PlannedStep) -> None:
        step = self._state.plan.counted_over(check)
        if step is not None and self._state.session.hints(f"{UndeclaredAct.__name__} {step.call.text}"):
            self._state.session.warn(undeclared(step, check), UndeclaredAct)

    @_of_this_scenario
    def finish(self, *, passed: int | None = None, at_once: bool = False) -> AnyResult | None:
        """Settle what is armed, leave the scope and report the scenario, once.

        ``passed`` is how many steps, from the first, are known to have passed, the user's own included. Where the
        run is broken off it ends ``at_once``, with the verdicts there are. Raises ``StepError``, when all
        that is done, for an expectation nobody asserted, where that is an error.
        """
        state = self._state
        if not state.is_open:
            return None
        done = state.done + 1 if passed is None else passed
        unasserted = [*self._unasserted(state.scope, done), *self._without_services(done)]
        with contextlib.suppress(StepError):  # of a check whose step was not reached nobody has to be told
            self._checking.judge_held()
        try:
            result, completed = state.run(self._checking.finish(at_once=at_once))
            if not at_once:
                state.let_services_tell()
            spans = (*self._acting.spans, *state.spans)
            self.result = replace(result, spans=spans) if spans else result
            state.session.note_channels(state.scope)
        finally:
            state.leave()
        observers.emit(self.result, completed)
        if observers.wants_recordings():
            self._keep_recording(self.result, passed)
        for each in unasserted:
            self._require_no(each)
        return self.result

    def _keep_recording(self, result: AnyResult, passed: int | None) -> None:
        """What a failing scenario has sent and heard is kept: its checks can be judged anew without a broker."""
        from choreo_bdd_steps.recording import FAILED, PASSED, RECORD, Recording, as_line  # noqa: PLC0415 - as in Session.taken_down

        state = self._state
        steps = state.plan.steps
        failed = not result.passed or (passed is not None and passed < len(steps))
        taken = state.session.taken_down()
        if taken is None or not (failed or os.environ.get(RECORD) == "all"):
            return
        recording = Recording(
            nodeid=state.info.nodeid,
            scenario=state.info.nodeid_in_feature or state.info.nodeid,
            feature=steps[0].call.file,
            line=steps[0].call.line,
            profile=state.session.config.profile,
            outcome=FAILED if failed else PASSED,
            links=taken.links,
            tokens=taken.tokens,
            acts={index: max(0.0, at - taken.begun) for index, at in state.acts.items()},
            reached={index: max(0.0, at - taken.begun) for index, at in state.reached.items()},
            steps=len(steps),
            variables=dict(state.variables),
        )
        observers.keep_recording(as_line(recording, self.redactor()))

    def _unasserted(self, scope: Scope, passed: int) -> list[vacuity.VacuousStep]:
        if self._state.session.config.vacuity == "ignore":
            return []
        handles = [expectation.handle for expectation in scope.expectations]
        return list(never_asserted(self._state.plan, self._state.armed.values(), handles, passed=passed))

    def _without_services(self, passed: int) -> Iterator[vacuity.VacuousStep]:
        plan = self._state.plan
        if passed == len(plan.steps) and self._state.session.config.vacuity != "ignore":
            for how in self._services.deaths():
                told = self.redactor().text(f"this scenario has passed, but {how}")
                yield vacuity.VacuousStep(plan.steps[0].call.place, told)

    def note_vacuous(self, place: str, reason: str = vacuity.NO_STEPS) -> None:
        """Say of a scenario without steps, or of an outline without rows, that it proves nothing."""
        if self._state.session.config.vacuity != "ignore":
            self._require_no(vacuity.VacuousStep(place, reason))

    def _require_no(self, vacuous: vacuity.VacuousStep) -> None:
        if self._state.session.config.vacuity == "error":
            raise StepError(vacuous.place, vacuous.reason)
        self._warn_of(vacuous)

    def _warn_of(self, vacuous: vacuity.VacuousStep) -> None:
        self._state.session.note_vacuous(self._state.info.nodeid, vacuous)

    @_of_this_scenario
    def listen(self) -> None:
        """Arm what the scenario expects before it publishes anything itself; for a before-scenario hook."""
        plan = self._state.plan
        if not plan.has_trigger(0) and plan.checks(0):
            self._state.open(plan.steps[0].call)
            self._arming.listen_early(plan.steps[0].call)

    def _without_secrets(self, error: ChoreoError) -> str:
        return self.redactor().text(f"{error}{self._services.told()}")

    @property
    def length(self) -> int:
        """How many steps it has."""
        return len(self._state.plan.steps)

    def service_lines(self) -> str:
        """What the services of choreo.yaml have written since this scenario began; empty where that is nothing."""
        return self._services.everything()

    def redactor(self) -> Redactor:
        """One that knows every value under a secret key of this scenario's messages so far."""
        scope = self.scope
        if scope is None:
            return Redactor() if self.result is None else acquainted(self.result.handles, self.result.timeline)
        return acquainted([each.handle for each in scope.expectations], scope.timeline.entries())

    # --- for steps of the user's own -------------------------------------------------------------------------------

    def mark(self) -> None:
        """In a step declared with ``@act``: have budgets and absences count from now, not from the step's end."""
        self._acting.mark()

    @property
    def scope(self) -> Scope | None:
        """The engine's scope while the scenario runs; ``None`` before its first library step and after its end."""
        return self._state.scope if self._state.is_open else None

    @property
    def correlation_id(self) -> str:
        """The scenario's id, as messages carry it; of the default transport where prefixes differ.

        Once the scenario has written an id itself, that one.
        """
        if not self._state.correlation_id:
            self._state.open(self._state.plan.steps[0].call)
        return self._state.correlation_id

    @property
    def variables(self) -> Mapping[str, Any]:
        """The scenario's variables by name."""
        return dict(self._state.variables)

    def set_variable(self, name: str, value: Any) -> None:
        """Set a variable for the steps that follow."""
        self._state.variables[name] = value

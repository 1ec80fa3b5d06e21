"""One Gherkin scenario at work: steps in, engine calls out. One scenario is one engine scope."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from choreo_bdd import observers
from choreo_bdd.scenario import Scope
from choreo_bdd_steps import vacuity
from choreo_bdd_steps.arming import Arming
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.judging import AnyResult, Judging
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.phrase import StepCall
from choreo_bdd_steps.sending import Sending
from choreo_bdd_steps.stand_ins import StandIns
from choreo_bdd_steps.state import ScenarioInfo, State, body_error

if TYPE_CHECKING:
    from choreo_bdd_steps.session import Session

__all__ = ["AnyResult", "ScenarioInfo", "ScenarioRun"]


class ScenarioRun:
    """One running scenario, and what phrases are made of: ``sending``, ``judging`` and ``stand_ins``.

    All methods are plain functions.
    """

    def __init__(self, session: Session, info: ScenarioInfo) -> None:
        self._state = State(session, info)
        self._arming = Arming(self._state)
        self.sending = Sending(self._state, self._arming)
        self.judging = Judging(self._state, self._arming)
        self.stand_ins = StandIns(self._state)
        self.result: AnyResult | None = None

    # --- called by the adapters -----------------------------------------------------------------------------------

    def perform(self, index: int) -> None:
        """Carry out the step at this position."""
        state = self._state
        step = state.plan.steps[index]
        if step.match is None:
            raise StepError(step.call.place, f"{step.call.text!r} is not a step of this vocabulary")
        state.index = index
        with observers.running(state.info.nodeid):
            state.open(step.call)
            warning = vacuity.guard(state.plan, step, state.session.config.vacuity)
            self._arming.listen_early(step.call)
            try:
                step.match.phrase.act(self, step.match)
            except BodyError as error:
                raise body_error(step.call, error) from error
            state.done = index
            self._arming.listen_early(step.call)
            self.judging.judge_held()
            if warning is not None:  # only now: that it proves nothing is no news of a step that fails
                state.session.warnings.append(warning)
                warnings.warn(warning, vacuity.VacuityWarning, stacklevel=2)

    def finish(self) -> AnyResult | None:
        """Settle what is armed, leave the scope and report the scenario, once."""
        state, scope = self._state, self._state.opened
        if scope is None:
            return None
        with observers.running(state.info.nodeid):
            with contextlib.suppress(StepError):  # of a check whose step was not reached nobody has to be told
                self.judging.judge_held()
            state.opened = None
            self.result, completed = state.run(self.judging.finish(scope))
            state.session.note_channels(scope)
            observers.emit(self.result, completed)
        return self.result

    def listen(self) -> None:
        """Arm what the scenario expects before it publishes anything itself; for a before-scenario hook."""
        plan = self._state.plan
        if not plan.has_publish(0) and plan.checks(0):
            with observers.running(self._state.info.nodeid):
                self._state.open(plan.steps[0].call)
                self._arming.listen_early(plan.steps[0].call)

    # --- for phrases, and for steps of the user's own --------------------------------------------------------------

    @property
    def scope(self) -> Scope | None:
        """The engine's scope while the scenario runs; ``None`` before its first library step and after its end."""
        return self._state.opened

    @property
    def variables(self) -> Mapping[str, Any]:
        """The scenario's variables by name."""
        return dict(self._state.variables)

    def set_variable(self, name: str, value: Any) -> None:
        """Set a variable for the steps that follow."""
        self._state.variables[name] = value

    def render(self, text: str, call: StepCall) -> Any:
        """A text with its templates filled in; ``StepError`` names a variable that is not known."""
        return self._state.render(text, call)

    def require_transport(self, name: str, call: StepCall) -> None:
        """``StepError`` for a transport the profile does not have."""
        self._state.require_transport(name, call)

    def wait(self, seconds: float) -> None:
        """Let time pass on the engine's loop."""
        self._state.run(asyncio.sleep(seconds))

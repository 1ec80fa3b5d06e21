"""Acts of the user's own: what follows listens before they run, and time counts from their end."""

from __future__ import annotations

import time

from choreo_bdd.traces.spans import TEXT_CHARACTERS, Span
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.plan.plan import PlannedStep
from choreo_bdd_steps.run.arming import Arming
from choreo_bdd_steps.run.state import State


class UndeclaredAct(UserWarning):
    """A budget counts over a step of the user's own, which may be what makes the message come."""


class Acting:
    """The acts of one scenario that are not the library's."""

    def __init__(self, state: State, arming: Arming) -> None:
        self._state = state
        self._arming = arming
        self._is_marked = False
        self._began_at: float | None = None
        self._anchored_at = 0.0
        self.spans: list[Span] = []
        """The acts so far, for the waterfall: each from its beginning to where times count from, in epoch seconds."""

    def begin(self, step: PlannedStep) -> None:
        """Arm the phase if this begins it, and prove it live."""
        state, checks = self._state, self._arming.enter(step)
        self._is_marked = False

        async def begin() -> None:
            await self._arming.listen_to(checks)
            await state.scope.ready()
            state.scope.outbox.begin_act()

        state.act(step.call, begin())
        self._began_at = time.time()

    def mark(self) -> None:
        """Have times count from now. Raises ``StepError`` outside an act."""
        state, step = self._state, self._state.step if self._state.index >= 0 else None
        if step is None or not step.is_own_act or state.done >= step.index:
            place = state.info.nodeid if step is None else step.call.place
            raise StepError(
                place,
                "mark() says from when on an act counts, and no step that is declared one is under way: write @act "
                "(from choreo_bdd_steps import act) above its function",
            )
        self._is_marked = True
        self._anchor(state.scope.clock())

    def end(self, step: PlannedStep) -> None:
        """Start the clocks of the phase, from here or from where the act was marked."""
        state = self._state
        if not self._is_marked:
            self._anchor(state.scope.clock())

        async def start() -> None:
            self._arming.start_clocks(step)

        state.act(step.call, start())
        self._tell(step, self._anchored_at, None)

    def fail(self, step: PlannedStep, error: BaseException) -> None:
        """Keep an act that did not end well for the waterfall."""
        self._tell(step, time.time(), f"{type(error).__name__}: {error}")

    def _tell(self, step: PlannedStep, ended_at: float, error: str | None) -> None:
        began_at, self._began_at = self._began_at, None
        if began_at is not None:  # else its phase could not be armed
            text, cut = step.call.text[:TEXT_CHARACTERS], None if error is None else error[:TEXT_CHARACTERS]
            own_id = f"{step.index + 1:016x}"
            self.spans.append(Span("", own_id, "", "", text, "act", began_at, ended_at, error=cut))

    def _anchor(self, moment: float) -> None:
        outbox = self._state.scope.outbox
        self._anchored_at = time.time()
        self._state.acts[self._state.index] = moment

        async def anchor() -> None:
            outbox.count_from(moment)

        self._state.run(anchor())


def undeclared(step: PlannedStep, check: PlannedStep) -> str:
    """What to tell of a step of the user's own that the budget of a check counts over."""
    return (
        f"{check.call.place}: this budget counts over {step.call.text!r} ({step.call.place}), a step of your own. If "
        f"that step makes the message come, write @act (from choreo_bdd_steps import act) above its function: then "
        f"the time counts from its end"
    )

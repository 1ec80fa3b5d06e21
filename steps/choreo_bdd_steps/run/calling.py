"""Calling a service over HTTP: what follows listens before the request leaves, and time counts from its answer."""

from __future__ import annotations

from functools import partial

from choreo_bdd.scenario.facade import call as call_for_answer
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.run.arming import Arming
from choreo_bdd_steps.run.sending import adopt_written
from choreo_bdd_steps.run.state import State
from choreo_bdd_steps.vocabulary.acts import Call
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import read


class Calling:
    """Makes the calls of one scenario."""

    def __init__(self, state: State, arming: Arming) -> None:
        self._state = state
        self._arming = arming

    def call(self, act: Call, call: StepCall) -> None:
        """Arm the phase if this begins it, and what checks the answer; then call, and wait for the whole answer."""
        state, step = self._state, self._state.step
        link = state.require_called(step, call)
        body = read(call, act.body.read)
        path = str(state.render(act.path, call))
        if not path.startswith("/"):
            raise StepError(call.place, f"the path {path!r} begins with no /")
        topic = f"{act.method} {path}"
        state.require_carried(step.transport, topic, body.around)
        messages = read(call, partial(body.build, state.functions))
        if len(messages) != 1:
            raise StepError(
                call.place,
                f"this table makes {len(messages)} bodies, one a row, and a call has one; begin the table with "
                f"| field | value |",
            )
        (message,) = messages
        adopt_written(state, messages, topic, step.transport)
        checks = self._arming.enter(step)
        responses = [
            (check, check.spec)
            for check in state.plan.checks_of_response(step)
            if check.spec is not None and check.index not in state.armed
        ]

        async def carry_out() -> None:
            await self._arming.listen_to([*checks, *responses])
            state.response = None
            state.response = await call_for_answer(
                state.scope, topic, message.payload, link=link, headers=message.headers
            )
            self._arming.answered(responses)
            self._arming.start_clocks(step)

        state.act(call, carry_out())

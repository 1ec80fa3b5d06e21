"""Carrying an act out: the one place that knows what a running scenario does for each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any, NamedTuple, assert_never

from choreo_bdd_steps.language.templates.functions import new_uuid
from choreo_bdd_steps.run.calling import Calling
from choreo_bdd_steps.run.checking import Checking
from choreo_bdd_steps.run.sending import Sending
from choreo_bdd_steps.run.services import StandIns
from choreo_bdd_steps.run.state import State
from choreo_bdd_steps.vocabulary.acts import (
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
    SetText,
    SetUnique,
    UseTransport,
    Wait,
)
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import read


class Performer(NamedTuple):
    """What the acts of one scenario are carried out with."""

    state: State
    sending: Sending
    calling: Calling
    checking: Checking
    stand_ins: StandIns

    def perform(self, act: Act, call: StepCall) -> None:
        """Carry out what a step means. Raises ``StepError``, ``CheckFailed`` and ``BodyError``."""
        match act:
            case Publish():
                self.sending.publish(act, call)
            case Request():
                self.sending.request(act, call)
            case Call():
                self.calling.call(act, call)
            case Expect():
                self.checking.check(call)
            case CheckTaken():
                self.checking.check_taken(act)
            case PlayService():
                self.stand_ins.play(act)
            case CheckService():
                self.stand_ins.check_answers(act, call)
            case SetSeveral():
                self._set_rows(read(call, act.read), call)
            case SetText() | SetLiteral() | SetUnique() | Keep():
                self.state.variables[act.name] = self._value(act, call)
            case UseTransport(transport):
                self.state.require_transport(transport, call)
            case Wait(seconds):
                self.state.run(asyncio.sleep(seconds))
            case _:
                assert_never(act)

    def _value(self, act: SetText | SetLiteral | SetUnique | Keep, call: StepCall) -> Any:
        match act:
            case SetText(text=text):
                return self.state.render(text, call)
            case SetLiteral():
                return read(call, act.read)
            case SetUnique():
                return new_uuid()
            case Keep():
                return self.checking.captured(act, call)
            case _:
                assert_never(act)

    def _set_rows(self, rows: Iterable[tuple[str, str]], call: StepCall) -> None:
        """Row by row: a text may name a variable of a row above it."""
        variables = self.state.variables
        for name, text in rows:
            rendered = self.state.render(text, call)
            try:
                variables[name] = json.loads(rendered) if isinstance(rendered, str) else rendered
            except ValueError:
                variables[name] = rendered

"""What all parts of a running scenario share: its plan, variables, engine scope, and what listens already."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from choreo_bdd.correlation import Envelope
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.message import MessageRecord
from choreo_bdd.scenario import Handle, Scope
from choreo_bdd_project.carried import carried
from choreo_bdd_project.config import ConfigError
from choreo_bdd_steps.errors import CheckFailed, StepError
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.reserved_names import CORRELATION_ID
from choreo_bdd_steps.language.templates.functions import Variables
from choreo_bdd_steps.language.templates.rendering import render
from choreo_bdd_steps.plan.callees import no_bus, no_callee
from choreo_bdd_steps.plan.plan import Plan, PlannedStep, make_plan
from choreo_bdd_steps.plan.settings import Settings, settings_for
from choreo_bdd_steps.run.opening import Opener, Opening, ScenarioInfo
from choreo_bdd_steps.vocabulary.expectation_spec import ExpectationSpec
from choreo_bdd_steps.vocabulary.phrase import StepCall
from choreo_bdd_steps.vocabulary.reading import read

if TYPE_CHECKING:
    from choreo_bdd.traces.spans import Span

T = TypeVar("T")

SEND_TIMEOUT_S = 10.0


class Armed(Struct, eq=False):
    """A check whose expectations listen already."""

    step: PlannedStep
    spec: ExpectationSpec
    handles: list[Handle]
    held: bool
    values: Mapping[str, Any]
    """Of the variables that it names; none where one of them was not known when it was armed."""
    armed_at: int

    def __repr__(self) -> str:
        return f"<Armed {self.step.call.place}>"  # the values of its variables may be secret

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # a struct's own shows every field


class State:
    """The facts of one running scenario, and how its parts reach the engine."""

    def __init__(self, session: Opener, info: ScenarioInfo) -> None:
        self.session = session
        self.info = info
        self.settings = _settings(session, info)
        default = info.transport or session.config.default_transport
        self.plan: Plan = make_plan(info.steps, default, session.config.called)
        self.variables: dict[str, Any] = {}
        self.functions = Variables(
            self.variables, session.config.env_names, python_matchers=session.config.python_matchers
        )
        self.armed: dict[int, Armed] = {}
        self._opening: Opening | None = None
        self._opened: Scope | None = None
        self.links: Mapping[str, str | None] = {}
        self.correlation_id = ""
        """The scenario's id, once it is open: that of its default transport where it uses several."""
        self._inboxes: dict[int, str] = {}
        self.response: MessageRecord | None = None
        """What the last call has answered."""
        self.broken_answers: list[str] = []
        """What kept stand-ins from answering: templates that did not fit their triggers."""
        self.acts: dict[int, float] = {}
        """When acts of the user's own counted from, in loop time, by the positions of their steps."""
        self.reached: dict[int, float] = {}
        """When steps were reached, in loop time, by their positions."""
        self.index = -1
        """Position of the step at work."""
        self.done = -1
        """Position of the last step that has passed."""

    @property
    def scope(self) -> Scope:
        """The engine's scope, open from the first library step on."""
        if self._opened is None:
            self.run(asyncio.sleep(0))
        assert self._opened is not None  # run() has opened it
        return self._opened

    @property
    def is_open(self) -> bool:
        """Whether there is a scope: from the first library step until the scenario ends."""
        return self._opening is not None

    def written_id(self, transport: str, message: Envelope) -> str | None:
        """The id in a message that is to be sent on a transport; ``None`` where its author has written none."""
        policy = None if self._opening is None else self._opening.policies.get(transport)
        return None if policy is None else policy.read(message)

    @property
    def step(self) -> PlannedStep:
        """The step at work."""
        return self.plan.steps[self.index]

    def open(self, call: StepCall) -> None:
        """Enter the engine's scope with the first step of the library.

        The transports are connected now; the scope itself opens with the first work on the loop, because each way
        there and back costs a scenario more than its messages do.
        """
        if self._opening is None:
            names = [name for name in self.plan.transports if name in self.session.config.transports]
            self._opening = self.session.opening(self.info.name, names, call)
            self.links = self._opening.links
            self.correlation_id = self._opening.correlation_id
            self.variables.setdefault(CORRELATION_ID, self.correlation_id)

    def adopt(self, link: str | None, correlation_id: str) -> None:
        """Take an id that the scenario writes itself for its own, in templates too where nobody has set the name."""
        scope = self.scope

        async def adopt() -> None:
            scope.adopt(link, correlation_id)

        self.run(adopt())
        if self.variables.get(CORRELATION_ID) == self.correlation_id:
            self.variables[CORRELATION_ID] = correlation_id
        self.correlation_id = correlation_id

    @property
    def spans(self) -> tuple[Span, ...]:
        """What services have told so far of what they did for this scenario."""
        traces, opening = self.session.traces, self._opening
        return () if traces is None or opening is None else traces.told(opening.trace_id)

    @property
    def only_transport(self) -> str | None:
        """The transport of a scenario that uses one, by its name in choreo.yaml."""
        return next((name for name, link in self.links.items() if link is None), None)

    def let_services_tell(self) -> None:
        """Give services that tell what they do a moment to tell the rest."""
        if self.session.traces is not None:
            self.run(self.session.traces.settle())

    def hear_of_failures(self) -> None:
        """Give services that tell what they do a moment to tell what has failed in them."""
        if self.session.traces is not None and self._opening is not None:
            self.run(self.session.traces.hear_of_failure(self._opening.trace_id))

    def leave(self) -> None:
        """Forget the scope."""
        self._opening = self._opened = None

    def inbox(self, phase: int) -> str:
        """Name of the place where the replies to a phase's requests are heard."""
        if phase not in self._inboxes:
            self._inboxes[phase] = self.session.token(12)
        return self._inboxes[phase]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop, in the open scope."""
        return self.session.run(work if self._opened is not None or self._opening is None else self._open_for(work))

    async def _open_for(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._opening is not None  # run() has asked
        try:
            self._opened = await self._opening.open()
        except BaseException:
            work.close()
            raise
        if (traces := self.session.traces) is not None:
            traces.follow(self._opened, self._opening.trace_id, self.links)
        return await work

    def act(self, call: StepCall, work: Coroutine[Any, Any, None]) -> None:
        """Run work on the engine's loop; what goes wrong there gets the step's place."""
        try:
            self.run(work)
        except (StepError, CheckFailed):
            raise
        except TimeoutError as error:
            raise StepError(
                call.place, f"the broker did not confirm the message within {SEND_TIMEOUT_S:g} s"
            ) from error
        except ChoreoError as error:
            raise StepError(call.place, str(error)) from error
        except (TypeError, ValueError, RuntimeError) as error:
            raise StepError(call.place, f"{type(error).__name__}: {error}") from error

    def render(self, text: str, call: StepCall) -> Any:
        """A text with its templates filled in; ``StepError`` names a variable that is not known."""
        return read(call, lambda: render(text, self.functions))

    def require_carried(self, transport: str, topic: str, names: Iterable[str]) -> None:
        """``BodyError`` for a key or header that a bus cannot carry: nothing is dropped in silence."""
        problem = carried(self.session.config.transports[transport], topic).refuses(sorted(names))
        if problem is not None:
            raise BodyError(problem)

    def name_unknown(self, topic: str, call: StepCall) -> None:
        """Warn of a message on a topic that no document describes, where that is no error."""
        unknown = self.session.unknown_topic(topic)
        told = f"{call.place}: {unknown}"
        if unknown is not None and self.session.hints(told):
            self.session.warn(told)

    def carries_keys(self, transport: str, topic: str) -> bool:
        """Whether messages on a topic have keys."""
        return carried(self.session.config.transports[transport], topic).keys

    def require_transport(self, name: str, call: StepCall) -> str | None:
        """The engine's link for a transport; ``StepError`` for one the profile does not have."""
        config = self.session.config
        if name not in config.transports:
            known = ", ".join(sorted(config.transports))
            raise StepError(call.place, f"there is no transport {name!r} in profile {config.profile!r}; it has {known}")
        return self.links.get(name)

    def require_bus(self, name: str, call: StepCall) -> str | None:
        """As ``require_transport``; ``StepError`` for one that is called, and never listened to."""
        link = self.require_transport(name, call)
        if problem := no_bus(self.session.config, name):
            raise StepError(call.place, problem)
        return link

    def require_called(self, step: PlannedStep, call: StepCall) -> str | None:
        """The engine's link for what a call means; ``StepError`` for what cannot be called."""
        if problem := no_callee(self.session.config, step):
            raise StepError(call.place, problem)
        return self.links.get(step.transport)


def _settings(session: Opener, info: ScenarioInfo) -> Settings:
    try:
        return settings_for(session.config, info.tags)
    except ConfigError as error:
        raise StepError(info.steps[0].place if info.steps else info.nodeid, str(error)) from error

"""What a scenario needs to begin: what it is, what it asks of its session, and what opens its scope."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.scenario import Scope
from choreo_bdd_project.config import Config
from choreo_bdd_steps.plan.vacuity import VacuousStep
from choreo_bdd_steps.services.facts import Running
from choreo_bdd_steps.vocabulary.phrase import StepCall

if TYPE_CHECKING:
    from choreo_bdd_steps.recording import RecordedTransport
    from choreo_bdd_steps.run.tracing.traces import Traces

T = TypeVar("T")


class ScenarioInfo(Struct, frozen=True):
    """A scenario as a test framework presents it: outline rows rendered, background included.

    ``transport`` is the one the whole scenario runs on, where a tag names it; ``None`` for the configured default.
    """

    name: str
    nodeid: str
    steps: Sequence[StepCall]
    tags: Sequence[str] = ()
    """Outermost first: the feature's, the rule's, the scenario's own."""
    transport: str | None = None
    nodeid_in_feature: str | None = None
    """By its feature file, where the test is called otherwise: a function of Python, say."""


class Opening(NamedTuple):
    """What opens an engine scope, its id, and the name of each transport's link in it (``None`` where there is one).

    The ``policies`` are those of the transports whose messages carry an id.
    The ``correlation_id`` is that of the default transport where the scenario uses that one and it has ids. Its
    ``trace_id`` is what services put their spans under.
    """

    open: Callable[[], Coroutine[Any, Any, Scope]]
    links: dict[str, str | None]
    policies: Mapping[str, CorrelationPolicy]
    correlation_id: str
    trace_id: str


class TakenDown(NamedTuple):
    """The traffic of a scenario so far by transport, the ids drawn for it, and the loop time when it began."""

    links: Mapping[str, RecordedTransport]
    tokens: tuple[str, ...]
    begun: float


class Opener(Protocol):
    """What a scenario asks of the session it runs in."""

    config: Config
    services: Running
    """What choreo.yaml has started for this run."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and return its result."""
        ...

    def time(self) -> float:
        """The time of the engine's loop."""
        ...

    def opening(self, name: str, transports: Sequence[str], call: StepCall) -> Opening:
        """How to open an engine scope over these transports; raises ``StepError``, placed at a step."""
        ...

    def taken_down(self) -> TakenDown | None:
        """What has gone over the transports since the scenario began; ``None`` where nobody wants to know."""
        ...

    def token(self, size: int) -> str:
        """So many random bytes, as hexadecimal digits, for the scenario at work."""
        ...

    @property
    def traces(self) -> Traces | None:
        """What services tell of their work; ``None`` where nothing is traced."""
        ...

    def user_of_id(self, correlation_id: str, info: ScenarioInfo) -> str | None:
        """Which scenario of this run has written this id before."""
        ...

    def hints(self, kind: str) -> bool:
        """Whether a hint of this kind is still to be given: each is given once in a run."""
        ...

    def warn(self, told: str, category: type[Warning] = UserWarning) -> None:
        """Warn of something that begins with its place: there, and once more at the end of the run."""
        ...

    def unknown_topic(self, topic: str) -> str | None:
        """Why the contract does not describe a topic, where a message on it is to be warned of."""
        ...

    def note_vacuous(self, nodeid: str, vacuous: VacuousStep) -> None:
        """Warn of something that proves nothing, and let reports know."""
        ...

    def note_channels(self, scope: Scope) -> None:
        """Count the channels that a scenario has touched."""
        ...

"""The session: one per run, from configuration to connected harnesses, on a loop thread of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec import structs

from choreo_bdd import observers
from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.harness import Harness
from choreo_bdd.loop import LoopThread
from choreo_bdd.observers.traffic import Traffic
from choreo_bdd.scenario import Scope, ScopeOptions
from choreo_bdd.scenario.opening import Identity, open_scope
from choreo_bdd.shared.minted import minted
from choreo_bdd.transports.base import Transport
from choreo_bdd_project.config import Config, ConfigError
from choreo_bdd_project.harnesses import TransportMaker, build_contract, build_harness, configured_transport
from choreo_bdd_project.secrets import unset
from choreo_bdd_steps.errors import StepError, warn
from choreo_bdd_steps.plan.settings import at_addresses, slow_policy
from choreo_bdd_steps.plan.vacuity import VacuityWarning, VacuousStep
from choreo_bdd_steps.run.channel_coverage import ChannelCoverage
from choreo_bdd_steps.run.opening import Opening, ScenarioInfo, TakenDown
from choreo_bdd_steps.run.quiet_logs import QuietLogs
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.services.facts import NoServices, Running
from choreo_bdd_steps.services.of_this_run import end_services, services_of
from choreo_bdd_steps.vocabulary.phrase import StepCall

if TYPE_CHECKING:
    from choreo_bdd_steps.run.tracing.traces import Traces

T = TypeVar("T")

_TIMELINE_EVENTS = 10_000
_NOBODY: Mapping[str, Mapping[str, Collection[str]]] = MappingProxyType({})


class EngineLoop(Protocol):
    """Where the engine's coroutines run."""

    def start(self) -> None:
        """Get ready to take work; a no-op when it is."""
        ...

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result, or raise what it raised."""
        ...

    def time(self) -> float:
        """The loop's own time, in seconds."""
        ...

    def stop(self) -> None:
        """End what still runs."""
        ...


class Session:
    """Everything a run shares: configuration, loop thread and harnesses, each connected when it is first used."""

    def __init__(
        self,
        config: Config,
        *,
        slow: str | None = None,
        make_transport: TransportMaker = configured_transport,
        loop: EngineLoop | None = None,
        token: Callable[[int], str] = minted,
        former: Mapping[str, Mapping[str, Collection[str]]] = _NOBODY,
    ) -> None:
        try:
            self.config = config if slow is None else structs.replace(config, slow=slow_policy(slow))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.traces = _traces(self.config)
        self._logs = QuietLogs()
        self.services: Running = NoServices()
        """What choreo.yaml has started for this run."""
        if self.config.services:
            self._start_services()
        self._scope_options = ScopeOptions(
            latency_from="publish",
            keep_timeline=True,
            timeline_events=_TIMELINE_EVENTS,
            watch_similar_topics=True,
            unattributed=self.config.unattributed,
            unreadable="near-miss",
            leftovers="leave",
        )
        self.contract = build_contract(self.config)
        """What the configured AsyncAPI documents say; ``None`` where there are none."""
        self._coverage = None if self.contract is None else ChannelCoverage(self.contract)
        self._make_transport = make_transport
        self._loop: EngineLoop = LoopThread() if loop is None else loop
        self._token = token
        self._former = former
        """By transport the ids that scenarios of another process had before, and what each was still owed."""
        self._surprised: dict[str, int] = {}
        self._tokens: list[str] = []
        self._begun = 0.0
        self._harnesses: dict[str, Harness] = {}
        self._transports: dict[str, Transport] = {}
        self.warnings: list[str] = []
        """What the run should be told in the end, each with its place."""
        for told in (told for told, is_slip in unset(self.config) if is_slip):
            self.warn(told)
        self._vacuous: list[dict[str, str]] = []
        self._users_of_ids: dict[str, tuple[str, str]] = {}
        self._hinted: set[str] = set()
        self._cleanups: list[Callable[[], object]] = []

    @property
    def profile(self) -> str:
        """Name of the configuration's profile in use."""
        return self.config.profile

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and return its result."""
        self._loop.start()
        return self._loop.run(work)

    def time(self) -> float:
        """The time of the engine's loop."""
        return self._loop.time()

    def harness(self, name: str) -> Harness:
        """The connected harness of a transport; raises what connecting raises."""
        harness = self._harnesses.get(name)
        if harness is None:
            harness = self._harnesses[name] = build_harness(
                self.config,
                self.config.transports[name],
                contract=self.contract,
                make_transport=self._make_transport,
            )
            for correlation_id, missed in self._former.get(name, {}).items():
                harness.router.dispatcher.remember(correlation_id, missed)
            if observers.wants_recordings():
                harness.router.traffic = Traffic()
            observers.note_run_fact("buses", {each: self.config.transports[each].type for each in self._harnesses})
        if not harness.is_healthy():
            self.run(_connected(harness))
        return harness

    def token(self, size: int) -> str:
        """So many random bytes, as hexadecimal digits, for the scenario at work."""
        self._tokens.append(self._token(size))
        return self._tokens[-1]

    def taken_down(self) -> TakenDown | None:
        """What has gone over the transports since the scenario began; ``None`` where nobody wants to know."""
        from choreo_bdd_steps.recording import link_of  # noqa: PLC0415 - loaded where a report keeps recordings

        links = {
            name: link_of(
                self.config.transports[name].type,
                harness.transport.capabilities,
                traffic,
                self._begun,
                harness.router.dispatcher.former_since(self._surprised.get(name, 0), self._tokens),
            )
            for name, harness in self._harnesses.items()
            if (traffic := harness.router.traffic) is not None
        }
        return TakenDown(links, tuple(self._tokens), self._begun) if links else None

    def _begin_anew(self) -> None:
        self._tokens.clear()
        self._begun = self._loop.time()
        for name, harness in self._harnesses.items():
            self._surprised[name] = harness.router.dispatcher.surprised
            if harness.router.traffic is not None:
                harness.router.traffic.clear()

    def transport(self, name: str) -> Transport:
        """The connected transport object behind a name, for a service that shares the in-memory bus."""
        return self.harness(name).transport

    def add_cleanup(self, cleanup: Callable[[], object]) -> None:
        """Have something called when the session closes, last added first."""
        self._cleanups.append(cleanup)

    def scenario(self, info: ScenarioInfo) -> ScenarioRun:
        """Begin a scenario."""
        return ScenarioRun(self, info)

    @property
    def untouched_channels(self) -> tuple[str, ...]:
        """Addresses of the contract's channels that no scenario has touched so far; empty without a contract."""
        return () if self._coverage is None else self._coverage.untouched

    def user_of_id(self, correlation_id: str, info: ScenarioInfo) -> str | None:
        """The name of the scenario that has written this id before, another run of this very one excepted."""
        nodeid, name = self._users_of_ids.setdefault(correlation_id, (info.nodeid, info.name))
        return name if nodeid != info.nodeid else None

    def hints(self, kind: str) -> bool:
        """Whether a hint of this kind is still to be given: each is given once in a run."""
        is_new = kind not in self._hinted
        self._hinted.add(kind)
        return is_new

    def warn(self, told: str, category: type[Warning] = UserWarning) -> None:
        """Warn of something that begins with its place: there, and once more at the end of the run."""
        self.warnings.append(told)
        warn(told, category)

    def unknown_topic(self, topic: str) -> str | None:
        """Why the contract does not describe a topic, where a message on it is to be warned of."""
        if self.contract is None or self.config.unknown_topics != "warn":
            return None
        unknown = self.contract.unknown(topic)
        return None if unknown is None else unknown.text

    def note_vacuous(self, nodeid: str, vacuous: VacuousStep) -> None:
        """Warn of something that proves nothing, and let reports know."""
        self.warn(str(vacuous), VacuityWarning)
        self._vacuous.append({"nodeid": nodeid, "place": vacuous.place, "reason": vacuous.reason})
        observers.note_run_fact("vacuity", list(self._vacuous))

    def note_channels(self, scope: Scope) -> None:
        """Count the channels that a scenario has touched; reports learn of them, and how messages name their causes."""
        if self.config.causation is not None:
            observers.note_run_fact("causation", self.config.causation)
        if self._coverage is not None:
            self._coverage.note(scope)
            observers.note_run_fact("channels", self._coverage.as_fact())

    def opening(self, name: str, transports: Sequence[str], call: StepCall) -> Opening:
        """How to open an engine scope over the transports a scenario uses, which are connected now.

        One transport is a plain scenario; several are a Stage scenario, whose links carry the transports' names.
        """
        used = list(transports) or [self.config.default_transport]
        try:
            harnesses = {transport: self.harness(transport) for transport in used}
        except (ChoreoError, RuntimeError, ValueError) as error:
            raise StepError(call.place, str(error)) from error
        self._begin_anew()
        shared = self.token(16)
        ids = {each: self._wire_id(each, shared) for each in used}
        is_only = len(used) == 1
        told = ids.get(self.config.default_transport) or next(filter(None, ids.values()), shared)
        identity = Identity(ids[used[0]] if is_only else shared, tuple(ids.values()))
        links = {each: None if is_only else each for each in used}
        by_link = {links[each]: harness for each, harness in harnesses.items()}
        opened = partial(open_scope, name, by_link, partial(_given, identity), self._scope_options)
        if self.traces is not None:
            self.traces.start()
        policies = {each: harnesses[each].correlation for each, wire_id in ids.items() if wire_id is not None}
        return Opening(opened, links, policies, told, shared)

    def _start_services(self) -> None:
        try:
            self.services = services_of(self.config, self.environment_for_services())
            self.config = at_addresses(self.config, self.services.addresses)
            if self.traces is not None and self.services.spans is not None:
                self.traces.hear(self.services.spans)
        except BaseException:
            self._logs.stop()
            if self.traces is not None:
                self.traces.stop()
            raise

    def environment_for_services(self) -> Mapping[str, str]:
        """What a service under test is started with: where it sends its traces, where these are wanted; else nothing.

        Raises ``ConfigError`` where what reads traces is not installed.
        """
        if self.traces is None:
            return {}
        self.traces.start()
        return self.traces.environment

    def _wire_id(self, transport: str, shared: str) -> str | None:
        """The scenario's id on a transport: one for all of them, behind the prefix each is configured with."""
        if not self._harnesses[transport].correlation.routes_by_correlation:
            return None
        return self.config.transports[transport].correlation_prefix + shared

    def close(self) -> None:
        """Run the clean-ups, disconnect and end the loop; never raises."""
        while self._cleanups:
            with contextlib.suppress(Exception):
                self._cleanups.pop()()
        for harness in self._harnesses.values():
            with contextlib.suppress(Exception):
                self.run(harness.disconnect())
        self._harnesses.clear()
        if self.traces is not None:
            self.traces.stop()
        self._loop.stop()
        end_services(self.config)
        self._logs.stop()


def _traces(config: Config) -> Traces | None:
    if not config.traces:
        return None
    from choreo_bdd_steps.run.tracing.traces import Traces  # noqa: PLC0415 - most runs trace nothing

    return Traces(config)


async def _given(identity: Identity, _: Mapping[str | None, CorrelationPolicy]) -> Identity:
    return identity


async def _connected(harness: Harness) -> None:
    await harness.connect()
    await harness.heal()

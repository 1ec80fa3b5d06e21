"""The session: one per run, from configuration to connected harnesses, on a loop thread of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from choreo_bdd import observers
from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.harness import Harness
from choreo_bdd.loop import LoopThread
from choreo_bdd.scenario import Scope, ScopeOptions
from choreo_bdd.scenario.opening import Identity, open_scope, own_id
from choreo_bdd.transports.base import Transport
from choreo_bdd_project.config import Config, ConfigError
from choreo_bdd_project.harnesses import TransportMaker, build_contract, build_harness, configured_transport
from choreo_bdd_steps.errors import StepError
from choreo_bdd_steps.plan.settings import slow_policy
from choreo_bdd_steps.plan.vacuity import Emptiness
from choreo_bdd_steps.run.channel_coverage import ChannelCoverage
from choreo_bdd_steps.run.opening import Opening, ScenarioInfo
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.vocabulary.phrase import StepCall

T = TypeVar("T")


class Session:
    """Everything a run shares: configuration, loop thread and harnesses, each connected when it is first used."""

    def __init__(
        self, config: Config, *, slow: str | None = None, make_transport: TransportMaker = configured_transport
    ) -> None:
        try:
            self.config = config if slow is None else replace(config, slow=slow_policy(slow))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self._scope_options = ScopeOptions(
            latency_from="publish",
            keep_timeline=True,
            watch_similar_topics=True,
            unattributed=self.config.unattributed,
        )
        self.contract = build_contract(self.config)
        """What the configured AsyncAPI documents say; ``None`` where there are none."""
        self._coverage = None if self.contract is None else ChannelCoverage(self.contract)
        self._make_transport = make_transport
        self._loop = LoopThread()
        self._harnesses: dict[str, Harness] = {}
        self._transports: dict[str, Transport] = {}
        self.warnings: list[str] = []
        """What the run should be told in the end, each with its place."""
        self._vacuous: list[dict[str, str]] = []
        self._cleanups: list[Callable[[], object]] = []

    @property
    def profile(self) -> str:
        """Name of the configuration's profile in use."""
        return self.config.profile

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and return its result."""
        self._loop.start()
        return self._loop.run(work)

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
        if not harness.is_healthy():
            self.run(_connected(harness))
        return harness

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

    def note_emptiness(self, nodeid: str, emptiness: Emptiness) -> None:
        """Keep a warning of something that proves nothing for the end of the run, and let reports know."""
        self.warnings.append(str(emptiness))
        self._vacuous.append({"nodeid": nodeid, "place": emptiness.place, "reason": emptiness.reason})
        observers.note_run_fact("vacuity", list(self._vacuous))

    def note_channels(self, scope: Scope) -> None:
        """Count the channels that a scenario has touched, and let reports know."""
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
        if len(used) == 1:
            only = {None: harnesses[used[0]]}
            return Opening(partial(open_scope, name, only, own_id, self._scope_options), {used[0]: None})
        opened = partial(open_scope, name, harnesses, self._shared_id, self._scope_options)
        return Opening(opened, {each: each for each in used})

    async def _shared_id(self, policies: Mapping[str, CorrelationPolicy]) -> Identity:
        """One id for all transports, behind the prefix each is configured with."""
        shared = os.urandom(16).hex()
        wire_ids = (
            self.config.transports[name].correlation_prefix + shared if policy.routes_by_correlation else None
            for name, policy in policies.items()
        )
        return Identity(shared, tuple(wire_ids))

    def close(self) -> None:
        """Run the clean-ups, disconnect and end the loop; never raises."""
        while self._cleanups:
            with contextlib.suppress(Exception):
                self._cleanups.pop()()
        for harness in self._harnesses.values():
            with contextlib.suppress(Exception):
                self.run(harness.disconnect())
        self._harnesses.clear()
        self._loop.stop()


async def _connected(harness: Harness) -> None:
    await harness.connect()
    await harness.heal()

"""StageScenario: the Python API of a scope over several harnesses."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from choreo_bdd import matchers, observers
from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.exceptions import ReplyAlreadyBoundError
from choreo_bdd.matchers import Matcher
from choreo_bdd.scenario.foreign_messages import note_foreign_messages
from choreo_bdd.scenario.judging.handle import Handle
from choreo_bdd.scenario.judging.occurs import NONE, Occurs
from choreo_bdd.scenario.links import HarnessLike, require_matcher
from choreo_bdd.scenario.opening import Identity, open_scope
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.ordering import Step, expect_in_order
from choreo_bdd.scenario.scope import Scope
from choreo_bdd.scenario.sending.replies import ReplyPayload, ReplyPlan
from choreo_bdd.scenario.timeline import TimelineAction
from choreo_bdd.stage.bridges import CorrelationBridge
from choreo_bdd.stage.errors import (
    BridgeTranslationError,
    MissingTransportError,
    StageStateError,
    UnknownTransportError,
)
from choreo_bdd.stage.result import StageScenarioResult, stage_result
from choreo_bdd.stage.wire import mint

_LOG = logging.getLogger("choreo_bdd.stage")


class StageReplyChain:
    """``on(topic, on=…)`` waiting for its ``publish``."""

    def __init__(self, scenario: StageScenario, trigger_topic: str, matcher: Matcher | None, transport: str) -> None:
        self._scenario = scenario
        self._trigger_topic = trigger_topic
        self._matcher = matcher
        self._transport = transport
        self._is_bound = False

    @property
    def trigger_topic(self) -> str:
        """The topic it answers on."""
        return self._trigger_topic

    @property
    def is_dangling(self) -> bool:
        """Whether ``publish`` has not been called yet."""
        return not self._is_bound

    def publish(
        self,
        response_topic: str,
        *,
        on: str | None = None,
        build: ReplyPayload,
        times: int = 1,
        delay_ms: float = 0.0,
    ) -> StageScenario:
        """Answer a trigger on a topic of any transport; returns the scope.

        ``build`` is the payload, or a plain or async callable of the decoded trigger. The response carries the id of
        the response's transport. Raises ``ReplyAlreadyBoundError`` the second time.
        """
        if self._is_bound:
            raise ReplyAlreadyBoundError(f"the reply to {self._trigger_topic!r} already has its publish()")
        transport = self._scenario.require_transport(on, "publish")
        plan = ReplyPlan(response_topic, build, transport, times, delay_ms / 1000)
        self._scenario.scope.on(self._trigger_topic, self._matcher, plan, link=self._transport)
        self._is_bound = True
        return self._scenario


class StageScenario:
    """One scenario over all transports of a Stage: ``async with stage.scenario(name) as s``; entered once."""

    def __init__(
        self, harnesses: Mapping[str, HarnessLike], bridge: CorrelationBridge, name: str, options: ScopeOptions
    ) -> None:
        self._harnesses = harnesses
        self._bridge = bridge
        self._name = name
        self._options = options
        self._was_entered = False
        self._scope: Scope | None = None
        self._chains: list[StageReplyChain] = []
        self._result: StageScenarioResult | None = None

    @property
    def scope(self) -> Scope:
        """The engine's side; ``StageStateError`` outside the ``async with`` block."""
        if self._scope is None:
            raise StageStateError(f"stage scenario {self._name!r} is not running: use it inside its `async with` block")
        return self._scope

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self._name

    @property
    def correlation_id(self) -> str | None:
        """Text of the logical id."""
        return self.scope.correlation_id

    async def __aenter__(self) -> StageScenario:
        if self._was_entered:
            raise StageStateError(f"stage scenario {self._name!r} is not re-entrant: ask the Stage for another one")
        self._was_entered = True
        self._scope = await open_scope(self._name, self._harnesses, self._identify, self._options)
        return self

    async def _identify(self, policies: Mapping[str, CorrelationPolicy]) -> Identity:
        bridge = self._bridge
        try:
            logical = await bridge.fresh()
        except Exception as error:
            raise BridgeTranslationError(type(bridge).__name__, "fresh", None, error) from error
        return Identity(str(logical), tuple(mint(bridge, logical, policies).values()))

    def require_transport(self, on: str | None, member: str) -> str:
        """The transport ``on=`` names; ``MissingTransportError`` or ``UnknownTransportError``."""
        names = ", ".join(map(repr, self._harnesses))
        if on is None:
            raise MissingTransportError(f"{member}(on=None): say which transport is meant; there are {names}")
        if on not in self._harnesses:
            raise UnknownTransportError(f"{member}(on={on!r}): there is no such transport; there are {names}")
        return on

    def expect(self, topic: str, matcher: Matcher, *, on: str | None = None, after: Handle | None = None) -> Handle:
        """Expect at least one matching message on a topic of a transport.

        With ``after`` it counts only once that other expectation, on whatever transport, has been met.
        """
        transport = self.require_transport(on, "expect")
        require_matcher(matcher, "expect", topic)
        return self.scope.expect(topic, matcher, link=transport, after=after)

    def expect_none(self, topic: str, matcher: Matcher | None = None, *, on: str | None = None) -> Handle:
        """Expect no matching message on a topic of a transport; see ``Scenario.expect_none``."""
        transport = self.require_transport(on, "expect_none")
        return self.scope.expect(topic, matcher or matchers.anything(), link=transport, occurs=NONE)

    def expect_count(
        self,
        topic: str,
        matcher: Matcher,
        *,
        on: str | None = None,
        exactly: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> Handle:
        """Expect a number of matching messages on a topic of a transport; see ``Scenario.expect_count``."""
        transport = self.require_transport(on, "expect_count")
        require_matcher(matcher, "expect_count", topic)
        occurs = Occurs.of(exactly=exactly, at_least=at_least, at_most=at_most)
        return self.scope.expect(topic, matcher, link=transport, occurs=occurs)

    def expect_in_order(self, steps: Iterable[Step], *, on: str | None = None) -> tuple[Handle, ...]:
        """Expect messages one after the other on a transport; see ``Scenario.expect_in_order``.

        Across transports say it with ``expect(..., after=…)``: what counts is the order in which messages arrive here.
        """
        return expect_in_order(self.scope, steps, link=self.require_transport(on, "expect_in_order"))

    def publish(
        self,
        topic: str,
        payload: Any,
        *,
        on: str | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> StageScenario:
        """Publish a message on a transport, once all this scope listens to is live; returns the scope."""
        transport = self.require_transport(on, "publish")
        meant = self.scope.links[transport].harness.meant(payload)
        self.scope.publish(topic, meant, link=transport, headers=headers, key=key)
        return self

    def on(self, trigger_topic: str, matcher: Matcher | None = None, *, on: str | None = None) -> StageReplyChain:
        """Answer messages on a topic; complete the chain with ``.publish(topic, on=…, build=…)``."""
        transport = self.require_transport(on, "on")
        _ = self.scope
        chain = StageReplyChain(self, trigger_topic, matcher, transport)
        self._chains.append(chain)
        return chain

    async def ready(self) -> None:
        """Wait until everything this scope listens to is proven live."""
        await self.scope.ready()

    async def await_all(self, timeout_ms: float) -> StageScenarioResult:
        """Wait for every expectation, ``timeout_ms`` at the longest, and return the result; again: the same one."""
        if self._result is not None:
            return self._result
        scope = self.scope
        deadline = scope.clock() + timeout_ms / 1000
        await scope.wait([each.handle for each in scope.expectations], deadline)
        await scope.hear_out(deadline)
        if self._result is None:  # a second await_all() may have run beside this one
            self._expire(scope, timeout_ms)
            self._result = self._finish()
            self._emit(self._result, True)
        return self._result

    @staticmethod
    def _expire(scope: Scope, timeout_ms: float) -> None:
        """Settle what is still pending; one deadline stands for all of it."""
        expired = [each for each in scope.expectations if each.is_pending]
        for expectation in expired:
            scope.verdicts.expire(expectation, timeout_ms=timeout_ms, mark=False)
        if expired:
            scope.timeline.record(
                action=TimelineAction.DEADLINE, topic=None, detail=f"timeout_ms={timeout_ms:g}", source="scope"
            )

    def _finish(self, *, aborted: bool = False) -> StageScenarioResult:
        note_foreign_messages(self.scope, self._bridge)
        return stage_result(self.scope, bridge_class=type(self._bridge).__name__, aborted=aborted)

    @staticmethod
    def _emit(result: StageScenarioResult, completed_normally: bool) -> None:
        try:
            observers.emit(result, completed_normally)
        except Exception as error:  # noqa: BLE001 - warnings turned into errors must not break the scenario either
            _LOG.warning("stage_scope_reporter_emit_failed", extra={"error_class": type(error).__name__})

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        scope = self.scope
        for chain in self._chains:
            if chain.is_dangling:
                _LOG.warning("on(%r) was never completed with publish(): nothing was armed", chain.trigger_topic)
        if self._result is None:
            self._leave_early(scope, error)
        elif error is not None:
            _LOG.warning("stage scenario %r raised %s AFTER await_all", self._name, type(error).__name__)
        scope.close()
        self._scope = None

    def _leave_early(self, scope: Scope, error: BaseException | None) -> None:
        if error is None:
            _LOG.warning("stage scenario %r was left without calling await_all", self._name)
        why = type(error).__name__ if error is not None else "the scope was left without await_all"
        for expectation in scope.expectations:
            scope.verdicts.abort(expectation, why)
        self._result = self._finish(aborted=True)
        self._emit(self._result, False)

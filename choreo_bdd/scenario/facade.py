"""Scenario: the Python API of a scope over one harness, with its state machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, TypeVar

from choreo_bdd import matchers, observers
from choreo_bdd.exceptions import ReplyAlreadyBoundError, TransportError
from choreo_bdd.matchers import Matcher
from choreo_bdd.message import MessageRecord
from choreo_bdd.scenario.judging.handle import Handle, Outcome
from choreo_bdd.scenario.judging.occurs import NONE, Occurs
from choreo_bdd.scenario.links import HarnessLike, require_matcher
from choreo_bdd.scenario.opening import open_scope, own_id
from choreo_bdd.scenario.options import ScopeOptions
from choreo_bdd.scenario.ordering import Step, expect_in_order
from choreo_bdd.scenario.result import ScenarioResult
from choreo_bdd.scenario.scope import Scope
from choreo_bdd.scenario.sending.replies import ReplyPayload, ReplyPlan

_ANSWER_S = 60.0
_LOG = logging.getLogger("choreo_bdd.scenario")


_Armed = TypeVar("_Armed")


class _State(StrEnum):
    BUILDER = "builder"
    EXPECTING = "expecting"
    TRIGGERED = "triggered"
    ENDED = "ended"


_BUILDER, _EXPECTING, _TRIGGERED, _ENDED = _State
_PASS = Outcome.PASS

_ADVICE = {
    "publish": "call expect() or on() first: a message published before anything listens is lost",
    "await_all": "publish something first",
    "expect": "arm every expectation before the first publish, or begin another phase with next_phase()",
    "on": "arm every reply before the first publish, or begin another phase with next_phase()",
    "next_phase": "a phase ends only after something has been published",
}


class _Publish(Protocol):
    def __call__(
        self, topic: str, payload: Any, *, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> Scenario: ...


class _AwaitAll(Protocol):
    async def __call__(self, *, timeout_ms: float) -> ScenarioResult: ...


class ReplyChain:
    """``on(topic)`` waiting for its ``publish``."""

    def __init__(self, scenario: Scenario, trigger_topic: str, matcher: Matcher | None) -> None:
        self._scenario = scenario
        self._trigger_topic = trigger_topic
        self._matcher = matcher
        self._is_bound = False

    def publish(self, reply_topic: str, payload: ReplyPayload, *, times: int = 1, delay_ms: float = 0.0) -> Scenario:
        """Answer a trigger with ``payload`` on ``reply_topic``; returns the scenario.

        ``payload`` is sent as it is, or is a plain or async callable of the decoded trigger. ``times`` is how many
        triggers are answered. Raises ``ReplyAlreadyBoundError`` the second time.
        """
        if self._is_bound:
            raise ReplyAlreadyBoundError(f"the reply to {self._trigger_topic!r} already has its publish()")
        self._scenario.bind_reply(
            self._trigger_topic, self._matcher, ReplyPlan(reply_topic, payload, None, times, delay_ms / 1000)
        )
        self._is_bound = True
        return self._scenario

    @property
    def is_dangling(self) -> bool:
        """Whether ``publish`` has not been called yet."""
        return not self._is_bound

    @property
    def trigger_topic(self) -> str:
        """The topic it would answer on."""
        return self._trigger_topic


class Scenario:
    """One scenario over one harness; made by ``Harness.scenario``.

    Its members follow its state: ``expect`` and ``on`` until something was published, ``publish`` once something is
    expected, ``await_all`` once something was published. A member that is not available raises ``AttributeError``
    and says what to do first.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._state = _BUILDER
        self._chains: list[ReplyChain] = []
        self._result: ScenarioResult | None = None

    @property
    def scope(self) -> Scope:
        """The engine's side, for adapters."""
        return self._scope

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self._scope.name

    @property
    def correlation_id(self) -> str | None:
        """The id this scenario's messages carry; ``None`` without a correlation policy."""
        return self._scope.correlation_id

    def expect(self, topic: str, matcher: Matcher, *, after: Handle | None = None) -> Handle:
        """Expect at least one matching message on a topic.

        With ``after`` it counts only once that other expectation of this scenario has been met.
        """
        require_matcher(matcher, "expect", topic)
        return self._expect(lambda: self._scope.expect(topic, matcher, after=after))

    def expect_none(self, topic: str, matcher: Matcher | None = None) -> Handle:
        """Expect no matching message on a topic, or no message at all.

        Decided when ``await_all`` has waited to its end, or by the first that comes.
        Without a correlation policy anybody's message counts. A connection that is lost meanwhile never passes it.
        """
        return self._expect(lambda: self._scope.expect(topic, matcher or matchers.anything(), occurs=NONE))

    def expect_count(
        self,
        topic: str,
        matcher: Matcher,
        *,
        exactly: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
    ) -> Handle:
        """Expect a number of matching messages on a topic; ``handle.messages`` has those that were counted.

        With ``exactly`` or ``at_most`` it is decided when ``await_all`` has waited to its end, or by one too many.
        Raises ``ValueError`` for numbers that conflict.
        """
        require_matcher(matcher, "expect_count", topic)
        occurs = Occurs.of(exactly=exactly, at_least=at_least, at_most=at_most)
        return self._expect(lambda: self._scope.expect(topic, matcher, occurs=occurs))

    def expect_in_order(self, steps: Iterable[Step]) -> tuple[Handle, ...]:
        """Expect messages one after the other, each given by topic and matcher; one handle a step.

        A message that matches a step before the step ahead of it has been met is out of order and does not count.
        """
        return self._expect(lambda: expect_in_order(self._scope, steps))

    def _expect(self, arm: Callable[[], _Armed]) -> _Armed:
        self._require("expect", _BUILDER, _EXPECTING)
        armed = arm()
        self._state = _EXPECTING
        return armed

    def on(self, topic: str, matcher: Matcher | None = None) -> ReplyChain:
        """Answer messages on a topic; complete the chain with ``.publish(reply_topic, payload)``."""
        self._require("on", _BUILDER, _EXPECTING)
        chain = ReplyChain(self, topic, matcher)
        self._chains.append(chain)
        self._state = _EXPECTING
        return chain

    async def ready(self) -> None:
        """Wait until every expectation and reply is proven to listen; see ``Scope.ready``."""
        await self._scope.ready()

    @property
    def publish(self) -> _Publish:
        """Publish a message; returns the scenario. Sent once everything expected is proven to listen.

        ``None`` is no payload at all where the bus knows that, a tombstone on Kafka; ``NO_PAYLOAD`` says so anywhere.
        """
        self._require("publish", _EXPECTING, _TRIGGERED)
        return self._publish

    @property
    def next_phase(self) -> Callable[[], Scenario]:
        """Begin another phase: what is expected from now on sees only messages that arrive from now on."""
        self._require("next_phase", _TRIGGERED)
        if self._result is not None:
            raise AttributeError(f"Scenario {self.name!r} has its result: begin phases before await_all()")
        return self._next_phase

    @property
    def await_all(self) -> _AwaitAll:
        """Wait for every expectation, ``timeout_ms`` at the longest, and return the result; again: the same one."""
        self._require("await_all", _TRIGGERED)
        return self._await_all

    def _require(self, member: str, *states: _State) -> None:
        if self._state not in states:
            advice = _ADVICE[member] if self._state is not _ENDED else "its `async with` block has been left"
            raise AttributeError(
                f"Scenario {self.name!r} is in state {self._state.value!r} and has no {member!r}: {advice}"
            )

    def _publish(
        self, topic: str, payload: Any, *, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> Scenario:
        meant = self._scope.links[None].harness.meant(payload)
        self._scope.publish(topic, meant, headers=headers, key=key)
        self._state = _TRIGGERED
        return self

    def _next_phase(self) -> Scenario:
        self._state = _EXPECTING
        return self

    def bind_reply(self, trigger_topic: str, matcher: Matcher | None, plan: ReplyPlan) -> None:
        """Arm a completed chain; too late once something was published."""
        self._require("on", _BUILDER, _EXPECTING)
        self._scope.on(trigger_topic, matcher, plan)

    async def _await_all(self, *, timeout_ms: float) -> ScenarioResult:
        scope = self._scope
        deadline = scope.clock() + timeout_ms / 1000
        await scope.wait([each.handle for each in scope.expectations], deadline)
        await scope.hear_out(deadline)
        if self._result is None:  # else another await_all() has been here
            for expectation in scope.expectations:
                scope.verdicts.expire(expectation, timeout_ms=timeout_ms)
            self._result = finish(scope)
            observers.emit(self._result, True)
        return self._result

    # --- scope exit -----------------------------------------------------------------------------------------------

    def end(self, error: BaseException | None) -> None:
        """Leave the scope: stop listening, and report what was not awaited."""
        self._state = _ENDED
        for chain in self._chains:
            if chain.is_dangling:
                _LOG.warning("on(%r) was never completed with publish(): nothing was armed", chain.trigger_topic)
        partial = self._abort(error) if self._result is None else None
        self._scope.close()
        if partial is not None:
            observers.emit(partial, False)
        elif error is not None:
            _LOG.warning("scenario %r raised %s AFTER await_all", self.name, type(error).__name__)

    def _abort(self, error: BaseException | None) -> ScenarioResult:
        """The partial result of a scope that is left before its verdict."""
        if error is None:
            _LOG.warning("scenario %r was left without calling await_all", self.name)
        why = type(error).__name__ if error is not None else "the scope was left without await_all"
        for expectation in self._scope.expectations:
            self._scope.verdicts.abort(expectation, why)
        self._result = finish(self._scope, aborted=True)
        return self._result


def finish(scope: Scope, *, aborted: bool = False, transport_name: str | None = None) -> ScenarioResult:
    """Seal the timeline of a single-link scope and make its result; its transport may have another name there."""
    scope.timeline.seal()
    handles = tuple([each.handle for each in scope.expectations])
    passed = not aborted and {handle.outcome for handle in handles} <= {_PASS}
    keep = aborted or not passed or bool(scope.replies) or scope.options.keep_timeline
    link = next(iter(scope.links.values()))
    return ScenarioResult(
        name=scope.name,
        correlation_id=scope.correlation_id,
        handles=handles,
        passed=passed,
        timeline=scope.timeline.entries() if keep else (),
        timeline_dropped=scope.timeline.dropped if keep else 0,
        replies=tuple([reply.report() for reply in scope.replies]),
        surprises=scope.surprises(),
        strays=scope.verdicts.strays() if keep else (),
        transport_failures=tuple(scope.outbox.failures),
        transport_name=transport_name or link.harness.transport_name,
        allowlist_path=link.harness.allowlist_path,
        duration_ms=(scope.clock() - scope.opened_at) * 1000,
    )


class ScenarioContext:
    """``async with harness.scenario(name) as s``."""

    def __init__(self, harness: HarnessLike, name: str, options: ScopeOptions) -> None:
        self._harness = harness
        self._name = name
        self._options = options
        self._scenario: Scenario | None = None

    async def __aenter__(self) -> Scenario:
        self._scenario = Scenario(await open_scope(self._name, {None: self._harness}, own_id, self._options))
        return self._scenario

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._scenario is not None  # __aenter__ has run
        self._scenario.end(error)


async def call(
    scope: Scope, topic: str, payload: Any, *, link: str | None = None, headers: Mapping[str, str] | None = None
) -> MessageRecord:
    """Send a request on a link that answers on the same topic, and wait for its answer.

    It is an act: times count from the moment the whole answer is there; those that name the topic
    from when the request left. Raises what keeps the request from leaving, or the answer from coming.
    """
    listener = scope.listen(scope.links[link], topic, unrouted=True)
    listener.is_called = True
    await scope.ready()
    listener.answer = None
    scope.outbox.begin_act()
    sent = scope.publish(topic, payload, link=link, headers=headers)
    if sent is not None:
        await sent
    if listener.answer is None:  # a replay hands answers over when they came
        await scope.until(lambda: listener.answer is not None, scope.clock() + _ANSWER_S)
    answer = listener.answer
    if answer is None:
        raise TransportError(f"{scope.links[link].harness.transport_name} has no answer to {topic} that can be read")
    scope.outbox.count_from(answer.message.received_at)
    return answer.record(link)

"""What a Stage scenario hands over when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NoReturn

from choreo_bdd.inbound.dispatcher import SurpriseEntry
from choreo_bdd.scenario.judging.handle import Handle, Outcome
from choreo_bdd.scenario.judging.strays import Stray
from choreo_bdd.scenario.result import summarise
from choreo_bdd.scenario.scope import Scope
from choreo_bdd.scenario.sending.outbox import TransportFailure
from choreo_bdd.scenario.sending.replies import Reply
from choreo_bdd.scenario.timeline import TimelineEntry

if TYPE_CHECKING:
    from choreo_bdd.traces.spans import Span


class StageReplyState(StrEnum):
    """What became of a reply."""

    ARMED = "armed"
    FIRED = "fired"
    FIRED_BUILDER_ERROR = "fired_builder_error"
    ARMED_NO_MATCH = "armed_no_match"
    ARMED_MATCHER_MISMATCHED = "armed_matcher_mismatched"


@dataclass(frozen=True, slots=True)
class StageReplyReport:
    """One armed reply, without payloads."""

    trigger_topic: str
    trigger_transport: str
    matcher_description: str
    response_topic: str
    response_transport: str
    state: StageReplyState
    candidate_count: int
    match_count: int
    reply_published: bool
    builder_error: str | None = None
    correlation_overridden: bool = False

    def __repr__(self) -> str:
        return (
            f"<StageReplyReport {self.trigger_topic!r} on {self.trigger_transport} -> "
            f"{self.response_topic!r} on {self.response_transport} {self.state.value}>"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("StageReplyReport cannot be pickled: it belongs to a running scenario")


@dataclass(frozen=True)
class StageScenarioResult:
    """Outcome of one scenario over several transports. The timeline is always kept."""

    handles: tuple[Handle, ...]
    passed: bool
    replies: tuple[StageReplyReport, ...] = ()
    correlation_id: str | None = None
    name: str = ""
    bridge_class: str | None = None
    registered_transports: tuple[str, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    timeline_dropped: int = 0
    surprises: tuple[SurpriseEntry, ...] = ()
    transport_failures: tuple[TransportFailure, ...] = ()
    wire_ids: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowlist_path: str | None = None
    duration_ms: float | None = None
    spans: tuple[Span, ...] = ()
    """What services told of their work for it, where it was traced; no verdict comes of them."""
    strays: tuple[Stray, ...] = ()
    """What came by and met no expectation."""
    kind: Literal["stage"] = field(default="stage", init=False)

    @property
    def by_transport(self) -> dict[str, tuple[Handle, ...]]:
        """Handles grouped by transport; only transports that have any."""
        grouped: dict[str, list[Handle]] = {}
        for handle in self.handles:
            grouped.setdefault(handle.transport or "", []).append(handle)
        return {transport: tuple(handles) for transport, handles in grouped.items()}

    @property
    def failing_handles(self) -> tuple[Handle, ...]:
        """Handles that are not PASS, in order."""
        return tuple(handle for handle in self.handles if handle.outcome is not Outcome.PASS)

    def reply_at(self, trigger_topic: str) -> StageReplyReport:
        """The first reply report with this trigger; ``KeyError`` when there is none."""
        for report in self.replies:
            if report.trigger_topic == trigger_topic:
                return report
        raise KeyError(f"no reply was armed on {trigger_topic!r}")

    def assert_passed(self) -> None:
        """Raise ``AssertionError`` with topic, transport and outcome of what failed; reasons are in the summary."""
        if not self.passed:
            failed = "; ".join(
                f"{handle.topic} on {handle.transport}: {handle.outcome.value}" for handle in self.failing_handles
            )
            raise AssertionError(f"stage scenario {self.name!r} failed: {failed or 'it was left early'}")

    def failure_summary(self) -> str:
        """Every handle with its diagnosis, and the last events of the timeline."""
        return summarise(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("StageScenarioResult cannot be pickled: its handles belong to a running scenario")


def stage_result(scope: Scope, *, bridge_class: str, aborted: bool) -> StageScenarioResult:
    """Seal the timeline of a scope and make its result."""
    scope.timeline.seal()
    handles = tuple(each.handle for each in scope.expectations)
    links = [link for link in scope.links.values() if link.name is not None]
    return StageScenarioResult(
        handles=handles,
        passed=not aborted and all(handle.outcome is Outcome.PASS for handle in handles),
        replies=tuple(_report(reply) for reply in scope.replies),
        correlation_id=scope.correlation_id,
        name=scope.name,
        bridge_class=bridge_class,
        registered_transports=tuple(link.name for link in links if link.name is not None),
        timeline=scope.timeline.entries(),
        timeline_dropped=scope.timeline.dropped,
        surprises=scope.surprises(),
        strays=scope.verdicts.strays(),
        transport_failures=tuple(scope.outbox.failures),
        wire_ids={link.name: link.wire_id for link in links if link.name is not None and link.wire_id is not None},
        allowlist_path=next((path for link in links if (path := link.harness.allowlist_path)), None),
        duration_ms=(scope.clock() - scope.opened_at) * 1000,
    )


def _report(reply: Reply) -> StageReplyReport:
    return StageReplyReport(
        reply.trigger_topic,
        reply.link or "",
        reply.description,
        reply.plan.reply_topic,
        reply.plan.link or "",
        _state(reply),
        reply.candidates,
        reply.matches,
        reply.published,
        reply.builder_error,
        reply.overridden,
    )


def _state(reply: Reply) -> StageReplyState:
    if reply.builder_error is not None:
        return StageReplyState.FIRED_BUILDER_ERROR
    if reply.matches:
        return StageReplyState.FIRED
    return StageReplyState.ARMED_MATCHER_MISMATCHED if reply.candidates else StageReplyState.ARMED_NO_MATCH

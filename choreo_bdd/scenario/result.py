"""What a scenario hands over when it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol

from choreo_bdd.inbound.dispatcher import SurpriseEntry
from choreo_bdd.redaction import Redactor
from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd.scenario.judging.handle import Handle, Outcome
from choreo_bdd.scenario.judging.strays import Stray
from choreo_bdd.scenario.sending.outbox import TransportFailure
from choreo_bdd.scenario.sending.replies import ReplyReport, deed_of
from choreo_bdd.scenario.timeline import TimelineEntry
from choreo_bdd.shared.counted import counted

if TYPE_CHECKING:
    from choreo_bdd.traces.spans import Span

_SHOWN_ENTRIES = 20


@dataclass
class ScenarioResult:
    """Outcome of one single-harness scenario.

    ``timeline`` is empty for a passing scenario without replies, unless the scenario was told to keep it.
    ``duration_ms`` runs from scope entry to the verdict.
    """

    name: str
    correlation_id: str | None
    handles: tuple[Handle, ...]
    passed: bool
    timeline: tuple[TimelineEntry, ...] = ()
    timeline_dropped: int = 0
    replies: tuple[ReplyReport, ...] = ()
    surprises: tuple[SurpriseEntry, ...] = ()
    transport_failures: tuple[TransportFailure, ...] = ()
    transport_name: str = ""
    allowlist_path: str | None = None
    duration_ms: float | None = None
    spans: tuple[Span, ...] = ()
    """What services told of their work for it, where it was traced; no verdict comes of them."""
    strays: tuple[Stray, ...] = ()
    """What came by and met no expectation, where the timeline is kept."""
    kind: Literal["single_harness"] = field(default="single_harness", init=False)

    @property
    def failing_handles(self) -> tuple[Handle, ...]:
        """Handles that are not PASS, in order."""
        return tuple(handle for handle in self.handles if handle.outcome is not Outcome.PASS)

    def reply_at(self, trigger_topic: str) -> ReplyReport:
        """The first reply report with this trigger; ``KeyError`` when there is none."""
        for report in self.replies:
            if report.trigger_topic == trigger_topic:
                return report
        raise KeyError(f"no reply was armed on {trigger_topic!r}")

    def assert_passed(self) -> None:
        """Raise ``AssertionError`` with the failure summary unless every handle passed."""
        if not self.passed:
            raise AssertionError(self.failure_summary())

    def failure_summary(self, *, redactor: Redactor | None = None) -> str:
        """Every handle with its diagnosis, and the last events of the timeline.

        ``redactor`` is one that has seen all payloads of the result before; it saves looking for secrets again.
        """
        return summarise(self, redactor)

    def summary(self) -> str:
        """One line for the scenario, one a handle, and one a reply."""
        lines = [f"scenario {self.name!r}: {'passed' if self.passed else 'failed'}"]
        for handle in self.handles:
            lines.append(f"  {handle.outcome.value} {handle.topic} {handle.matcher_description} {_latency(handle)}")
            lines += [f"    note: {note}" for note in handle.notes]
        if self.replies:
            lines.append("  replies:")
            lines += [f"    {_reply_line(report)}" for report in self.replies]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.failure_summary()

    def __reduce__(self) -> NoReturn:
        raise TypeError("ScenarioResult cannot be pickled: its handles belong to a running scenario")


class Summarisable(Protocol):
    """What a summary is made of; both kinds of result have it."""

    @property
    def name(self) -> str:
        """The scenario's name."""
        ...

    @property
    def correlation_id(self) -> str | None:
        """The scenario's id."""
        ...

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        ...

    @property
    def handles(self) -> tuple[Handle, ...]:
        """Every expectation."""
        ...

    @property
    def failing_handles(self) -> tuple[Handle, ...]:
        """Those that are not PASS."""
        ...

    @property
    def transport_failures(self) -> tuple[TransportFailure, ...]:
        """What transports could not do."""
        ...

    @property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        """The events."""
        ...

    @property
    def timeline_dropped(self) -> int:
        """How many events there was no room for."""
        ...


def summarise(result: Summarisable, redactor: Redactor | None = None) -> str:
    """A result in words: every handle with its diagnosis, and the last events of the timeline."""
    lines = [f"scenario {result.name!r} {_verdict(result)} (correlation id {result.correlation_id})"]
    for handle in result.handles:
        lines += _handle_lines(handle)
    lines += [f"  transport failed: {each.topic}: {each.reason}" for each in result.transport_failures]
    text = "\n".join(map(on_one_line, [*lines, *_timeline_lines(result)]))
    return (redactor or acquainted(result.handles, result.timeline)).text(text)


def _verdict(result: Summarisable) -> str:
    total, failing = len(result.handles), len(result.failing_handles)
    if result.passed:
        return f"passed ({total} of {total})"
    return f"failed {failing} of {total}" + ("" if failing else ": it was left before its verdict")


def acquainted(handles: Iterable[Handle], entries: Iterable[TimelineEntry]) -> Redactor:
    """A redactor that knows every value under a secret key of a message, so as to find it in prose."""
    redactor = Redactor()
    for handle in handles:
        redactor.learn_secrets([handle.matcher_expected, handle.last_mismatch_payload])
        for failure in handle.failures:
            redactor.learn_at_path(failure.path, [failure.expected, failure.actual])
        for message in handle.messages:
            redactor.learn_secrets([message.payload, message.headers])
    for entry in entries:
        if entry.message is not None:
            redactor.learn_secrets([entry.message.payload, entry.message.headers])
    return redactor


def _timeline_lines(result: Summarisable) -> list[str]:
    if not result.timeline:
        return []
    shown = result.timeline[-_SHOWN_ENTRIES:]
    total = len(result.timeline) + result.timeline_dropped
    elided = f", the last {len(shown)} shown" if total > len(shown) else ""
    dropped = f", {result.timeline_dropped} dropped by the buffer" if result.timeline_dropped else ""
    lines = [f"Timeline ({counted(total, 'event')}{elided}{dropped}):"]
    return lines + [
        f"  {entry.offset_ms:9.1f} ms  {entry.action.value:<12} {_where(entry)}  {entry.detail}".rstrip()
        for entry in shown
    ]


def _where(entry: TimelineEntry) -> str:
    place = entry.topic or "-"
    return place if entry.transport is None else f"{place} on {entry.transport}"


def _latency(handle: Handle) -> str:
    try:
        return f"{handle.latency_ms:.1f} ms"
    except RuntimeError:
        return "-"


def _handle_lines(handle: Handle) -> list[str]:
    head = f"  [{handle.outcome.value.upper()}] {handle.topic}: {handle.matcher_description} ({_latency(handle)})"
    diagnosis = handle.diagnosis
    if handle.outcome is Outcome.PASS or diagnosis is None:
        return [head, f"      {handle.reason}", *(f"      note: {note}" for note in handle.notes)]
    lines = [head, *(f"      {line}" for line in diagnosis.text.splitlines())]
    return [*lines, f"      {handle.reason}"]


def _reply_line(report: ReplyReport) -> str:
    parts = [
        f"on {report.trigger_topic} -> {report.reply_topic}: {deed_of(report.state, report.reply_topic)}",
        f"{report.match_count} matched of {report.candidate_count}",
    ]
    if report.builder_error:
        parts.append(f"builder raised {report.builder_error}")
    if report.correlation_overridden:
        parts.append("correlation_id overridden")
    return ", ".join(parts)

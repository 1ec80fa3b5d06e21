"""Engine results as report data: redacted, capped, exactly the shape of schema 1.3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict, cast

from choreo_bdd.observers.observed import (
    ObservedEntry,
    ObservedFailure,
    ObservedHandle,
    ObservedReply,
    ObservedResult,
    ObservedStage,
    ObservedStageReply,
)
from choreo_bdd.redaction import Redactor, mask_literals, redact_correlation_id
from choreo_bdd_reporter.model.limits import (
    DIFFERENCES_MAX,
    FAILURES_MAX,
    HANDLES_MAX,
    REPLIES_MAX,
    TIMELINE_MAX,
    both_ends,
    cap_detail,
    cap_stream,
    clean_text,
    json_safe,
    keep_worst,
)
from choreo_bdd_reporter.model.schema_types import (
    Action,
    Diagnosis,
    EventSource,
    FailureKind,
    HandleOutcome,
    MatchFailure,
    ReplyReport,
    ReplyState,
    ResultsHandle,
    ResultsScenario,
    ResultsStage,
    ScenarioOutcome,
    TimelineEntry,
)
from choreo_bdd_reporter.model.tests import RecordedScenario
from choreo_bdd_reporter.record.beside import spans_of, strays_in, strays_of
from choreo_bdd_reporter.record.values import Values, amount

_WORST_FIRST = ("timeout", "fail", "pending", "slow", "pass")
_REPLY_STATES: dict[str, ReplyState] = {
    "fired": "replied",
    "fired_builder_error": "reply_failed",
    "replied": "replied",
    "reply_failed": "reply_failed",
    "armed_no_match": "armed_no_match",
    "armed_matcher_mismatched": "armed_matcher_mismatched",
}


def serialise(result: ObservedResult, *, completed_normally: bool, redactor: Redactor) -> RecordedScenario:
    """Everything a report keeps of an engine result; raises what a malformed result makes it raise."""
    return _Serialiser(result, redactor).scenario(completed_normally)


def unreadable_scenario(result: object, error: Exception, *, completed_normally: bool) -> RecordedScenario:
    """What is reported of a result that could not be serialised: that it existed, and why no more is known."""
    passed = getattr(result, "passed", False) is True
    document: ResultsScenario = {
        "name": clean_text(str(getattr(result, "name", "") or "scenario")),
        "correlation_id": None,
        "outcome": "pass" if passed else "fail",
        "duration_ms": 0.0,
        "completed_normally": completed_normally,
        "handles": [],
        "timeline": [],
        "timeline_dropped": 0,
        "replies": [],
        "summary_text": f"[the details of this scenario could not be read: {type(error).__name__}]",
    }
    return RecordedScenario(document=document, truncated=True)


class _HandleValues(TypedDict):
    """The part of a handle that holds values of messages."""

    expected: Any
    actual: Any
    truncated: bool
    failure: MatchFailure | None
    failures: list[MatchFailure]
    failures_dropped: int


class _Serialiser:
    """One result on its way into the report.

    Structured values come first, because what is masked in them is then recognised in prose as well.
    """

    def __init__(self, result: ObservedResult, redactor: Redactor) -> None:
        self._result = result
        self._redactor = redactor
        self._is_stage = result.kind == "stage"
        self._values = Values(redactor)
        if self._is_stage:
            self._rename_wire_ids()

    def scenario(self, completed_normally: bool) -> RecordedScenario:
        result = self._result
        kept, handles_out = keep_worst(
            result.handles, HANDLES_MAX, (str(handle.outcome) != "pass" for handle in result.handles)
        )
        handles = [result.handles[index] for index in kept]
        entries = both_ends(result.timeline, TIMELINE_MAX)
        replies = self._replies()
        replies_out = len(result.replies) - len(replies)
        self._learn(handles, entries)
        values = [self._handle_values(handle) for handle in handles]
        messages = [self._values.message(entry.message) for entry in entries]
        details = {
            "handles": [self._handle_details(handle) for handle in handles],
            "timeline": messages,
            **strays_of(result, kept, self._prose, self._values.message, self._differences),
            **self._values.table(),
            **({} if result.kind == "stage" else {"transport": self._line(result.transport_name)}),
            "transport_failures": self._transport_failures(),
            "surprises": self._surprises(),
            **spans_of(result, self._line),
            "left_out": {
                "handles": handles_out,
                "replies": replies_out,
                "transport_failures": max(0, len(result.transport_failures) - FAILURES_MAX),
            },
        }
        timeline = [self._entry(entry) for entry in entries]
        document: ResultsScenario = {
            "name": self._line(result.name) or ("stage" if self._is_stage else ""),
            "correlation_id": None if result.correlation_id is None else self._line(str(result.correlation_id)),
            "outcome": _scenario_outcome(result.handles),
            "duration_ms": self._duration(timeline),
            "completed_normally": completed_normally,
            "handles": [self._handle(*pair) for pair in zip(handles, values, strict=True)],
            "timeline": timeline,
            "timeline_dropped": result.timeline_dropped + len(result.timeline) - len(entries),
            "replies": replies,
            "summary_text": self._summary(handles_out, replies_out, saw_all=len(entries) == len(result.timeline)),
        }
        if result.kind == "stage":
            document["stage"] = _stage(result)
        allowlist_path = result.allowlist_path
        return RecordedScenario(
            document=document,
            details=details,
            transport=None if result.kind == "stage" else result.transport_name,
            allowlist_path=None if allowlist_path is None else clean_text(str(allowlist_path)),
            truncated=bool(handles_out or replies_out),
        )

    def _rename_wire_ids(self) -> None:
        """An id that is shown as a hash in one place and in clear in the next is not hidden at all."""
        own = (handle.correlation_id for handle in self._result.handles)
        foreign = (wire_id for stray in strays_in(self._result) for wire_id in stray.ids)
        for wire_id in (*own, *(foreign if self._result.kind == "stage" else ())):
            if wire_id is not None and wire_id != self._result.correlation_id:
                self._redactor.rename(wire_id, redact_correlation_id(wire_id))

    def _learn(self, handles: Sequence[ObservedHandle], entries: Sequence[ObservedEntry]) -> None:
        """First of all what is secret anywhere, so that it is found at every other place."""
        for handle in handles:
            self._values.learn(handle.matcher_expected)
            self._values.learn(handle.last_mismatch_payload)
            for failure in handle.failures[:FAILURES_MAX]:
                self._redactor.learn_at_path(failure.path, json_safe([failure.expected, failure.actual]))
        heard = (*(entry.message for entry in entries), *(each.message for each in strays_in(self._result)))
        counted = (each for one in handles for each in one.messages)
        self._values.learn_messages([each for each in (*heard, *counted) if each is not None])

    # --- expectations ---

    def _handle_values(self, handle: ObservedHandle) -> _HandleValues:
        outcome = str(handle.outcome)
        expected, expected_cut = self._values.shown(handle.matcher_expected)
        if handle.messages and outcome in ("pass", "slow"):
            actual, actual_cut = self._values.shown_payload(handle.messages[0])
        else:
            actual, actual_cut = self._values.shown(handle.last_mismatch_payload if outcome == "fail" else None)
        failures = [self._failure(failure) for failure in handle.failures[:FAILURES_MAX]]
        return {
            "expected": expected,
            "actual": actual,
            "truncated": expected_cut or actual_cut,
            "failure": failures[-1] if failures and outcome == "fail" else None,
            "failures": failures,
            "failures_dropped": handle.failures_dropped + len(handle.failures) - len(failures),
        }

    def _handle(self, handle: ObservedHandle, values: _HandleValues) -> ResultsHandle:
        latency_ms = _latency(handle)
        document: ResultsHandle = {
            "topic": self._line(handle.topic),
            "outcome": cast("HandleOutcome", str(handle.outcome)),
            "latency_ms": latency_ms,
            "budget_ms": amount(handle.budget_ms),
            "matcher_description": self._prose(handle.matcher_description),
            "attempts": handle.attempts,
            "reason": self._prose(handle.reason),
            "expected": values["expected"],
            "actual": values["actual"],
            "truncated": values["truncated"],
            "failure": values["failure"],
            "failures": values["failures"],
            "failures_dropped": values["failures_dropped"],
            "diagnosis": self._diagnosis(handle, latency_ms or 0.0),
        }
        if self._is_stage:
            document["transport"] = handle.transport
            if handle.correlation_id is not None:
                document["correlation_id"] = redact_correlation_id(handle.correlation_id)
        return document

    def _diagnosis(self, handle: ObservedHandle, latency_ms: float) -> Diagnosis:
        outcome = str(handle.outcome)
        if outcome == "pass":
            return {"kind": "matched"}
        if outcome == "slow":
            return {"kind": "over_budget", "latency_ms": latency_ms, "budget_ms": amount(handle.budget_ms) or 0.0}
        if outcome == "pending":
            return {"kind": "pending"}
        if outcome == "fail" or handle.attempts:
            return {"kind": "near_miss", "attempts": max(1, handle.attempts), "deadline_ms": latency_ms}
        return {"kind": "silent_timeout", "topic": self._line(handle.topic), "deadline_ms": latency_ms}

    def _handle_details(self, handle: ObservedHandle) -> dict[str, Any]:
        diagnosis = handle.diagnosis
        return {
            "origin": None if handle.origin is None else self._line(handle.origin),
            "step_text": None if handle.step_text is None else self._prose(handle.step_text),
            "cause": None if diagnosis is None else str(diagnosis.cause),
            "sentence": None if diagnosis is None else self._prose(diagnosis.sentence),
            "text": None if diagnosis is None else self._prose(diagnosis.text),
            **self._differences(() if diagnosis is None else diagnosis.differences),
            "asserted": handle.asserted,
            "since_publish_ms": amount(handle.since_publish_ms),
            "since_registration_ms": amount(handle.since_registration_ms),
            "messages": [self._values.message(message) for message in handle.messages[:FAILURES_MAX]],
            "messages_dropped": max(0, len(handle.messages) - FAILURES_MAX),
        }

    def _differences(self, differences: Sequence[ObservedFailure]) -> dict[str, Any]:
        """The fields in which the closest near-miss differs, and how many more there are; nothing without any."""
        if not differences:
            return {}
        kept = [self._failure(difference) for difference in differences[:DIFFERENCES_MAX]]
        return {"differences": kept, "differences_dropped": len(differences) - len(kept)}

    def _failure(self, failure: ObservedFailure, depth: int = 0) -> MatchFailure:
        document: MatchFailure = {
            "kind": cast("FailureKind", failure.kind),
            "path": self._line(failure.path),
            "expected": self._values.found_at(failure.path, failure.expected),
            "actual": self._values.found_at(failure.path, failure.actual),
        }
        if failure.children and depth < FAILURES_MAX:
            document["children"] = [self._failure(child, depth + 1) for child in failure.children[:FAILURES_MAX]]
        return document

    # --- timeline ---

    def _entry(self, entry: ObservedEntry) -> TimelineEntry:
        document: TimelineEntry = {
            "offset_ms": amount(entry.offset_ms) or 0.0,
            "wall_clock": entry.wall_clock,
            "action": cast("Action", str(entry.action)),
            "detail": cap_detail(self._redactor.text(entry.detail)) if entry.detail else "",
        }
        if entry.topic is not None:
            document["topic"] = self._line(entry.topic)
        if self._is_stage:
            self._place_in_stage(document, entry)
        return document

    def _place_in_stage(self, document: TimelineEntry, entry: ObservedEntry) -> None:
        if entry.transport is not None:
            document["transport"] = self._line(entry.transport)
        if entry.logical_topic is not None:
            document["logical_topic"] = self._line(entry.logical_topic)
        if entry.source is not None:
            document["source"] = cast("EventSource", clean_text(entry.source))

    # --- what transports could not do, and messages that nobody waited for ---

    def _transport_failures(self) -> list[dict[str, Any]]:
        failures = self._result.transport_failures
        return [
            {"transport": each.transport, "topic": self._line(each.topic), "reason": self._prose(each.reason)}
            for each in failures[:FAILURES_MAX]
        ]

    def _surprises(self) -> list[dict[str, Any]]:
        """By kind, with how often each came; those that came most often first."""
        found = Counter((each.topic, str(each.classification), each.size) for each in self._result.surprises)
        return [
            {"topic": self._line(topic), "classification": classification, "size": size, "count": count}
            for (topic, classification, size), count in found.most_common(FAILURES_MAX)
        ]

    # --- replies, stage, text ---

    def _replies(self) -> list[ReplyReport]:
        if self._result.kind == "stage":
            return [self._stage_reply(reply) for reply in self._result.replies[:REPLIES_MAX]]
        return [self._single_reply(reply) for reply in self._result.replies[:REPLIES_MAX]]

    def _single_reply(self, reply: ObservedReply) -> ReplyReport:
        return self._reply(reply, reply.reply_topic, overridden=reply.correlation_overridden)

    def _stage_reply(self, reply: ObservedStageReply) -> ReplyReport:
        return {
            **self._reply(reply, reply.response_topic, overridden=False),
            "trigger_transport": reply.trigger_transport,
            "response_transport": reply.response_transport,
        }

    def _reply(self, reply: ObservedReply | ObservedStageReply, reply_topic: str, *, overridden: bool) -> ReplyReport:
        return {
            "trigger_topic": self._line(reply.trigger_topic),
            "reply_topic": self._line(reply_topic),
            "state": _reply_state(str(reply.state)),
            "matcher_description": self._redactor.text(clean_text(mask_literals(reply.matcher_description))),
            "candidate_count": reply.candidate_count,
            "match_count": reply.match_count,
            "reply_published": reply.reply_published,
            "builder_error": None if reply.builder_error is None else self._line(reply.builder_error),
            "correlation_overridden": overridden,
        }

    def _summary(self, handles_out: int, replies_out: int, *, saw_all: bool) -> str:
        notes = [
            f"[{count} more {what} not shown: limit {limit}]"
            for count, what, limit in (
                (handles_out, "expectations", HANDLES_MAX),
                (replies_out, "replies", REPLIES_MAX),
            )
            if count
        ]
        acquainted = self._redactor if saw_all and not handles_out else None
        result = self._result
        text = "" if result.kind == "stage" else result.failure_summary(redactor=acquainted)
        return cap_stream("\n".join([text, *notes] if text else notes))

    def _duration(self, timeline: Sequence[TimelineEntry]) -> float:
        own = amount(self._result.duration_ms)
        return own if own is not None else max((entry["offset_ms"] for entry in timeline), default=0.0)

    def _line(self, text: str) -> str:
        return self._redactor.text(clean_text(text))

    def _prose(self, text: str) -> str:
        return cap_stream(self._redactor.text(text))


def _stage(result: ObservedStage) -> ResultsStage:
    ids = {
        handle.transport: redact_correlation_id(handle.correlation_id)
        for handle in result.handles
        if handle.transport is not None and handle.correlation_id is not None
    }
    return {
        "bridge_class": result.bridge_class or "Unknown",
        "transports": sorted(result.registered_transports),
        "correlation_ids": ids,
    }


def _scenario_outcome(handles: Sequence[ObservedHandle]) -> ScenarioOutcome:
    outcomes = {str(handle.outcome) for handle in handles}
    worst = next((outcome for outcome in _WORST_FIRST if outcome in outcomes), "pass")
    return "fail" if worst == "pending" else cast("ScenarioOutcome", worst)


def _reply_state(state: str) -> ReplyState:
    if state == "armed":
        raise AssertionError("a reply is reported while it is still armed; reports are made after the scope ended")
    if state not in _REPLY_STATES:
        raise ValueError(f"unknown reply state {state!r}")
    return _REPLY_STATES[state]


def _latency(handle: ObservedHandle) -> float | None:
    try:
        return amount(handle.latency_ms)
    except RuntimeError:  # no value yet
        return None

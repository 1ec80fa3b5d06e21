"""Traces as OTLP in JSON, with the names that OpenTelemetry has for messaging: Jaeger and others take the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from choreo_bdd_reporter.outputs.spans import Moment, Span, Trace, traces
from choreo_bdd_reporter.outputs.summary import Failure, failures
from choreo_bdd_reporter.outputs.systems import system_of

_TOLD_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_INTERNAL = 1
_KINDS = {"send": 4, "receive": 5, "act": _INTERNAL}  # PRODUCER and CONSUMER
_OK, _ERROR = 1, 2
_OUTCOMES_OK = ("pass", "slow")
_RESULTS = {"passed": "pass", "slow": "pass", "failed": "fail", "errored": "fail"}
"""What OpenTelemetry knows of a test: it has no word for one that was skipped."""


def as_otlp(results: Any, gherkin: Any = MappingProxyType({})) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest``: a trace for each scenario with a timeline, its ids always the same.

    What services told of their work for a scenario stands in its trace, under their own names.
    """
    run = results["run"]
    resource = {
        "service.name": run["project_name"] or "choreo-bdd",
        "host.name": run["hostname"],
        "deployment.environment.name": run["environment"],
        "vcs.ref.head.name": run["git_branch"],
        "vcs.ref.head.revision": run["git_sha"],
    }
    found = list(traces(results, gherkin))
    reasons = {failure.row: failure for failure in failures(results, gherkin)}
    buses = gherkin.get("buses") or {}
    spans = [span for trace in found for span in _spans(trace, reasons.get(trace.row), buses)]
    scope = {"name": "choreo-bdd", "version": run["reporter_version"]}
    told = _told(found)
    return {
        "resourceSpans": [
            _resource(resource, spans, scope),
            *(_resource({"service.name": service}, work, {"name": service}) for service, work in told.items()),
        ]
    }


def _resource(facts: dict[str, Any], spans: list[dict[str, Any]], scope: dict[str, Any]) -> dict[str, Any]:
    return {"resource": {"attributes": _attributes(facts)}, "scopeSpans": [{"scope": scope, "spans": spans}]}


def _told(found: Sequence[Trace]) -> dict[str, list[dict[str, Any]]]:
    """The work of services for all scenarios, by service."""
    told: dict[str, list[dict[str, Any]]] = {}
    for trace in found:
        own = {span["id"] for span in trace.work}
        for span in trace.work:
            told.setdefault(span["service"], []).append(_work(trace, span, own))
    return told


def _work(trace: Trace, span: Any, own: set[str]) -> dict[str, Any]:
    trace_id, root = _ids(trace)
    start = trace.start + round(span["offset_ms"] * 1000)
    parent = span["parent"] if span["parent"] in own else root
    return {
        **_span(trace_id, span["id"], parent, start, start + round(span["duration_ms"] * 1000)),
        "name": span["name"],
        "kind": _TOLD_KINDS.get(span["kind"], _INTERNAL),
        "attributes": _attributes({"messaging.destination.name": span["topic"]}),
        **_failed(span["error"]),
    }


def _failed(error: str | None) -> dict[str, Any]:
    return {"status": {"code": _ERROR, "message": error}} if error else {}


def _ids(trace: Trace) -> tuple[str, str]:
    """The ids of a trace and of the span that stands for its scenario."""
    key = _key(trace)
    return _id(key, 32), _id(f"{key}\nroot", 16)


def _key(trace: Trace) -> str:
    return f"{trace.test['nodeid']}\n{trace.test['worker_id']}\n{trace.place}\n{trace.start}"


def _spans(trace: Trace, reason: Failure | None, buses: Mapping[str, str]) -> list[dict[str, Any]]:
    key = _key(trace)
    trace_id, root = _ids(trace)
    ids = [_id(f"{key}\n{place}", 16) for place in range(len(trace.spans))]
    conversation = {"messaging.message.conversation_id": trace.scenario["correlation_id"]}
    inside = [
        {
            **_span(trace_id, own, root if span.parent is None else ids[span.parent], span.start, span.end),
            "name": f"{span.kind} {span.topic}",
            "kind": _KINDS[span.kind],
            "attributes": [] if span.kind == "act" else _attributes({**_message(span, buses), **conversation}),
            **_failed(span.error),
        }
        for own, span in zip(ids, trace.spans, strict=True)
    ]
    return [_root(trace, trace_id, root, reason, buses), *inside]


def _root(trace: Trace, trace_id: str, root: str, reason: Failure | None, buses: Mapping[str, str]) -> dict[str, Any]:
    test, scenario = trace.test, trace.scenario
    facts = {
        "test.case.name": test["nodeid"],
        "test.case.result.status": _RESULTS.get(test["outcome"]),
        "choreo.outcome": scenario["outcome"],
        "choreo.correlation_id": scenario["correlation_id"],
        "choreo.cause": None if reason is None else reason.cause,
    }
    return {
        **_span(trace_id, root, "", trace.start, trace.end),
        "name": scenario["name"] or test["name"] or test["nodeid"],
        "kind": _INTERNAL,
        "attributes": _attributes(facts),
        "events": [_event(moment, buses) for moment in trace.moments],
        **({"droppedEventsCount": dropped} if (dropped := scenario["timeline_dropped"]) else {}),
        "status": _status(trace, reason),
    }


def _status(trace: Trace, reason: Failure | None) -> dict[str, Any]:
    """Of the scenario; a test that broke beside its expectations breaks all of its scenarios."""
    failing = next((each for each in trace.scenario["handles"] if each["outcome"] not in _OUTCOMES_OK), None)
    if failing is not None:
        return {"code": _ERROR, "message": f"{failing['topic']}: {failing['reason'] or failing['outcome']}"}
    others = (each["outcome"] for scenario in trace.test["scenarios"] for each in scenario["handles"])
    if reason is not None and all(outcome in _OUTCOMES_OK for outcome in others):
        return {"code": _ERROR, "message": f"{reason.cause}: {reason.sentence}"}
    return {"code": _OK}


def _span(trace_id: str, own: str, parent: str, start: int, end: int) -> dict[str, Any]:
    ids = {"traceId": trace_id, "spanId": own, **({"parentSpanId": parent} if parent else {})}
    return {**ids, "startTimeUnixNano": f"{start}000", "endTimeUnixNano": f"{end}000"}


def _message(span: Span, buses: Mapping[str, str]) -> dict[str, Any]:
    return {
        "messaging.system": system_of(span.transport, buses),
        "messaging.destination.name": span.topic,
        "messaging.operation.name": span.kind,
        "messaging.operation.type": span.kind,
        "messaging.message.body.size": span.size,
        "choreo.transport": span.transport,
        "choreo.cause_inferred": span.parent is not None and not span.is_told,
    }


def _event(moment: Moment, buses: Mapping[str, str]) -> dict[str, Any]:
    facts = {
        "messaging.destination.name": moment.topic,
        "messaging.system": system_of(moment.transport, buses),
        "choreo.transport": moment.transport,
        "detail": moment.detail,
    }
    return {"timeUnixNano": f"{moment.at}000", "name": moment.name, "attributes": _attributes(facts)}


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(fact)} for name, fact in facts.items() if fact not in (None, "")]


def _value(fact: Any) -> dict[str, Any]:
    if isinstance(fact, bool):
        return {"boolValue": fact}
    return {"intValue": str(fact)} if isinstance(fact, int) else {"stringValue": str(fact)}


def _id(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]

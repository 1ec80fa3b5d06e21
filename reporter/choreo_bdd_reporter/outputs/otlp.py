"""Traces as OTLP in JSON, with the names that OpenTelemetry has for messaging: Jaeger and others take the file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.outputs.spans import Moment, Span, Trace, traces

_TOLD_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_KINDS = {"send": 4, "receive": 5}  # PRODUCER and CONSUMER
_INTERNAL = 1
_OK, _ERROR = 1, 2
_OUTCOMES_OK = ("pass", "slow")


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
    found = list(traces(results))
    spans = [span for trace in found for span in _spans(trace)]
    scope = {"name": "choreo-bdd", "version": run["reporter_version"]}
    told = _told(found, results, gherkin.get("details") or {})
    return {
        "resourceSpans": [
            _resource(resource, spans, scope),
            *(_resource({"service.name": service}, work, {"name": service}) for service, work in told.items()),
        ]
    }


def _resource(facts: dict[str, Any], spans: list[dict[str, Any]], scope: dict[str, Any]) -> dict[str, Any]:
    return {"resource": {"attributes": _attributes(facts)}, "scopeSpans": [{"scope": scope, "spans": spans}]}


def _told(found: Sequence[Trace], results: Any, details: Any) -> dict[str, list[dict[str, Any]]]:
    """The work of services for all scenarios, by service."""
    rows = dict(zip(map(id, results["tests"]), row_ids(results["tests"]), strict=True))
    told: dict[str, list[dict[str, Any]]] = {}
    for trace in found:
        notes = details.get(rows[id(trace.test)]) or ()
        spans = (notes[trace.place].get("spans") or ()) if trace.place < len(notes) else ()
        own = {span["id"] for span in spans}
        for span in spans:
            told.setdefault(span["service"], []).append(_work(trace, span, own))
    return told


def _work(trace: Trace, span: Any, own: set[str]) -> dict[str, Any]:
    trace_id, root = _ids(trace)
    start = trace.start + round(span["offset_ms"] * 1000)
    parent = span["parent"] if span["parent"] in own else root
    failed = {"status": {"code": _ERROR, "message": span["error"]}} if span["error"] else {}
    return {
        **_span(trace_id, span["id"], parent, start, start + round(span["duration_ms"] * 1000)),
        "name": span["name"],
        "kind": _TOLD_KINDS.get(span["kind"], _INTERNAL),
        "attributes": _attributes({"messaging.destination.name": span["topic"]}),
        **failed,
    }


def _ids(trace: Trace) -> tuple[str, str]:
    """The ids of a trace and of the span that stands for its scenario."""
    key = _key(trace)
    return _id(key, 32), _id(f"{key}\nroot", 16)


def _key(trace: Trace) -> str:
    return f"{trace.test['nodeid']}\n{trace.test['worker_id']}\n{trace.place}\n{trace.start}"


def _spans(trace: Trace) -> list[dict[str, Any]]:
    key = _key(trace)
    trace_id, root = _ids(trace)
    ids = [_id(f"{key}\n{place}", 16) for place in range(len(trace.spans))]
    inside = [
        {
            **_span(trace_id, own, root if span.parent is None else ids[span.parent], span.start, span.end),
            "name": f"{span.kind} {span.topic}",
            "kind": _KINDS[span.kind],
            "attributes": _attributes(_message(span)),
        }
        for own, span in zip(ids, trace.spans, strict=True)
    ]
    return [_root(trace, trace_id, root), *inside]


def _root(trace: Trace, trace_id: str, root: str) -> dict[str, Any]:
    test, scenario = trace.test, trace.scenario
    facts = {
        "test.case.name": test["nodeid"],
        "test.case.result.status": "pass" if test["outcome"] in ("passed", "slow") else "fail",
        "choreo.outcome": scenario["outcome"],
        "choreo.correlation_id": scenario["correlation_id"],
    }
    failing = next((handle for handle in scenario["handles"] if handle["outcome"] not in _OUTCOMES_OK), None)
    status: dict[str, Any] = {"code": _OK if failing is None else _ERROR}
    if failing is not None:
        status["message"] = f"{failing['topic']}: {failing['reason'] or failing['outcome']}"
    return {
        **_span(trace_id, root, "", trace.start, trace.end),
        "name": scenario["name"] or test["name"] or test["nodeid"],
        "kind": _INTERNAL,
        "attributes": _attributes(facts),
        "events": [_event(moment) for moment in trace.moments],
        "status": status,
    }


def _span(trace_id: str, own: str, parent: str, start: int, end: int) -> dict[str, Any]:
    ids = {"traceId": trace_id, "spanId": own, **({"parentSpanId": parent} if parent else {})}
    return {**ids, "startTimeUnixNano": f"{start}000", "endTimeUnixNano": f"{end}000"}


def _message(span: Span) -> dict[str, Any]:
    return {
        "messaging.system": span.transport,
        "messaging.destination.name": span.topic,
        "messaging.operation.type": span.kind,
        "choreo.cause_inferred": span.parent is not None,
    }


def _event(moment: Moment) -> dict[str, Any]:
    facts = {"messaging.destination.name": moment.topic, "messaging.system": moment.transport, "detail": moment.detail}
    return {"timeUnixNano": f"{moment.at}000", "name": moment.name, "attributes": _attributes(facts)}


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(fact)} for name, fact in facts.items() if fact not in (None, "")]


def _value(fact: Any) -> dict[str, Any]:
    return {"boolValue": fact} if isinstance(fact, bool) else {"stringValue": str(fact)}


def _id(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]

"""OTLP: an ``ExportTraceServiceRequest`` in protobuf or JSON, read into spans. Malformed, it is a ``ValueError``."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from choreo_bdd.traces.spans import TEXT_CHARACTERS, Span

_SPANS_A_REQUEST = 10_000
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_ERRORS = (2, "STATUS_CODE_ERROR")
_TOPICS = ("messaging.destination.name", "messaging.destination_publish.name", "messaging.destination", "http.route")


def read_protobuf(body: bytes) -> list[Span]:
    """Spans of a request in protobuf."""
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - of the extra, loaded when it is needed
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: PLC0415

    try:
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise ValueError(f"no OTLP in protobuf: {error}") from None
    document = MessageToDict(request)
    return _spans(document, as_id=_hex_of_base64)


def read_json(body: bytes) -> list[Span]:
    """Spans of a request in OTLP's JSON, where ids are hexadecimal."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    return _spans(document, as_id=lambda text: str(text).lower())


def _hex_of_base64(text: str) -> str:
    return b64decode(text).hex()


def _spans(document: Any, *, as_id: Callable[[str], str]) -> list[Span]:
    try:
        return list(islice(_told(document, as_id), _SPANS_A_REQUEST))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"no OTLP: {type(error).__name__}") from None


def _told(document: Any, as_id: Callable[[str], str]) -> Iterator[Span]:
    for resource in document.get("resourceSpans", ()):
        facts = _attributes(resource.get("resource", {}).get("attributes", ()))
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                yield _span(span, str(facts.get("service.name", "?")), as_id)


def _span(span: Mapping[str, Any], service: str, as_id: Callable[[str], str]) -> Span:
    facts = _attributes(span.get("attributes", ()))
    topic = next((str(facts[name]) for name in _TOPICS if name in facts), None)
    return Span(
        as_id(span["traceId"]),
        as_id(span["spanId"]),
        as_id(span.get("parentSpanId", "")),
        _cut(service),
        _cut(str(span.get("name", ""))),
        _kind(span.get("kind", 0)),
        _seconds(span["startTimeUnixNano"]),
        _seconds(span["endTimeUnixNano"]),
        _error(span),
        None if topic is None else _cut(topic),
    )


def _kind(kind: object) -> str:
    if isinstance(kind, int):
        return _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0]
    return str(kind).removeprefix("SPAN_KIND_").lower()[:20]


def _seconds(nanoseconds: object) -> float:
    return int(str(nanoseconds)) / 1e9


def _error(span: Mapping[str, Any]) -> str | None:
    """What a failed span failed with: the kind of its exception, else what its status says."""
    status = span.get("status", {})
    if status.get("code") not in _ERRORS:
        return None
    for event in span.get("events", ()):
        if event.get("name") == "exception":
            facts = _attributes(event.get("attributes", ()))
            kind = str(facts.get("exception.type", "")).rpartition(".")[2]
            if kind:
                return _cut(kind)
    return _cut(str(status.get("message") or "error"))


def _attributes(given: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return dict(_pairs(given))


def _pairs(given: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for each in given:
        for value in each.get("value", {}).values():
            yield str(each["key"]), value


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS else f"{text[:TEXT_CHARACTERS]}…"

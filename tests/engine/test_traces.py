"""The receiver of OTLP: what services tell is kept by trace, and nothing that is sent can hurt it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from choreo_bdd.correlation import trace_of, traceparent
from choreo_bdd.traces.receiver import LARGEST_BODY, Receiver
from choreo_bdd.traces.spans import SPANS_A_TRACE, Span

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = {
    "traceId": TRACE,
    "spanId": "b7ad6b7169203331",
    "parentSpanId": "00f067aa0ba902b7",
    "name": "orders.placed process",
    "kind": 5,
    "startTimeUnixNano": "1700000000500000000",
    "endTimeUnixNano": "1700000000512000000",
    "attributes": [{"key": "messaging.destination.name", "value": {"stringValue": "orders.placed"}}],
    "status": {"code": 2, "message": "no stock"},
    "events": [
        {"name": "exception", "attributes": [{"key": "exception.type", "value": {"stringValue": "shop.ValueError"}}]}
    ],
}


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "settlement"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def in_protobuf(document: dict[str, Any]) -> bytes:
    """The same in protobuf, whose ids are bytes."""
    made = ExportTraceServiceRequest()
    for resource in document["resourceSpans"]:
        into = made.resource_spans.add()
        for fact in resource["resource"]["attributes"]:
            into.resource.attributes.add(key=fact["key"]).value.string_value = fact["value"]["stringValue"]
        for span in resource["scopeSpans"][0]["spans"]:
            told = into.scope_spans.add().spans.add(
                trace_id=bytes.fromhex(span["traceId"]),
                span_id=bytes.fromhex(span["spanId"]),
                parent_span_id=bytes.fromhex(span["parentSpanId"]),
                name=span["name"],
                kind=span["kind"],
                start_time_unix_nano=int(span["startTimeUnixNano"]),
                end_time_unix_nano=int(span["endTimeUnixNano"]),
            )
            told.status.code = span["status"]["code"]
            for fact in span["attributes"]:
                told.attributes.add(key=fact["key"]).value.string_value = fact["value"]["stringValue"]
            for event in span["events"]:
                happened = told.events.add(name=event["name"])
                for fact in event["attributes"]:
                    happened.attributes.add(key=fact["key"]).value.string_value = fact["value"]["stringValue"]
    return made.SerializeToString()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.start()
    receiver.spans.expect(TRACE)
    yield receiver
    receiver.stop()


def send(receiver: Receiver, body: bytes, kind: str = "application/json", **headers: str) -> int:
    named = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx.post(f"{receiver.url}/v1/traces", content=body, headers=named, trust_env=False).status_code


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_span_comes_as_it_was_told(receiver: Receiver, kind: str, packed: bool) -> None:
    document = request(SPAN)
    body = json.dumps(document).encode() if kind.endswith("json") else in_protobuf(document)
    packing = {"Content_Encoding": "gzip"} if packed else {}
    assert send(receiver, gzip.compress(body) if packed else body, kind, **packing) == 200
    assert receiver.spans.of(TRACE) == (
        Span(
            TRACE,
            "b7ad6b7169203331",
            "00f067aa0ba902b7",
            "settlement",
            "orders.placed process",
            "consumer",
            1700000000.5,
            1700000000.512,
            "ValueError",
            "orders.placed",
        ),
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{broken", {}, 400),
        (b"[]", {}, 400),
        (b'{"resourceSpans": [1]}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (json.dumps(request({"traceId": TRACE})).encode(), {}, 400),
        (json.dumps(request({**SPAN, "startTimeUnixNano": "soon"})).encode(), {}, 400),
        (b"\xff\xff\xff", {"kind": "application/x-protobuf"}, 400),
        (b"{}", {"kind": "text/plain"}, 415),
        (b"no gzip", {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(b" " * (LARGEST_BODY + 1)), {"Content_Encoding": "gzip"}, 413),
        (b" " * (LARGEST_BODY + 1), {}, 413),
        (b"{}", {"Content_Encoding": "br"}, 415),
    ],
)
def test_what_is_malformed_is_refused_and_the_next_is_taken(
    receiver: Receiver, body: bytes, headers: dict[str, str], status: int
) -> None:
    try:
        assert send(receiver, body, **headers) == status
    except httpx.WriteError:  # it was told before all of it had been sent
        assert status == 413
    assert send(receiver, json.dumps(request(SPAN)).encode()) == 200
    assert len(receiver.spans.of(TRACE)) == 1


def test_only_traces_that_were_asked_for_are_kept_and_no_more_than_a_bound(receiver: Receiver) -> None:
    other = {**SPAN, "traceId": "f" * 32}
    assert send(receiver, json.dumps(request(*[SPAN] * (SPANS_A_TRACE + 5), other)).encode()) == 200
    assert len(receiver.spans.of(TRACE)) == SPANS_A_TRACE
    assert receiver.spans.of("f" * 32) == ()


def test_services_are_told_where_to_send(receiver: Receiver) -> None:
    environment = receiver.environment
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"].startswith("http://127.0.0.1:")
    assert environment["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"


def test_a_traceparent_is_of_its_trace_and_each_has_a_span_of_its_own() -> None:
    first, second = traceparent(TRACE), traceparent(TRACE)
    assert first.startswith(f"00-{TRACE}-")
    assert first.endswith("-01")
    assert len(first) == 55
    assert first != second


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        ({"traceparent": f"00-{TRACE}-{'b' * 16}-01"}, TRACE),
        ({"TraceParent": f" 00-{TRACE.upper()}-{'b' * 16}-00-of-tomorrow"}, TRACE),
        ({"traceparent": TRACE}, None),
        ({"traceparent": f"ff-{TRACE}-{'b' * 16}-01"}, None),
        ({"traceparent": f"00-{'0' * 32}-{'b' * 16}-01"}, None),
        ({}, None),
    ],
    ids=["plain", "another-case", "bare-id", "forbidden-version", "no-trace", "none"],
)
def test_the_trace_of_a_message_is_read_from_a_valid_header_only(header: dict[str, str], trace: str | None) -> None:
    assert trace_of(header) == trace

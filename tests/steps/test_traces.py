"""Traces: what a scenario sends belongs to one; what services tell of it decides nothing (spec/steps.md 10)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_steps.run.session import Session
from tests.engine.test_traces import request
from tests.support.http_service import http_service
from tests.support.step_bench import Bench


@pytest.fixture
def traced() -> Iterator[Bench]:
    """A bench whose messages are traced."""
    bus = TransportConfig("bus", "memory", "the test", correlation_field="correlation_id")
    session = Session(
        replace(
            memory_config(), transports=MappingProxyType({"bus": bus}), timeout_s=0.3, vacuity="ignore", traces=True
        )
    )
    yield Bench(session)
    session.close()


def telling(bench: Bench, heard: list[dict[str, str]], *, failed: bool = False) -> Callable[[Any], None]:
    """A step in which a service tells of its work on the message that was published last."""

    def tell(_: object) -> None:
        _, trace_id, parent, _ = heard[-1]["traceparent"].split("-")
        began = time.time()
        exception = {"key": "exception.type", "value": {"stringValue": "ValueError"}}
        span = {
            "traceId": trace_id,
            "spanId": "b7ad6b7169203331",
            "parentSpanId": parent,
            "name": "settle",
            "kind": 5,
            "startTimeUnixNano": str(int(began * 1e9)),
            "endTimeUnixNano": str(int((began + 0.002) * 1e9)),
            "attributes": [{"key": "messaging.destination.name", "value": {"stringValue": "orders.placed"}}],
            "status": {"code": 2 if failed else 1},
            "events": [{"name": "exception", "attributes": [exception]}] if failed else [],
        }
        url = bench.session.environment_for_services()["OTEL_EXPORTER_OTLP_ENDPOINT"]
        body = json.dumps(request(span)).encode()
        kind = {"Content-Type": "application/json"}
        assert httpx.post(f"{url}/v1/traces", content=body, headers=kind, trust_env=False).status_code == 200

    return tell


def hearing(bench: Bench, topic: str) -> list[dict[str, str]]:
    """The headers of every message on a topic."""
    headers: list[dict[str, str]] = []

    class Sink:
        def __call__(self, topic: str, payload: bytes) -> None:
            raise AssertionError("whole messages are wanted")

        def deliver(self, message: Any) -> None:
            headers.append(dict(message.headers))

    bus = bench.session.transport("bus")

    async def listen() -> None:
        bus.subscribe(topic, Sink())

    bench.session.run(listen())
    return headers


def test_every_message_of_a_scenario_belongs_to_its_trace_and_the_authors_own_is_kept(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    own = f"00-{'a' * 32}-{'b' * 16}-01"
    traced.play('When I publish 2 "orders.placed" messages').passed()
    traced.play('When I publish "orders.placed"').passed()
    traced.play(f'When I publish "orders.placed"\n| field | value |\n| @headers.Traceparent | {own} |').passed()
    ids = [headers.get("traceparent", "-").split("-")[1] for headers in heard]
    spans = {headers["traceparent"].split("-")[2] for headers in heard[:3]}
    assert ids[0] == ids[1] != ids[2]
    assert len(spans) == 3
    assert heard[3] == {"Traceparent": own}


def test_a_call_belongs_to_the_trace(traced: Bench) -> None:
    with http_service() as url:
        config = replace(
            traced.session.config,
            transports=MappingProxyType({"api": TransportConfig("api", "http", "the test", options={"url": url})}),
        )
        session = Session(config)
        try:
            played = Bench(session).play('When I call GET "/"', "Then the response has status 200").passed()
        finally:
            session.close()
    assert played.handles[0].message["headers"]["traceparent"].startswith("00-")


def test_what_a_service_tells_stands_with_the_scenario_and_decides_nothing(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    played = traced.play(
        'When I publish "orders.placed"',
        "And a service works",
        'Then I expect "orders.placed"',
        own={"a service works": telling(traced, heard, failed=True)},
    ).passed()
    assert played.result is not None
    (span,) = played.result.spans
    assert (span.service, span.topic, span.error) == ("settlement", "orders.placed", "ValueError")


def test_a_failed_check_says_which_service_failed(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    played = traced.play(
        'When I publish "orders.placed"',
        "And a service works",
        'Then I expect "orders.settled"',
        own={"a service works": telling(traced, heard, failed=True)},
    )
    assert played.outcomes == ["timeout"]
    assert "settlement received orders.placed " in played.message
    assert "ms after the publish and failed: ValueError" in played.message
    diagnosis = played.handles[0].diagnosis
    assert diagnosis is not None
    assert diagnosis.sentence.startswith("no matching message arrived on 'orders.settled'")
    assert "; settlement received orders.placed " in diagnosis.sentence


def test_a_service_that_did_its_work_is_no_cause(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    played = traced.play(
        'When I publish "orders.placed"',
        "And a service works",
        'Then I expect "orders.settled"',
        own={"a service works": telling(traced, heard)},
    )
    assert "settlement" not in played.message


def test_without_traces_nothing_is_added_and_services_are_told_nothing(bench: Bench) -> None:
    heard = hearing(bench, "orders.placed")
    bench.play('When I publish "orders.placed"').passed()
    assert heard == [{}]
    assert bench.session.environment_for_services() == {}

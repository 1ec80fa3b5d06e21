"""Traces: what a scenario sends belongs to one; what services tell of it decides nothing (spec/steps.md 10)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from msgspec import structs

from choreo_bdd.correlation import trace_of
from choreo_bdd.transports.base import publish_extras
from choreo_bdd_project.config import ConfigError, TransportConfig, memory_config
from choreo_bdd_steps.run.session import Session
from tests.engine.test_traces import request
from tests.support.http_service import http_service
from tests.support.step_bench import Bench


@pytest.fixture
def traced() -> Iterator[Bench]:
    """A bench whose messages are traced."""
    bus = TransportConfig("bus", "memory", "the test", correlation_field="correlation_id")
    session = Session(
        structs.replace(
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
        config = structs.replace(
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


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_a_service_that_failed_while_an_act_was_under_way_did_so_after_no_publish_before_it(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    played = traced.play(
        'When I publish "orders.placed"',
        'Then I expect "orders.placed"',
        "When I pay",
        'Then I expect "orders.settled"',
        acts={"I pay": telling(traced, heard, failed=True)},
    )
    assert "settlement received orders.placed during the act and failed: ValueError" in played.message


def test_what_a_service_tells_of_a_trace_that_the_author_has_begun_is_told_too(traced: Bench) -> None:
    heard = hearing(traced, "orders.placed")
    own = f"00-{'a' * 32}-{'b' * 16}-01"
    played = traced.play(
        f'When I publish "orders.placed"\n| field | value |\n| @headers.traceparent | {own} |',
        "And a service works",
        'Then I expect "orders.settled"',
        own={"a service works": telling(traced, heard, failed=True)},
    )
    assert "settlement received orders.placed " in played.message


@pytest.mark.thorough
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


@pytest.fixture
def by_trace() -> Iterator[Bench]:
    """A bench whose messages belong to a scenario by the trace they are of."""
    bus = TransportConfig("bus", "memory", "the test", correlation_header="Traceparent")
    session = Session(
        structs.replace(memory_config(), transports=MappingProxyType({"bus": bus}), timeout_s=0.3, vacuity="ignore")
    )
    yield Bench(session)
    session.close()


def passing_on(bench: Bench, heard: list[dict[str, str]], *, trace: str | None = None) -> Callable[[Any], None]:
    """A step in which a service answers in the trace it was asked in, or in another, with a span of its own."""

    def answer(_: object) -> None:
        asked = heard[-1]["traceparent"].split("-")[1]
        headers = {"traceparent": f"00-{trace or asked}-{'c' * 16}-00"}
        bus = bench.session.transport("bus")

        async def publish() -> None:
            bus.publish("orders.settled", b"{}", **publish_extras(headers, None))

        bench.session.run(publish())

    return answer


def test_a_trace_ties_messages_together_where_it_is_said_so(by_trace: Bench) -> None:
    heard = hearing(by_trace, "orders.placed")
    steps = ('When I publish "orders.placed"', "And a service answers", 'Then I expect "orders.settled"')
    by_trace.play(*steps, own={"a service answers": passing_on(by_trace, heard)}).passed()
    assert trace_of(heard[-1]), "what services read has to be one"
    played = by_trace.play(*steps, own={"a service answers": passing_on(by_trace, heard, trace="d" * 32)})
    assert "wrong correlation" in played.message


def test_the_id_of_a_trace_has_no_prefix() -> None:
    bus = TransportConfig("bus", "memory", "x.yaml:3", correlation_header="traceparent", correlation_prefix="T-")
    session = Session(structs.replace(memory_config(), transports=MappingProxyType({"bus": bus})))
    try:
        with pytest.raises(ConfigError, match=r"x\.yaml:3\.correlation\.prefix: the id of a trace has none"):
            session.harness("bus")
    finally:
        session.close()

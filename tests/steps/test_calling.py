"""Calls over HTTP are acts: they begin phases, and what they answer is checked like a message (spec/steps.md 10)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import pytest

from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_steps.run.session import Session
from tests.support.http_service import http_service
from tests.support.step_bench import Bench

MakeBench = Callable[..., Bench]
TIMEOUT_S = 3.0


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    """A service in a process of its own."""
    with http_service() as url:
        yield url


@pytest.fixture
def make(door: str) -> Iterator[MakeBench]:
    """Benches with an in-memory bus and the service as ``api``, with options of its own."""
    made: list[Session] = []

    def bench(correlation_header: str | None = None, url: str = door, **options: Any) -> Bench:
        bus = TransportConfig("bus", "memory", "the test", correlation_off=True)
        api = TransportConfig(
            "api", "http", "the test", correlation_header=correlation_header, options={"url": url, **options}
        )
        transports = MappingProxyType({"bus": bus, "api": api})
        made.append(Session(replace(memory_config(), transports=transports, timeout_s=TIMEOUT_S, vacuity="ignore")))
        return Bench(made[-1])

    yield bench
    for session in made:
        session.close()


def later(bench: Bench, after_s: float, topic: str = "orders.placed") -> Callable[[object], None]:
    """A step of the user's own after which an event comes by itself."""

    def step(_: object) -> None:
        threading.Timer(after_s, bench.say, (topic, {})).start()

    return step


def test_a_call_and_what_it_answers_stand_on_the_timeline_and_are_checked(make: MakeBench) -> None:
    played = make().play(
        'When I call POST "/orders?status=201"\n| field | value |\n| id | 7 |\n| @headers.X-Tenant | acme |',
        "Then the response has status 201 within 2s\n"
        "| field | value |\n| headers.x-tenant | acme |\n| body | contains 7 |\n| method | POST |",
        'And I keep "@headers.Location" of the response as place',
        'And I keep "@status" of the response as status',
        "And the response has\n| field | value |\n| @headers.Location | {{ place }} |\n| @status | {{ status }} |",
        "And the response has not\n| field | value |\n| @headers.LOCATION | absent |\n| error | exists |",
    )
    assert played.passed().run.variables["status"] == 201
    assert played.result is not None
    told = [(each.action.value, each.topic) for each in played.result.timeline]
    assert told[:2] == [("published", "POST /orders?status=201"), ("received", "POST /orders?status=201")]
    sent, answer = (each.message for each in played.result.timeline[:2])
    assert sent is not None
    assert answer is not None
    assert sent.payload == {"id": 7}
    assert answer.payload["method"] == "POST"


def test_a_call_without_a_body_sends_none(make: MakeBench) -> None:
    make().play(
        'When I call GET "/orders"\n| field | value |\n| @headers.Accept | text/plain |',
        'Then the response has\n| field | value |\n| body | "" |\n| headers.accept | text/plain |\n'
        "| headers.content-type | absent |\n| headers.content-length | absent |",
    ).passed()


@pytest.mark.thorough
def test_a_budget_counts_from_the_end_of_the_call(make: MakeBench) -> None:
    bench = make()
    played = bench.play(
        "Given an event follows",
        'When I call POST "/orders?takes_s=1.2"',
        'Then I expect "orders.placed" within 1s',
        own={"an event follows": later(bench, 1.7)},
    )
    assert played.passed().handles[0].latency_ms < 1000


def test_the_budget_of_a_response_counts_from_the_request(make: MakeBench) -> None:
    played = make().play('When I call GET "/?takes_s=0.3"', "Then the response has status 200 within 200ms")
    assert played.outcomes == ["slow"]
    assert played.handles[0].latency_ms >= 300
    assert "over the budget of 200.0 ms" in played.message


@pytest.mark.thorough
def test_what_comes_while_the_call_is_under_way_took_no_time(make: MakeBench) -> None:
    bench = make()
    played = bench.play(
        "Given somebody speaks soon",
        'When I call POST "/?takes_s=1"',
        'Then I expect "orders.placed" within 50ms',
        own={"somebody speaks soon": later(bench, 0.5)},
    )
    assert played.passed().handles[0].latency_ms == 0


def test_an_absence_after_the_second_call_does_not_see_the_message_of_the_first(make: MakeBench) -> None:
    bench = make()
    bench_says = later(bench, 0.0)
    played = bench.play(
        'When I call POST "/orders"',
        "And somebody speaks",
        'Then I expect "orders.placed"',
        'When I call POST "/orders"',
        'Then I expect no "orders.placed" for 50ms',
        own={"somebody speaks": bench_says},
    )
    assert played.passed().outcomes == ["pass", "pass"]


@pytest.mark.thorough
def test_an_absence_sees_what_comes_while_its_call_is_under_way(make: MakeBench) -> None:
    bench = make()
    played = bench.play(
        "Given somebody speaks soon",
        'When I call POST "/?takes_s=1"',
        'Then I expect no "orders.placed" for 50ms',
        own={"somebody speaks soon": later(bench, 0.5)},
    )
    assert played.outcomes == ["fail"]


def test_the_response_is_that_of_the_last_call(make: MakeBench) -> None:
    make().play(
        'When I call POST "/orders?status=201"',
        'And I call POST "/orders?status=409"',
        "Then the response has status 409",
        'When I call POST "/orders?status=409"',
        "Then the response has status 409",
    ).passed()


def test_a_response_that_differs_is_told_at_once_with_what_was_answered(make: MakeBench) -> None:
    begun = time.monotonic()
    played = make().play(
        'When I call POST "/orders?status=500&says=no+stock&kind=text/plain"',
        "Then the response has status 201\n| field | value |\n| id | 7 |",
    )
    assert "@status: expected 201, got 500" in played.message
    assert "answered 500: no stock" in played.message
    assert time.monotonic() - begun < TIMEOUT_S, "there is nothing to wait for"


@pytest.mark.parametrize(
    ("kind", "says", "value"),
    [
        ("application/json", "42", 42),
        ("application/problem+json", '{"a": 1}', {"a": 1}),
        ("text/plain", "42", "42"),
        ("text/plain; charset=latin-1", "42", "42"),
        ("application/xml", "<a/>", "<a/>"),
        ("application/octet-stream", "ab", b"ab"),
        ("application/json", "{broken", "{broken"),
        ("", "[1]", [1]),
    ],
)
def test_a_body_is_read_by_its_media_type(make: MakeBench, kind: str, says: str, value: object) -> None:
    played = (
        make()
        .play(f'When I call GET "/?{urlencode({"kind": kind, "says": says})}"', "Then the response has status 200")
        .passed()
    )
    assert played.handles[0].message == value


@pytest.mark.parametrize("body", ["| field | value |\n| a | 1 |", '"""\na: 1\n"""'])
def test_a_body_that_is_not_the_json_it_says_lacks_nothing(make: MakeBench, body: str) -> None:
    def answered(kind: str, says: str) -> str:
        return f'When I call GET "/?{urlencode({"kind": kind, "says": says})}"'

    played = make().play(answered("application/json", '{"a": 1'), f"Then the response has not:\n{body}")
    assert "undecodable: 'GET /?" in played.message
    assert 'answered 200: {"a": 1' in played.message
    for kind, says in (("application/json", '"a: 1"'), ("application/json", ""), ("text/plain", '{"a": 1')):
        make().play(answered(kind, says), f"Then the response has not:\n{body}").passed()
    only_status = "Then the response has not:\n| field | value |\n| @status | 500 |"
    make().play(answered("application/json", '{"a": 1'), only_status).passed()


def test_text_is_sent_as_text_and_headers_of_ones_own_win(make: MakeBench) -> None:
    make(headers={"X-Tenant": "acme", "Accept": "a/b"}).play(
        'When I call PUT "/"  as an envelope\n"""\nheaders: {Content-Type: application/x-www-form-urlencoded}\n'
        'payload: a=1&b=2\n"""'.replace("  as", " as"),
        "Then the response has\n| field | value |\n| body | a=1&b=2 |\n| headers.x-tenant | acme |\n"
        "| headers.content-type | application/x-www-form-urlencoded |\n| headers.accept | a/b |",
    ).passed()


def test_the_correlation_id_goes_where_the_transport_says(make: MakeBench) -> None:
    make(correlation_header="X-Request-Id").play(
        'When I call GET "/"',
        "Then the response has\n| field | value |\n| headers.x-request-id | {{ correlation_id }} |",
    ).passed()

"""Keys and headers that a bus cannot carry: told by lint and by the run, before anything is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.nats import NatsTransport
from choreo_bdd_project.carried import carried
from choreo_bdd_project.config import TransportConfig, load_config, memory_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.lint import lint
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.project import Project
from tests.support.step_bench import Bench

KEYED = 'When I publish "k" with key "k1"'
HEADED = 'When I publish "k" as an envelope\n"""\nheaders: {tenant: a}\n"""'
GO = 'When I publish "go"'
CHECK = 'Then I expect "k"'
CASES = {
    "publish with a key": ((KEYED, CHECK), "key", 3),
    "envelope with a key": (('When I publish "k" as an envelope\n"""\nkey: a\n"""', CHECK), "key", 3),
    "second row with a key": (('When I publish "k"\n| @key | n |\n| a | 1 |', CHECK), "key", 3),
    "envelope with headers": ((HEADED, CHECK), "headers", 3),
    "condition on the key": ((GO, 'Then I expect no "k" where @key is "k1" for 50ms'), "key", 4),
    "one of two conditions": ((GO, 'Then I expect "k" where n is 1 or @key is "k1"'), "key", 4),
    "cell on the key": ((GO, 'Then I expect "k"\n| field | value |\n| @key | k1 |'), "key", 4),
    "doc string on a header": ((GO, 'Then I expect "k"\n"""\n"@headers.tenant": a\n"""'), "headers", 4),
    "a check that waits for a variable": (
        (GO, 'Then I expect "go"', 'And I keep "n" of "go" as n', 'And I expect "k" where @key is "{{ n }}"'),
        "key",
        6,
    ),
    "a stand-in that asks for it": (
        ('Given a service that answers "k" where @key is "a" with "r"', GO, 'Then I expect "r"'),
        "key",
        3,
    ),
    "a stand-in that answers with it": (
        ('Given a service that answers "k" with "r"\n"""\n"@key": a\n"""', GO, 'Then I expect "r"'),
        "key",
        3,
    ),
}
BUSES = {"nats": "NATS", "rabbitmq": "RabbitMQ", "redis": "Redis Pub/Sub"}


@pytest.fixture
def bench_on() -> Iterator[Callable[[str], Bench]]:
    """A bench whose bus is configured to be of a kind, though it is a memory bus."""
    made: list[Session] = []

    def make(kind: str) -> Bench:
        bus = TransportConfig("bus", kind, "the test")
        config = replace(memory_config(), transports=MappingProxyType({"bus": bus}), timeout_s=0.1, vacuity="ignore")
        made.append(Session(config, make_transport=lambda *_: MockTransport(), loop=VirtualLoop()))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "case"),
    [(kind, case) for kind in BUSES for case, (_, what, _) in CASES.items() if what == "key" or kind == "redis"],
)
def test_the_run_says_it_before_anything_is_published(bench_on: Callable[[str], Bench], kind: str, case: str) -> None:
    steps, what, line = CASES[case]
    bench = bench_on(kind)
    for topic in ("go", "k"):
        bench.service(topic, lambda message: [])
    played = bench.play(*steps)
    assert f"{BUSES[kind]} carries no {'keys' if what == 'key' else what}" in played.message
    assert f"play.feature:{line}" in played.message
    assert bench.heard == []


@pytest.mark.parametrize("kind", BUSES)
def test_lint_says_it_without_a_broker(project: Project, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(project.folder)
    address = {
        "nats": "servers: nats://127.0.0.1",
        "rabbitmq": "url: amqp://127.0.0.1",
        "redis": "url: redis://127.0.0.1",
    }
    project.file("choreo.yaml", f"profiles: {{p: {{bus: {{type: {kind}, {address[kind]}}}}}}}\n")
    project.feature(
        """
        Feature: A key on a bus without keys
          Scenario: is sent
            When I publish "k" with key "k1":
              | id |
              | 1  |
            Then I expect "k" where id is 1
          Scenario: is not there
            When I publish "k"
            Then I expect no "k" where @key is "k1" for 100ms
        """
    )
    found = lint([Path("features/a.feature")])
    assert [(each.line, each.rule) for each in found] == [(3, "not-carried"), (9, "not-carried")]
    assert f"{BUSES[kind]} carries no keys" in found[0].message


def test_a_stream_of_redis_has_both_and_an_entry_of_plain_fields_has_none(tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(
        """
profiles:
  p:
    bus:
      type: redis
      url: redis://127.0.0.1
      topics:
        "framed.*": {stream: true, payload_field: data}
        "plain.*": {stream: true}
""",
        "utf-8",
    )
    bus = load_config(path, schema=config_schema()).transports["bus"]
    told = {topic: (carried(bus, topic).keys, carried(bus, topic).headers) for topic in ("framed.a", "plain.a", "a")}
    assert told == {"framed.a": (True, True), "plain.a": (False, False), "a": (False, False)}


@pytest.mark.parametrize("kind", ["memory", "kafka"])
def test_buses_with_keys_take_them(bench_on: Callable[[str], Bench], kind: str) -> None:
    bench_on(kind).play(KEYED, 'Then I expect "k" where @key is "k1"').passed()


@pytest.mark.broker
async def test_nats_itself_refuses_a_key(nats_broker: Broker) -> None:
    transport = NatsTransport(servers=[nats_broker.url])
    await transport.connect()
    try:
        with pytest.raises(PublishFailed, match="carries no keys"):
            transport.publish("k", b"{}", key="k1")
    finally:
        await transport.disconnect()

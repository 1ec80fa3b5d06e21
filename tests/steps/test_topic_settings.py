"""`topics:` of every transport: codec, correlation and headers of a topic's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_project.config import ConfigError, load_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench

TOPICS = """
        "orders.*": {codec: {avro: order.avsc}}
        "shouted.*": {codec: {python: "tests.steps.test_topic_settings:Shouting"}, correlation: none}
        "tagged": {headers: {ce-source: /tests, ce-type: order}, correlation: {header: x-id}}
        "free.*": {correlation: none}
        "plain.*": {codec: text}
"""
SCHEMA = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "int"}]}
WAIT = "And the service speaks"


class Shouting:
    """A codec of a project's own: texts in capitals."""

    def encode(self, value: Any) -> bytes:
        return str(value).upper().encode()

    def decode(self, data: bytes) -> Any:
        return {"heard": data.decode().lower()}


def config_text(topics: str, *, kind: str = "memory", python: bool = True) -> str:
    return f"""timeout: 300ms
python_matchers: {str(python).lower()}
profiles:
  p:
    bus:
      type: {kind}
      correlation: {{field: id}}
      topics:{topics}"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "order.avsc").write_text(json.dumps(SCHEMA), "utf-8")
    path = tmp_path / "choreo.yaml"
    path.write_text(config_text(TOPICS), "utf-8")
    session = Session(load_config(path, schema=config_schema()), loop=VirtualLoop())
    yield Bench(session)
    session.close()


def refused(folder: Path, topics: str, **how: Any) -> str:
    path = folder / "choreo.yaml"
    path.write_text(config_text(topics, **how), "utf-8")
    with pytest.raises(ConfigError) as told:
        config = load_config(path, schema=config_schema())
        build_harness(config, config.transports["bus"])
    return str(told.value)


def on_the_wire(bench: Bench, topic: str) -> list[bytes]:
    """The bytes of every message on a topic, as they come."""
    seen: list[bytes] = []
    harness = bench.session.harness("bus")

    async def listen() -> None:
        ready = harness.subscribe(topic, lambda _, payload: seen.append(payload))
        if ready is not None:
            await ready

    bench.session.run(listen())
    return seen


def test_a_topic_has_a_codec_of_its_own(bench: Bench) -> None:
    seen = on_the_wire(bench, "orders.new")
    bench.play(
        'When I publish "orders.new":\n| id | n |\n| o-1 | 7 |', 'Then I expect "orders.new" where n is 7'
    ).passed()
    assert seen == [b"\x06o-1\x0e"]


def test_a_codec_of_the_projects_own_is_called(bench: Bench) -> None:
    seen = on_the_wire(bench, "shouted.out")
    bench.play(
        'When I publish "shouted.out"\n"""\nWho goes there\n"""',
        'Then I expect "shouted.out" where heard contains goes',
    ).passed()
    assert seen == [b"WHO GOES THERE"]


def test_headers_of_a_topic_travel_and_its_correlation_counts(bench: Bench) -> None:
    bench.play(
        'When I publish "tagged"\n"""\n[1, 2]\n"""',
        'Then I expect "tagged" where @headers.ce-source is "/tests" and @headers.x-id exists',
    ).passed()


def test_a_header_that_is_written_wins_over_that_of_the_topic(bench: Bench) -> None:
    bench.play(
        'When I publish "tagged" as an envelope:\n"""\nheaders: {ce-type: other}\npayload: {}\n"""',
        'Then I expect "tagged" where @headers.ce-type is other and @headers.ce-source is "/tests"',
    ).passed()


def test_where_nothing_ties_messages_together_every_one_counts(bench: Bench) -> None:
    def speak(run: object) -> None:
        for topic in ("free.a", "tied.a"):
            bench.session.run(send(topic))

    async def send(topic: str) -> None:
        bench.session.harness("bus").publish(topic, {"who": "somebody"})

    played = bench.play(
        'When I publish "go"',
        WAIT,
        'Then I expect "free.a" where who is somebody',
        'And I expect "tied.a" where who is somebody',
        own={WAIT.partition(" ")[2]: speak},
    )
    assert played.outcomes == ["pass", "timeout"]


@pytest.mark.parametrize(
    ("kind", "topics", "told"),
    [
        ("memory", "\n        t: {colour: red}", "choreo.yaml:9: profiles.p.bus.topics.t.colour: there is no such key"),
        ("memory", "\n        t: {exchange: x}", "(exchange is a setting of rabbitmq topics)"),
        ("memory", "\n        t: {stream: true}", "(stream is a setting of redis topics)"),
        (
            "memory",
            "\n        t: {codec: {avro: gone.avsc}}",
            "choreo.yaml:9: profiles.p.bus.topics.t.codec.schema: the",
        ),
        (
            "memory",
            "\n        t: {codec: {python: 'tests.nowhere:codec'}}",
            "topics.t.codec: 'tests.nowhere:codec' gives",
        ),
        (
            "memory",
            "\n        t: {codec: {python: 'builtins:object'}}",
            "returns has no encode(value) and decode(data)",
        ),
        ("memory", "\n        t: {correlation: {field: id, prefix: T-}}", "t.correlation.prefix: ids have one prefix"),
        ("memory", "\n        t: {headers: {n: 7}}", "choreo.yaml:9: profiles.p.bus.topics.t.headers.n: expected text"),
        ("memory", "\n        'a.>.b': {codec: text}", "has a > before its end"),
    ],
)
def test_what_a_topic_cannot_have_is_named_with_its_place(tmp_path: Path, kind: str, topics: str, told: str) -> None:
    assert told in refused(tmp_path, topics, kind=kind)


def test_a_codec_in_python_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    told = refused(
        tmp_path, TOPICS.replace('"orders.*": {codec: {avro: order.avsc}}', "t: {codec: text}"), python=False
    )
    assert "choreo.yaml:10: profiles.p.bus.topics.<a key>.codec: a codec in Python" in told
    assert "python_matchers: true" in told

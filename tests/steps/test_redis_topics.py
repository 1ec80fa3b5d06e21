"""`topics:` of a Redis transport: entries of any layout, streams and channels side by side (spec/steps.md 10)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from choreo_bdd.brokers import Broker
from choreo_bdd_project.config import ConfigError, load_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
TOPICS = """
        "shop.framed": {stream: true, payload_field: data}
        "shop.*": {stream: true}
"""
WAIT = "And the service speaks"


def config_text(url: str, topics: str = TOPICS, more: str = "") -> str:
    return f"""timeout: 2s
profiles:
  p:
    bus:
      type: redis
      url: {url}
      correlation: {{field: order_id}}{more}
      topics:{topics}"""


@pytest.fixture
def bench_with(tmp_path: Path, redis_broker: Broker) -> Iterator[Callable[..., Bench]]:
    made: list[Session] = []

    def make(more: str = "") -> Bench:
        path = tmp_path / "choreo.yaml"
        path.write_text(config_text(redis_broker.url, more=more), "utf-8")
        made.append(Session(load_config(path, schema=config_schema())))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


@pytest.fixture
def client(redis_broker: Broker) -> Iterator[redis.Redis]:
    made = redis.Redis.from_url(redis_broker.url)
    yield made
    made.close()


def entry_of(client: redis.Redis, stream: str) -> dict[bytes, bytes]:
    """The one entry of a stream."""
    entries: Any = client.xrange(stream)
    ((_, fields),) = entries
    return dict(fields)


@pytest.mark.parametrize("more", ["", "\n      streams: true"], ids=["beside channels", "beside streams"])
def test_entries_of_other_producers_are_read_as_told(
    bench_with: Callable[..., Bench], client: redis.Redis, more: str
) -> None:
    def speak(run: object) -> None:
        client.xadd("shop.plain", {"order_id": "o-1", "kind": "x", "payload": '{"to": "customer"}'})
        client.xadd("shop.framed", {"data": '{"order_id": "o-1", "n": 7}', "tenant": "acme"})

    bench_with(more).play(
        'When I publish "go"\n| order_id |\n| o-1 |',
        WAIT,
        'Then I expect "shop.plain" where kind is x and payload contains customer',
        'And I expect "shop.framed" where n is 7 and @headers.tenant is acme',
        own={WAIT.partition(" ")[2]: speak},
    ).passed()


def test_what_is_published_is_laid_out_as_told(bench_with: Callable[..., Bench], client: redis.Redis) -> None:
    client.delete("shop.out", "shop.framed")
    bench_with().play(
        'When I publish "shop.out"\n"""\n{kind: x, n: 7, tags: [a], order_id: o-2}\n"""',
        'And I publish "shop.framed"\n"""\n{kind: y, order_id: o-2}\n"""',
        'Then I expect "shop.out" where kind is x and n is "7"',
        'And I expect "shop.framed" where kind is y',
    ).passed()
    plain, framed = entry_of(client, "shop.out"), entry_of(client, "shop.framed")
    assert plain == {b"kind": b"x", b"n": b"7", b"tags": b'["a"]', b"order_id": b"o-2"}
    assert json.loads(framed[b"data"]) == {"kind": "y", "order_id": "o-2"}


def test_all_topics_may_be_streams_of_one_layout(bench_with: Callable[..., Bench], client: redis.Redis) -> None:
    def speak(run: object) -> None:
        client.xadd("usual.in", {"data": '{"order_id": "o-1", "n": 7}', "tenant": "acme"})

    bench = bench_with("\n      streams: {payload_field: data, maxlen: 1000}")
    bench.play(
        'When I publish "usual.out":\n| order_id |\n| o-1 |',
        WAIT,
        'Then I expect "usual.in" where n is 7 and @headers.tenant is acme',
        own={WAIT.partition(" ")[2]: speak},
    ).passed()
    assert set(entry_of(client, "usual.out")) == {b"data"}


def test_channels_and_streams_are_heard_side_by_side_and_absences_look_at_both(
    bench_with: Callable[..., Bench], client: redis.Redis
) -> None:
    def speak(run: object) -> None:
        client.publish("plain.channel", '{"order_id": "o-3"}')
        client.xadd("shop.bad", {"order_id": "o-3"})

    played = bench_with().play(
        'When I publish "go"\n| order_id |\n| o-3 |',
        WAIT,
        'Then I expect "plain.channel"',
        'And I expect no "shop.bad" for 100ms',
        own={WAIT.partition(" ")[2]: speak},
    )
    assert played.outcomes == ["pass", "fail"]


@pytest.fixture
def mixed(tmp_path: Path, redis_broker: Broker) -> Iterator[Bench]:
    path = tmp_path / "choreo.yaml"
    topics = '\n        "mix.stream": {stream: true, payload_field: payload}\n        "mix.l.*": {list: true}'
    path.write_text(config_text(redis_broker.url, topics=topics), "utf-8")
    session = Session(load_config(path, schema=config_schema()))
    yield Bench(session)
    session.close()


@pytest.mark.parametrize(
    ("topic", "pattern"),
    [
        *((topic, pattern) for topic in ("mix.channel", "mix.stream", "mix.l.one") for pattern in ("mix.>", ">")),
        ("mix.l.one.two", "mix.l.>"),  # no topic of the setting for mix.l.*
        ("mix.l.one", "mix.l.>"),
        ("mix.l.one", "mix.*.one"),
    ],
)
def test_a_pattern_hears_topics_of_every_kind(mixed: Bench, topic: str, pattern: str) -> None:
    publish = f'When I publish "{topic}":\n  order_id: o-{topic}-{len(pattern)}\n  n: 1'
    mixed.play(publish, f'Then I expect exactly 1 "{pattern}" messages where n is 1 within 200ms').passed()
    assert "unexpected: 1 matching" in mixed.play(publish, f'Then I expect no "{pattern}" for 100ms').message
    mixed.play(publish, 'Then I expect no "mix.other" for 10ms').passed()


def test_what_has_a_topics_name_and_is_of_another_kind_is_no_message_of_a_pattern(
    mixed: Bench, client: redis.Redis
) -> None:
    def speak(run: object) -> None:
        client.publish("mix.stream", '{"order_id": "o-9"}')
        client.rpush("mix.nolist", '{"order_id": "o-9"}')
        client.xadd("mix.nostream", {"payload": '{"order_id": "o-9"}'})
        client.xtrim("mix.nostream", 0)
        client.rename("mix.nolist", "mix.another")

    steps = ('When I publish "go"\n| order_id |\n| o-9 |', WAIT, 'Then I expect no "mix.>" for 100ms')
    mixed.play(*steps, own={WAIT.partition(" ")[2]: speak}).passed()


def test_a_payload_without_fields_is_no_entry_of_such_a_stream(bench_with: Callable[..., Bench]) -> None:
    played = bench_with().play('When I publish "shop.out" as raw bytes\n"""\nHello\n"""', 'Then I expect "shop.out"')
    assert "play.feature:3" in played.message
    assert "the fields of this stream's entries are the payload" in played.message


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        ("{maxlen: 0}", r"choreo.yaml:8: .*streams.maxlen: "),
        ("{payload: data}", r"choreo.yaml:8: .*streams.payload: there is no such key; did you mean payload_field"),
        ("{payload_field: key}", r"streams: the payload cannot be kept in the field 'key': choose another name"),
    ],
)
def test_a_layout_of_all_streams_that_cannot_be_meant_is_an_error(tmp_path: Path, streams: str, told: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(config_text("redis://127.0.0.1", more=f"\n      streams: {streams}"), "utf-8")
    with pytest.raises(ConfigError, match=told):
        config = load_config(path, schema=config_schema())
        build_harness(config, config.transports["bus"])


@pytest.mark.parametrize(
    ("topics", "told"),
    [
        ("\n        a: {strem: true}", r"choreo.yaml:9: .*topics.a.strem: there is no such key; did you mean stream"),
        ("\n        a: {payload_field: data}", r"choreo.yaml:9: .*topics.a: 'payload_field' needs 'stream' beside it"),
        ("\n        a: {stream: 'yes'}", r"choreo.yaml:9: .*topics.a.stream"),
        (
            "\n        'a*': {stream: true}",
            r"choreo.yaml:9: .*topics.<a key>: .*'a\*' has a wildcard inside the segment",
        ),
        ("\n        a: {stream: true, payload_field: key}", r"choreo.yaml:9: .*payload_field: .*choose another name"),
    ],
)
def test_what_cannot_be_meant_is_an_error_with_its_place(tmp_path: Path, topics: str, told: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(config_text("redis://127.0.0.1", topics), "utf-8")
    with pytest.raises(ConfigError, match=told):
        config = load_config(path, schema=config_schema())
        build_harness(config, config.transports["bus"])


def test_an_absence_passes_beside_an_answer_that_nobody_hears(bench_with: Callable[..., Bench]) -> None:
    """Redis is asked twice about a message that has reached nobody, on another connection than for an absence."""
    bench = bench_with()
    for tenths in range(200, 230):
        bench.play(
            'Given a service that answers "go" with "answer" after 20ms:\n| n |\n| 1 |',
            'When I publish "go"',
            f'Then I expect no "other" for {tenths / 10}ms',
        ).passed()

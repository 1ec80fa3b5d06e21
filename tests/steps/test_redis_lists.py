"""Redis lists and keyspace events, against a service in another process, written with FastStream (spec/steps.md 10)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from faststream.redis.parser import BinaryMessageFormatV1

from choreo_bdd.brokers import Broker
from choreo_bdd_project.config import Config, ConfigError, load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.scenario_run import ScenarioRun
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.starting.doctor import examine
from tests.support.services import running_service
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
FRAMED = '{python: "tests.steps.test_redis_lists:FastStreamFrame"}'
TOPICS = f"""
        jobs.framed: {{list: true, codec: {FRAMED}}}
        jobs.done: {{codec: {FRAMED}}}
        "jobs.*": {{list: true}}
        "__keyevent@0__:expired": {{codec: text, correlation: none}}
        at.right: {{list: right}}
"""
WAIT = "And the service speaks"


class FastStreamFrame:
    """What FastStream puts around a payload on Redis; it reads plain JSON as well."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def decode(self, data: bytes) -> Any:
        return json.loads(BinaryMessageFormatV1.parse(data)[0])


def config_of(folder: Path, url: str, topics: str) -> Config:
    path = folder / "choreo.yaml"
    path.write_text(
        f"""timeout: 2s
vacuity: ignore
python_matchers: true
profiles:
  p:
    bus:
      type: redis
      url: {url}
      correlation: {{field: order_id}}
      topics:{topics}""",
        "utf-8",
    )
    return load_config(path, schema=config_schema())


@pytest.fixture(scope="module")
def shop(redis_broker: Broker) -> Iterator[str]:
    client = redis.Redis.from_url(redis_broker.url)
    client.config_set("notify-keyspace-events", "KEA")
    with running_service("redis_shop", redis_broker.url):
        yield redis_broker.url
    client.config_set("notify-keyspace-events", "")
    client.close()


@pytest.fixture
def client(redis_broker: Broker) -> Iterator[redis.Redis]:
    made = redis.Redis.from_url(redis_broker.url)
    yield made
    made.close()


@pytest.fixture
def bench_with(tmp_path: Path, redis_broker: Broker) -> Iterator[Callable[[str], Bench]]:
    made: list[Session] = []

    def make(topics: str) -> Bench:
        made.append(Session(config_of(tmp_path, redis_broker.url, topics)))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


def test_jobs_of_lists_are_watched_while_the_service_takes_each_at_once(
    bench_with: Callable[[str], Bench], shop: str
) -> None:
    assert shop
    bench_with(TOPICS).play(
        'When I publish "jobs.new":\n| order_id |\n| o-1 |',
        'Then I expect "jobs.framed" where step is 2',
        'And I expect "jobs.plain" where text is "a \\"b\\" é"',
        'And I expect "jobs.done" where done is true',
        'And I expect "__keyevent@0__:expired"',
    ).passed()


def test_every_job_is_seen_once_and_absences_look(bench_with: Callable[[str], Bench], shop: str) -> None:
    assert shop
    played = bench_with(TOPICS).play(
        'When I publish 30 "jobs.new" messages:\n| order_id |\n| o-2 |',
        'Then I expect exactly 30 "jobs.new" messages within 3s',
        'And I expect exactly 30 "jobs.framed" messages within 3s',
        'And I expect no "jobs.framed" for 50ms',
    )
    assert played.outcomes == ["pass", "pass", "fail"], [handle.reason for handle in played.handles]


def test_nothing_is_taken_from_a_list_and_each_end_can_be_pushed_at(
    bench_with: Callable[[str], Bench], client: redis.Redis
) -> None:
    client.delete("at.right", "jobs.kept")
    client.rpush("at.right", "first")
    client.rpush("jobs.kept", "first")
    bench_with(TOPICS).play(
        'When I publish "at.right":\n| order_id |\n| o-3 |',
        'And I publish "jobs.kept":\n| order_id |\n| o-3 |',
        'Then I expect "at.right" where order_id is o-3',
        'And I expect "jobs.kept" where order_id is o-3',
    ).passed()
    pushed = b'{"order_id":"o-3"}'
    assert client.lrange("at.right", 0, -1) == [b"first", pushed]
    assert client.lrange("jobs.kept", 0, -1) == [pushed, b"first"]
    client.delete("at.right", "jobs.kept")


@pytest.mark.parametrize(("first", "second", "outcome"), [("list", "stream", "pass"), ("stream", "list", "fail")])
def test_the_server_tells_which_came_first_of_a_list_and_a_stream(
    bench_with: Callable[[str], Bench], client: redis.Redis, first: str, second: str, outcome: str
) -> None:
    saying: dict[str, Callable[[str], object]] = {
        "list": lambda body: client.lpush("lab.queue", body),
        "stream": lambda body: client.xadd("lab.results", {"data": body}),
    }

    def work(run: ScenarioRun) -> None:
        for each in (first, second):
            saying[each](json.dumps({"order_id": run.correlation_id}))
            time.sleep(0.005)

    topics = "\n        lab.queue: {list: true}\n        lab.results: {stream: true, payload_field: data}"
    played = bench_with(topics).play(
        "When the lab works",
        'Then from "lab.queue" to "lab.results" takes at most 5s',
        acts={"the lab works": work},
    )
    client.delete("lab.queue", "lab.results")
    assert played.outcomes[-1] == outcome


def test_bytes_of_any_kind_come_as_they_were_pushed(bench_with: Callable[[str], Bench], client: redis.Redis) -> None:
    awkward = bytes(range(256)) + b'\\x41 "quoted" \r\n'
    heard: list[bytes] = []
    bench = bench_with("\n        raw.list: {list: true, codec: raw, correlation: none}")
    harness = bench.session.harness("bus")

    async def hear() -> None:
        ready = harness.subscribe("raw.list", lambda _, payload: heard.append(payload))
        assert ready is not None
        await ready
        client.eval("redis.call('LPUSH', KEYS[1], ARGV[1])", 1, "raw.list", awkward)
        client.lpush("raw.list", b"x" * 300_000, b"")
        client.lpush("raw.other", b"no")
        await harness.fence(["raw.list"])

    bench.session.run(hear())
    client.delete("raw.list", "raw.other")
    assert heard == [awkward, b"x" * 300_000, b""]


def _inserted(client: redis.Redis) -> None:
    client.rpush("jobs.moved", "pivot")
    client.linsert("jobs.moved", "BEFORE", "pivot", "{}")


def _restored(client: redis.Redis) -> None:
    dumped = client.dump("source")
    assert isinstance(dumped, bytes)
    client.restore("jobs.moved", 0, dumped)


@pytest.mark.parametrize(
    ("bring", "told"),
    [
        (
            lambda client: client.rpoplpush("source", "jobs.moved"),
            "RPOPLPUSH moved an element into the list 'jobs.moved'",
        ),
        (lambda client: client.rename("source", "jobs.moved"), "RENAME moved an element into the list 'jobs.moved'"),
        (lambda client: client.copy("source", "jobs.moved"), "COPY moved an element into the list 'jobs.moved'"),
        (
            lambda client: client.sort("source", alpha=True, store="jobs.moved"),
            "SORT moved an element into the list 'jobs.moved'",
        ),
        (_restored, "RESTORE moved an element into the list 'jobs.moved'"),
        (_inserted, "1 matching without a correlation id"),
    ],
)
def test_an_element_that_comes_from_another_list_is_never_passed_over(
    bench_with: Callable[[str], Bench], client: redis.Redis, bring: Callable[[redis.Redis], Any], told: str
) -> None:
    client.delete("source", "jobs.moved")
    client.lpush("source", "{}")
    played = bench_with(TOPICS).play(
        'When I publish "go"',
        WAIT,
        'Then I expect no "jobs.moved" for 100ms',
        own={WAIT.partition(" ")[2]: lambda _: bring(client)},
    )
    client.delete("source", "jobs.moved")
    assert told in played.message


def test_doctor_tells_of_other_types_and_of_events_that_are_not_sent(
    tmp_path: Path, client: redis.Redis, redis_broker: Broker
) -> None:
    client.xadd("an.entry", {"a": "b"})
    client.config_set("notify-keyspace-events", "")
    keys = set(client.keys())
    problems = []
    for topics in ("an.entry: {list: true}", '"__keyevent@0__:expired": {codec: text}', "not.there: {list: true}"):
        (finding,) = asyncio.run(examine(config_of(tmp_path, redis_broker.url, f"\n        {topics}"), patience_s=5))
        problems.append(str(finding.problem))
    assert "'an.entry' is a stream on this server, and no list" in problems[0]
    assert "the server sends no keyspace events" in problems[1]
    assert problems[2] == "None"
    assert set(client.keys()) == keys
    client.delete("an.entry")


@pytest.mark.parametrize(
    ("topics", "told"),
    [
        (
            "t: {list: true, stream: true}",
            "choreo.yaml:11: profiles.p.bus.topics.t: expected settings of a channel, a stream or a list, and not",
        ),
        ("t: {list: middle}", "choreo.yaml:11: profiles.p.bus.topics.t.list: expected one of True, 'left', 'right'"),
        ("t: {list: true, headers: {a: b}}", "topics.t.headers: messages of this topic carry no headers"),
    ],
)
def test_what_a_list_cannot_be_is_an_error(tmp_path: Path, topics: str, told: str) -> None:
    with (
        pytest.raises(ConfigError) as refused,
        closing(Session(config_of(tmp_path, "redis://127.0.0.1", f"\n        {topics}"))) as session,
    ):
        session.harness("bus")
    assert told in str(refused.value)


def test_a_list_has_no_keys(bench_with: Callable[[str], Bench]) -> None:
    played = bench_with(TOPICS).play('When I publish "jobs.x" with key "k"', 'Then I expect "jobs.x"')
    assert "a Redis list carries no keys" in played.message

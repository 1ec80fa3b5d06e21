"""`topics:` of NATS, against a service in another process: FastStream over JetStream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamManager
from nats.js.errors import NotFoundError

from choreo_bdd.brokers import Broker, start
from choreo_bdd_project.config import Config, load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.starting.doctor import examine
from tests.support.services import running_service
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
TOPICS = '\n        "orders.>": {jetstream: ORDERS, headers: {tenant: acme}}'
WAIT = "And the service speaks"


def config_of(folder: Path, url: str, topics: str = TOPICS) -> Config:
    path = folder / "choreo.yaml"
    path.write_text(
        f"""timeout: 2s
vacuity: ignore
profiles:
  p:
    bus:
      type: nats
      servers: {url}
      correlation: {{field: order_id}}
      topics:{topics}""",
        "utf-8",
    )
    return load_config(path, schema=config_schema())


@pytest.fixture(scope="module")
def shop(nats_broker: Broker) -> Iterator[str]:
    with running_service("nats_shop", nats_broker.url):
        yield nats_broker.url
    managed(nats_broker.url, lambda manager: manager.delete_stream("ORDERS"))


@pytest.fixture
def bench_with(tmp_path: Path, nats_broker: Broker) -> Iterator[Callable[..., Bench]]:
    made: list[Session] = []

    def make(topics: str = TOPICS) -> Bench:
        made.append(Session(config_of(tmp_path, nats_broker.url, topics)))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


def managed(url: str, work: Callable[[JetStreamManager], Awaitable[Any]]) -> Any:
    """What a client of its own finds or does."""

    async def manage() -> Any:
        client = await nats.connect(url)
        try:
            return await work(client.jsm())
        finally:
            await client.close()

    return asyncio.run(manage())


def test_what_a_stream_keeps_is_published_with_its_ack_and_read_from_now(
    bench_with: Callable[..., Bench], shop: str
) -> None:
    bench = bench_with()
    for _ in range(2):  # what the first scenario has left in the stream is nothing to the second
        bench.play(
            'When I publish "orders.placed":\n| order_id |\n| o-1 |',
            'Then I expect "orders.placed" where @headers.tenant is acme',
            'And I expect exactly 1 "orders.shipped" message where from is store within 2s',
            'And I expect "told.customer"',
            'And I expect no "orders.refused" for 50ms',
        ).passed()
    kept = managed(shop, lambda manager: manager.stream_info("ORDERS"))
    assert kept.state.messages == 4


def test_consumers_go_with_their_scenario(bench_with: Callable[..., Bench], shop: str) -> None:
    before = managed(shop, lambda manager: manager.stream_info("ORDERS")).state.consumer_count
    bench = bench_with()
    bench.play('When I publish "orders.placed":\n| order_id |\n| o-2 |', 'Then I expect "orders.shipped"').passed()
    bench.session.close()
    assert managed(shop, lambda manager: manager.stream_info("ORDERS")).state.consumer_count == before


def test_messages_of_one_stream_have_an_order(bench_with: Callable[..., Bench], shop: str) -> None:
    assert shop
    played = bench_with().play(
        'When I publish "orders.placed":\n| order_id |\n| o-3 |',
        "Then I expect in order:\n| topic | order_id |\n| orders.placed | o-3 |\n| orders.shipped | o-3 |",
    )
    played.passed()


def test_an_absence_sees_what_came_in_time(bench_with: Callable[..., Bench], shop: str) -> None:
    assert shop
    played = bench_with().play(
        'When I publish "orders.placed":\n| order_id |\n| o-4 |', 'Then I expect no "orders.shipped" for 200ms'
    )
    assert played.outcomes == ["fail"]


def test_a_stream_deleted_meanwhile_is_no_absence(bench_with: Callable[..., Bench], nats_broker: Broker) -> None:
    url = nats_broker.url
    managed(url, lambda manager: manager.add_stream(name="BRIEF", subjects=["brief.*"]))
    played = bench_with('\n        "brief.>": {jetstream: BRIEF}').play(
        'When I publish "go"',
        WAIT,
        'Then I expect no "brief.x" for 50ms',
        own={WAIT.partition(" ")[2]: lambda _: managed(url, lambda manager: manager.delete_stream("BRIEF"))},
    )
    assert "the stream 'BRIEF' was deleted meanwhile" in played.message


def test_a_stream_that_is_given_other_subjects_meanwhile_is_no_absence(
    bench_with: Callable[..., Bench], nats_broker: Broker
) -> None:
    def change(manager: JetStreamManager) -> Awaitable[Any]:
        return manager.update_stream(name="MOVED", subjects=["elsewhere.*"])

    url = nats_broker.url
    managed(url, lambda manager: manager.add_stream(name="MOVED", subjects=["moved.*"]))
    for topic in ("moved.x", "moved.*"):
        managed(url, lambda manager: manager.update_stream(name="MOVED", subjects=["moved.*"]))
        played = bench_with('\n        "moved.>": {jetstream: MOVED}').play(
            'When I publish "go"',
            WAIT,
            f'Then I expect no "{topic}" for 50ms',
            own={WAIT.partition(" ")[2]: lambda _: managed(url, change)},
        )
        assert f"the stream 'MOVED' keeps nothing of '{topic}': it has elsewhere.*" in played.message
    managed(url, lambda manager: manager.delete_stream("MOVED"))


@pytest.mark.parametrize(
    ("topics", "told"),
    [
        ("t: {jetstream: NONE}", "there is no stream 'NONE', and none is made"),
        ("t: {jetstream: KEPT}", "keeps nothing of 't': it has kept.*"),
    ],
)
def test_what_is_not_there_is_said_and_never_made(
    bench_with: Callable[..., Bench], nats_broker: Broker, topics: str, told: str
) -> None:
    managed(nats_broker.url, lambda manager: manager.add_stream(name="KEPT", subjects=["kept.*"]))
    heard = bench_with(f"\n        {topics}").play('When I publish "go"', 'Then I expect "t"')
    spoken = bench_with(f"\n        {topics}").play('When I publish "t"', 'Then I expect "go"')
    managed(nats_broker.url, lambda manager: manager.delete_stream("KEPT"))
    assert told in heard.message
    assert "play.feature:3" in spoken.message
    assert told in spoken.message
    with pytest.raises(NotFoundError):
        managed(nats_broker.url, lambda manager: manager.stream_info("NONE"))


def test_doctor_names_a_stream_that_is_missing_and_makes_none(tmp_path: Path, nats_broker: Broker) -> None:
    before = managed(nats_broker.url, lambda manager: manager.account_info()).streams
    (finding,) = asyncio.run(
        examine(config_of(tmp_path, nats_broker.url, "\n        t: {jetstream: GONE}"), patience_s=5)
    )
    assert "there is no stream 'GONE'" in str(finding.problem)
    assert managed(nats_broker.url, lambda manager: manager.account_info()).streams == before


def test_a_server_without_jetstream_is_told_of(tmp_path: Path) -> None:
    with start("nats") as plain:
        (finding,) = asyncio.run(
            examine(config_of(tmp_path, plain.url, "\n        t: {jetstream: GONE}"), patience_s=5)
        )
    assert "has no JetStream: enable it there (nats-server -js)" in str(finding.problem)

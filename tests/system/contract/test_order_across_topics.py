"""The order of messages on two topics of one broker is the broker's own, not that of our subscriptions."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiormq
import nats
import pytest
import redis.asyncio

from choreo_bdd import Harness
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import KafkaTransport, NatsTransport, RabbitTransport, RedisTransport
from tests.support.kafka_doubles import outside_producer

ROUNDS = 20
Burst = Callable[[tuple[str, str]], Awaitable[None]]
"""Somebody else's client sends to these two topics, in this order and at once."""


@asynccontextmanager
async def over_nats(broker: Broker) -> AsyncIterator[tuple[NatsTransport, Burst]]:
    client = await nats.connect(broker.url)

    async def burst(topics: tuple[str, str]) -> None:
        await client.publish(topics[1], b'{"id": 0}')
        for topic in topics:
            await client.publish(topic, b'{"id": 1}')
        await client.flush()

    yield NatsTransport(servers=[broker.url]), burst
    await client.close()


@asynccontextmanager
async def over_streams(broker: Broker) -> AsyncIterator[tuple[RedisTransport, Burst]]:
    client = redis.asyncio.from_url(broker.url)

    async def burst(topics: tuple[str, str]) -> None:
        pipe: Any = client.pipeline(transaction=True)
        for number, topic in enumerate(topics):
            pipe.xadd(topic, {"payload": '{"id": 1}'}, id=f"1000-{number}")
        await pipe.execute()

    yield RedisTransport(url=broker.url, streams=True), burst
    await client.aclose()


@asynccontextmanager
async def over_kafka(broker: Broker) -> AsyncIterator[tuple[KafkaTransport, Burst]]:
    async with outside_producer(broker.url) as producer:

        async def burst(topics: tuple[str, str]) -> None:
            for number, topic in enumerate(topics):
                await producer.send_and_wait(
                    topic, json.dumps({"id": 1}).encode(), timestamp_ms=1_700_000_000_000 + number
                )

        yield KafkaTransport(bootstrap_servers=broker.url), burst


@asynccontextmanager
async def over_rabbitmq(broker: Broker) -> AsyncIterator[tuple[RabbitTransport, Burst]]:
    connection = await aiormq.connect(broker.url)
    channel = await connection.channel(publisher_confirms=False)

    async def burst(topics: tuple[str, str]) -> None:
        for topic in topics:
            await channel.basic_publish(b'{"id": 1}', exchange="choreo", routing_key=topic)

    yield RabbitTransport(url=broker.url), burst
    await connection.close()


_BROKERS: Mapping[Any, str] = {
    over_nats: "nats_broker",
    over_streams: "redis_broker",
    over_kafka: "kafka_broker",
    over_rabbitmq: "rabbitmq_broker",
}


@pytest.mark.thorough
@pytest.mark.parametrize("over", _BROKERS)
async def test_the_order_of_a_burst_over_two_topics_is_judged_rightly_each_time(
    request: pytest.FixtureRequest, over: Any
) -> None:
    broker = request.getfixturevalue(_BROKERS[over])
    verdicts = []
    async with over(broker) as (transport, burst):
        harness = Harness(transport)
        await harness.connect()
        for number in range(2 * ROUNDS):
            sent = (f"t{secrets.token_hex(4)}.sent", f"t{secrets.token_hex(4)}.then")
            is_right = number % 2 == 0
            async with harness.scenario("two topics") as s:
                if number % 4 < 2:
                    s.expect(sent[1], contains_fields({"id": 1}))  # who subscribed first says nothing
                wanted = sent if is_right else sent[::-1]
                s.expect_in_order([(topic, contains_fields({"id": 1})) for topic in wanted])
                await s.ready()
                await burst(sent)
                s.publish(f"{sent[0]}.go", {})
                passed = (await s.await_all(timeout_ms=5000 if is_right else 100)).passed
            verdicts.append(passed is is_right)
        await harness.disconnect()
    assert verdicts == [True] * 2 * ROUNDS

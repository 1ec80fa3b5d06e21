"""Kafka: a message is in its topic once, whatever becomes of the broker's answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ClusterAuthorizationFailedError, CoordinatorLoadInProgressError
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.structs import TopicPartition

from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.transports import KafkaTransport
from tests.support.brokers import start_or_skip
from tests.support.kafka_doubles import outside_admin
from tests.support.proxy import Proxy, proxy_to
from tests.support.subscribers import new_topic

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def tansu() -> Iterator[Broker]:
    with start_or_skip("kafka", implementation="tansu") as broker:
        yield broker


@pytest.fixture
async def proxy(kafka_broker: Broker) -> AsyncIterator[Proxy]:
    async with proxy_to(kafka_broker.port) as proxy:
        yield proxy


@pytest.fixture
async def transport(proxy: Proxy) -> AsyncIterator[KafkaTransport]:
    transport = KafkaTransport(bootstrap_servers=f"127.0.0.1:{proxy.port}")
    await transport.connect()
    yield transport
    await transport.disconnect()


async def written(broker: Broker, topic: str) -> list[bytes]:
    """All that is in the first partition of a topic, as somebody else reads it."""
    async with AIOKafkaConsumer(bootstrap_servers=broker.url) as consumer:
        partition = TopicPartition(topic, 0)
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.assign([partition])
        consumer.seek(partition, 0)
        found: list[bytes] = []
        while await consumer.position(partition) < end:
            found += [each.value for each in (await consumer.getmany(timeout_ms=200)).get(partition, ())]
        return found


async def test_a_message_whose_confirmation_is_lost_is_in_the_topic_once(
    kafka_broker: Broker, proxy: Proxy, transport: KafkaTransport
) -> None:
    topic = new_topic()
    await transport.publish(topic, b"before")
    proxy.lose_answer(b"the message")
    sent = [b"the message", b"behind 0", b"behind 1"]
    await asyncio.gather(*(transport.publish(topic, each) for each in sent))
    await transport.publish(topic, b"after")
    assert await written(kafka_broker, topic) == [b"before", *sent, b"after"]


async def test_behind_a_message_that_is_refused_the_others_go_on(kafka_broker: Broker) -> None:
    topic = new_topic()
    async with outside_admin(kafka_broker.url) as admin:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "500"})])
    transport = KafkaTransport(bootstrap_servers=kafka_broker.url)
    await transport.connect()
    sent = [b"1", b"x" * 1000, b"2", b"3", b"y" * 1000, b"4"]
    results = await asyncio.gather(*(transport.publish(topic, each) for each in sent), return_exceptions=True)
    await transport.publish(topic, b"5")
    await transport.disconnect()
    assert [isinstance(each, PublishFailed) for each in results] == [False, True, False, False, True, False]
    assert await written(kafka_broker, topic) == [b"1", b"2", b"3", b"4", b"5"]


async def test_a_message_that_nobody_answers_has_failed_and_the_next_is_written(
    kafka_broker: Broker, proxy: Proxy
) -> None:
    transport = KafkaTransport(bootstrap_servers=f"127.0.0.1:{proxy.port}", request_timeout_ms=500)
    topic = new_topic()
    await transport.connect()
    await transport.publish(topic, b"before")
    proxy.stall()
    with pytest.raises(PublishFailed):
        await asyncio.wait_for(transport.publish(topic, b"unanswered"), 8)
    proxy.resume()
    async with asyncio.timeout(8):
        while True:
            try:
                await transport.publish(topic, b"after")
                break
            except PublishFailed:
                await asyncio.sleep(0.05)
    await transport.disconnect()
    found = await written(kafka_broker, topic)
    assert (found[0], found.count(b"after"), found.count(b"unanswered") <= 1) == (b"before", 1, True)


async def test_a_topic_that_is_made_anew_takes_what_is_published_next(
    kafka_broker: Broker,
) -> None:
    topic = new_topic()
    transport = KafkaTransport(bootstrap_servers=kafka_broker.url)
    await transport.connect()
    for number in range(3):
        await transport.publish(topic, b"old %d" % number)
    async with outside_admin(kafka_broker.url) as admin:
        await admin.delete_topics([topic])
        while (await admin.create_topics([NewTopic(topic, 1, 1)])).topic_errors[0][1]:  # noqa: ASYNC110 - it tells only when it is asked
            await asyncio.sleep(0.02)
    await transport.publish(topic, b"new 0")
    await transport.publish(topic, b"new 1")
    await transport.disconnect()
    assert await written(kafka_broker, topic) == [b"new 0", b"new 1"]


async def publish_without_answer(proxy: Proxy, topic: str) -> None:
    transport = KafkaTransport(bootstrap_servers=f"127.0.0.1:{proxy.port}")
    await transport.connect()
    await transport.publish(topic, b"before")
    proxy.lose_answer(b"the message")
    await transport.publish(topic, b"the message")
    await transport.publish(topic, b"after")
    await transport.disconnect()


@pytest.mark.parametrize("refusal", [ClusterAuthorizationFailedError, CoordinatorLoadInProgressError])
async def test_without_a_producer_id_a_message_that_may_be_there_twice_is_named(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refusal: Any
) -> None:
    send = AIOKafkaClient.send

    async def refusing(self: Any, node_id: Any, request: Any, **options: Any) -> Any:
        if isinstance(request, InitProducerIdRequest):
            raise refusal
        return await send(self, node_id, request, **options)

    monkeypatch.setattr(AIOKafkaClient, "send", refusing)
    topic = new_topic()
    with caplog.at_level(logging.WARNING, logger="choreo_bdd.transports"):
        async with proxy_to(kafka_broker.port) as proxy:
            await publish_without_answer(proxy, topic)
    assert await written(kafka_broker, topic) == [b"before", b"the message", b"the message", b"after"]
    (said,) = (each.getMessage() for each in caplog.records if each.name == "choreo_bdd.transports")
    assert (repr(topic) in said, "twice" in said, "IdempotentWrite" in said) == (True, True, True)


async def test_a_broker_that_knows_no_producer_ids_takes_messages_all_the_same(
    tansu: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    transport, topic = KafkaTransport(bootstrap_servers=tansu.url), new_topic()
    with caplog.at_level(logging.WARNING):
        await transport.connect()
        for number in range(3):
            await transport.publish(topic, str(number).encode())
        await transport.disconnect()
    assert (await written(tansu, topic), caplog.messages) == ([b"0", b"1", b"2"], [])

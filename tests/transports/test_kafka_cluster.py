"""Kafka clusters as they are: batches nobody can unpack, many topics, deleted ones, added partitions, no controller."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiokafka.codec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewPartitions
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata

from choreo_bdd import Harness, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.matchers import anything, contains_fields
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import KafkaTransport
from choreo_bdd.transports.kafka.clients import Clients
from tests.support.kafka_doubles import outside_admin, outside_producer
from tests.support.subscribers import PATIENCE_S, Sink, new_topic

pytestmark = pytest.mark.broker

MANY = 60
_SEND_COMPRESSED = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

async def main(url, topic, codec):
    async with AIOKafkaProducer(bootstrap_servers=url, compression_type=codec) as producer:
        await producer.send_and_wait(topic, b'{"n": 1}' + b" " * 400)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def transport(kafka_broker: Broker) -> AsyncIterator[KafkaTransport]:
    transport = KafkaTransport(bootstrap_servers=kafka_broker.url)
    await transport.connect()
    yield transport
    await transport.disconnect()


@pytest.fixture
async def producer(kafka_broker: Broker) -> AsyncIterator[Any]:
    async with outside_producer(kafka_broker.url) as producer:
        yield producer


# --- compressed batches -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_the_extra_brings_every_codec(transport: KafkaTransport, kafka_broker: Broker, codec: str) -> None:
    topic, sink = new_topic(), Sink()
    await transport.subscribe(topic, sink)
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.url, compression_type=codec) as compressing:
        await compressing.send_and_wait(topic, b"x" * 400)
    await sink.wait_for(1)
    assert sink.payloads == [b"x" * 400]


async def _send_gzip(url: str, topic: str) -> None:
    """From another process: in ours the codec is missing."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _SEND_COMPRESSED, url, topic, "gzip")
    assert await process.wait() == 0


async def test_a_batch_in_a_codec_that_is_missing_is_named_and_takes_nothing_else_along(
    kafka_broker: Broker, producer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = Harness(KafkaTransport(bootstrap_servers=kafka_broker.url))
    await harness.connect()
    packed, plain = new_topic(), new_topic()
    monkeypatch.setattr(aiokafka.codec, "has_gzip", lambda: False)
    async with harness.scenario("one of two topics cannot be read") as s:
        wanted, unwanted = s.expect(packed, contains_fields({"n": 1})), s.expect_none(packed)
        beside = s.scope.expect(plain, contains_fields({"last": True}))
        every = s.expect_count(plain, anything(), at_least=MANY + 1)
        await s.ready()
        sending = asyncio.create_task(_send_gzip(kafka_broker.url, packed))
        number = 0
        while not sending.done() or number < MANY:
            await producer.send_and_wait(plain, b'{"n": %d}' % number)
            number += 1
        await sending
        await producer.send_and_wait(plain, b'{"last": true}')
        s.publish(new_topic(), {})
        await s.await_all(timeout_ms=PATIENCE_S * 1000)
        offsets = [message.offset for message in every.messages]
        assert offsets == list(range(len(offsets))), "nothing of the other topic is lost"
    assert (beside.outcome, every.outcome) == (Outcome.PASS, Outcome.PASS)
    for handle in (wanted, unwanted):
        assert handle.outcome is not Outcome.PASS
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        for word in (packed, "gzip", "codec", "choreo-bdd[kafka]"):
            assert word in handle.diagnosis.text
    await harness.disconnect()


async def test_a_topic_with_a_batch_that_cannot_be_unpacked_is_heard_again_behind_it(
    transport: KafkaTransport, kafka_broker: Broker, producer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, sink, again = new_topic(), Interruptible(), Sink()
    monkeypatch.setattr(aiokafka.codec, "has_gzip", lambda: False)
    await transport.subscribe(topic, sink)
    await producer.send_and_wait(topic, b"before")
    await _send_gzip(kafka_broker.url, topic)
    await asyncio.wait_for(sink.told.wait(), PATIENCE_S)
    assert sink.payloads == [b"before"]
    with pytest.raises(TransportError, match="no live subscription"):
        await transport.fence([topic])
    transport.unsubscribe(topic, sink)
    await transport.subscribe(topic, again)
    await producer.send_and_wait(topic, b"behind")
    await again.wait_for(1)
    assert again.payloads == [b"behind"]


class Interruptible(Sink):
    """A subscriber that is told when its subscription has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    def interrupted(self, _: str) -> None:
        self.told.set()


# --- topics -----------------------------------------------------------------------------------------------------------


async def test_many_new_topics_cost_the_producer_one_question_not_one_each(
    transport: KafkaTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    sinks = {new_topic(): Sink() for _ in range(MANY)}
    await asyncio.gather(*(transport.subscribe(topic, sink) for topic, sink in sinks.items()))
    asked = 0
    ask = AIOKafkaClient.force_metadata_update

    def counted(client: Any) -> Any:
        nonlocal asked
        asked += 1
        return ask(client)

    monkeypatch.setattr(AIOKafkaClient, "force_metadata_update", counted)
    await asyncio.gather(*(transport.publish(topic, topic.encode()) for topic in sinks))
    for topic, sink in sinks.items():
        await sink.wait_for(1)
        assert sink.payloads == [topic.encode()]
    assert asked < MANY / 4


async def test_a_topic_that_is_deleted_while_it_is_heard_stays_deleted(
    transport: KafkaTransport, kafka_broker: Broker
) -> None:
    topic, sink = new_topic(), Sink()
    await transport.subscribe(topic, sink)
    await transport.publish(topic, b"1")
    await sink.wait_for(1)
    async with outside_admin(kafka_broker.url) as admin:
        await admin.delete_topics([topic])
        for _ in range(6):  # the transport looks after its topics meanwhile
            await asyncio.sleep(0.25)
            assert topic not in await admin.list_topics()
    with pytest.raises(TransportError, match="cannot be read any more: deleted meanwhile"):
        await transport.fence([topic])


async def test_what_lay_on_a_partition_added_between_two_subscriptions_is_not_taken(
    transport: KafkaTransport, kafka_broker: Broker, producer: Any
) -> None:
    topic, first, second = new_topic(), Sink(), Sink()
    await transport.subscribe(topic, first)
    transport.unsubscribe(topic, first)
    async with outside_admin(kafka_broker.url) as admin:
        await admin.create_partitions({topic: NewPartitions(total_count=2)})
    async with asyncio.timeout(PATIENCE_S):
        while await producer.partitions_for(topic) != {0, 1}:
            await producer.client.force_metadata_update()
    await producer.send_and_wait(topic, b"from before", partition=1)
    await transport.subscribe(topic, second)
    await producer.send_and_wait(topic, b"now", partition=1)
    await second.wait_for(1)
    await transport.fence([topic])
    assert second.payloads == [b"now"]


async def test_a_cluster_that_names_no_controller_says_so_where_a_topic_is_missing(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, describe = ClusterMetadata.update_metadata, Clients.describe

    def without_controller(cluster: Any, metadata: Any) -> Any:
        updated = update(cluster, metadata)
        cluster.controller = None
        return updated

    async def make_none(clients: Clients, topics: Any, *, make: bool = False) -> Any:
        return [] if make else await describe(clients, topics)

    monkeypatch.setattr(ClusterMetadata, "update_metadata", without_controller)
    monkeypatch.setattr(Clients, "describe", make_none)
    monkeypatch.setattr("choreo_bdd.transports.kafka.topics._MADE_S", 0.1)
    transport = KafkaTransport(bootstrap_servers=kafka_broker.url)
    await transport.connect()
    with pytest.raises(PublishFailed, match="names no controller"):
        await transport.publish(new_topic(), b"{}")
    with pytest.raises(SubscriptionFailed, match="names no controller"):
        await transport.subscribe(new_topic(), Sink())
    await transport.disconnect()


async def test_without_a_controller_a_broker_that_makes_topics_by_itself_makes_them(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def has_none(_: Any) -> bool:
        return False

    monkeypatch.setattr(Clients, "has_controller", has_none)
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, sink)
    await transport.publish(topic, b"{}")
    await sink.wait_for(1)
    await transport.disconnect()


async def test_a_broker_that_does_not_know_itself_yet_is_asked_again(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, first_told = ClusterMetadata.update_metadata, []

    def told(cluster: ClusterMetadata, metadata: Any) -> None:
        if cluster not in first_told:
            first_told.append(cluster)
            metadata.brokers = []
        update(cluster, metadata)

    monkeypatch.setattr(ClusterMetadata, "update_metadata", told)
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    try:
        await transport.subscribe(topic, sink)
        await transport.publish(topic, b"{}")
        await sink.wait_for(1)
    finally:
        await transport.disconnect()
    assert len(first_told) >= 4

"""Kafka: what a log had and has no more, or a topic that was made anew, is no absence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import TransportError
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, Handle
from choreo_bdd.transports import KafkaTransport
from tests.support.subscribers import PATIENCE_S, new_topic

pytestmark = pytest.mark.broker

FORBIDDEN, OTHER = b'{"n": 1}', b'{"n": 0}'
READ = 3
"""So many messages have been read of the old topic."""


@pytest.fixture
async def admin(kafka_broker: Broker) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_broker.url)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def transport(kafka_broker: Broker) -> KafkaTransport:
    return KafkaTransport(bootstrap_servers=kafka_broker.url)


@pytest.fixture
async def harness(transport: KafkaTransport) -> AsyncIterator[Harness]:
    harness = Harness(transport, correlation=NoCorrelationPolicy(is_meant=True))
    await harness.connect()
    yield harness
    await harness.disconnect()


async def send(broker: Broker, topic: str, *payloads: bytes) -> None:
    """Messages of somebody else, each confirmed before the next."""
    async with AIOKafkaProducer(bootstrap_servers=broker.url) as producer:
        for payload in payloads:
            await producer.send_and_wait(topic, payload, partition=0)


async def make(admin: Any, topic: str) -> None:
    """Make a topic, once the one of that name is gone."""
    async with asyncio.timeout(PATIENCE_S * 2):
        while (await admin.create_topics([NewTopic(topic, 1, 1)])).topic_errors[0][1]:  # noqa: ASYNC110 - it tells only when it is asked
            await asyncio.sleep(0.02)


async def absence(harness: Harness, topic: str, meanwhile: Callable[[], Awaitable[None]]) -> Handle:
    """Of the forbidden message."""
    async with harness.scenario("gone") as s:
        handle = s.expect_none(topic, field_equals("n", 1))
        await s.ready()
        s.publish(new_topic(), {})
        await meanwhile()
        await s.await_all(timeout_ms=500)
    return handle


def assert_transport_failed(handle: Handle, words: str) -> None:
    assert handle.diagnosis is not None
    assert (handle.outcome is Outcome.PASS, handle.diagnosis.cause) == (False, Cause.TRANSPORT_FAILED)
    assert words in handle.diagnosis.text


@pytest.mark.parametrize("length", [READ, READ + 2])
async def test_a_topic_made_anew_as_long_as_the_old_one_is_no_absence(
    kafka_broker: Broker, admin: Any, harness: Harness, length: int
) -> None:
    topic = new_topic()
    await make(admin, topic)

    async def made_anew() -> None:
        await send(kafka_broker, topic, *[OTHER] * READ)
        await harness.fence([topic])
        await admin.delete_topics([topic])
        await make(admin, topic)
        await send(kafka_broker, topic, FORBIDDEN, *[OTHER] * (length - 1))
        with pytest.raises(TransportError, match=f"'{topic}' was deleted, or moved to another broker"):
            await harness.fence([topic])

    seen = await absence(harness, topic, made_anew)
    assert seen.diagnosis is not None
    assert seen.diagnosis.cause in (Cause.TRANSPORT_FAILED, Cause.UNEXPECTED)  # as long as it is empty it is met anew


@pytest.mark.parametrize("later", [0, 1])
async def test_messages_deleted_before_they_were_read_are_no_absence(
    kafka_broker: Broker, admin: Any, transport: KafkaTransport, harness: Harness, later: int
) -> None:
    topic = new_topic()
    await make(admin, topic)
    partition = TopicPartition(topic, 0)
    fetching = transport._life.require()._clients.consumer

    async def deleted() -> None:
        fetching.pause(partition)
        await asyncio.sleep(0.1)  # until what is parked at the broker has come back
        await send(kafka_broker, topic, OTHER, FORBIDDEN)
        await admin.delete_records({partition: RecordsToDelete(before_offset=-1)})
        await send(kafka_broker, topic, *[OTHER] * later)
        fetching.resume(partition)
        told = await asyncio.gather(*(harness.fence([topic]) for _ in range(2)), return_exceptions=True)
        assert ["were deleted before" in str(each) for each in told] == [True, True]

    assert_transport_failed(await absence(harness, topic, deleted), f"messages of '{topic}' were deleted before")
    passed = await absence(harness, topic, lambda: send(kafka_broker, topic, OTHER))
    assert passed.outcome is Outcome.PASS

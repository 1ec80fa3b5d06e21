"""Kafka: what an open transaction holds back is nothing that has not come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome, Scenario
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import anything
from choreo_bdd.scenario import Cause, Handle
from choreo_bdd.transports import KafkaTransport
from tests.support.subscribers import PATIENCE_S, Sink, new_topic

pytestmark = pytest.mark.broker

OPEN = "an open transaction holds back what was written to {topic!r}"
CHECKS: dict[str, Callable[[Scenario, str], Handle]] = {
    "none": lambda s, topic: s.expect_none(topic),
    "exactly one": lambda s, topic: s.expect_count(topic, anything(), exactly=1),
    "at most one": lambda s, topic: s.expect_count(topic, anything(), at_most=1),
    "a message": lambda s, topic: s.expect(topic, anything()),
}


@pytest.fixture
async def outside(kafka_broker: Broker) -> AsyncIterator[Any]:
    """Somebody else's producer of transactions."""
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.url, transactional_id=new_topic()) as producer:
        yield producer


@asynccontextmanager
async def checked(broker: Broker, check: str, **options: Any) -> AsyncIterator[tuple[str, Scenario, Handle]]:
    transport, topic = KafkaTransport(bootstrap_servers=broker.url, **options), new_topic()
    harness = Harness(transport, correlation=NoCorrelationPolicy())
    await harness.connect()
    async with harness.scenario(check) as s:
        handle = CHECKS[check](s, topic)
        await s.ready()
        s.publish(new_topic(), {})
        yield topic, s, handle
    await harness.disconnect()


@pytest.mark.parametrize("check", CHECKS)
async def test_a_window_that_ends_behind_an_open_transaction_says_so(
    kafka_broker: Broker, outside: Any, check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreo_bdd.transports.kafka.connection._TRANSACTION_S", 0.3)
    async with checked(kafka_broker, check) as (topic, s, handle):
        await outside.begin_transaction()
        await outside.send_and_wait(topic, b"{}")
        assert not (await s.await_all(timeout_ms=50)).passed
        await outside.abort_transaction()
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
    assert OPEN.format(topic=topic) in handle.diagnosis.text


@pytest.mark.parametrize(
    ("end", "outcome"), [("commit_transaction", Outcome.FAIL), ("abort_transaction", Outcome.PASS)]
)
async def test_a_transaction_that_ends_a_little_later_is_waited_for(
    kafka_broker: Broker, outside: Any, end: str, outcome: Outcome
) -> None:
    async with checked(kafka_broker, "none") as (topic, s, handle):
        await outside.begin_transaction()
        await outside.send_and_wait(topic, b"{}")
        waiting = asyncio.create_task(s.await_all(timeout_ms=50))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await getattr(outside, end)()
        await waiting
    assert handle.outcome is outcome


async def test_who_reads_what_is_uncommitted_waits_for_nobody(
    kafka_broker: Broker, outside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("choreo_bdd.transports.kafka.connection._TRANSACTION_S", 0.0)
    async with checked(kafka_broker, "exactly one", isolation_level="read_uncommitted") as (topic, s, handle):
        await outside.begin_transaction()
        await outside.send_and_wait(topic, b"{}")
        await s.await_all(timeout_ms=500)
        await outside.abort_transaction()
    assert handle.outcome is Outcome.PASS


async def test_what_was_written_before_a_subscription_and_is_committed_after_it_arrives(
    kafka_broker: Broker, outside: Any
) -> None:
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, Sink())
    await outside.begin_transaction()
    await outside.send_and_wait(topic, b"1")
    await transport.subscribe(topic, sink)
    await outside.commit_transaction()
    await asyncio.wait_for(sink.wait_for(1), PATIENCE_S)
    await transport.fence([topic])
    assert sink.payloads == [b"1"]
    await transport.disconnect()

"""asyncio prints nothing of errors that nobody asks for any more, because whoever waited has gone."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.structs import TopicPartition

from choreo_bdd.brokers import Broker
from choreo_bdd.transports import NatsTransport
from choreo_bdd.transports.kafka.clients import _end_sending
from choreo_bdd.transports.nats import connection
from tests.support.proxy import proxy_to
from tests.support.subscribers import Sink, new_topic

PONG_S = 0.6


@pytest.fixture
async def printed() -> list[str]:
    """What asyncio would print of errors that were never asked for, as far as it is known by now."""
    told: list[str] = []

    def take(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "never retrieved" in context["message"]:
            told.append(f"{context['message']}: {context.get('exception')!r}")

    asyncio.get_running_loop().set_exception_handler(take)
    return told


async def test_a_nats_fence_that_nobody_waits_for_fails_in_silence(
    nats_broker: Broker, printed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONFIRM_S", PONG_S)
    async with proxy_to(nats_broker.port) as proxy:
        transport, topic = NatsTransport(servers=[f"nats://127.0.0.1:{proxy.port}"]), new_topic()
        await transport.connect()
        await transport.subscribe(topic, Sink())
        proxy.stall()
        fence = asyncio.create_task(transport.fence([topic]))
        await asyncio.sleep(PONG_S / 4)
        fence.cancel()
        await asyncio.wait([fence])
        assert fence.cancelled()
        await asyncio.sleep(PONG_S)
        proxy.cut()
        await transport.disconnect()
    gc.collect()
    assert printed == []


@pytest.mark.thorough
async def test_kafka_batches_that_were_never_sent_fail_in_silence(printed: list[str]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1")
    accumulator = producer._message_accumulator
    confirmed = await accumulator.add_message(TopicPartition("orders", 0), None, b"{}", timeout=1)
    await _end_sending(producer)
    assert isinstance(confirmed.exception(), ProducerClosed)
    producer._closed = True  # never started: nothing is open
    del producer, accumulator, confirmed
    gc.collect()
    assert printed == []

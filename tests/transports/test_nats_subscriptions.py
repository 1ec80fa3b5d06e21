"""Many subscriptions on NATS at once: each proven live, and all of them by one answer of the server."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.client import Client

from choreo_bdd.brokers import Broker
from choreo_bdd.transports import NatsTransport
from tests.support.subscribers import PATIENCE_S, Sink, new_topic


async def test_what_is_subscribed_to_at_once_is_proven_at_once(
    nats_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush, asked = Client.flush, list[int]()

    async def counted(client: Client, timeout: int = 10) -> None:  # noqa: ASYNC109 - as the client has it
        asked.append(timeout)
        await flush(client, timeout)

    ours, theirs = NatsTransport(servers=[nats_broker.url]), NatsTransport(servers=[nats_broker.url])
    await ours.connect()
    await theirs.connect()
    monkeypatch.setattr(Client, "flush", counted)
    sinks = {new_topic(): Sink() for _ in range(1000)}
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(ours.subscribe(topic, sink) for topic, sink in sinks.items()))
        assert len(asked) == 1
        await asyncio.gather(*(theirs.publish(topic, topic.encode()) for topic in sinks))
        for topic, sink in sinks.items():
            await sink.wait_for(1)
            assert sink.payloads == [topic.encode()]
    await ours.disconnect()
    await theirs.disconnect()

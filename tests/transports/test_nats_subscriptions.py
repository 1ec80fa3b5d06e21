"""Many subscriptions on NATS at once: each proven live, and all of them by one answer of the server."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from nats.aio.client import Client

from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import TransportError
from choreo_bdd.transports import NatsTransport
from choreo_bdd.transports.base import Ready
from tests.support.proxy import HOST, proxy_to
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


async def test_who_comes_before_a_cut_is_noticed_is_told_of_it(nats_broker: Broker) -> None:
    async with proxy_to(nats_broker.port) as proxy:
        transport = NatsTransport(servers=[f"nats://{HOST}:{proxy.port}"])
        await transport.connect()
        proxy.cut()
        refused: list[Ready] = []
        with contextlib.suppress(TransportError):  # noticed
            async with asyncio.timeout(PATIENCE_S):
                while transport.lost is None:
                    refused += [transport.subscribe(new_topic(), Sink()), transport.publish(new_topic(), b"{}")]
                    await asyncio.sleep(0)
        told = {str(each) for each in await asyncio.gather(*refused, return_exceptions=True) if each is not None}
        assert not [each for each in told if "connection closed" in each]
        await transport.disconnect()

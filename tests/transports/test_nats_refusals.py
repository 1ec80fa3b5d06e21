"""Why a NATS server hangs up is told in its own words, and what it would hang up on is not sent."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed
from choreo_bdd.transports import NatsTransport
from choreo_bdd.transports.nats.messages import REPLY_TO
from tests.support.brokers import start_or_skip
from tests.support.subscribers import PATIENCE_S, Sink, new_topic


@pytest.mark.broker
async def test_the_server_says_itself_why_it_hung_up() -> None:
    with start_or_skip("nats", config="max_subscriptions: 1\n") as broker:
        transport, reasons = NatsTransport(servers=[broker.url]), asyncio.Queue[str]()
        transport.on_lost(reasons.put_nowait)
        await transport.connect()
        for _ in range(3):
            transport.subscribe(new_topic(), Sink())
        assert "maximum subscriptions exceeded" in await asyncio.wait_for(reasons.get(), PATIENCE_S)
        await transport.disconnect()


def _flood(port: int, subject: str) -> None:
    """Publish 24 MB in one go, as somebody else."""
    body = b"x" * 60_000
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.recv(4096)
        connection.sendall(b'CONNECT {"verbose": false}\r\n')
        connection.sendall(b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(body), body) * 400 + b"PING\r\n")
        connection.recv(4096)


@pytest.mark.broker
async def test_a_server_that_hangs_up_on_a_slow_reader_is_asked_after_slow_consumers() -> None:
    config = 'max_pending: 65536\nmax_payload: 65000\nwrite_deadline: "1ms"\n'
    with start_or_skip("nats", config=config) as broker:
        transport, topic, reasons = NatsTransport(servers=[broker.url]), new_topic(), asyncio.Queue[str]()
        transport.on_lost(reasons.put_nowait)
        await transport.connect()
        await transport.subscribe(topic, lambda *_: time.sleep(0.002))
        await asyncio.to_thread(_flood, broker.port, topic)
        assert "slow consumer" in await asyncio.wait_for(reasons.get(), PATIENCE_S)
        await transport.disconnect()


@pytest.mark.parametrize(
    ("payload", "headers"),
    [(1_100_000, {}), (2, {"a": "x" * 1_100_000}), (900_000, {f"h{n}": "é" * 100 for n in range(800)})],
    ids=["payload", "header", "both"],
)
async def test_a_message_too_large_is_refused_with_its_headers_counted_and_costs_nobody_else_anything(
    nats_broker: Broker, payload: int, headers: dict[str, str]
) -> None:
    transport, topic, sink = NatsTransport(servers=[nats_broker.url]), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, sink)
    with pytest.raises(PublishFailed, match=r"too large: .* bytes with its headers, where the server takes 1048576"):
        await transport.publish(topic, b"x" * payload, headers=headers)
    await transport.publish(topic, b"x" * 1_040_000, headers={"a": "b"})
    await sink.wait_for(1)
    assert transport.lost is None
    await transport.disconnect()


@pytest.mark.parametrize(
    "headers",
    [{"a": " x"}, {"a": "x\t"}, {"a": "x\ny"}, {"a": "x\r\nb: y"}, {" a": "1"}, {"": "1"}, {"a b": "1"}, {"ä": "1"}],
)
async def test_a_header_that_would_arrive_as_another_is_refused(nats_broker: Broker, headers: dict[str, str]) -> None:
    transport = NatsTransport(servers=[nats_broker.url])
    await transport.connect()
    with pytest.raises(PublishFailed, match="header"):
        await transport.publish(new_topic(), b"{}", headers=headers)
    assert transport.lost is None
    await transport.disconnect()


async def test_a_subject_too_long_is_refused_and_costs_nobody_else_anything(nats_broker: Broker) -> None:
    transport, topic, sink = NatsTransport(servers=[nats_broker.url]), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, sink)
    with pytest.raises(SubscriptionFailed, match="too long: 5000 bytes"):
        await transport.subscribe("x" * 5000, Sink())
    with pytest.raises(PublishFailed, match="too long: 5000 bytes"):
        await transport.publish("x" * 5000, b"{}")
    await transport.publish(topic, b"{}")
    await sink.wait_for(1)
    assert transport.lost is None
    await transport.disconnect()


@pytest.mark.parametrize("part", ["", "b c", "b\r\nPUB x 0", "b\t"])
async def test_a_subject_that_would_be_another_or_nobodys_is_refused(nats_broker: Broker, part: str) -> None:
    transport, topic, sink = NatsTransport(servers=[nats_broker.url]), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(f"{topic}.>", sink)
    wrong = f"{topic}.a.{part}"
    with pytest.raises(SubscriptionFailed, match="NATS has no subject"):
        await transport.subscribe(wrong, Sink())
    for subject, headers in ((wrong, {}), (f"{topic}.a", {REPLY_TO: wrong})):
        with pytest.raises(PublishFailed, match="NATS has no subject"):
            await transport.publish(subject, b"{}", headers=headers)
    await transport.publish(f"{topic}.last", b"{}")
    await sink.wait_for(1)
    assert [message.topic for message in sink.messages] == [f"{topic}.last"]
    await transport.disconnect()

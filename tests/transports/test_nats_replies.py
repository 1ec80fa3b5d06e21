"""What the NATS server itself answers to a request is no reply."""

from __future__ import annotations

import asyncio

import pytest

from choreo_bdd import Harness, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.codecs import Codec, JSONCodec, RawCodec, TextCodec
from choreo_bdd.matchers import anything
from choreo_bdd.scenario.judging.diagnosis import Cause
from choreo_bdd.transports import NatsTransport
from tests.support.subscribers import PATIENCE_S, Sink, new_topic

LONG_MS = 60_000


@pytest.mark.parametrize("codec", [JSONCodec(), JSONCodec(strict=True), TextCodec(), RawCodec()])
async def test_a_request_nobody_listens_for_ends_at_once_and_says_so(nats_broker: Broker, codec: Codec) -> None:
    harness, inbox, asked = Harness(NatsTransport(servers=[nats_broker.url]), codec=codec), new_topic(), new_topic()
    await harness.connect()
    async with harness.scenario("ask a service that is down") as s:
        handle = s.expect(inbox, anything())
        s.publish(asked, b"question", headers={"nats.reply_to": inbox})
        await asyncio.wait_for(s.await_all(timeout_ms=LONG_MS), PATIENCE_S)
    assert handle.outcome is Outcome.TIMEOUT
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.NOBODY_LISTENS
    assert f"nobody listens on '{asked}': the NATS server says" in handle.diagnosis.text
    await harness.disconnect()


async def test_a_subject_the_server_would_hang_up_on_is_the_cause_and_not_what_follows(nats_broker: Broker) -> None:
    harness, subject = Harness(NatsTransport(servers=[nats_broker.url])), "x" * 5000
    await harness.connect()
    async with harness.scenario("too long") as s:
        handle = s.expect(subject, anything())
        s.publish(subject, {})
        await s.await_all(timeout_ms=200)
    assert handle.diagnosis is not None
    assert "the subject is too long: 5000 bytes, where 4000 can be sent" in handle.diagnosis.text
    await harness.disconnect()


async def test_an_empty_reply_of_a_service_is_one(nats_broker: Broker) -> None:
    transport, inbox, sink = NatsTransport(servers=[nats_broker.url]), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(inbox, sink)
    await transport.publish(inbox, b"")
    await sink.wait_for(1)
    assert sink.payloads == [b""]
    await transport.disconnect()

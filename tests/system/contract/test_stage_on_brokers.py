"""A hundred scenarios at once over NATS and Kafka, on topics they share."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from choreo_bdd import DictFieldPolicy, Harness, HeaderPolicy, MappedBridge, Stage
from choreo_bdd.brokers import Broker
from choreo_bdd.correlation import CorrelationPolicy
from choreo_bdd.matchers import contains_fields, field_equals
from choreo_bdd.transports import KafkaTransport, NatsTransport
from tests.support.engine_doubles import CountingCodec

SCOPES = 100


@pytest.mark.parametrize(
    "policy",
    [DictFieldPolicy(strict=True), HeaderPolicy("x-correlation", strict=True)],
    ids=["id in the payload", "id in a header"],
)
async def test_a_hundred_scopes_over_nats_and_kafka_never_see_each_others_messages(
    nats_broker: Broker, kafka_broker: Broker, policy: CorrelationPolicy
) -> None:
    codec = CountingCodec()
    stage = Stage(
        {
            "nats": Harness(NatsTransport(servers=[nats_broker.url]), codec=codec, correlation=policy),
            "kafka": Harness(KafkaTransport(bootstrap_servers=kafka_broker.url), codec=codec, correlation=policy),
        },
        MappedBridge({"nats": "n-{}".format, "kafka": "k-{}".format}),
    )
    await stage.connect()
    asked, told = (f"t{secrets.token_hex(4)}.{word}" for word in ("asked", "told"))
    all_armed = asyncio.Barrier(SCOPES)

    async def one(number: int) -> None:
        async with stage.scenario(f"number {number}") as s:
            s.on(asked, field_equals("n", number), on="nats").publish(
                told, on="kafka", build=lambda got: {"n": got["n"]}
            )
            heard = s.expect(asked, contains_fields({"n": number}), on="nats")
            answered = s.expect(told, contains_fields({"n": number}), on="kafka")
            await s.ready()
            await all_armed.wait()
            s.publish(asked, {"n": number}, on="nats")
            result = await s.await_all(20_000)
        result.assert_passed()
        assert (heard.attempts, answered.attempts) == (0, 0)
        assert (result.replies[0].candidate_count, result.replies[0].match_count) == (1, 1)

    await asyncio.gather(*(one(number) for number in range(SCOPES)))
    assert codec.decodes == 2 * SCOPES
    assert [harness.active_subscription_count() for harness in stage.harnesses.values()] == [0, 0]
    await stage.disconnect()

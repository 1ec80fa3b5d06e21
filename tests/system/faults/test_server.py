"""Servers that die under a scenario, that ask for other credentials, that deny a topic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import nats
import pytest

from choreo_bdd import DictFieldPolicy, Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import SubscriptionFailed, TransportError
from choreo_bdd.matchers import contains_fields, field_equals
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import (
    MockTransport,
    NatsAuth,
    NatsTransport,
    RabbitAuth,
    RabbitTransport,
    RedisAuth,
    RedisTransport,
)
from tests.support.brokers import start_or_skip
from tests.support.fault_sites import Site, Watched, assert_works, disconnect_in_time
from tests.support.leftovers import nothing_left
from tests.support.subscribers import new_topic

pytestmark = pytest.mark.broker

PROGRAMS: dict[str, Any] = {
    "nats": lambda: start_or_skip("nats"),
    # tansu starts in no time, Apache's node in seconds; to a client both are gone in the same way
    "kafka": lambda: start_or_skip("kafka", implementation="tansu"),
    "rabbitmq": lambda: start_or_skip("rabbitmq"),
    "redis": lambda: start_or_skip("redis"),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def own_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker of this module's own, which a test may kill if it starts it again."""
    with PROGRAMS[request.param]() as broker:
        yield broker


async def test_a_server_killed_under_a_scenario_is_the_cause_and_the_next_one_works_after_its_return(
    own_broker: Broker,
) -> None:
    async with nothing_left():
        harness = Site(own_broker.kind, own_broker).harness_at(own_broker.port)
        await harness.connect()
        await assert_works(harness)
        async with harness.scenario("killed") as s:
            watched = Watched(s)
            s.publish(new_topic(), {"n": 0})
            await s.ready()
            await asyncio.to_thread(own_broker.kill)
            watched.assert_told(await s.await_all(timeout_ms=30_000))
        with pytest.raises(TransportError, match=rf"could not connect to .*{own_broker.port}|cannot go on: .*lost"):
            async with harness.scenario("nobody there"):
                pytest.fail("the body must not run")
        await asyncio.to_thread(own_broker.restart)
        await assert_works(harness)
        assert harness.is_healthy()
        await disconnect_in_time(harness)


async def test_the_end_of_a_nats_connection_is_noticed_even_if_the_client_fails_to_tell() -> None:
    with start_or_skip("nats") as broker:
        transport = NatsTransport(servers=[broker.url])
        lost: asyncio.Queue[str] = asyncio.Queue()
        transport.on_lost(lost.put_nowait)
        await transport.connect()
        assert transport._life.connection is not None
        client = transport._life.connection._client
        client._closed_cb = None  # what a failing last write comes to: the client never gets there
        await asyncio.to_thread(broker.kill)
        assert "lost" in await asyncio.wait_for(lost.get(), 10)
        await transport.disconnect()


async def test_a_harness_that_is_disconnected_under_a_scenario_is_the_cause() -> None:
    harness = Harness(MockTransport(), correlation=DictFieldPolicy())
    await harness.connect()
    async with harness.scenario("cut off") as s:
        watched = Watched(s)
        s.publish(new_topic(), {"n": 0})
        await harness.disconnect()
        await harness.connect()
        watched.assert_told(await s.await_all(timeout_ms=5000))
    await assert_works(harness)
    await harness.disconnect()


# --- credentials ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded_nats() -> Iterator[Broker]:
    """A NATS server with a user who may use ``allowed.>`` only."""
    permitted = '{ publish: "allowed.>", subscribe: ["allowed.>", "_INBOX.>"] }'
    config = f'authorization {{ users = [ {{ user: "ann", password: "s3cret", permissions: {permitted} }} ] }}'
    with start_or_skip("nats", config=config) as broker:
        yield broker


@pytest.fixture(scope="module")
def guarded_redis() -> Iterator[Broker]:
    """A Redis server with a user who may use ``allowed.*`` only."""
    with start_or_skip("redis", config="user ann on >s3cret ~allowed.* &allowed.* +@all") as broker:
        yield broker


async def refused(transport: Any, address: str) -> None:
    async with nothing_left():
        harness = Harness(transport, correlation=DictFieldPolicy())
        with pytest.raises(TransportError, match=f"could not connect to .*{address}") as caught:
            await harness.connect()
        assert not any(word in str(caught.value) for word in ("wr0ng", "s3cret"))
        await disconnect_in_time(harness)


async def test_wrong_credentials_for_nats(guarded_nats: Broker) -> None:
    await refused(
        NatsTransport(servers=[guarded_nats.url], auth=NatsAuth.user_password("ann", "wr0ng")), str(guarded_nats.port)
    )


@pytest.mark.parametrize("streams", [False, True])
async def test_wrong_credentials_for_redis(guarded_redis: Broker, *, streams: bool) -> None:
    auth = RedisAuth.acl("ann", "wr0ng")
    await refused(RedisTransport(url=guarded_redis.url, auth=auth, streams=streams), str(guarded_redis.port))


async def test_wrong_credentials_for_rabbitmq(rabbitmq_broker: Broker) -> None:
    url = rabbitmq_broker.url.replace("guest:guest@", "")
    await refused(RabbitTransport(url=url, auth=RabbitAuth.plain("guest", "wr0ng")), str(rabbitmq_broker.port))


# --- denied topics ----------------------------------------------------------------------------------------------------


async def assert_denials_are_told(harness: Harness) -> None:
    """Listening to, and publishing on, a topic that is denied; then a scenario on one that is permitted."""
    await harness.connect()
    async with harness.scenario("may not listen") as s:
        deaf = s.expect(new_topic("denied"), field_equals("n", 1))
        s.publish(f"allowed.{new_topic()}", {"n": 1})
        with pytest.raises(SubscriptionFailed, match="denie"):
            await s.ready()
        await s.await_all(timeout_ms=300)
    async with harness.scenario("may not speak") as s:
        mute = s.expect(f"allowed.{new_topic()}", field_equals("n", 1))
        s.publish(new_topic("denied"), {"n": 1})
        await s.await_all(timeout_ms=300)
    for handle in (deaf, mute):
        assert handle.outcome is Outcome.TIMEOUT
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert "denie" in handle.diagnosis.sentence
    async with harness.scenario("permitted") as s:
        topic = f"allowed.{new_topic()}"
        s.expect(topic, contains_fields({"n": 1}))
        s.publish(topic, {"n": 1})
        (await s.await_all(timeout_ms=5000)).assert_passed()
    await disconnect_in_time(harness)


async def test_a_subject_nats_denies_is_told(guarded_nats: Broker) -> None:
    transport = NatsTransport(servers=[guarded_nats.url], auth=NatsAuth.user_password("ann", "s3cret"))
    await assert_denials_are_told(Harness(transport, correlation=DictFieldPolicy()))


async def tell_permissions(request: Any) -> None:
    """What servers from 2.10 on answer by themselves."""
    await request.respond(b'{"data": {"permissions": {"subscribe": {"deny": ["allowed.secret", "$SYS.>"]}}}}')


@pytest.mark.parametrize("topic", ["allowed.>", "allowed.*", "*.secret"])
async def test_what_nats_hides_below_a_pattern_is_no_absence(topic: str) -> None:
    permitted = 'subscribe: { allow: [">"], deny: ["allowed.secret", "$SYS.>"] }'
    ann = f'{{ user: "ann", password: "s3cret", permissions: {{ {permitted} }} }}'
    config = f'authorization {{ users = [ {ann}, {{ user: "root", password: "s3cret" }} ] }}'
    with start_or_skip("nats", config=config) as broker:
        teller = await nats.connect(broker.url, user="root", password="s3cret")
        await teller.subscribe("$SYS.REQ.USER.INFO", cb=tell_permissions)
        await teller.flush()
        transport = NatsTransport(servers=[broker.url], auth=NatsAuth.user_password("ann", "s3cret"))
        harness = Harness(transport, correlation=NoCorrelationPolicy())
        await harness.connect()
        async with harness.scenario("deny below allow") as s:
            hidden = s.expect_none(topic), s.expect(topic, contains_fields({"n": 1}))
            await s.ready()
            s.publish("allowed.secret", {"n": 1})
            await s.await_all(timeout_ms=100)
        async with harness.scenario("beside it") as s:
            s.expect_none("allowed.known")
            s.expect_none("other.>")
            s.publish("allowed.secret", {"n": 1})
            (await s.await_all(timeout_ms=100)).assert_passed()
        await disconnect_in_time(harness)
        await teller.close()
    for handle in hidden:
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED
        assert f"of '{topic}' the server hides 'allowed.secret'" in handle.diagnosis.text


@pytest.mark.parametrize("streams", [False, True])
async def test_a_channel_or_stream_redis_denies_is_told(guarded_redis: Broker, *, streams: bool) -> None:
    auth = RedisAuth.acl("ann", "s3cret")
    transport = RedisTransport(url=guarded_redis.url, auth=auth, streams=streams)
    await assert_denials_are_told(Harness(transport, correlation=DictFieldPolicy()))

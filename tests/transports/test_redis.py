"""Redis and Valkey: what is particular to them; the common promises are in tests/system/contract."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from choreo_bdd import Harness, ScopeOptions
from choreo_bdd.brokers import Broker
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.matchers import anything
from choreo_bdd.scenario.judging.diagnosis import Cause
from choreo_bdd.transports import RedisTransport
from choreo_bdd.transports.redis.messages import EntryLayout, Layouts
from choreo_bdd.transports.redis.streams import Streams
from choreo_bdd.transports.shared.subscriptions import Registration
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.redis_doubles import fake_server
from tests.support.subscribers import PATIENCE_S, Sent, Sink

LOGIN = {b"CLIENT": b"+OK\r\n", b"PING": b"+PONG\r\n"}


@pytest.fixture
async def outsider(redis_broker: Broker) -> AsyncIterator[Any]:
    """Somebody else's client of the same server."""
    client = redis.asyncio.from_url(redis_broker.url)
    yield client
    await client.aclose()


@pytest.fixture
async def pubsub(redis_broker: Broker) -> AsyncIterator[RedisTransport]:
    transport = RedisTransport(url=redis_broker.url)
    await transport.connect()
    yield transport
    await transport.disconnect()


@pytest.fixture
async def streams(redis_broker: Broker) -> AsyncIterator[RedisTransport]:
    transport = RedisTransport(url=redis_broker.url, streams=True)
    await transport.connect()
    yield transport
    await transport.disconnect()


@pytest.fixture(params=["pubsub", "streams"])
def transport(request: pytest.FixtureRequest) -> RedisTransport:
    """Each mode in turn."""
    found: RedisTransport = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A server of the test's own, to be hurt; its user ``narrow`` may use ``allowed.*`` and little else."""
    narrow = "resetchannels &allowed.* ~allowed.* -@all +publish +subscribe +psubscribe +xadd +xread +xrevrange +scan"
    with start_or_skip("redis", config=f"user narrow on >pw {narrow}") as broker:
        yield broker


@pytest.fixture
def root() -> str:
    """The first segment of topics nobody else uses."""
    return f"t{secrets.token_hex(4)}"


async def listen(transport: RedisTransport, topic: str) -> Sink:
    sink = Sink()
    await asyncio.wait_for(transport.subscribe(topic, sink), PATIENCE_S)
    return sink


def loss_of(transport: RedisTransport) -> asyncio.Future[str]:
    """Resolves with the reason when the transport tells that its connection is lost."""
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    transport.on_lost(lost.set_result)
    return lost


# --- patterns ---------------------------------------------------------------------------------------------------------


async def test_a_message_comes_once_to_each_registration_it_matches(transport: RedisTransport, root: str) -> None:
    await transport.publish(f"{root}.a.b", b"early")
    topics = (f"{root}.a.b", f"{root}.a.*", f"{root}.*.b", f"{root}.>")
    sinks = [await listen(transport, topic) for topic in topics]
    await transport.publish(f"{root}.a.b", b"1")
    await transport.publish(f"{root}.a.b", b"2")
    for sink in sinks:
        await sink.wait_for(2)
    assert [sink.payloads for sink in sinks] == [[b"1", b"2"]] * 4


async def test_a_star_does_not_reach_over_a_dot(transport: RedisTransport, root: str) -> None:
    one, rest = await listen(transport, f"{root}.*"), await listen(transport, f"{root}.>")
    await transport.publish(f"{root}.a.b", b"deep")
    await transport.publish(f"{root}.a", b"flat")
    await rest.wait_for(2)
    await one.wait_for(1)
    assert one.payloads == [b"flat"]


async def test_patterns_that_are_one_glob_to_redis_are_let_go_one_by_one(transport: RedisTransport, root: str) -> None:
    one, rest = await listen(transport, f"{root}.*"), await listen(transport, f"{root}.>")
    transport.unsubscribe(f"{root}.*", one)
    await transport.publish(f"{root}.a", b"x")
    await rest.wait_for(1)
    assert one.messages == []


async def test_glob_signs_of_redis_mean_themselves(transport: RedisTransport, root: str) -> None:
    sink = await listen(transport, f"{root}.[ab]?.*")
    await transport.publish(f"{root}.ax.1", b"no")
    await transport.publish(f"{root}.[ab]?.1", b"yes")
    await sink.wait_for(1)
    assert sink.payloads == [b"yes"]


async def test_subscribing_again_at_once_after_unsubscribing_is_live(transport: RedisTransport, root: str) -> None:
    first = await listen(transport, f"{root}.a")
    transport.unsubscribe(f"{root}.a", first)
    second = await listen(transport, f"{root}.a")
    await transport.publish(f"{root}.a", b"x")
    await second.wait_for(1)
    assert first.messages == []


# --- arming -----------------------------------------------------------------------------------------------------------


async def test_nothing_an_outsider_sends_right_after_arming_is_lost(
    transport: RedisTransport, outsider: Any, root: str
) -> None:
    over_streams = transport.capabilities.message_headers
    for number in range(50):
        topic = f"{root}.{number}"
        sink = await listen(transport, topic)
        await (outsider.xadd(topic, {"payload": b"x"}) if over_streams else outsider.publish(topic, b"x"))
        await sink.wait_for(1)


async def test_a_refused_subscription_says_why_and_hurts_nobody_else(own_broker: Broker) -> None:
    for streams in (False, True):
        transport = RedisTransport(url=own_broker.url.replace("//", "//narrow:pw@"), streams=streams)
        await transport.connect()
        with pytest.raises(SubscriptionFailed, match=r"'forbidden\.a' live: the server denies it to this user"):
            await transport.subscribe("forbidden.a", Sink())
        with pytest.raises(PublishFailed, match=r"'forbidden\.a': the server denies it to this user"):
            await transport.publish("forbidden.a", b"x")
        sink = await listen(transport, "allowed.a")
        await transport.publish("allowed.a", b"x")
        await sink.wait_for(1)
        await transport.disconnect()


async def test_a_user_who_may_not_interrupt_blocked_reads_still_hears_new_streams(own_broker: Broker) -> None:
    transport = RedisTransport(url=own_broker.url.replace("//", "//narrow:pw@"), streams=True)
    await transport.connect()
    await listen(transport, "allowed.first")
    second = await listen(transport, "allowed.second")
    await transport.publish("allowed.second", b"x")
    await second.wait_for(1)
    await transport.disconnect()


# --- Pub/Sub ----------------------------------------------------------------------------------------------------------


async def test_headers_over_pubsub_are_refused_with_the_way_out(pubsub: RedisTransport) -> None:
    with pytest.raises(TransportError, match="no headers; put the data into the payload, or use streams=True"):
        pubsub.publish("t", b"x", headers={"tenant": "acme"})


async def test_publishing_to_nobody_is_no_error(pubsub: RedisTransport, root: str) -> None:
    await asyncio.wait_for(pubsub.publish(root, b"x"), PATIENCE_S)


async def test_that_nobody_has_heard_the_last_message_on_a_channel_is_known(pubsub: RedisTransport, root: str) -> None:
    first, second = Sent(), Sent()
    await pubsub.publish(root, b"x", on_sent=first)
    assert first.unheard_words == ["Redis says that the message has reached no subscriber"]
    await pubsub.subscribe(root, Sink())
    await pubsub.publish(root, b"x", on_sent=second)
    assert second.unheard_words == []


@contextmanager
def a_cluster() -> Iterator[str]:
    """Of one node that has all slots."""
    with start_or_skip("redis", config="cluster-enabled yes") as broker:
        client: Any = redis.Redis.from_url(broker.url)
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        yield broker.url


@contextmanager
def a_server_with_a_replica() -> Iterator[str]:
    with start_or_skip("redis") as broker:
        host, port = broker.url.removeprefix("redis://").partition("/")[0].split(":")
        with start_or_skip("redis", config=f"replicaof {host} {port}"), redis.Redis.from_url(broker.url) as client:
            while not client.info("replication")["connected_slaves"]:
                time.sleep(0.01)
            yield broker.url


async def test_a_replica_hands_nothing_back_to_its_master_and_knows_that_nobody_has_heard_it(
    redis_broker: Broker, root: str
) -> None:
    with start_or_skip("redis", config=f"replicaof {redis_broker.host} {redis_broker.port}") as broker:
        transport, service, sent = RedisTransport(url=broker.url), RedisTransport(url=redis_broker.url), Sent()
        await transport.connect()
        await service.connect()
        await service.subscribe(root, Sink())
        await transport.publish(root, b"x", on_sent=sent)
        await transport.disconnect()
        await service.disconnect()
    assert sent.unheard_words == ["Redis says that the message has reached no subscriber"]


@contextmanager
def who_may_not_ask() -> Iterator[str]:
    with start_or_skip("redis", config="user narrow on >pw allchannels -@all +publish +subscribe +ping") as broker:
        yield broker.url.replace("redis://", "redis://narrow:pw@")


@pytest.mark.parametrize("several", [a_cluster, a_server_with_a_replica, who_may_not_ask])
async def test_a_server_that_may_be_one_of_several_does_not_say_that_nobody_listens(
    several: Callable[[], AbstractContextManager[str]], root: str
) -> None:
    with several() as url:
        transport = RedisTransport(url=url)
        await transport.connect()
        sent = [Sent() for _ in range(3)]
        for each in sent:
            await asyncio.wait_for(transport.publish(root, b"x", on_sent=each), PATIENCE_S)
        await transport.disconnect()
    assert [each.unheard_words for each in sent] == [[], [], []]


async def test_what_does_not_say_what_it_is_does_not_say_that_nobody_listens(root: str) -> None:
    proxy = {b"PUBLISH": b":0\r\n", b"INFO": b"$22\r\n# Proxy\r\nVersion:1.0.5\r\n\r\n"}
    async with fake_server({**LOGIN, **proxy}) as url:
        transport, sent = RedisTransport(url=url), Sent()
        await transport.connect()
        await asyncio.wait_for(transport.publish(root, b"x", on_sent=sent), PATIENCE_S)
        await transport.disconnect()
    assert sent.unheard_words == []


async def test_a_message_to_nobody_is_sent_although_the_connection_ends_meanwhile(root: str) -> None:
    async with fake_server({**LOGIN, b"PUBLISH": b":0\r\n"}, hangs_up_on=b"INFO") as url:
        transport, sent = RedisTransport(url=url), Sent()
        await transport.connect()
        await asyncio.wait_for(transport.publish(root, b"x", on_sent=sent), PATIENCE_S)
        await transport.disconnect()
    assert sent.unheard_words == []


async def test_a_check_that_misses_an_answer_says_that_nobody_heard_the_question(
    redis_broker: Broker, root: str
) -> None:
    harness = Harness(RedisTransport(url=redis_broker.url))
    await harness.connect()
    watching = ScopeOptions(watch_similar_topics=True)
    async with harness.scenario("asked", options=watching) as scenario:
        answer = scenario.expect(f"{root}.answer", anything())  # and {root}.* is watched, which is nobody who answers
        scenario.publish(f"{root}.question", {})
        await scenario.await_all(timeout_ms=300)
    await harness.disconnect()
    assert answer.diagnosis is not None
    assert answer.diagnosis.cause is Cause.NOBODY_LISTENS
    assert f"nobody listens on '{root}.question'" in answer.diagnosis.text


# --- streams ----------------------------------------------------------------------------------------------------------


async def test_an_entry_has_payload_key_and_headers_in_fields(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    sink = await listen(streams, root)
    await streams.publish(root, b"\x00\xff", headers={"tenant": "acme"}, key="k1")
    await sink.wait_for(1)
    [(entry_id, fields)] = await outsider.xrange(root)
    assert fields == {b"payload": b"\x00\xff", b"key": b"k1", b"tenant": b"acme"}
    message = sink.messages[0]
    milliseconds, sequence = map(int, entry_id.split(b"-"))
    assert (message.key, dict(message.headers)) == ("k1", {"tenant": "acme"})
    assert message.broker_time == milliseconds / 1000
    assert message.offset == milliseconds * 1000 + sequence


async def test_offsets_grow_with_the_stream(streams: RedisTransport, root: str) -> None:
    sink = await listen(streams, root)
    for _ in range(100):
        streams.publish(root, b"x")
    await sink.wait_for(100)
    offsets = [message.offset or 0 for message in sink.messages]
    assert offsets == sorted(set(offsets))


async def test_a_foreign_record_without_our_payload_field_is_a_json_object(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    sink = await listen(streams, root)
    await outsider.xadd(root, {"order": "7", "correlation_id": "c1"})
    await sink.wait_for(1)
    assert sink.payloads == [b'{"order": "7", "correlation_id": "c1"}']
    assert sink.messages[0].headers["correlation_id"] == "c1"


async def test_field_name_and_length_of_streams_can_be_chosen(redis_broker: Broker, outsider: Any, root: str) -> None:
    transport = RedisTransport(url=redis_broker.url, streams=True, payload_field="body", stream_maxlen=100)
    await transport.connect()
    for _ in range(1000):
        transport.publish(root, b"x")
    await transport.publish(root, b"last")
    await transport.disconnect()
    assert (await outsider.xrevrange(root, count=1))[0][1] == {b"body": b"last"}
    assert await outsider.xlen(root) < 500


async def test_a_header_may_not_take_the_payloads_field(streams: RedisTransport, root: str) -> None:
    with pytest.raises(PublishFailed, match="'payload' is taken"):
        streams.publish(root, b"x", headers={"payload": "y"})


async def test_what_is_no_stream_cannot_be_subscribed_to(streams: RedisTransport, outsider: Any, root: str) -> None:
    await outsider.set(f"{root}.text", "x")
    with pytest.raises(SubscriptionFailed, match="wrong kind of value"):
        await streams.subscribe(f"{root}.text", Sink())
    sink = await listen(streams, f"{root}.stream")
    await streams.publish(f"{root}.stream", b"x")
    await sink.wait_for(1)


async def test_a_pattern_hears_streams_that_appear_later_from_their_first_entry(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    sink = await listen(streams, f"{root}.*")
    await outsider.xadd(f"{root}.new", {"payload": "1"})
    await outsider.xadd(f"{root}.new", {"payload": "2"})
    exact = await listen(streams, f"{root}.new")  # adopts the stream before the pattern has found it
    await outsider.xadd(f"{root}.new", {"payload": "3"})
    await sink.wait_for(3)
    await exact.wait_for(1)
    assert sink.payloads == [b"1", b"2", b"3"]
    assert exact.payloads == [b"3"]


@pytest.mark.parametrize("topics", [("*", "new"), ("new", "*")])
async def test_a_pattern_and_a_name_armed_at_once_both_hear_a_new_stream(
    streams: RedisTransport, outsider: Any, root: str, topics: tuple[str, str]
) -> None:
    sinks = [Sink(), Sink()]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(streams.subscribe(f"{root}.{each}", s) for each, s in zip(topics, sinks, strict=True)))
    await outsider.xadd(f"{root}.new", {"payload": "1"})
    for sink in sinks:
        await sink.wait_for(1)


async def test_a_pattern_finds_streams_nobody_here_names(streams: RedisTransport, outsider: Any, root: str) -> None:
    sink = await listen(streams, f"{root}.*")
    await outsider.xadd(f"{root}.new", {"payload": "1"})
    await sink.wait_for(1)
    assert sink.messages[0].topic == f"{root}.new"


@pytest.mark.parametrize("others", [False, True])
async def test_a_stream_made_anew_with_lower_ids_is_heard(
    streams: RedisTransport, outsider: Any, root: str, *, others: bool
) -> None:
    sink = await listen(streams, root)
    await outsider.xadd(root, {"payload": "old"}, id="1000-1")
    await sink.wait_for(1)
    await outsider.delete(root)
    await outsider.xadd(root, {"payload": "before"}, id="1-1")
    late = await listen(streams, root) if others else Sink()
    await outsider.xadd(root, {"payload": "new"}, id="2-1")
    await asyncio.wait_for(streams.fence([root]), PATIENCE_S)
    assert [message.payload for message in sink.messages] == [b"old", b"before", b"new"]
    assert [message.payload for message in late.messages] == ([b"new"] if others else [])


@pytest.mark.parametrize("others", [False, True])
async def test_a_stream_made_anew_that_ends_with_the_same_id_is_heard(
    streams: RedisTransport, outsider: Any, root: str, *, others: bool
) -> None:
    await outsider.xadd(root, {"payload": "old"}, id="5-1")
    sink = await listen(streams, root)
    await outsider.delete(root)
    await outsider.xadd(root, {"payload": "first"}, id="1-1")
    await outsider.xadd(root, {"payload": "last"}, id="5-1")
    late = await listen(streams, root) if others else Sink()
    await asyncio.wait_for(streams.fence([root]), PATIENCE_S)
    await asyncio.wait_for(streams.fence([root]), PATIENCE_S)
    assert (sink.payloads, late.payloads) == ([b"first", b"last"], [])


async def test_a_stream_made_anew_is_heard_before_anybody_asks_whether_all_has_come(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    sink = await listen(streams, root)
    await outsider.xadd(root, {"payload": "old"}, id="1000-1")
    await sink.wait_for(1)
    await outsider.delete(root)
    await outsider.xadd(root, {"payload": "new"}, id="1-1")
    await sink.wait_for(2)
    assert sink.payloads == [b"old", b"new"]


async def test_a_stream_whose_last_entry_was_deleted_is_not_heard_again(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    sink = await listen(streams, root)
    await outsider.xadd(root, {"payload": "kept"}, id="1-1")
    last = await outsider.xadd(root, {"payload": "deleted"}, id="2-1")
    await sink.wait_for(2)
    await outsider.xdel(root, last)
    await asyncio.wait_for(streams.fence([root]), PATIENCE_S)
    assert [message.payload for message in sink.messages] == [b"kept", b"deleted"]


async def test_a_stream_that_becomes_something_else_loses_the_transport_openly(
    streams: RedisTransport, outsider: Any, root: str
) -> None:
    lost = loss_of(streams)
    await listen(streams, root)
    await streams.publish(root, b"x")
    await outsider.set(root, "no stream any more")
    with contextlib.suppress(SubscriptionFailed):  # the read starts over: it may fail before this is live, or after
        await listen(streams, f"{root}.other")
    assert "wrong kind of value" in await asyncio.wait_for(lost, PATIENCE_S)
    with pytest.raises(TransportError, match="wrong kind of value"):
        await streams.fence([f"{root}.other"])


def looking() -> list[str]:
    """What runs on this loop to have streams listened to."""
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return [name for name in names if name.startswith("Streams._") and name != "Streams._read"]


async def test_nobody_goes_on_asking_once_the_last_stream_has_been_left(streams: RedisTransport, root: str) -> None:
    for turns in range(40):  # after so many of the loop it is just about to be listened to
        sink = Sink()
        streams.subscribe(f"{root}.{turns}", sink).add_done_callback(lambda ready: ready.exception())
        for _ in range(turns):
            await asyncio.sleep(0)
        streams.unsubscribe(f"{root}.{turns}", sink)
        for _ in range(100):
            if not looking():
                break
            await asyncio.sleep(0.01)
        assert looking() == [], f"left after {turns} turns"


# --- losing the connection --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [False, True])
async def test_a_dead_server_is_told_and_connecting_again_heals(
    own_broker: Broker, root: str, *, streams: bool
) -> None:
    transport = RedisTransport(url=own_broker.url, streams=streams)
    lost = loss_of(transport)
    await transport.connect()
    await listen(transport, root)
    own_broker.kill()
    assert await asyncio.wait_for(lost, PATIENCE_S) == transport.lost
    with pytest.raises(TransportError, match="cannot go on: the connection to the Redis server was lost"):
        transport.publish(root, b"x")
    with pytest.raises(TransportError, match="could not connect to redis://127"):
        await transport.connect()
    own_broker.restart()
    await transport.connect()
    assert transport.lost is None
    sink = await listen(transport, root)
    await transport.publish(root, b"x")
    await sink.wait_for(1)
    await transport.disconnect()


async def test_a_message_the_server_died_on_has_failed() -> None:
    async with fake_server(LOGIN, hangs_up_on=b"PUBLISH") as url:
        transport = RedisTransport(url=url)
        await transport.connect()
        with pytest.raises(PublishFailed, match="the connection to the Redis server was lost"):
            await asyncio.wait_for(transport.publish("t", b"x"), PATIENCE_S)
        await transport.disconnect()


async def test_an_unconfirmed_subscription_fails_with_the_connection() -> None:
    async with fake_server(LOGIN, hangs_up_on=b"SUBSCRIBE") as url:
        transport = RedisTransport(url=url)
        await transport.connect()
        with pytest.raises(SubscriptionFailed, match="the connection to the Redis server was lost"):
            await asyncio.wait_for(transport.subscribe("t", Sink()), PATIENCE_S)
        await transport.disconnect()


@pytest.mark.thorough
async def test_a_server_that_stops_answering_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choreo_bdd.transports.redis.wire._PATIENCE_S", 0.1)
    async with fake_server(LOGIN) as url:
        transport = RedisTransport(url=url)
        lost = loss_of(transport)
        await transport.connect()
        published = transport.publish("t", b"x")
        assert await asyncio.wait_for(lost, PATIENCE_S) == "the Redis server has not answered for 0.1 s"
        with pytest.raises(PublishFailed, match="has not answered"):
            await published
        await transport.disconnect()


async def test_disconnecting_from_a_frozen_server_ends_and_fails_what_is_open(own_broker: Broker) -> None:
    transport = RedisTransport(url=own_broker.url)
    await transport.connect()
    os.kill(own_broker.pid, signal.SIGSTOP)
    try:
        published, subscribed = transport.publish("t", b"x"), transport.subscribe("t", Sink())
        await asyncio.wait_for(transport.disconnect(), PATIENCE_S)
    finally:
        os.kill(own_broker.pid, signal.SIGCONT)
    assert isinstance(published.exception(), PublishFailed)
    assert isinstance(subscribed.exception(), SubscriptionFailed)


async def test_what_was_queued_leaves_before_the_connection_closes(redis_broker: Broker, root: str) -> None:
    ours, other = RedisTransport(url=redis_broker.url), RedisTransport(url=redis_broker.url)
    await ours.connect()
    await other.connect()
    sink = await listen(other, root)
    published = [ours.publish(root, b"x") for _ in range(100)]
    await ours.disconnect()
    await sink.wait_for(100)
    assert all(each.exception() is None for each in published)
    await other.disconnect()


# --- connecting -------------------------------------------------------------------------------------------------------


async def test_an_unreachable_port_is_named(unused_tcp_port: int) -> None:
    transport = RedisTransport(url=f"redis://127.0.0.1:{unused_tcp_port}/0")
    with pytest.raises(TransportError, match=f"could not connect to redis://127.0.0.1:{unused_tcp_port}/0") as caught:
        await transport.connect()
    assert caught.value.__cause__ is not None
    await transport.disconnect()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("answers", [{}, {b"CLIENT": b"+OK\r\n"}], ids=["says nothing", "ignores PING"])
async def test_a_server_that_never_answers_does_not_hold_us(answers: dict[bytes, bytes], *, streams: bool) -> None:
    async with fake_server(answers) as url:
        transport = RedisTransport(url=url, connect_timeout_s=0.1, streams=streams)
        with pytest.raises(TransportError, match=r"could not connect to .*: no answer within 0\.1 s"):
            await asyncio.wait_for(transport.connect(), PATIENCE_S)


def test_a_url_that_means_nothing_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ValueError, match="needs a URL such as redis://") as foreign:
        RedisTransport(url="http://u:s3cret@127.0.0.1/")
    assert "s3cret" not in str(foreign.value)
    with pytest.raises(ValueError, match="the port behind the host is a number") as caught:
        RedisTransport(url="redis://u:s3cret@127.0.0.1:port/0")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_database_that_does_not_exist_is_a_failure_to_connect(redis_broker: Broker) -> None:
    with pytest.raises(TransportError, match=r"could not connect .*DB index is out of range"):
        await RedisTransport(url=redis_broker.url.removesuffix("/0") + "/4711").connect()


async def test_a_missing_client_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(
        TransportError, match=r"redis client, the extra choreo_bdd\[redis\]: pip install 'choreo-bdd\[redis\]'"
    ):
        await RedisTransport(url="redis://127.0.0.1").connect()


def test_an_empty_url_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="redis://localhost:6379/0"):
        RedisTransport(url="")


@pytest.mark.parametrize("layout", [{"payload_field": "key"}, {"stream_maxlen": 0}])
def test_a_layout_of_entries_that_cannot_work_is_refused_at_once(layout: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"choose another name|at least 1"):
        RedisTransport(url="redis://localhost", streams=True, **layout)


async def test_the_allowlist_needs_no_password_to_match_and_shows_none(tmp_path: Path, unused_tcp_port: int) -> None:
    allowlist = tmp_path / "allowlist.yaml"
    allowlist.write_text(f"redis_servers: ['redis://127.0.0.1:{unused_tcp_port}/0']")
    permitted = f"redis://user:s3cret@127.0.0.1:{unused_tcp_port}/0"
    with pytest.raises(TransportError, match="could not connect"):  # it was let through, to where nobody is
        await RedisTransport(url=permitted, allowlist_path=allowlist).connect()
    with pytest.raises(HostNotInAllowlist, match="redis://<redacted>@elsewhere/0") as caught:
        await RedisTransport(url="redis://user:s3cret@elsewhere/0", allowlist_path=allowlist).connect()
    assert "s3cret" not in str(caught.value)


async def test_a_profile_of_the_configuration_becomes_a_streams_transport(redis_broker: Broker) -> None:
    configured = TransportConfig("bus", "redis", "the test", options={"url": redis_broker.url, "streams": True})
    harness = build_harness(memory_config(), configured)
    await harness.connect()
    assert harness.transport.capabilities.message_headers
    await harness.disconnect()


class FakeWire:
    """A connection whose server answers at once, and that tells what it is asked."""

    def __init__(self, on_call: Callable[[str | bytes | int], None]) -> None:
        self._on_call = on_call

    @staticmethod
    def pack(*command: str | bytes | int) -> list[bytes]:
        return [str(command[0]).encode()]

    def write(self, packed: list[list[bytes]]) -> list[asyncio.Future[Any]]:
        return [self.call(each[0].decode(), "packed") for each in packed]

    def call(self, *command: str | bytes | int) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.set_result(0)
        self._on_call(command[0] if command[0] == "XREAD" else command[1])
        return answer


async def test_a_stream_that_is_left_while_its_first_read_begins_is_not_read() -> None:
    asked: list[object] = []
    registration = Registration("orders", Sink())

    def leave(command: object) -> None:
        if command == "UNBLOCK":
            reading.remove(registration)

    talking: Any = FakeWire(leave)
    listening: Any = FakeWire(asked.append)
    reading = Streams(talking, listening, Layouts(EntryLayout()))
    await reading.start()
    reading.add(registration)
    await asyncio.sleep(0.01)
    await reading.stop()
    assert asked == ["ID"]  # an XREAD of no streams would be an error, and end the connection

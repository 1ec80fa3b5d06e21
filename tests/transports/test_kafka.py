"""Kafka: what is particular to it; the common promises are in tests/system/contract."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewPartitions, NewTopic

from choreo_bdd.brokers import Broker, KafkaOptions
from choreo_bdd.brokers.kinds import kafka_tansu
from choreo_bdd.brokers.plan import Placement
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.exceptions import ConflictingAuthError, PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.message import NO_PAYLOAD
from choreo_bdd.transports import KafkaAuth, KafkaTransport, TopicPolicy
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.kafka_doubles import frozen, outside_admin, outside_producer, partitions_of
from tests.support.proxy import proxy_to
from tests.support.subscribers import PATIENCE_S, Sink, new_topic

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def tansu() -> Iterator[Broker]:
    """The quick implementation: it answers no parked fetch early, which Apache's does."""
    with start_or_skip("kafka", implementation="tansu") as broker:
        yield broker


@pytest.fixture(params=["kafka_broker", "tansu"])
def broker(request: pytest.FixtureRequest) -> Broker:
    found: Broker = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A broker of the test's own, to be hurt."""
    with start_or_skip("kafka", implementation="tansu") as broker:
        yield broker


@pytest.fixture
async def transport(broker: Broker) -> AsyncIterator[KafkaTransport]:
    transport = KafkaTransport(bootstrap_servers=broker.url)
    await transport.connect()
    yield transport
    await transport.disconnect()


@pytest.fixture
async def producer(broker: Broker) -> AsyncIterator[Any]:
    """Somebody else's producer."""
    async with outside_producer(broker.url) as producer:
        yield producer


# --- messages in ------------------------------------------------------------------------------------------------------


async def test_a_message_has_headers_key_place_and_the_brokers_time(transport: KafkaTransport) -> None:
    topic, sink = new_topic(), Sink()
    await transport.subscribe(topic, sink)
    await transport.publish(topic, b"1", headers={"tenant": "acmé"}, key="o-1")
    await transport.publish(topic, b"2", headers={}, key=None)
    await sink.wait_for(2)
    first, second = sink.messages
    assert (first.headers, first.key, first.partition, first.offset) == ({"tenant": "acmé"}, "o-1", 0, 0)
    assert (dict(second.headers), second.key, second.offset) == ({}, None, 1)
    assert first.broker_time is not None
    assert first.broker_time > 1.7e9, "seconds, not milliseconds, since the epoch"
    assert first.broker_time < 1e11


async def test_foreign_bytes_and_tombstones_are_delivered_all_the_same(
    transport: KafkaTransport, producer: Any
) -> None:
    topic, sink = new_topic(), Sink()
    await transport.subscribe(topic, sink)
    await producer.send_and_wait(topic, b"x", key=b"\xff", headers=[("h", b"\xfe"), ("none", b"")])
    await producer.send_and_wait(topic, None, key=b"gone")
    await producer.send_and_wait(topic, b"", key=b"empty")
    await transport.publish(topic, NO_PAYLOAD, key="gone, too")
    await sink.wait_for(4)
    assert (sink.messages[0].key, dict(sink.messages[0].headers)) == ("\ufffd", {"h": "\ufffd", "none": ""})
    assert [(message.key, message.payload is NO_PAYLOAD) for message in sink.messages[1:]] == [
        ("gone", True),
        ("empty", False),
        ("gone, too", True),
    ]


async def test_no_payload_is_a_tombstone_and_an_empty_one_is_not(transport: KafkaTransport, broker: Broker) -> None:
    topic, sink = new_topic(), Sink()
    await transport.subscribe(topic, sink)
    await transport.publish(topic, NO_PAYLOAD, key="gone")
    await transport.publish(topic, b"", key="empty")
    await sink.wait_for(2)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.url, auto_offset_reset="earliest")
    await consumer.start()
    try:
        records = [await consumer.getone(), await consumer.getone()]
    finally:
        await consumer.stop()
    assert [(record.key, record.value) for record in records] == [(b"gone", None), (b"empty", b"")]


async def test_no_message_of_an_outsider_is_lost_right_after_arming_and_none_from_before_arrives(
    transport: KafkaTransport, producer: Any
) -> None:
    topics = [new_topic() for _ in range(5)]
    for number in range(100):
        topic, sink = topics[number % 5], Sink()
        await transport.subscribe(topic, sink)
        await producer.send_and_wait(topic, str(number).encode())
        await sink.wait_for(1)
        assert sink.payloads == [str(number).encode()]
        transport.unsubscribe(topic, sink)


async def test_subscriptions_that_come_and_go_disturb_no_other(transport: KafkaTransport, producer: Any) -> None:
    steady_topic, steady = new_topic(), Sink()
    await transport.subscribe(steady_topic, steady)
    sent = 0

    async def stream() -> None:
        nonlocal sent
        while True:
            await producer.send_and_wait(steady_topic, str(sent).encode())
            sent += 1

    streaming = asyncio.create_task(stream())
    for _ in range(20):
        topic, sink = new_topic(), Sink()
        await transport.subscribe(topic, sink)
        await producer.send_and_wait(topic, b"{}")
        await sink.wait_for(1)
        transport.unsubscribe(topic, sink)
    streaming.cancel()
    await asyncio.wait([streaming])
    await steady.wait_for(sent)
    assert steady.payloads[:sent] == [str(number).encode() for number in range(sent)]


async def test_many_subscriptions_at_once_are_all_live(transport: KafkaTransport, producer: Any) -> None:
    sinks = {new_topic(): Sink() for _ in range(30)}
    await asyncio.gather(*(transport.subscribe(topic, sink) for topic, sink in sinks.items()))
    await asyncio.gather(*(producer.send_and_wait(topic, topic.encode()) for topic in sinks))
    for topic, sink in sinks.items():
        await sink.wait_for(1)
        assert sink.payloads == [topic.encode()]


async def test_a_topic_that_is_left_for_a_while_is_not_replayed(transport: KafkaTransport, producer: Any) -> None:
    topic, first, second, other = new_topic(), Sink(), Sink(), Sink()
    await transport.subscribe(topic, first)
    transport.unsubscribe(topic, first)
    await asyncio.sleep(1.5)  # by then its partitions are no longer fetched
    await producer.send_and_wait(topic, b"meanwhile")
    await transport.subscribe(topic, second)
    await transport.subscribe(new_topic(), other)
    await producer.send_and_wait(topic, b"now")
    await second.wait_for(1)
    assert (first.payloads, second.payloads) == ([], [b"now"])


async def test_a_pattern_hears_all_of_a_topic_that_a_later_name_has_made(transport: KafkaTransport) -> None:
    root = new_topic("a").partition(".")[0]
    pattern, name = Sink(), Sink()
    await transport.subscribe(f"{root}.*", pattern)
    await transport.subscribe(f"{root}.made", name)
    await transport.publish(f"{root}.made", b"1")
    await name.wait_for(1)
    await transport.fence([f"{root}.*"])
    assert [message.payload for message in pattern.messages] == [b"1"]


async def test_a_topic_that_appears_under_a_pattern_is_heard_from_its_beginning(
    transport: KafkaTransport, producer: Any, broker: Broker
) -> None:
    existing, appearing, sink = new_topic("b"), "", Sink()
    root = existing.partition(".")[0]
    appearing = f"{root}.a"
    await transport.publish(existing, b"from before")
    await transport.subscribe(f"{root}.*", sink)
    for number in range(3):
        await producer.send_and_wait(appearing, str(number).encode(), partition=0)
    await sink.wait_for(3)
    assert [(message.topic, message.payload) for message in sink.messages] == [
        (appearing, b"0"),
        (appearing, b"1"),
        (appearing, b"2"),
    ]


async def test_partitions_added_to_a_topic_are_heard_too(kafka_broker: Broker) -> None:
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, sink)
    async with outside_admin(kafka_broker.url) as admin:
        await admin.create_partitions({topic: NewPartitions(total_count=2)})
    async with outside_producer(kafka_broker.url) as producer:
        async with asyncio.timeout(PATIENCE_S):
            while await producer.partitions_for(topic) != {0, 1}:
                await producer.client.force_metadata_update()
        await producer.send_and_wait(topic, b"on the new one", partition=1)
    await sink.wait_for(1)
    assert (sink.messages[0].partition, sink.payloads) == (1, [b"on the new one"])
    await transport.disconnect()


async def test_a_topic_that_is_deleted_and_made_anew_is_heard_from_its_new_beginning(kafka_broker: Broker) -> None:
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    await transport.subscribe(topic, sink)
    for _ in range(5):
        await transport.publish(topic, b"old")
    await sink.wait_for(5)
    async with outside_admin(kafka_broker.url) as admin:
        await admin.delete_topics([topic])
    async with outside_producer(kafka_broker.url) as producer:
        await producer.send_and_wait(topic, b"new")
    await sink.wait_for(6)
    assert sink.payloads[5:] == [b"new"]
    await transport.disconnect()


# --- messages out -----------------------------------------------------------------------------------------------------


async def test_every_message_is_sent_before_it_arrives(transport: KafkaTransport) -> None:
    topic, sent, unsent_on_arrival = new_topic(), set[bytes](), list[bytes]()
    done = asyncio.Event()

    def arrived(topic: str, payload: bytes) -> None:
        if payload not in sent:
            unsent_on_arrival.append(payload)
        if payload == b"199":
            done.set()

    await transport.subscribe(topic, arrived)
    for number in range(200):
        payload = str(number).encode()
        transport.publish(topic, payload, on_sent=partial(sent.add, payload))
        await asyncio.sleep(0.001)
    await asyncio.wait_for(done.wait(), PATIENCE_S)
    assert unsent_on_arrival == []


async def test_a_message_is_sent_when_its_bytes_have_left_not_when_the_broker_has_confirmed_it(broker: Broker) -> None:
    async with proxy_to(broker.port) as proxy:
        transport = KafkaTransport(bootstrap_servers=f"127.0.0.1:{proxy.port}")
        topic, sent = new_topic(), asyncio.Event()
        await transport.connect()
        await transport.publish(topic, b"the first one finds the topic")
        proxy.stall()
        confirmed = transport.publish(topic, b"{}", on_sent=sent.set)
        await asyncio.wait_for(sent.wait(), 1.0)
        assert not confirmed.done()
        proxy.resume()
        await confirmed
        await transport.disconnect()


async def test_messages_without_a_key_keep_their_order_on_a_topic_of_four_partitions(
    transport: KafkaTransport, broker: Broker
) -> None:
    topic, sink = new_topic(), Sink()
    async with outside_admin(broker.url) as admin:
        await admin.create_topics([NewTopic(topic, 4, 1)])
    await transport.subscribe(topic, sink)
    for number in range(200):
        transport.publish(topic, str(number).encode())
    for number in range(20):
        transport.publish(topic, b"keyed", key=str(number))
    await sink.wait_for(220)
    unkeyed = [message for message in sink.messages if message.key is None]
    assert [int(message.payload) for message in unkeyed] == list(range(200))
    assert len({message.partition for message in sink.messages if message.key is not None}) > 1


async def test_a_transaction_is_heard_when_it_is_committed_and_never_when_it_is_aborted(kafka_broker: Broker) -> None:
    committed = KafkaTransport(bootstrap_servers=kafka_broker.url)
    everything = KafkaTransport(bootstrap_servers=kafka_broker.url, isolation_level="read_uncommitted")
    topic, heard, seen = new_topic(), Sink(), Sink()
    await committed.connect()
    await everything.connect()
    await committed.subscribe(topic, heard)
    await everything.subscribe(topic, seen)
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.url, transactional_id=new_topic()) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await seen.wait_for(1)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")
    await heard.wait_for(1)
    await committed.fence([topic])
    assert heard.payloads == [b"committed"]
    await seen.wait_for(2)
    assert seen.payloads == [b"aborted", b"committed"]
    await committed.disconnect()
    await everything.disconnect()


async def test_what_the_broker_or_the_client_refuses_has_its_reason(kafka_broker: Broker) -> None:
    compacted, small = new_topic(), new_topic()
    async with outside_admin(kafka_broker.url) as admin:
        configs = {compacted: {"cleanup.policy": "compact"}, small: {"max.message.bytes": "1000"}}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=config) for name, config in configs.items()])
    transport = KafkaTransport(bootstrap_servers=kafka_broker.url, max_message_bytes=2_000_000)
    await transport.connect()
    with pytest.raises(PublishFailed, match="compacted topic takes none without a key"):
        await transport.publish(compacted, b"{}")
    with pytest.raises(PublishFailed, match=r"larger than the broker takes \(message\.max\.bytes\)"):
        await transport.publish(small, b"x" * 2000)
    with pytest.raises(PublishFailed, match=r"larger than this transport sends \(max_message_bytes\)"):
        await transport.publish(new_topic(), b"x" * 3_000_000)
    await transport.publish(compacted, b"{}", key="k")
    await transport.disconnect()


async def test_a_message_the_broker_refuses_takes_none_along_that_left_with_it(kafka_broker: Broker) -> None:
    compacted, small = new_topic(), new_topic()
    async with outside_admin(kafka_broker.url) as admin:
        configs = {compacted: {"cleanup.policy": "compact"}, small: {"max.message.bytes": "1000"}}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=config) for name, config in configs.items()])
    transport, keyed, short = KafkaTransport(bootstrap_servers=kafka_broker.url), Sink(), Sink()
    await transport.connect()
    await asyncio.gather(transport.subscribe(compacted, keyed), transport.subscribe(small, short))
    sent = [transport.publish(compacted, f"{n}".encode(), key=None if n == 3 else f"{n}") for n in range(9)]
    sent += [transport.publish(small, f"{n}".encode() * (2000 if n == 5 else 1)) for n in range(9)]
    outcomes = await asyncio.wait_for(asyncio.gather(*sent, return_exceptions=True), PATIENCE_S)
    assert [place for place, each in enumerate(outcomes) if each is not None] == [3, 9 + 5]
    await asyncio.gather(keyed.wait_for(8), short.wait_for(8))
    assert keyed.payloads == [b"%d" % n for n in range(9) if n != 3]
    assert short.payloads == [b"%d" % n for n in range(9) if n != 5]
    await transport.disconnect()


@pytest.mark.parametrize("setting", [{"isolation_level": "serializable"}, {"max_message_bytes": 0}])
def test_a_setting_that_cannot_be_meant_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        KafkaTransport(bootstrap_servers="localhost:9092", **setting)


# --- topics that are missing ------------------------------------------------------------------------------------------


async def test_a_missing_topic_is_made_with_one_partition(transport: KafkaTransport, broker: Broker) -> None:
    subscribed, published = new_topic(), new_topic()
    await transport.subscribe(subscribed, Sink())
    await transport.publish(published, b"{}")
    assert await partitions_of(broker.url, subscribed) == 1
    assert await partitions_of(broker.url, published) == 1


async def test_a_missing_topic_is_made_as_the_policy_says(broker: Broker) -> None:
    transport = KafkaTransport(bootstrap_servers=broker.url, create_topics=TopicPolicy(partitions=3))
    topic = new_topic()
    await transport.connect()
    await transport.subscribe(topic, Sink())
    await transport.disconnect()
    assert await partitions_of(broker.url, topic) == 3


async def test_a_missing_topic_that_may_not_be_made_fails_subscription_and_message_with_the_reason(
    broker: Broker,
) -> None:
    transport = KafkaTransport(bootstrap_servers=broker.url, create_topics=False)
    topic = new_topic()
    await transport.connect()
    with pytest.raises(SubscriptionFailed, match=rf"{topic}.*no such topic.*create_topics"):
        await transport.subscribe(topic, Sink())
    with pytest.raises(PublishFailed, match=rf"{topic}.*no such topic.*create_topics"):
        await transport.publish(topic, b"{}")
    await transport.disconnect()


async def test_an_impossible_name_fails_alone_and_says_why(kafka_broker: Broker) -> None:
    transport, topic, sink = KafkaTransport(bootstrap_servers=kafka_broker.url), new_topic(), Sink()
    await transport.connect()
    bad, good = transport.subscribe("not a topic", Sink()), transport.subscribe(topic, sink)
    await good
    with pytest.raises(SubscriptionFailed, match=r"could not be made: .*name is invalid"):
        await bad
    with pytest.raises(PublishFailed, match=r"could not be made: .*name is invalid"):
        await transport.publish("not a topic", b"{}")
    await transport.publish(topic, b"{}")
    await sink.wait_for(1)
    await transport.disconnect()


# --- connecting -------------------------------------------------------------------------------------------------------


async def test_nobody_there_is_told_with_the_servers() -> None:
    transport = KafkaTransport(bootstrap_servers=["127.0.0.1:1", "127.0.0.1:2"])
    with pytest.raises(TransportError, match=r"could not connect to 127\.0\.0\.1:1, 127\.0\.0\.1:2") as caught:
        await transport.connect()
    assert caught.value.__cause__ is not None
    await transport.disconnect()


async def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    transport = KafkaTransport(bootstrap_servers=f"{host}:{port}", connect_timeout_s=0.3)
    with pytest.raises(TransportError, match=r"could not connect.*no answer within 0\.3 s"):
        await asyncio.wait_for(transport.connect(), PATIENCE_S)
    server.close()


async def test_a_broker_whose_own_address_leads_nowhere_is_told_apart(tmp_path: Path) -> None:
    program, placement = kafka_tansu.find(KafkaOptions()), Placement(tmp_path, "127.0.0.1", free_port())
    if isinstance(program, str):
        pytest.skip(program)
    plan = kafka_tansu.plan(program, KafkaOptions(), placement)
    plan = replace(plan, command=(*plan.command[:-1], "tcp://127.0.0.1:1"))  # the last argument is what it advertises
    with Broker("kafka", program, placement, plan) as broker:
        broker.launch()
        with pytest.raises(TransportError, match=r"could not connect.*advertised\.listeners"):
            await KafkaTransport(bootstrap_servers=broker.url).connect()


async def test_without_the_client_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("choreo_bdd.transports.kafka.")]:
        monkeypatch.delitem(sys.modules, module)
        monkeypatch.delattr(module)
    monkeypatch.setitem(sys.modules, "aiokafka", None)
    with pytest.raises(TransportError, match=r"aiokafka.*choreo_bdd\[kafka\]"):
        await KafkaTransport(bootstrap_servers="localhost:9092").connect()


@pytest.mark.parametrize("nothing", ["", [], [""]])
def test_no_servers_are_refused_at_once(nothing: str | list[str]) -> None:
    with pytest.raises(ValueError, match="at least one server"):
        KafkaTransport(bootstrap_servers=nothing)


def test_credentials_in_an_address_are_refused_and_never_shown() -> None:
    with pytest.raises(ValueError, match="auth=KafkaAuth") as caught:
        KafkaTransport(bootstrap_servers="ann:s3cret@localhost:9092")
    with pytest.raises(ConflictingAuthError) as conflict:
        KafkaTransport(bootstrap_servers="ann:s3cret@localhost:9092", auth=KafkaAuth.sasl_plain("ann", "s3cret"))
    assert "s3cret" not in f"{caught.value} {conflict.value}"


async def test_the_allowlist_is_asked_before_anything_else_and_knows_urls(broker: Broker, tmp_path: Path) -> None:
    allowlist = tmp_path / "allowlist.yaml"
    allowlist.write_text(f"kafka_brokers: ['{broker.url}']\n", encoding="utf-8")
    with pytest.raises(HostNotInAllowlist, match=r"kafka\.example:9092"):
        await KafkaTransport(bootstrap_servers="kafka.example:9092", allowlist_path=allowlist).connect()
    allowed = KafkaTransport(bootstrap_servers=f"kafka://{broker.url}", allowlist_path=allowlist)
    await allowed.connect()
    await allowed.disconnect()


async def test_a_configured_transport_connects(broker: Broker) -> None:
    settings = {
        "servers": [broker.url],
        "client_id": "qa",
        "isolation_level": "read_uncommitted",
        "max_message_bytes": 9,
    }
    harness = build_harness(memory_config(), TransportConfig("bus", "kafka", "choreo.yaml:1", options=settings))
    await harness.connect()
    assert harness.is_healthy()
    left = harness.transport.publish(new_topic(), b"0123456789")
    assert left is not None
    with pytest.raises(PublishFailed, match="max_message_bytes"):
        await left
    await harness.disconnect()


# --- brokers that go away ---------------------------------------------------------------------------------------------


async def test_a_broker_that_falls_silent_is_a_loss_and_its_return_ends_it(own_broker: Broker) -> None:
    transport, topic, sink, reasons = KafkaTransport(bootstrap_servers=own_broker.url), new_topic(), Sink(), list[str]()
    transport.on_lost(reasons.append)
    await transport.connect()
    await transport.subscribe(topic, sink)
    with frozen(own_broker):
        with pytest.raises(SubscriptionFailed, match="no broker has answered"):
            await asyncio.wait_for(transport.subscribe(new_topic(), Sink()), PATIENCE_S)
        assert transport.lost is not None
        assert reasons == [transport.lost]
        with pytest.raises(TransportError, match=r"cannot go on.*no broker has answered"):
            transport.publish(topic, b"{}")
    async with asyncio.timeout(PATIENCE_S):
        while transport.lost is not None:  # noqa: ASYNC110 - that it is whole again is told to nobody
            await asyncio.sleep(0.05)
    await transport.publish(topic, b"back")
    await sink.wait_for(1)
    assert sink.payloads == [b"back"]
    await transport.disconnect()


async def test_a_broker_that_dies_is_a_loss_and_disconnecting_is_quick_and_complete(own_broker: Broker) -> None:
    before = asyncio.all_tasks()
    transport, topic, lost = KafkaTransport(bootstrap_servers=own_broker.url), new_topic(), asyncio.Event()
    transport.on_lost(lambda reason: lost.set())
    await transport.connect()
    await transport.subscribe(topic, Sink())
    await transport.publish(topic, b"{}")
    own_broker.kill()
    doomed = transport.publish(topic, b"{}")
    await asyncio.wait_for(lost.wait(), PATIENCE_S)
    await asyncio.wait_for(transport.disconnect(), PATIENCE_S)
    with pytest.raises(PublishFailed, match="disconnected before the broker confirmed"):
        await doomed
    await asyncio.sleep(0)
    assert not {task for task in asyncio.all_tasks() - before if not task.done()}


async def test_disconnecting_from_a_silent_broker_is_bounded_and_tells_what_was_not_confirmed(
    own_broker: Broker,
) -> None:
    before = asyncio.all_tasks()
    transport, topic = KafkaTransport(bootstrap_servers=own_broker.url), new_topic()
    await transport.connect()
    await transport.publish(topic, b"{}")
    with frozen(own_broker):
        doomed = transport.publish(topic, b"{}")
        await asyncio.wait_for(transport.disconnect(), PATIENCE_S)
    with pytest.raises(PublishFailed, match="disconnected before"):
        await doomed
    await asyncio.sleep(0)
    assert not {task for task in asyncio.all_tasks() - before if not task.done()}

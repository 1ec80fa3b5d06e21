"""What RabbitMQ adds to the contract of all transports: exchanges, queues, properties, refusals, losses."""

from __future__ import annotations

import asyncio
import pickle
import random
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiormq
import pytest
from aiormq import spec

from choreo_bdd import Harness, HeaderPolicy, Outcome, ScopeOptions
from choreo_bdd.brokers import Broker
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario.judging.diagnosis import Cause
from choreo_bdd.transports import Exchange, RabbitTransport
from choreo_bdd.transports.rabbitmq import connection
from choreo_bdd.transports.rabbitmq.declared_exchange import witness_name
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.proxy import proxy_to
from tests.support.rabbit_doubles import relay_to
from tests.support.subscribers import PATIENCE_S, Sent, Sink

PATIENCE_MS = 1000 * PATIENCE_S


BLOCKED = bytes([1, 0, 0, 0, 0, 0, 18, 0, 10, 0, 60, 13]) + b"low on memory\xce"
UNBLOCKED = bytes([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61]) + b"\xce"
"""The frames connection.blocked, with its reason, and connection.unblocked."""


def unique(word: str) -> str:
    return f"{word}-{secrets.token_hex(4)}"


@pytest.fixture
async def outsider(rabbitmq_broker: Broker) -> AsyncIterator[Any]:
    """A channel of somebody else's client of the same server."""
    connection = await aiormq.connect(rabbitmq_broker.url)
    yield await connection.channel()
    await connection.close()


@pytest.fixture
async def transport(rabbitmq_broker: Broker) -> AsyncIterator[RabbitTransport]:
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange=Exchange(unique("exchange"), "topic"))
    await transport.connect()
    yield transport
    await transport.disconnect()


def exchange_of(transport: RabbitTransport) -> str:
    return repr(transport).partition("exchange_name='")[2].partition("'")[0]


async def exists(broker: Broker, exchange: str) -> bool:
    connection = await aiormq.connect(broker.url)
    try:
        await (await connection.channel()).exchange_declare(exchange, passive=True)
    except aiormq.ChannelNotFoundEntity:
        return False
    finally:
        await connection.close()
    return True


async def named_queue(channel: Any) -> str:
    """A queue of the system under test; it goes with the outsider's connection."""
    declared = await channel.queue_declare(unique("queue"), exclusive=False, auto_delete=True)
    return str(declared.queue)


# --- messages ---------------------------------------------------------------------------------------------------------


async def test_properties_and_headers_of_a_foreign_message_arrive_as_text(
    transport: RabbitTransport, outsider: Any
) -> None:
    sink = Sink()
    await transport.subscribe("orders.created", sink)
    properties = aiormq.spec.Basic.Properties(
        correlation_id="c-1",
        reply_to="answers",
        content_type="application/json",
        message_type="order",
        timestamp=datetime(2024, 5, 1, 12, 0, tzinfo=UTC),
        headers={"tenant": "acme", "retries": 3, "urgent": True, "raw": bytearray(b"bytes"), "path": ["a", {"b": 1}]},
    )
    await outsider.basic_publish(
        b"{}", exchange=exchange_of(transport), routing_key="orders.created", properties=properties
    )
    await sink.wait_for(1)
    message = sink.messages[0]
    headers = dict(message.headers)
    assert headers.pop("amqp.message_id")  # the client makes one up for every message
    assert headers == {
        "amqp.content_type": "application/json",
        "amqp.correlation_id": "c-1",
        "amqp.reply_to": "answers",
        "amqp.type": "order",
        "path": '["a", {"b": 1}]',
        "raw": "bytes",
        "retries": "3",
        "tenant": "acme",
        "urgent": "true",
    }
    assert message.broker_time == datetime(2024, 5, 1, 12, 0, tzinfo=UTC).timestamp()


async def test_no_two_messages_have_one_id_where_a_test_seeds_the_random_numbers(transport: RabbitTransport) -> None:
    sink = Sink()
    await transport.subscribe("orders.created", sink)
    for headers in ({}, {}, {"tenant": "acme"}, {"tenant": "acme"}):
        random.seed(1)
        await transport.publish("orders.created", b"{}", headers=headers)
    await sink.wait_for(4)
    assert len({message.headers["amqp.message_id"] for message in sink.messages}) == 4


async def test_headers_named_like_properties_are_published_as_properties(
    transport: RabbitTransport, outsider: Any
) -> None:
    seen: asyncio.Queue[Any] = asyncio.Queue()
    queue = await named_queue(outsider)
    await outsider.queue_bind(queue, exchange_of(transport), "orders.created")
    await outsider.basic_consume(queue, seen.put, no_ack=True)
    await transport.publish("orders.created", b"{}", headers={"amqp.correlation_id": "c-1", "tenant": "acme"})
    properties = (await asyncio.wait_for(seen.get(), PATIENCE_S)).header.properties
    assert properties.correlation_id == "c-1"
    assert properties.headers == {"tenant": "acme"}


async def test_the_correlation_id_may_travel_as_the_property_of_that_name(rabbitmq_broker: Broker) -> None:
    harness = Harness(
        RabbitTransport(url=rabbitmq_broker.url), correlation=HeaderPolicy("amqp.correlation_id", strict=True)
    )
    await harness.connect()
    topic = unique("topic")
    async with harness.scenario("property") as scenario:
        scenario.expect(topic, field_equals("n", 1))
        scenario.publish(topic, {"n": 1})
        (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
    await harness.disconnect()


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("root.#", ["root", "root.a", "root.a.b"]),
        ("root.>", ["root.a", "root.a.b"]),
        ("root.*", ["root.a"]),
        (">", ["root", "root.a", "root.a.b", "other"]),
    ],
)
async def test_patterns_are_ours_and_the_brokers_own(
    transport: RabbitTransport, pattern: str, heard: list[str]
) -> None:
    sink, everything = Sink(), Sink()
    await transport.subscribe(pattern, sink)
    await transport.subscribe("#", everything)
    for topic in ("root", "root.a", "root.a.b", "other"):
        await transport.publish(topic, b"")
    await everything.wait_for(4)
    await sink.wait_for(len(heard))
    assert [message.topic for message in sink.messages] == heard


async def test_a_message_nobody_listens_for_is_no_failure_and_is_known(transport: RabbitTransport) -> None:
    first, second = Sent(), Sent()
    await transport.publish("nobody.listens", b"{}", on_sent=first)
    assert first.unheard_words == ["RabbitMQ returned the message as unroutable"]
    await transport.subscribe("nobody.listens", Sink())
    await transport.publish("nobody.listens", b"{}", on_sent=second)
    assert second.unheard_words == []


async def test_of_a_message_to_be_delayed_nobody_knows_yet_whom_it_reaches(transport: RabbitTransport) -> None:
    sent = Sent()
    await transport.publish("nobody.listens.yet", b"{}", on_sent=sent, headers={"x-delay": "500"})
    assert sent.unheard_words == []


async def test_an_answer_that_does_not_come_because_nobody_heard_the_question(rabbitmq_broker: Broker) -> None:
    harness, topic = Harness(RabbitTransport(url=rabbitmq_broker.url)), unique("price")
    await harness.connect()
    async with harness.scenario("asked") as scenario:
        answer = scenario.expect(f"{topic}.answer", field_equals("n", 1))
        scenario.publish(topic, {})
        await scenario.await_all(timeout_ms=50)
    await harness.disconnect()
    assert answer.diagnosis is not None
    assert answer.diagnosis.cause is Cause.NOBODY_LISTENS


async def test_a_request_that_nobody_hears_is_told_at_once(rabbitmq_broker: Broker) -> None:
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    inbox, topic = f"choreo.reply.{secrets.token_hex(4)}", unique("price")
    async with harness.scenario("request") as scenario:
        answer = scenario.expect(f"queue:{inbox}", field_equals("n", 1))
        await scenario.ready()
        began = scenario.scope.clock()
        scenario.publish(topic, {}, headers={"amqp.reply_to": inbox})
        await scenario.await_all(timeout_ms=PATIENCE_MS)
        assert scenario.scope.clock() - began < PATIENCE_S / 2
    assert answer.diagnosis is not None
    assert answer.diagnosis.cause is Cause.NOBODY_LISTENS
    assert f"nobody listens on '{topic}': RabbitMQ returned the message as unroutable" in answer.diagnosis.text
    await harness.disconnect()


async def test_a_message_the_broker_refuses_is_a_failure(transport: RabbitTransport, outsider: Any) -> None:
    queue = unique("full")
    await outsider.queue_declare(queue, exclusive=True, arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
    await outsider.queue_bind(queue, exchange_of(transport), "too.much")
    with pytest.raises(PublishFailed, match=r"too\.much.*refused the message"):
        await transport.publish("too.much", b"{}")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"a": "x" * 200_000}, id="one"),
        pytest.param({f"h{n}": "é" * 100 for n in range(700)}, id="many"),
        pytest.param({f"{n:0>128}": "" for n in range(1000)}, id="long names"),
        pytest.param({"x" * 300: "1"}, id="a name beyond AMQP"),
        pytest.param({"amqp.correlation_id": "x" * 300}, id="a property beyond AMQP"),
    ],
)
async def test_headers_that_do_not_fit_fail_alone_and_say_so(
    transport: RabbitTransport, headers: dict[str, str]
) -> None:
    sink = Sink()
    await transport.subscribe("orders.created", sink)
    with pytest.raises(PublishFailed, match=r"orders\.created"):
        await transport.publish("orders.created", b"{}", headers=headers)
    await transport.publish("orders.created", b"{}", headers={"a": "x" * 120_000})
    await sink.wait_for(1)
    assert transport.lost is None


# --- exchanges --------------------------------------------------------------------------------------------------------


async def test_the_librarys_own_exchange_lasts_as_long_as_somebody_uses_it_and_no_longer(
    rabbitmq_broker: Broker,
) -> None:
    first, second = RabbitTransport(url=rabbitmq_broker.url), RabbitTransport(url=rabbitmq_broker.url)
    await first.connect()
    sink = Sink()
    await first.subscribe("a", sink)
    await second.connect()
    first.unsubscribe("a", sink)
    await first.disconnect()
    heard = Sink()
    await second.subscribe("a", heard)
    await second.publish("a", b"{}")
    await heard.wait_for(1)
    await second.disconnect()
    assert not await exists(rabbitmq_broker, "choreo")


async def test_coming_while_the_last_user_breaks_off_finds_an_exchange_too(rabbitmq_broker: Broker) -> None:
    coming = RabbitTransport(url=rabbitmq_broker.url)
    for _ in range(20):  # the broker clears up behind a broken connection in its own time
        async with relay_to(rabbitmq_broker) as relay:
            leaving = RabbitTransport(url=relay.url)
            await leaving.connect()
            relay.break_off()
            await coming.connect()
            await coming.publish("a", b"{}")
            await coming.disconnect()
            await leaving.disconnect()


async def test_an_exchange_that_is_not_there_is_named_and_never_made(
    rabbitmq_broker: Broker, outsider: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name, sink = unique("shop"), Sink()
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name)
    await transport.connect()
    assert f"there is no exchange '{name}'" in caplog.text
    with pytest.raises(SubscriptionFailed, match=rf"there is no exchange '{name}'.*{{name: {name}, kind: topic}}"):
        await transport.subscribe("orders", sink)
    transport.unsubscribe("orders", sink)
    with pytest.raises(PublishFailed, match=rf"no exchange '{name}'"):
        await transport.publish("orders", b"{}")
    assert not await exists(rabbitmq_broker, name)
    await outsider.exchange_declare(name, exchange_type="topic", durable=True)  # the service starts after the tests
    await transport.subscribe("orders", sink)
    await transport.publish("orders", b"{}")
    await sink.wait_for(1)
    await transport.disconnect()
    await outsider.exchange_delete(name)


async def test_an_exchange_is_made_as_the_configuration_says_and_stays(rabbitmq_broker: Broker, outsider: Any) -> None:
    name = unique("made")
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange=Exchange(name, "fanout"))
    await transport.connect()
    await outsider.exchange_declare(name, exchange_type="fanout", durable=True)  # as the services declare theirs
    await transport.disconnect()
    assert await exists(rabbitmq_broker, name)
    passive = RabbitTransport(url=rabbitmq_broker.url, exchange=Exchange(unique("passive"), "topic", passive=True))
    await passive.connect()
    with pytest.raises(SubscriptionFailed, match="there is no exchange"):
        await passive.subscribe("a", Sink())
    await passive.disconnect()
    other_kind = RabbitTransport(url=rabbitmq_broker.url, exchange=Exchange(name, "topic"))
    with pytest.raises(TransportError, match=rf"'{name}' is a fanout exchange, and no topic exchange"):
        await other_kind.connect()
    await outsider.exchange_delete(name)


def test_two_names_for_one_exchange_are_refused() -> None:
    with pytest.raises(ValueError, match="two exchanges"):
        RabbitTransport(url="amqp://localhost", exchange_name="a", exchange=Exchange("b"))


@pytest.mark.parametrize("kind", ["fanout", "headers"])
async def test_an_existing_exchange_is_used_as_it_is_and_each_topic_hears_its_own_routing_key(
    rabbitmq_broker: Broker, outsider: Any, kind: str
) -> None:
    name = unique(kind)
    await outsider.exchange_declare(name, exchange_type=kind, durable=True)
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name)
    heard = {topic: Sink() for topic in (">", "something.else", "something.*", "something.>", "#.else", "whatever")}
    await transport.connect()
    await asyncio.gather(*(transport.subscribe(topic, sink) for topic, sink in heard.items()))
    await transport.publish("something.else", b"else")
    await transport.publish("something.else.again", b"again")
    await outsider.basic_publish(b"no key", exchange=name, routing_key="")
    await outsider.basic_publish(
        b"copied", exchange=name, routing_key="", properties=spec.Basic.Properties(headers={"CC": ["whatever"]})
    )
    await transport.fence(heard)
    assert {topic: sink.payloads for topic, sink in heard.items()} == {
        ">": [b"else", b"again", b"no key", b"copied"],
        "something.else": [b"else"],
        "something.*": [b"else"],
        "something.>": [b"else", b"again"],
        "#.else": [b"else"],
        "whatever": [b"copied"],
    }
    await transport.disconnect()
    assert await exists(rabbitmq_broker, name)
    await outsider.exchange_delete(name)


async def test_a_pattern_on_a_direct_exchange_is_told(rabbitmq_broker: Broker, outsider: Any) -> None:
    name = unique("direct")
    await outsider.exchange_declare(name, exchange_type="direct", durable=True)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url, exchange_name=name))
    await harness.connect()
    async with harness.scenario("a pattern") as scenario:
        none, some = scenario.expect_none("orders.*"), scenario.expect("orders.created", field_equals("id", 1))
        await scenario.ready()
        scenario.publish("orders.created", {"id": 1})
        await scenario.await_all(timeout_ms=300)
    assert none.outcome is not Outcome.PASS
    assert none.diagnosis is not None
    assert "direct exchange, which knows no patterns" in none.diagnosis.text
    assert some.outcome is Outcome.PASS
    await harness.disconnect()
    await outsider.exchange_delete(name)


async def test_an_exchange_of_the_broker_itself_can_be_used(rabbitmq_broker: Broker) -> None:
    transport, sink = RabbitTransport(url=rabbitmq_broker.url, exchange_name="amq.topic"), Sink()
    topic = unique("topic")
    await transport.connect()
    await transport.subscribe(topic, sink)
    await transport.publish(topic, b"{}")
    await sink.wait_for(1)
    await transport.disconnect()


async def test_an_exchange_made_anew_under_a_scenario_is_a_failed_transport_and_leaves_nothing(
    rabbitmq_broker: Broker, outsider: Any
) -> None:
    """The broker tells nobody that our bindings went with the exchange; the new one looks the same."""
    name, topic = unique("shop"), unique("refused")
    await outsider.exchange_declare(name, exchange_type="topic", durable=True)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url, exchange_name=name))
    await harness.connect()

    async def forbidden_message(*, made_anew: bool) -> Any:
        async with harness.scenario("unbound") as scenario:
            none = scenario.expect_none(topic)
            await scenario.ready()
            scenario.publish(unique("go"), {})
            if made_anew:
                await outsider.exchange_delete(name)
                await outsider.exchange_declare(name, exchange_type="topic", durable=True)
            await outsider.basic_publish(b"{}", exchange=name, routing_key=topic)
            await scenario.await_all(timeout_ms=200)
        return none

    unbound = await forbidden_message(made_anew=True)
    assert unbound.outcome is not Outcome.PASS
    assert f"the exchange '{name}' was deleted meanwhile" in unbound.diagnosis.text
    assert (await forbidden_message(made_anew=False)).outcome is Outcome.FAIL  # the next scenario hears again
    assert await exists(rabbitmq_broker, witness_name(name, 0))
    await harness.disconnect()
    assert not await exists(rabbitmq_broker, witness_name(name, 0))
    await outsider.exchange_delete(name)


LISTENS = """
import asyncio, sys
from choreo_bdd.transports import RabbitTransport

async def listen():
    transport = RabbitTransport(url=sys.argv[1], exchange_name=sys.argv[2])
    await transport.connect()
    await transport.subscribe("orders", lambda topic, payload: None)
    print("live", flush=True)
    await asyncio.sleep(60)

asyncio.run(listen())
"""


async def test_what_a_killed_run_leaves_goes_with_the_next_one(rabbitmq_broker: Broker, outsider: Any) -> None:
    name = unique("shop")
    await outsider.exchange_declare(name, exchange_type="topic", durable=True)
    command = (sys.executable, "-c", LISTENS, rabbitmq_broker.url, name)
    run = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert run.stdout is not None
    assert await run.stdout.readline() == b"live\n"
    beside, following = (RabbitTransport(url=rabbitmq_broker.url, exchange_name=name) for _ in range(2))
    await beside.connect()
    await beside.subscribe("orders", Sink())
    run.kill()
    await run.communicate()
    async with asyncio.timeout(PATIENCE_S):  # until the broker has seen that the run is gone
        while await exists(rabbitmq_broker, witness_name(name, 0)):
            await following.connect()
            await following.subscribe("orders", Sink())
            await following.disconnect()
    await beside.disconnect()
    assert not await exists(rabbitmq_broker, witness_name(name, 1))
    await outsider.exchange_delete(name)


# --- order ------------------------------------------------------------------------------------------------------------


async def test_a_topic_hears_nothing_of_what_another_had_routed_before(
    transport: RabbitTransport, outsider: Any
) -> None:
    everything, late = Sink(), Sink()
    await transport.subscribe(">", everything)
    for number in range(200):
        await outsider.basic_publish(str(number).encode(), exchange=exchange_of(transport), routing_key="orders")
    await transport.subscribe("orders", late)
    await transport.publish("orders", b"now")
    await everything.wait_for(201)
    assert late.payloads == [b"now"]


async def test_leaving_a_topic_leaves_the_others_that_are_bound_alike(transport: RabbitTransport) -> None:
    ours, amqps = Sink(), Sink()
    await transport.subscribe("orders.>", ours)
    await transport.subscribe("orders.*.#", amqps)
    transport.unsubscribe("orders.>", ours)
    for _ in range(2):  # leaving and coming back at once
        transport.unsubscribe("orders.*.#", amqps)
        await transport.subscribe("orders.*.#", amqps)
    await transport.publish("orders.created", b"{}")
    await amqps.wait_for(1)
    assert ours.payloads == []


async def test_the_order_between_two_queues_cannot_be_told_unless_they_are_well_apart(
    rabbitmq_broker: Broker, outsider: Any
) -> None:
    queues = [await named_queue(outsider) for _ in range(2)]
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    for apart_s, told in ((0.0, False), (0.3, True)):
        async with harness.scenario("two queues") as scenario:
            wanted = [(f"queue:{queue}", field_equals("n", 1)) for queue in queues]
            _, second = scenario.expect_in_order(wanted)
            await scenario.ready()
            for queue in queues:
                await outsider.basic_publish(b'{"n": 1}', routing_key=queue)
                await asyncio.sleep(apart_s)
            scenario.publish(unique("go"), {})
            await scenario.await_all(timeout_ms=300)
        assert (second.outcome is Outcome.PASS) is told
        if not told:
            assert second.diagnosis is not None
            assert "cannot be told" in second.diagnosis.text
        for queue in queues:  # nothing is left for the second round
            await outsider.queue_delete(queue)
            await outsider.queue_declare(queue, auto_delete=True)
    await harness.disconnect()


# --- queues -----------------------------------------------------------------------------------------------------------


async def test_a_queue_can_be_fed_and_emptied(transport: RabbitTransport, outsider: Any) -> None:
    queue = await named_queue(outsider)
    await transport.publish(f"queue:{queue}", b"1")
    sink = Sink()
    await transport.subscribe(f"queue:{queue}", sink)
    await transport.publish(f"queue:{queue}", b"2")
    await sink.wait_for(2)
    assert sink.payloads == [b"1", b"2"]
    assert {message.topic for message in sink.messages} == {f"queue:{queue}"}
    assert sink.messages[0].headers["amqp.routing_key"] == queue


@pytest.fixture
async def lasting_queue(outsider: Any) -> AsyncIterator[str]:
    """A queue that stays when its last consumer leaves."""
    name = unique("queue")
    await outsider.queue_declare(name, durable=True)
    yield name
    await outsider.queue_delete(name)


async def waiting_in(channel: Any, queue: str) -> int:
    return int((await channel.queue_declare(queue, passive=True)).message_count)


async def test_a_scenario_takes_from_a_queue_what_it_uses_and_leaves_the_rest(
    rabbitmq_broker: Broker, outsider: Any, lasting_queue: str
) -> None:
    queue, topic = lasting_queue, unique("other")
    for number in range(200):
        await outsider.basic_publish(f'{{"n": {number}}}'.encode(), routing_key=queue)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    async with harness.scenario("goes on beside it") as beside:
        healthy = beside.expect(topic, field_equals("n", 1))
        await beside.ready()
        for wanted in (7, 8):
            async with harness.scenario("takes one") as scenario:
                used = scenario.expect(f"queue:{queue}", field_equals("n", wanted))
                scenario.publish(unique("go"), {})
                result = await scenario.await_all(timeout_ms=PATIENCE_MS)
            assert used.outcome is Outcome.PASS
            assert "was in the queue before" in result.summary()
        beside.publish(topic, {"n": 1})
        await beside.await_all(timeout_ms=PATIENCE_MS)
    assert healthy.outcome is Outcome.PASS
    await harness.disconnect()
    assert await waiting_in(outsider, queue) == 198
    first = await outsider.basic_get(queue, no_ack=True)
    assert first.body == b'{"n": 0}'  # where it was


async def test_what_others_take_while_it_opens_makes_no_new_message_a_leftover(
    rabbitmq_broker: Broker, outsider: Any, lasting_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = lasting_queue
    consume = aiormq.Channel.basic_consume

    async def after_the_others(channel: aiormq.Channel, name: str, *args: Any, **words: Any) -> Any:
        if name == queue:
            await outsider.queue_purge(queue)  # as a consumer that was quicker
        return await consume(channel, name, *args, **words)

    monkeypatch.setattr(aiormq.Channel, "basic_consume", after_the_others)
    for _ in range(3):
        await outsider.basic_publish(b"old", routing_key=queue)
    transport, sink = RabbitTransport(url=rabbitmq_broker.url), Sink()
    await transport.connect()
    await transport.subscribe(f"queue:{queue}", sink)
    await transport.publish(f"queue:{queue}", b"new")
    await transport.fence({f"queue:{queue}"})
    await transport.disconnect()
    assert [(each.payload, each.is_leftover) for each in sink.messages] == [(b"new", False)]


async def test_who_left_while_the_queue_was_opening_is_waited_for(
    transport: RabbitTransport, outsider: Any, lasting_queue: str
) -> None:
    topic = f"queue:{lasting_queue}"
    await outsider.basic_publish(b"old", routing_key=lasting_queue)
    for milliseconds in range(12):
        leaving, staying = Sink(), Sink()
        transport.subscribe(topic, leaving)
        await asyncio.sleep(milliseconds / 2000)
        transport.unsubscribe(topic, leaving)
        await asyncio.wait_for(transport.subscribe(topic, staying), PATIENCE_S)
        await transport.fence({topic})
        assert [(each.payload, each.is_leftover) for each in staying.messages] == [(b"old", True)]
        transport.unsubscribe(topic, staying)


async def backlog(channel: Any, kind: str, number: int) -> str:
    queue = unique("backlog")
    await channel.queue_declare(queue, durable=True, arguments={"x-queue-type": kind})
    for _ in range(number):
        await channel.basic_publish(b"old", routing_key=queue, wait=False)
    while await waiting_in(channel, queue) < number:  # noqa: ASYNC110 - the broker has no event for it
        await asyncio.sleep(0.05)
    return queue


@pytest.mark.parametrize(("kind", "number"), [("classic", 3000), ("quorum", 1500)])
async def test_a_backlog_is_no_news(transport: RabbitTransport, outsider: Any, kind: str, number: int) -> None:
    queue, sink = await backlog(outsider, kind, number), Sink()
    await asyncio.wait_for(transport.subscribe(f"queue:{queue}", sink), PATIENCE_S)
    await transport.publish(f"queue:{queue}", b"new")
    await transport.fence({f"queue:{queue}"})
    assert [each.payload for each in sink.messages if not each.is_leftover] == [b"new"]
    assert len(sink.messages) == number + 1
    await outsider.queue_delete(queue)


async def test_a_quorum_queue_whose_backlog_hides_the_news_says_so(transport: RabbitTransport, outsider: Any) -> None:
    queue = await backlog(outsider, "quorum", 2100)
    await asyncio.wait_for(transport.subscribe(f"queue:{queue}", Sink()), PATIENCE_S)
    with pytest.raises(TransportError, match=r"given us 2,\d+ messages that nobody uses, and keeps \d+ more.*purge"):
        await asyncio.wait_for(transport.fence({f"queue:{queue}"}), PATIENCE_S)
    await outsider.queue_delete(queue)


async def test_leftovers_of_a_queue_never_count_and_may_be_left_alone(
    rabbitmq_broker: Broker, outsider: Any, lasting_queue: str
) -> None:
    queue = lasting_queue
    await outsider.basic_publish(b'{"n": 1}', routing_key=queue)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    async with harness.scenario("counts", options=ScopeOptions(leftovers="leave")) as scenario:
        none = scenario.expect_none(f"queue:{queue}", field_equals("n", 1))
        left = scenario.expect(f"queue:{queue}", field_equals("n", 1))
        scenario.publish(unique("go"), {})
        await scenario.await_all(timeout_ms=200)
    assert none.outcome is Outcome.PASS
    assert left.outcome is Outcome.TIMEOUT
    assert left.diagnosis is not None
    assert "1 matching message from before this scenario, left in the queue" in left.diagnosis.text
    async with harness.scenario("news", options=ScopeOptions(leftovers="leave")) as scenario:
        news = scenario.expect_count(f"queue:{queue}", field_equals("n", 1), exactly=1)
        await scenario.ready()
        scenario.publish(f"queue:{queue}", {"n": 1})
        await scenario.await_all(timeout_ms=300)
    assert news.outcome is Outcome.PASS
    await harness.disconnect()
    assert await waiting_in(outsider, queue) == 1


async def test_another_consumer_of_the_queue_is_named_where_a_message_is_missing(
    rabbitmq_broker: Broker, outsider: Any
) -> None:
    queue = await named_queue(outsider)
    await outsider.basic_consume(queue, lambda message: asyncio.sleep(0), no_ack=True)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    async with harness.scenario("shared") as scenario:
        handle = scenario.expect(f"queue:{queue}", field_equals("n", 3))
        await scenario.ready()
        for number in range(2):
            scenario.publish(f"queue:{queue}", {"n": number})
        await scenario.await_all(timeout_ms=200)
    assert handle.diagnosis is not None
    assert f"the queue '{queue}' has another consumer" in handle.diagnosis.text
    await harness.disconnect()


@pytest.mark.parametrize("arguments", [{}, {"x-single-active-consumer": True}])
async def test_what_another_consumer_may_have_taken_is_no_absence(
    rabbitmq_broker: Broker, outsider: Any, arguments: dict[str, Any]
) -> None:
    queue, taken = unique("shared"), asyncio.Event()

    async def take(_: object) -> None:
        taken.set()

    await outsider.queue_declare(queue, arguments=arguments)
    consumer = await outsider.basic_consume(queue, take, no_ack=True, arguments={"x-priority": 1})
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    outcomes = []
    for is_shared in (True, False):
        if not is_shared:
            await outsider.basic_cancel(consumer.consumer_tag)
        async with harness.scenario("shared") as scenario:
            absence = scenario.expect_none(f"queue:{queue}")
            await scenario.ready()
            if is_shared:
                scenario.publish(f"queue:{queue}", {"n": 1})
                await asyncio.wait_for(taken.wait(), PATIENCE_S)
            else:
                scenario.publish(unique("go"), {})
            await scenario.await_all(timeout_ms=100)
        outcomes.append((absence.outcome, "has another consumer" in str(absence.diagnosis)))
    assert outcomes == [(Outcome.TIMEOUT, True), (Outcome.PASS, False)]
    await harness.disconnect()


async def test_a_stream_is_read_from_now_on(transport: RabbitTransport, outsider: Any) -> None:
    queue, sink = unique("log"), Sink()
    await outsider.queue_declare(queue, durable=True, arguments={"x-queue-type": "stream"})
    topic = f"queue:{queue}"
    await transport.publish(topic, b"before")
    await transport.subscribe(topic, sink)
    await transport.fence([topic])
    assert sink.payloads == []
    for number in range(20):
        await transport.publish(topic, str(number).encode())
    await transport.fence([topic])
    assert sink.payloads == [str(number).encode() for number in range(20)]
    await outsider.queue_delete(queue)


async def test_a_scenario_hears_what_arrives_in_a_queue(rabbitmq_broker: Broker, outsider: Any) -> None:
    queue = await named_queue(outsider)
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    async with harness.scenario("queue") as scenario:
        scenario.expect(f"queue:{queue}", field_equals("n", 1))
        scenario.publish(f"queue:{queue}", {"n": 1})
        (await scenario.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
    await harness.disconnect()


async def test_a_queue_that_is_missing_is_named_and_costs_nobody_else_anything(transport: RabbitTransport) -> None:
    sink = Sink()
    await transport.subscribe("healthy", sink)
    with pytest.raises(PublishFailed, match=r"queue:missing.*no such queue"):
        await transport.publish("queue:missing", b"{}")
    with pytest.raises(SubscriptionFailed, match=r"queue:missing.*no queue 'missing'"):
        await transport.subscribe("queue:missing", Sink())
    await transport.publish("healthy", b"{}")
    await sink.wait_for(1)


# --- fences -----------------------------------------------------------------------------------------------------------


async def test_a_fence_on_a_named_queue_leaves_nothing_in_it(transport: RabbitTransport, outsider: Any) -> None:
    queue, sink = await named_queue(outsider), Sink()
    await transport.subscribe(f"queue:{queue}", sink)
    for number in range(500):
        await outsider.basic_publish(str(number).encode(), routing_key=queue)
    await transport.fence([f"queue:{queue}"])
    assert sink.payloads == [str(number).encode() for number in range(500)]
    await transport.fence([f"queue:{queue}"])
    assert len(sink.payloads) == 500


async def test_a_user_who_may_not_mark_has_a_fence_all_the_same(
    transport: RabbitTransport, outsider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink()
    await transport.subscribe("orders", sink)
    internal = unique("internal")
    await outsider.exchange_declare(internal, internal=True, auto_delete=True)
    monkeypatch.setattr("choreo_bdd.transports.rabbitmq.own_queue._DEFAULT_EXCHANGE", internal)  # is refused
    for number in range(3):
        await transport.publish("orders", str(number).encode())
        await transport.fence(["orders"])
        assert len(sink.payloads) == number + 1
    assert transport.lost is None


async def test_a_fence_behind_a_deleted_queue_says_so(transport: RabbitTransport, outsider: Any) -> None:
    queue = await named_queue(outsider)
    await transport.subscribe(f"queue:{queue}", Sink())
    await outsider.queue_delete(queue)
    with pytest.raises(TransportError, match=rf"cannot tell whether all has arrived: .*({queue}|queue deleted)"):
        await transport.fence([f"queue:{queue}"])


# --- refusals ---------------------------------------------------------------------------------------------------------


async def test_a_denied_publish_is_told_and_subscriptions_go_on(rabbitmq_broker: Broker, outsider: Any) -> None:
    name, queue = unique("internal"), await named_queue(outsider)
    await outsider.exchange_declare(name, internal=True, auto_delete=True)
    transport, sink = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name), Sink()
    await transport.connect()
    await transport.subscribe(f"queue:{queue}", sink)
    for _ in range(2):
        with pytest.raises(PublishFailed, match=r"'orders'.*ACCESS_REFUSED"):
            await transport.publish("orders", b"{}")
    await transport.publish(f"queue:{queue}", b"{}")
    await sink.wait_for(1)
    assert transport.lost is None
    await transport.disconnect()


async def test_a_denied_subscription_is_told_and_others_go_on(transport: RabbitTransport, outsider: Any) -> None:
    sink, private = Sink(), unique("private")
    await transport.subscribe("healthy", sink)
    await outsider.queue_declare(private, exclusive=True)
    with pytest.raises(SubscriptionFailed, match="RESOURCE_LOCKED"):
        await transport.subscribe(f"queue:{private}", Sink())
    await transport.publish("healthy", b"{}")
    await sink.wait_for(1)


async def test_a_routing_key_too_long_for_amqp_is_told(transport: RabbitTransport) -> None:
    with pytest.raises(PublishFailed, match="255 bytes"):
        await transport.publish("k" * 256, b"{}")
    with pytest.raises(SubscriptionFailed, match="255 bytes"):
        await transport.subscribe("k" * 256, Sink())


async def test_a_queue_deleted_under_a_scenario_is_a_finding_of_that_topic_only(
    rabbitmq_broker: Broker, outsider: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queue, topic = await named_queue(outsider), unique("healthy")
    harness = Harness(RabbitTransport(url=rabbitmq_broker.url))
    await harness.connect()
    async with harness.scenario("deleted") as scenario:
        gone = scenario.expect(f"queue:{queue}", field_equals("n", 1))
        healthy = scenario.expect(topic, field_equals("n", 1))
        await scenario.ready()
        await outsider.queue_delete(queue)
        await scenario.scope.wait([gone], scenario.scope.clock() + PATIENCE_S)
        scenario.publish(topic, {"n": 1})
        result = await scenario.await_all(timeout_ms=PATIENCE_MS)
    assert healthy.outcome is Outcome.PASS
    assert result.failing_handles == (gone,)
    assert gone.diagnosis is not None
    assert "its queue deleted" in str(result.failure_summary())
    assert "transport_subscription_ended" in caplog.text
    assert harness.is_healthy()
    await harness.disconnect()


# --- connecting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "localhost:5672", "http://localhost", "amqp://", "amqp://ann:se/cret@localhost"])
def test_an_address_that_is_no_amqp_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="needs a URL such as amqp://") as caught:
        RabbitTransport(url=url)
    assert "cret" not in str(caught.value)


def test_an_exchange_needs_a_name() -> None:
    with pytest.raises(ValueError, match="name of an exchange"):
        RabbitTransport(url="amqp://localhost", exchange_name="")


async def test_a_missing_client_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "choreo_bdd.transports.rabbitmq.connection", raising=False)
    monkeypatch.setitem(sys.modules, "aiormq", None)
    with pytest.raises(TransportError, match=r"aio-pika.*choreo_bdd\[rabbitmq\]"):
        await RabbitTransport(url="amqp://localhost").connect()


async def test_the_allowlist_is_asked_first_and_knows_urls_without_their_user(tmp_path: Path) -> None:
    allowlist = tmp_path / "allowlist.yaml"
    allowlist.write_text("amqp_brokers: ['amqp://127.0.0.1:1/']")
    refused = RabbitTransport(url="amqp://ann:s3cret@127.0.0.1:2/", allowlist_path=allowlist)
    with pytest.raises(HostNotInAllowlist, match=r"<redacted>@127\.0\.0\.1:2/") as caught:
        await refused.connect()
    assert "s3cret" not in str(caught.value)
    permitted = RabbitTransport(url="amqp://ann:s3cret@127.0.0.1:1/", allowlist_path=allowlist)
    with pytest.raises(TransportError, match="could not connect"):
        await permitted.connect()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("guest:guest", "guest:wr0ng"), "ACCESS_REFUSED"),
        (lambda url: f"{url}missing", "virtual host"),
        (lambda url: url.replace("amqp:", "amqps:"), "."),
    ],
    ids=["password", "vhost", "tls"],
)
async def test_what_the_server_refuses_leaves_nothing_open(
    rabbitmq_broker: Broker, change: Callable[[str], str], reason: str
) -> None:
    before = asyncio.all_tasks()
    transport = RabbitTransport(url=change(rabbitmq_broker.url))
    with pytest.raises(TransportError, match=rf"could not connect to \S+<redacted>@.*{reason}"):
        await transport.connect()
    await asyncio.sleep(0)
    assert not {task for task in asyncio.all_tasks() - before if not task.done()}
    await transport.disconnect()


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["amqp", "amqps"])
async def test_a_server_that_never_answers_is_given_up_on(scheme: str) -> None:
    closed = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport = RabbitTransport(url=url, connect_timeout_s=1)
    with pytest.raises(TransportError, match=r"could not connect to amqps?://127.*no answer within 1 s"):
        await asyncio.wait_for(transport.connect(), PATIENCE_S)
    await asyncio.wait_for(closed.wait(), PATIENCE_S)
    server.close()


async def test_a_profile_of_the_configuration_becomes_a_transport(rabbitmq_broker: Broker) -> None:
    options = {"url": rabbitmq_broker.url, "exchange": "amq.direct"}
    harness = build_harness(memory_config(), TransportConfig("bus", "rabbitmq", "the test", options=options))
    await harness.connect()
    assert "amq.direct" in repr(harness.transport)
    await harness.disconnect()


async def test_a_profile_may_say_that_the_exchange_is_to_be_made(rabbitmq_broker: Broker, outsider: Any) -> None:
    exchange = {"name": unique("made"), "kind": "direct", "durable": False}
    options = {"url": rabbitmq_broker.url, "exchange": exchange}
    harness = build_harness(memory_config(), TransportConfig("bus", "rabbitmq", "the test", options=options))
    await harness.connect()
    await outsider.exchange_declare(exchange["name"], exchange_type="direct", durable=False)
    await harness.disconnect()
    await outsider.exchange_delete(exchange["name"])


# --- losing the connection --------------------------------------------------------------------------------------------


async def test_a_lost_connection_is_told_everywhere_and_healed_by_connecting_again(rabbitmq_broker: Broker) -> None:
    async with relay_to(rabbitmq_broker) as relay:
        transport, sink, reasons = RabbitTransport(url=relay.url), Sink(), asyncio.Queue[str]()
        transport.on_lost(reasons.put_nowait)
        await transport.connect()
        await transport.subscribe("a", sink)
        relay.fall_silent()
        unconfirmed, unproven = transport.publish("a", b"{}"), transport.subscribe("b", sink)
        relay.break_off()
        assert "connection to the RabbitMQ server was lost" in await asyncio.wait_for(reasons.get(), PATIENCE_S)
        assert transport.lost is not None
        with pytest.raises(PublishFailed, match="could not publish to 'a'"):
            await asyncio.wait_for(unconfirmed, PATIENCE_S)
        with pytest.raises(SubscriptionFailed):
            await asyncio.wait_for(unproven, PATIENCE_S)
        with pytest.raises(TransportError, match="was lost"):
            transport.publish("a", b"{}")
        assert reasons.empty()
        transport.clear_subscriptions()
        await transport.connect()
        assert transport.lost is None
        again = Sink()
        await transport.subscribe("a", again)
        await transport.publish("a", b"{}")
        await again.wait_for(1)
        await transport.disconnect()


async def test_a_broker_that_falls_silent_does_not_hold_up_disconnecting(rabbitmq_broker: Broker) -> None:
    before = asyncio.all_tasks()
    async with relay_to(rabbitmq_broker) as relay:
        transport = RabbitTransport(url=relay.url)
        await transport.connect()
        await transport.subscribe("a", Sink())
        relay.fall_silent()
        unconfirmed, unproven = transport.publish("a", b"{}"), transport.subscribe("b", Sink())
        await asyncio.wait_for(transport.disconnect(), PATIENCE_S)
        with pytest.raises(PublishFailed, match="closed before the broker confirmed"):
            await unconfirmed
        with pytest.raises(SubscriptionFailed, match="closed before it was confirmed"):
            await unproven
    assert not {task for task in asyncio.all_tasks() - before if not task.done()}


async def test_a_subscription_removed_while_the_broker_is_silent_leaves_no_task(
    rabbitmq_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONFIRM_S", 0.3)
    async with proxy_to(rabbitmq_broker.port) as proxy:
        url = rabbitmq_broker.url.replace(f":{rabbitmq_broker.port}", f":{proxy.port}")
        transport, sink = RabbitTransport(url=url), Sink()
        await transport.connect()
        await transport.subscribe("orders", sink)
        proxy.stall()
        transport.unsubscribe("orders", sink)
        await asyncio.sleep(0)
        assert _tasks_of("_drop")
        await asyncio.wait(_tasks_of("_drop"), timeout=PATIENCE_S)
        assert not _tasks_of("_drop")
        proxy.cut()
        await transport.disconnect()


def _tasks_of(name: str) -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == name}


async def test_removing_a_subscription_before_it_is_proven_settles_its_promise(rabbitmq_broker: Broker) -> None:
    async with relay_to(rabbitmq_broker) as relay:
        transport, sink = RabbitTransport(url=relay.url), Sink()
        await transport.connect()
        relay.fall_silent()
        unproven = transport.subscribe("a", sink)
        transport.unsubscribe("a", sink)
        with pytest.raises(SubscriptionFailed, match="removed before it was confirmed"):
            await unproven
        await transport.disconnect()


async def test_a_broker_that_takes_no_messages_is_told_in_its_own_words(rabbitmq_broker: Broker) -> None:
    async with relay_to(rabbitmq_broker) as relay:
        transport, sink = RabbitTransport(url=relay.url), Sink()
        await transport.connect()
        await transport.subscribe("orders", sink)
        relay.tell_client(BLOCKED)
        await asyncio.sleep(0.1)
        relay.fall_silent()  # it reads nothing from whoever it has blocked
        with pytest.raises(PublishFailed, match=r"takes no messages for the moment: low on memory"):
            await asyncio.wait_for(transport.publish("orders", b"{}"), PATIENCE_S)
        with pytest.raises(TransportError, match=r"cannot tell whether all has arrived: .*low on memory"):
            await transport.fence(["orders"])
        with pytest.raises(SubscriptionFailed, match=r"'later' live: the broker takes no messages .*: low on memory"):
            await asyncio.wait_for(transport.subscribe("later", Sink()), 1)
        relay.tell_client(UNBLOCKED)
        relay.flow()
        await asyncio.sleep(0.1)
        await transport.publish("orders", b"{}")
        await sink.wait_for(1)
        await transport.disconnect()


async def test_what_is_being_subscribed_when_the_broker_blocks_the_connection_fails_at_once(
    rabbitmq_broker: Broker,
) -> None:
    async with relay_to(rabbitmq_broker) as relay:
        transport, sink = RabbitTransport(url=relay.url), Sink()
        await transport.connect()
        relay.fall_silent()
        ready = transport.subscribe("orders", sink)
        await asyncio.sleep(0.05)
        relay.tell_client(BLOCKED)
        with pytest.raises(SubscriptionFailed, match=r"takes no messages for the moment: low on memory"):
            await asyncio.wait_for(ready, 1)
        transport.unsubscribe("orders", sink)
        relay.tell_client(UNBLOCKED)
        relay.flow()
        await asyncio.sleep(0.1)
        await transport.subscribe("orders", sink)
        await transport.publish("orders", b"{}")
        await sink.wait_for(1)
        await transport.disconnect()


def test_it_is_not_pickled_and_shows_no_password() -> None:
    transport = RabbitTransport(url="amqp://ann:s3cret@localhost/")
    assert "s3cret" not in repr(transport)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(transport)

"""What RabbitMQ adds to the contract of all transports: exchanges, queues, properties, refusals, losses."""

from __future__ import annotations

import asyncio
import pickle
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiormq
import pytest
from aiormq import spec

from choreo_bdd import Harness, HeaderPolicy, Outcome
from choreo_bdd.brokers import Broker
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.matchers import field_equals
from choreo_bdd.transports import RabbitTransport
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.rabbit_doubles import relay_to
from tests.support.subscribers import PATIENCE_S, Sink

PATIENCE_MS = 1000 * PATIENCE_S


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
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange_name=unique("exchange"))
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


async def test_a_message_nobody_listens_for_is_no_failure(transport: RabbitTransport) -> None:
    await transport.publish("nobody.listens", b"{}")


async def test_a_message_the_broker_refuses_is_a_failure(transport: RabbitTransport, outsider: Any) -> None:
    queue = unique("full")
    await outsider.queue_declare(queue, exclusive=True, arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
    await outsider.queue_bind(queue, exchange_of(transport), "too.much")
    with pytest.raises(PublishFailed, match=r"too\.much.*refused the message"):
        await transport.publish("too.much", b"{}")


# --- exchanges --------------------------------------------------------------------------------------------------------


async def test_the_exchange_lasts_as_long_as_somebody_uses_it_and_no_longer(rabbitmq_broker: Broker) -> None:
    name = unique("exchange")
    first = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name)
    second = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name)
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
    assert not await exists(rabbitmq_broker, name)


async def test_coming_while_the_last_user_breaks_off_finds_an_exchange_too(rabbitmq_broker: Broker) -> None:
    name = unique("exchange")
    coming = RabbitTransport(url=rabbitmq_broker.url, exchange_name=name)
    for _ in range(20):  # the broker clears up behind a broken connection in its own time
        async with relay_to(rabbitmq_broker) as relay:
            leaving = RabbitTransport(url=relay.url, exchange_name=name)
            await leaving.connect()
            relay.break_off()
            await coming.connect()
            await coming.publish("a", b"{}")
            await coming.disconnect()
            await leaving.disconnect()


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
    monkeypatch.setattr("choreo_bdd.transports.rabbitmq.subscription._DEFAULT_EXCHANGE", internal)  # is refused
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


async def test_an_exchange_that_can_be_neither_found_nor_made_is_a_failure_to_connect(rabbitmq_broker: Broker) -> None:
    transport = RabbitTransport(url=rabbitmq_broker.url, exchange_name="amq.missing")
    with pytest.raises(TransportError, match=r"could not connect .*no exchange 'amq\.missing'"):
        await transport.connect()


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


def test_it_is_not_pickled_and_shows_no_password() -> None:
    transport = RabbitTransport(url="amqp://ann:s3cret@localhost/")
    assert "s3cret" not in repr(transport)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(transport)

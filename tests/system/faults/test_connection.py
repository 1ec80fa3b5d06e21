"""A connection that breaks or falls silent under a scenario: told as such, bounded, and healed by the next one."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any
from weakref import ref

import pytest

from choreo_bdd.exceptions import TransportError
from choreo_bdd.matchers import field_equals
from choreo_bdd.transports.base import Losable
from tests.support.fault_sites import PATIENCE_MS, SLACK_S, TEARDOWN_S, Site, Watched, assert_works, disconnect_in_time
from tests.support.leftovers import nothing_left
from tests.support.proxy import proxy_to
from tests.support.subscribers import new_topic

PATIENCE = {
    "nats.connection._PING_S": 0.3,
    "redis.wire._QUIET_S": 0.3,
    "redis.wire._PATIENCE_S": 0.6,
    "kafka.connection._PATIENCE_S": 0.6,
    "rabbitmq.connection._HEARTBEAT_S": 1,
}
"""How many seconds each transport believes in a silent broker, shortened."""


async def test_a_cut_connection_is_the_cause_and_the_next_scenario_connects_again(site: Site) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        async with harness.scenario("cut") as s:
            watched = Watched(s)
            s.publish(new_topic(), {"n": 0})
            await s.ready()
            proxy.cut()
            began = time.monotonic()
            watched.assert_told(await s.await_all(timeout_ms=30_000))
            assert time.monotonic() - began < 15, "a lost connection must not be waited out"
        proxy.mend()
        await assert_works(harness)
        assert harness.is_healthy()
        await disconnect_in_time(harness)


@pytest.fixture
def _unlogged() -> Iterator[None]:
    """Log nothing: pytest would keep the records, and they their tracebacks."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "closed"])
@pytest.mark.usefixtures("_unlogged")
async def test_nothing_holds_a_connection_any_more_once_there_is_the_next(site: Site, *, is_lost: bool) -> None:
    async with proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        await assert_works(harness)
        transport: Any = harness.transport
        former = ref(transport._life.connection)
        if is_lost:
            proxy.cut()
            await until(lambda: not harness.is_healthy())
            proxy.mend()
        else:
            await harness.disconnect()
            await harness.connect()
        await assert_works(harness)
        # Kafka's may have healed by itself, and be the next
        await until(lambda: gc.collect() >= 0 and former() in (None, is_lost and transport._life.connection))
        await disconnect_in_time(harness)


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that takes a moment, and fails the test where it never comes."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not happened():  # noqa: ASYNC110 - it tells only when it is asked
            await asyncio.sleep(0.05)


async def test_a_silent_broker_is_the_cause_of_what_was_not_confirmed_and_the_next_scenario_works(site: Site) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        async with harness.scenario("silent") as s:
            watched = Watched(s)
            await s.ready()
            proxy.stall()
            s.publish(watched.topic, {"n": 1})
            watched.assert_told(await s.await_all(timeout_ms=500))
        proxy.resume()
        await assert_works(harness)
        await disconnect_in_time(harness)


async def test_a_broker_that_is_silent_for_long_counts_as_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for constant, seconds in PATIENCE.items():
        monkeypatch.setattr(f"choreo_bdd.transports.{constant}", seconds)
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        async with harness.scenario("silent for long") as s:
            watched = Watched(s)
            s.publish(new_topic(), {"n": 0})
            await s.ready()
            await asyncio.sleep(0.1)
            proxy.stall()
            result = await s.await_all(timeout_ms=20_000)
            watched.assert_told(result)
        assert "answer" in (harness.lost or ""), "not only that it was lost"
        assert not harness.is_healthy()
        proxy.resume()
        await assert_works(harness)
        await disconnect_in_time(harness)


async def test_disconnecting_settles_what_was_just_published_and_subscribed(site: Site) -> None:
    harness = site.harness_at(site.broker.port)
    await harness.connect()
    subscribed = harness.subscribe(new_topic(), lambda topic, payload: None)
    sent = [harness.send(new_topic(), b"{}", on_sent=lambda: None, headers={}, key=None) for _ in range(3)]
    await harness.disconnect()
    assert all(each is not None and each.done() for each in (subscribed, *sent))
    assert all(each is not None and each.exception() is None for each in sent), "what was queued leaves first"


async def test_disconnecting_from_a_silent_broker_is_bounded(site: Site) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        async with harness.scenario("silent") as s:
            watched = Watched(s)
            await s.ready()
            proxy.stall()
            s.publish(watched.topic, {"n": 1})
            await s.await_all(timeout_ms=50)
        await disconnect_in_time(harness)


async def test_subscriptions_removed_while_the_broker_is_silent_poison_nothing(site: Site) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        proxy.stall()
        with pytest.raises(LookupError):
            async with harness.scenario("left at once") as s:
                s.expect(new_topic(), field_equals("n", 1))
                s.expect(new_topic(), field_equals("n", 1))
                raise LookupError
        assert harness.active_subscription_count() == 0
        proxy.resume()
        await assert_works(harness)
        await disconnect_in_time(harness)


async def test_a_message_on_a_subscription_never_confirmed_was_not_sent(site: Site) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        proxy.stall()
        async with harness.scenario("unconfirmed") as s:
            watched = Watched(s)
            s.publish(watched.topic, {"n": 1})
            result = await s.await_all(timeout_ms=300)
            watched.assert_told(result)
            assert "has not been sent yet" in str(watched.wanted.diagnosis)
        proxy.resume()
        await assert_works(harness)
        await disconnect_in_time(harness)


async def test_a_server_that_accepts_and_never_answers_is_named_and_given_up(site: Site) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with nothing_left():
        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        harness = site.harness_at(port, connect_timeout_s=0.3)
        began = time.monotonic()
        with pytest.raises(
            TransportError, match=rf"could not connect to .*127\.0\.0\.1:{port}.*no answer within 0\.3 s"
        ):
            await harness.connect()
        assert time.monotonic() - began < 0.3 + TEARDOWN_S + SLACK_S
        assert not harness.is_connected()
        await disconnect_in_time(harness)
        server.close()


async def test_a_stranger_cannot_be_connected_to_and_leaves_nothing_open(site: Site, unused_tcp_port: int) -> None:
    async with nothing_left():
        harness = site.harness_at(unused_tcp_port)
        with pytest.raises(TransportError, match=rf"could not connect to .*{unused_tcp_port}"):
            await harness.connect()
        await harness.disconnect()


async def test_a_dead_connection_refuses_to_publish_and_says_why(site: Site) -> None:
    async with proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        lost: asyncio.Queue[str] = asyncio.Queue()
        assert isinstance(harness.transport, Losable)
        harness.transport.on_lost(lost.put_nowait)
        async with harness.scenario("dead") as s:
            s.expect(new_topic(), field_equals("n", 1))
            await s.ready()
            proxy.cut()
            reason = await asyncio.wait_for(lost.get(), PATIENCE_MS / 1000)
            assert not harness.is_healthy()
            assert harness.lost == reason
            with pytest.raises(TransportError, match="cannot go on"):
                s.publish(new_topic(), {"n": 1})
        await disconnect_in_time(harness)

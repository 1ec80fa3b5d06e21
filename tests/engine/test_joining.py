"""Joining a subscription that others have: one fence for all who come at once, and none where nothing can be older."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest

from choreo_bdd import CorrelationPolicy, DictFieldPolicy, Harness, NoCorrelationPolicy
from choreo_bdd.exceptions import SubscriptionFailed, TransportError
from choreo_bdd.matchers import anything, eq
from tests.support.engine_doubles import BrokerLike

SHARED = ("a", "b", "c")


class Fenced(BrokerLike):
    """A broker that confirms at once and answers a fence when the test lets it, or refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[set[str]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.silent: str | None = None

    async def fence(self, topics: Collection[str]) -> None:
        self.asked.append(set(topics))
        await self.answers.wait()
        if self.silent is not None:
            raise TransportError(self.silent)

    def arrive(self, topic: str) -> None:
        for subscribed, callback in tuple(self.callbacks):
            if subscribed == topic:
                callback(topic, b"1")


@asynccontextmanager
async def shared(policy: CorrelationPolicy) -> AsyncIterator[tuple[Fenced, Harness]]:
    """A harness on which another scenario listens to all shared topics."""
    transport = Fenced()
    harness = Harness(transport, correlation=policy)
    await harness.connect()
    async with harness.scenario("there before") as s:
        for topic in SHARED:
            s.expect(topic, eq("never"))
            transport.confirm(topic)
        await s.ready()
        assert transport.asked == []
        yield transport, harness
    await harness.disconnect()


async def test_who_comes_at_once_shares_one_fence() -> None:
    async with shared(NoCorrelationPolicy()) as (transport, harness):
        async with harness.scenario("one") as one, harness.scenario("two") as two:
            for topic in SHARED:
                one.expect(topic, anything())
                two.expect(topic, anything())
            await asyncio.gather(one.ready(), two.ready())
        assert transport.asked == [set(SHARED)]


async def test_what_arrives_before_the_fence_is_answered_is_not_taken_and_what_comes_then_is() -> None:
    async with shared(DictFieldPolicy()) as (transport, harness), harness.scenario("joins") as s:
        transport.answers.clear()
        handle = s.expect("a", anything())
        await asyncio.sleep(0)
        transport.arrive("a")
        transport.answers.set()
        await s.ready()
        assert not handle.was_fulfilled()
        transport.arrive("a")
        assert handle.was_fulfilled()


async def test_where_every_message_has_an_id_and_the_id_is_new_none_can_be_older() -> None:
    async with shared(DictFieldPolicy(strict=True)) as (transport, harness), harness.scenario("joins") as s:
        s.expect("a", anything())
        await s.ready()
        assert transport.asked == []


async def test_a_broker_that_does_not_answer_refuses_the_subscription_with_its_reason() -> None:
    async with shared(NoCorrelationPolicy()) as (transport, harness), harness.scenario("joins") as s:
        transport.silent = "no answer within 5 s"
        s.expect("a", anything())
        with pytest.raises(SubscriptionFailed, match=r"'a'.*no answer within 5 s"):
            await s.ready()


async def test_a_subscription_that_is_not_confirmed_yet_is_joined_once_it_is() -> None:
    transport = Fenced()
    harness = Harness(transport)
    await harness.connect()
    async with harness.scenario("first") as first, harness.scenario("second") as second:
        first.expect("a", anything())
        handle = second.expect("a", anything())
        await asyncio.sleep(0)
        assert transport.asked == []
        transport.confirm("a")
        await second.ready()
        assert transport.asked == [{"a"}]
        transport.arrive("a")
        assert handle.was_fulfilled()
    await harness.disconnect()


async def test_disconnecting_refuses_who_still_waits_and_leaving_before_is_no_trouble() -> None:
    async with shared(NoCorrelationPolicy()) as (transport, harness):
        transport.answers.clear()
        async with harness.scenario("leaves") as leaves:
            leaves.expect("a", anything())
        async with harness.scenario("waits") as waits:
            waits.expect("b", anything())
            await asyncio.sleep(0)
            await harness.disconnect()
            with pytest.raises(SubscriptionFailed, match=r"'b'.*disconnected"):
                await waits.ready()
        await harness.connect()


async def test_who_joins_in_the_turn_of_a_reconnection_is_let_in() -> None:
    async with shared(NoCorrelationPolicy()) as (transport, harness):
        transport.answers.clear()
        async with harness.scenario("waits") as waits:
            waits.expect("a", anything())
            await asyncio.sleep(0)
            await harness.disconnect()
            await harness.connect()
            transport.answers.set()
            async with harness.scenario("one") as one, harness.scenario("two") as two:
                one.expect("a", anything())
                transport.confirm("a")
                two.expect("a", anything())
                await asyncio.wait_for(two.ready(), 1)

"""Messages that met no expectation: kept with their bodies, each beside the expectation it came closest to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd import Harness, Scenario, ScopeOptions
from choreo_bdd.codecs import JSONCodec
from choreo_bdd.matchers import contains_fields
from choreo_bdd.transports import MockTransport

WATCHING = ScopeOptions(watch_similar_topics=True, keep_timeline=True)
SETTLED = {"status": "settled", "amount": 12}


def send(s: Scenario, topic: str, payload: Any, **extra: Any) -> None:
    """What a service does: nothing is stamped."""
    data = payload if isinstance(payload, bytes) else JSONCodec().encode({**payload, **extra})
    s.scope.links[None].harness.send(topic, data, on_sent=lambda: None, headers={}, key=None)


async def told(harness: Harness, act: Callable[[Scenario], None], *, amounts: tuple[int, ...] = (12,)) -> Any:
    """The result of a scenario that expects settled orders while something happens."""
    async with harness.scenario("strays", options=WATCHING) as s:
        for amount in amounts:
            s.expect("orders.settled", contains_fields({**SETTLED, "amount": amount}))
        s.publish("start", {})
        act(s)
        return await s.await_all(timeout_ms=100)


def summed_up(result: Any) -> list[Any]:
    return [
        (
            str(each.why),
            each.message.topic,
            each.message.payload["status"],
            result.handles.index(each.handle),
            [failure.path for failure in each.differences],
        )
        for each in result.strays
    ]


async def test_a_message_of_another_scenario_is_kept_with_what_differs(strict: Harness) -> None:
    result = await told(strict, lambda s: send(s, "orders.settled", SETTLED, amount=3, correlation_id="elsewhere"))
    assert summed_up(result) == [("foreign", "orders.settled", "settled", 0, ["amount"])]
    assert result.strays[0].ids == ("elsewhere",)


async def test_a_message_without_an_id_is_kept(strict: Harness) -> None:
    result = await told(strict, lambda s: send(s, "orders.settled", SETTLED))
    assert summed_up(result) == [("no id", "orders.settled", "settled", 0, [])]
    assert result.strays[0].ids == ()


async def test_a_message_on_a_topic_that_is_nearly_the_expected_one_is_kept(strict: Harness) -> None:
    result = await told(strict, lambda s: send(s, "orders.setled", SETTLED, correlation_id=s.correlation_id))
    assert summed_up(result) == [("other topic", "orders.setled", "settled", 0, [])]


async def test_it_stands_beside_the_expectation_it_came_closest_to(strict: Harness) -> None:
    result = await told(
        strict, lambda s: send(s, "orders.settled", SETTLED, correlation_id="elsewhere"), amounts=(3, 12)
    )
    assert summed_up(result) == [("foreign", "orders.settled", "settled", 1, [])]


async def test_a_message_of_a_scenario_that_still_runs_is_its_own_affair(strict: Harness) -> None:
    async with strict.scenario("neighbour") as other:
        result = await told(strict, lambda s: send(s, "orders.settled", SETTLED, correlation_id=other.correlation_id))
    assert result.strays == ()


async def test_what_was_judged_is_no_stray(strict: Harness) -> None:
    def act(s: Scenario) -> None:
        send(s, "orders.settled", SETTLED, amount=5, correlation_id=s.correlation_id)
        send(s, "orders.settled", SETTLED, correlation_id=s.correlation_id)

    result = await told(strict, act)
    assert result.passed
    assert result.strays == ()


async def test_what_comes_after_the_wait_is_kept_matching_or_not(strict: Harness) -> None:
    async with strict.scenario("late", options=WATCHING) as s:
        s.expect("nothing.else", contains_fields({}))
        s.publish("start", {})
        handle = s.scope.expect("orders.settled", contains_fields(SETTLED))
        s.scope.close_at(handle, s.scope.clock() + 0.05)
        await s.scope.decide([s.scope.expectation_of(handle)])
        for amount in (12, 4):
            send(s, "orders.settled", SETTLED, amount=amount, correlation_id=s.correlation_id)
        await asyncio.sleep(0.01)
        result = await s.await_all(timeout_ms=100)
    assert summed_up(result) == [
        ("late", "orders.settled", "settled", 1, []),
        ("late", "orders.settled", "settled", 1, ["amount"]),
    ]
    deadline = next(entry for entry in result.timeline if str(entry.action) == "deadline")
    assert result.strays[0].at >= deadline._wall_clock_epoch


async def test_what_nobody_can_read_is_kept_as_it_came(transport: MockTransport) -> None:
    harness = Harness(transport, codec=JSONCodec(strict=True))
    await harness.connect()
    result = await told(harness, lambda s: send(s, "orders.settled", b"\x00\xffnot json"))
    await harness.disconnect()
    unreadable = next(entry for entry in result.timeline if entry.detail.startswith("undecodable"))
    assert unreadable.message.payload == b"\x00\xffnot json"


async def test_what_reached_nobody_comes_back_with_the_words_of_the_broker(
    strict: Harness, transport: MockTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = transport.publish

    def telling(topic: str, payload: bytes, *, on_sent: Any, **extras: Any) -> None:
        publish(topic, payload, on_sent=on_sent, **extras)
        on_sent.unheard("no route")

    def publishing(s: Scenario) -> None:
        s.publish("orders.placed", {"status": "placed"})

    monkeypatch.setattr(transport, "publish", telling)
    result = await told(strict, publishing)
    stray = result.strays[-1]
    assert (str(stray.why), stray.message.payload["status"], stray.detail) == ("returned", "placed", "no route")

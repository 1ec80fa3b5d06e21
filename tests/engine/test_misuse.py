"""What was not meant is refused with advice, and what fails with nobody waiting is told."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from choreo_bdd import Harness
from choreo_bdd.matchers import anything
from choreo_bdd.transports import MockTransport
from tests.support.engine_doubles import BrokerLike


class TestMisuse:
    async def test_after_of_another_scenario(self, harness: Harness) -> None:
        async with harness.scenario("a") as a, harness.scenario("b") as b:
            with pytest.raises(ValueError, match="no expectation of scenario 'b'"):
                b.expect("u", anything(), after=a.expect("t", anything()))

    @pytest.mark.parametrize(("topic", "error"), [(None, TypeError), (b"t", TypeError), ("", ValueError)])
    async def test_what_is_no_topic(self, harness: Harness, topic: Any, error: type[Exception]) -> None:
        async with harness.scenario("s") as s:
            for arm in (
                lambda: s.expect(topic, anything()),
                lambda: s.on(topic).publish("t", {}),
                lambda: s.on("t").publish(topic, {}),
            ):
                with pytest.raises(error, match="topic"):
                    arm()

    @pytest.mark.parametrize("topic", ["orders*", "orders:*", "a.>.b", "a.b>"])
    async def test_half_a_pattern_is_nothing_to_listen_to(self, harness: Harness, topic: str) -> None:
        async with harness.scenario("s") as s:
            for arm in (
                lambda: s.expect(topic, anything()),
                lambda: s.expect_none(topic),
                lambda: s.on(topic).publish("t", {}),
            ):
                with pytest.raises(ValueError, match="cannot listen: the topic"):
                    arm()

    @pytest.mark.parametrize("word", ["exactly", "at_least", "at_most"])
    @pytest.mark.parametrize("number", [1.5, True, "2"])
    async def test_a_number_that_counts_nothing(self, harness: Harness, word: str, number: Any) -> None:
        async with harness.scenario("s") as s:
            with pytest.raises(TypeError, match=f"{word}= takes a whole number"):
                s.expect_count("t", anything(), **{word: number})

    @pytest.mark.parametrize("times", [0, -1, 1.5])
    async def test_a_reply_that_would_never_answer(self, harness: Harness, times: Any) -> None:
        async with harness.scenario("s") as s:
            with pytest.raises(ValueError, match="times="):
                s.on("t").publish("u", {}, times=times)

    async def test_an_async_callback(self, harness: Harness) -> None:
        async def callback(topic: str, payload: bytes) -> None: ...

        with pytest.raises(TypeError, match="async"):
            harness.subscribe("t", callback)  # type: ignore[arg-type] # the mistake itself


async def test_a_message_that_did_not_leave_is_told(caplog: pytest.LogCaptureFixture) -> None:
    transport = BrokerLike()
    harness = Harness(transport)
    await harness.connect()
    harness.publish("orders", {})
    transport.lose("orders", "too large")
    with caplog.at_level(logging.ERROR, "choreo_bdd.harness"):
        await asyncio.sleep(0)
    [told] = [
        each.getMessage()
        for each in caplog.records
        if each.levelno == logging.ERROR and each.name == "choreo_bdd.harness"
    ]
    assert "'orders'" in told
    assert "too large" in told


@pytest.mark.thorough
async def test_a_reply_answers_as_often_as_it_was_asked_to(harness: Harness) -> None:
    async with harness.scenario("often") as s:
        s.on("asked").publish("answered", {}, times=5000)
        handle = s.expect_count("answered", anything(), exactly=3000)
        for _ in range(3000):
            s.publish("asked", {})
        result = await s.await_all(timeout_ms=100)
    assert handle.was_fulfilled()
    assert result.replies[0].match_count == 3000


def test_a_harness_on_another_event_loop_says_so() -> None:
    harness = Harness(MockTransport())

    async def enter() -> None:
        async with harness.scenario("elsewhere"):
            pass

    first = asyncio.new_event_loop()
    first.run_until_complete(harness.connect())
    for use in (enter, harness.disconnect, harness.connect):
        with pytest.raises(RuntimeError, match="connected on another event loop"):
            asyncio.run(use())
    first.run_until_complete(harness.disconnect())
    first.close()
    asyncio.run(harness.connect())  # and may then begin anew elsewhere


@pytest.mark.parametrize("wrong", [None, {"total": 1}, 5])
async def test_what_is_no_matcher_is_refused_where_it_stands(harness: Harness, wrong: Any) -> None:
    async with harness.scenario("misuse") as s:
        for call in (
            lambda: s.expect("orders", wrong),
            lambda: s.expect_count("orders", wrong, exactly=1),
            lambda: s.expect_in_order([("orders", wrong)]),
        ):
            with pytest.raises(TypeError, match=r"'orders'.* needs a matcher, not (None|dict|int)"):
                call()


async def test_a_reply_to_what_is_no_matcher_is_refused_and_the_scenario_ends_as_ever(harness: Harness) -> None:
    wrong: Any = 5
    async with harness.scenario("misuse") as s:
        with pytest.raises(TypeError, match=r"on\('orders'\) needs a matcher, not int"):
            s.on("orders", wrong).publish("replies", {})
        s.expect_none("orders")
        s.publish("else", {})
        assert (await s.await_all(timeout_ms=1)).passed

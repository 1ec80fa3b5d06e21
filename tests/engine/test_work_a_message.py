"""What a message costs does not grow with those before it: counted, not timed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from choreo_bdd import Harness
from choreo_bdd.matchers import MatchResult
from choreo_bdd.transports import MockTransport

ROWS = 20


class Counting:
    """Takes messages with this number, or any; counts how often it is asked."""

    def __init__(self, number: int | None = None) -> None:
        self.asked = 0
        self._number = number

    @property
    def description(self) -> str:
        return f"number {self._number}"

    def match(self, payload: object) -> MatchResult:
        self.asked += 1
        return MatchResult(self._number in (None, payload), "asked")


@pytest.fixture
async def bus() -> AsyncIterator[Harness]:
    harness = Harness(MockTransport())
    await harness.connect()
    yield harness
    await harness.disconnect()


@pytest.mark.parametrize("messages", [100, 400])
async def test_each_counted_message_is_judged_once(bus: Harness, messages: int) -> None:
    matcher = Counting()
    async with bus.scenario("counting") as scenario:
        scenario.expect_count("t", matcher, exactly=messages)
        for number in range(messages):
            scenario.publish("t", number)
        (await scenario.await_all(timeout_ms=10)).assert_passed()
    assert matcher.asked == messages


@pytest.mark.parametrize("messages", [100, 400])
async def test_each_row_judges_each_message_at_most_once(bus: Harness, messages: int) -> None:
    rows = [Counting(number) for number in range(ROWS)]
    async with bus.scenario("rows") as scenario:
        for row in rows:
            scenario.expect("t", row)
        for number in reversed(range(messages)):
            scenario.publish("t", number)
        (await scenario.await_all(timeout_ms=2000)).assert_passed()
    assert all(row.asked <= messages for row in rows)

"""The way out every broker transport shares."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from choreo_bdd import Harness
from choreo_bdd.exceptions import PublishFailed
from choreo_bdd.matchers import anything
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.base import Ready
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing


async def test_messages_stuck_at_the_client_fail_when_the_transport_closes(caplog: pytest.LogCaptureFixture) -> None:
    async def never_written(batch: Sequence[Outgoing]) -> None:
        await asyncio.Event().wait()

    outbound = Outbound("SomeTransport", never_written)
    stuck = outbound.put(Outgoing("a", b"", NO_HEADERS, None, None))
    await asyncio.sleep(0)
    waiting = outbound.put(Outgoing("b", b"", NO_HEADERS, None, None))
    await outbound.stop(timeout_s=0)
    with pytest.raises(PublishFailed, match="'a': disconnected while it was being sent"):
        await stuck
    with pytest.raises(PublishFailed, match="'b': disconnected before it was sent"):
        await waiting
    assert "closes with 1 message(s) unsent" in caplog.text


class Slow(MockTransport):
    """A bus whose way out is held up until the test lets go."""

    def __init__(self) -> None:
        super().__init__()
        self.flows = asyncio.Event()
        self.outbound: Outbound | None = None

    async def connect(self) -> None:
        await super().connect()
        self.outbound = Outbound("Slow", self._write)

    async def disconnect(self) -> None:
        assert self.outbound is not None
        await self.outbound.stop(timeout_s=1)
        await super().disconnect()

    def publish(self, topic: str, payload: bytes, **extras: Any) -> Ready:
        assert self.outbound is not None
        return self.outbound.put(Outgoing(topic, payload, NO_HEADERS, None, extras["on_sent"]))

    async def _write(self, batch: Sequence[Outgoing]) -> None:
        for outgoing in batch:
            super().publish(outgoing.topic, outgoing.payload)
            outgoing.confirm()
        await self.flows.wait()


async def test_a_scenario_that_is_left_takes_what_it_has_not_sent_along() -> None:
    transport = Slow()
    harness = Harness(transport)
    await harness.connect()
    async with harness.scenario("held up") as s:
        s.expect("first", anything())
        s.publish("first", {})
        assert (await s.await_all(timeout_ms=5000)).passed
        for _ in range(3):
            s.publish("never", {})
    transport.flows.set()
    async with harness.scenario("the next one") as s:
        s.expect("next", anything())
        s.publish("next", {})
        assert (await s.await_all(timeout_ms=5000)).passed
    assert [topic for topic, _ in transport.sent()] == ["first", "next"]
    await harness.disconnect()


async def test_the_first_message_of_a_turn_is_written_at_once_and_order_is_kept() -> None:
    written: list[tuple[str, ...]] = []
    takes_at_once = True

    async def write(batch: Sequence[Outgoing]) -> None:
        written.append(tuple(each.topic for each in batch))

    def at_once(outgoing: Outgoing, _now: float) -> bool:
        if takes_at_once:
            written.append((outgoing.topic,))
        return takes_at_once

    outbound = Outbound("SomeTransport", write, at_once=at_once)

    def put(topics: str) -> None:
        for topic in topics:
            outbound.put(Outgoing(topic, b"", NO_HEADERS, None, None))

    put("abc")
    assert written == [("a",)]
    await asyncio.sleep(0)
    put("d")  # b and c may still be on their way
    await outbound.stop(timeout_s=1)
    assert [topic for batch in written for topic in batch] == ["a", "b", "c", "d"]
    assert written[1][:2] == ("b", "c")

    written.clear()
    takes_at_once = False
    outbound = Outbound("SomeTransport", write, at_once=at_once)
    put("ef")
    await outbound.stop(timeout_s=1)
    assert written == [("e", "f")]

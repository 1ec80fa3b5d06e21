"""What the memory bus keeps of what was sent is bounded, in messages and in bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from choreo_bdd.transports import MockTransport

LARGE = 1_000_000


@pytest.fixture
async def transport() -> AsyncIterator[MockTransport]:
    """A connected bus."""
    transport = MockTransport()
    await transport.connect()
    yield transport
    await transport.disconnect()


async def test_large_messages_are_kept_up_to_16_mb_together(transport: MockTransport) -> None:
    for n in range(40):
        transport.publish(f"large.{n}", bytes(LARGE))
    assert [topic for topic, _ in transport.sent()] == [f"large.{n}" for n in range(24, 40)]
    for n in range(3):
        transport.publish(f"small.{n}", b"{}")
    assert [topic for topic, _ in transport.sent()][-4:] == ["large.39", "small.0", "small.1", "small.2"]
    assert sum(len(payload) for _, payload in transport.sent()) <= 16 * LARGE


async def test_small_messages_are_kept_up_to_10000(transport: MockTransport) -> None:
    for n in range(10_005):
        transport.publish("small", str(n).encode())
    assert [int(payload) for _, payload in transport.sent()] == [*range(5, 10_005)]


async def test_the_last_message_is_kept_whatever_its_size(transport: MockTransport) -> None:
    transport.publish("small", b"{}")
    transport.publish("huge", bytes(20 * LARGE))
    assert [topic for topic, _ in transport.sent()] == ["huge"]

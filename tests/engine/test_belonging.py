"""A harness belongs to the event loop it was connected on, and its transport to it (issue 10 E)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from choreo_bdd import Harness, IdentityBridge, Stage
from choreo_bdd.stage.errors import StageConnectError
from choreo_bdd.transports import MockTransport
from tests.support.stage_doubles import make_stage

Use = Callable[[Harness], Any]


def _ignored(topic: str, payload: bytes) -> None:
    """Take a message."""


async def _begun(on: Harness | Stage) -> None:
    async with on.scenario("elsewhere"):
        pass


USES: dict[str, Use] = {
    "publish": lambda harness: harness.publish("t", {"n": 1}),
    "subscribe": lambda harness: harness.subscribe("t", _ignored),
    "unsubscribe": lambda harness: harness.unsubscribe("t", _ignored),
    "fence": lambda harness: harness.fence(["t"]),
    "stand_in": lambda harness: harness.stand_in("t", "u", {}),
    "heal": lambda harness: harness.heal(),
    "connect": lambda harness: harness.connect(),
    "disconnect": lambda harness: harness.disconnect(),
    "scenario": _begun,
}


class Broker(MockTransport):
    """A bus with a connection of its own, which cannot be made while the broker is not there."""

    lost = None
    is_there = True

    def on_lost(self, listener: Callable[[str], None]) -> None:
        """Never."""

    async def connect(self) -> None:
        """Fail, until it is there."""
        if not self.is_there:
            raise OSError("nobody there")
        await super().connect()


def on_two_loops(first: Callable[[], Awaitable[Any]], second: Callable[[], Awaitable[Any]]) -> None:
    """Run one part on a loop that then rests, and the next on another one; end what is left on the first."""

    async def elsewhere() -> None:
        await second()

    with asyncio.Runner() as runner:
        runner.run(_awaited(first))
        asyncio.run(elsewhere())


async def _awaited(call: Callable[[], Any]) -> Any:
    given = call()
    return await given if isinstance(given, Awaitable) else given


@pytest.mark.parametrize("use", USES)
def test_use_on_another_event_loop_is_refused_at_once_with_advice(use: str) -> None:
    harness = Harness(MockTransport())

    async def elsewhere() -> None:
        with pytest.raises(RuntimeError, match=r"connected on another event loop.*loop_scope"):
            await _awaited(lambda: USES[use](harness))

    on_two_loops(harness.connect, elsewhere)


def test_a_harness_may_go_to_another_loop_once_it_is_disconnected() -> None:
    harness = Harness(MockTransport())

    async def there_and_gone() -> None:
        await harness.connect()
        await harness.disconnect()

    async def elsewhere() -> None:
        await harness.connect()
        await harness.disconnect()

    on_two_loops(there_and_gone, elsewhere)
    assert not harness.is_connected()


def test_a_stage_on_another_event_loop_is_refused_and_can_still_be_ended_on_its_own() -> None:
    harness = Harness(MockTransport())
    stage = Stage({"bus": harness}, IdentityBridge())

    async def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="connected on another event loop"):
            await _begun(stage)
        with pytest.raises(RuntimeError, match="connected on another event loop"):
            await stage.disconnect()

    with asyncio.Runner() as runner:
        runner.run(stage.connect())
        asyncio.run(elsewhere())
        runner.run(stage.disconnect())
    assert not harness.is_connected()


async def test_a_second_harness_on_one_transport_is_refused_with_advice() -> None:
    transport = Broker()
    first, second = Harness(transport), Harness(transport)
    await first.connect()
    with pytest.raises(RuntimeError, match=r"Broker is in use by another harness.*a transport of its own"):
        await second.connect()
    assert not second.is_connected()
    await second.disconnect()
    await second.force_disconnect()
    async with first.scenario("goes on"):
        assert first.is_healthy()
    await first.disconnect()


async def test_a_harness_may_connect_again_to_its_own_transport() -> None:
    harness = Harness(Broker())
    for _ in range(2):
        await harness.connect()
        await harness.connect()
        await harness.disconnect()
    assert not harness.is_connected()


async def test_a_disconnected_harness_frees_its_transport() -> None:
    transport = Broker()
    first, second = Harness(transport), Harness(transport)
    await first.connect()
    await first.disconnect()
    await second.connect()
    assert second.is_connected()
    await second.disconnect()


async def test_a_forgotten_harness_frees_its_transport() -> None:
    transport = Broker()
    await Harness(transport).connect()
    gc.collect()
    harness = Harness(transport)
    await harness.connect()
    assert harness.is_connected()
    await harness.disconnect()


async def test_a_harness_that_could_not_connect_frees_its_transport() -> None:
    transport = Broker()
    first, second = Harness(transport), Harness(transport)
    transport.is_there = False
    with pytest.raises(OSError, match="nobody there"):
        await first.connect()
    transport.is_there = True
    await second.connect()
    assert second.is_connected()
    await second.disconnect()


async def test_a_stage_with_one_transport_under_two_names_says_so() -> None:
    transport = Broker()
    stage = make_stage(transport, transport)
    with pytest.raises(StageConnectError, match="right") as caught:
        await stage.connect()
    assert "in use by another harness" in str(caught.value.__cause__)
    assert not any(each.is_connected() for each in stage.harnesses.values())

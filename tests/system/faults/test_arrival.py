"""A message has the time at which its bytes came, whoever keeps it from being handed over."""

from __future__ import annotations

import asyncio
import time

import pytest

from choreo_bdd.message import Message
from tests.support.fault_sites import SITES, Site
from tests.support.proxy import proxy_to
from tests.support.subscribers import PATIENCE_S, new_topic
from tests.support.transport_kinds import make_transport

BURST = 20
BUSY_S = 0.02


class Stamps:
    """A subscriber that keeps the times of what it is handed."""

    def __init__(self) -> None:
        self.received_at: list[float] = []
        self.has_all = asyncio.Event()

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("it takes messages")

    def deliver(self, message: Message) -> None:
        self.received_at.append(message.received_at)
        if len(self.received_at) == BURST:
            self.has_all.set()


async def keep_busy() -> None:
    """Take long in every turn of the loop, as judging would."""
    while True:
        time.sleep(BUSY_S)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0)


async def test_a_busy_loop_delays_no_stamp(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fed_at: list[float] = []
    feed = asyncio.StreamReaderProtocol.data_received

    def noted(protocol: asyncio.StreamReaderProtocol, data: bytes) -> None:
        fed_at.append(asyncio.get_running_loop().time())
        feed(protocol, data)

    monkeypatch.setattr(asyncio.StreamReaderProtocol, "data_received", noted)
    async with proxy_to(site.broker.port) as proxy:
        url = site.broker.url.replace(f":{site.broker.port}", f":{proxy.port}")
        ours, theirs = make_transport(site.kind, url), make_transport(site.kind, site.broker.url)
        stamps, topic = Stamps(), new_topic()
        await ours.connect()
        await theirs.connect()
        await asyncio.wait_for(ours.subscribe(topic, stamps), PATIENCE_S)
        proxy.stall()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(theirs.publish(topic, f"{n}".encode()) for n in range(BURST)))
            busy = asyncio.create_task(keep_busy())
            proxy.resume()
            await stamps.has_all.wait()
        busy.cancel()
        for stamp in stamps.received_at:
            assert any(-BUSY_S / 2 < fed - stamp < 5 * BUSY_S for fed in fed_at)  # earlier, as the system tells of it
        await ours.disconnect()
        await theirs.disconnect()


HANDED_OVER_UNASKED = [each for each in SITES if each.values[0] not in ("kafka", "redis-streams")]
"""The others answer a request for more, which is sent when the answer before has been handed over."""


class SlowStamps(Stamps):
    """One that takes long over each message, and notes in which turn of the loop it has it."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        self.turns = set[int]()

    async def count_turns(self) -> None:
        while True:
            self._turn += 1
            await asyncio.sleep(0)

    def deliver(self, message: Message) -> None:
        self.turns.add(self._turn)
        super().deliver(message)
        time.sleep(BUSY_S)


@pytest.mark.parametrize("site", HANDED_OVER_UNASKED, indirect=True)
async def test_the_loop_looks_at_its_sockets_between_messages_that_come_at_once(site: Site) -> None:
    ours, theirs = make_transport(site.kind, site.broker.url), make_transport(site.kind, site.broker.url)
    stamps, topic = SlowStamps(), new_topic()
    await ours.connect()
    await theirs.connect()
    async with asyncio.timeout(PATIENCE_S):
        await ours.subscribe(topic, stamps)
        counting = asyncio.create_task(stamps.count_turns())
        await asyncio.gather(*(theirs.publish(topic, b"{}") for _ in range(BURST)))
        await stamps.has_all.wait()
    counting.cancel()
    assert len(stamps.turns) > BURST / 5  # a client that takes apart all it has read has one or two
    await ours.disconnect()
    await theirs.disconnect()

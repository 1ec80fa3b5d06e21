"""A message has the time at which its bytes came, whoever keeps it from being handed over (spec/steps.md 5)."""

from __future__ import annotations

import asyncio
import time

import pytest

from choreo_bdd.message import Message
from tests.support.fault_sites import Site
from tests.support.proxy import proxy_to
from tests.support.subscribers import PATIENCE_S, new_topic
from tests.support.transport_kinds import make_transport

BURST = 20
KINDS = [pytest.param(kind, marks=pytest.mark.broker) for kind in ("nats", "kafka", "rabbitmq", "redis")]
"""A parked read of streams is answered with the first entry alone: the others have not come by then."""


class Slow:
    """A subscriber that takes its time with the first message, and holds up the loop meanwhile."""

    def __init__(self) -> None:
        self.began_at = 0.0
        self.received_at: list[float] = []
        self.has_all = asyncio.Event()

    def __call__(self, topic: str, payload: bytes) -> None:
        raise AssertionError("it takes messages")

    def deliver(self, message: Message) -> None:
        if not self.received_at:
            self.began_at = asyncio.get_running_loop().time()
            time.sleep(0.2)
        self.received_at.append(message.received_at)
        if len(self.received_at) == BURST:
            self.has_all.set()


@pytest.mark.parametrize("site", KINDS, indirect=True)
async def test_what_came_together_has_one_time_however_long_the_first_of_it_takes(site: Site) -> None:
    async with proxy_to(site.broker.port) as proxy:
        url = site.broker.url.replace(f":{site.broker.port}", f":{proxy.port}")
        ours, theirs = make_transport(site.kind, url), make_transport(site.kind, site.broker.url)
        slow, topic = Slow(), new_topic()
        await ours.connect()
        await theirs.connect()
        await asyncio.wait_for(ours.subscribe(topic, slow), PATIENCE_S)
        proxy.stall()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(theirs.publish(topic, f"{n}".encode()) for n in range(BURST)))
            proxy.resume()
            await slow.has_all.wait()
        assert max(slow.received_at) <= slow.began_at
        await ours.disconnect()
        await theirs.disconnect()

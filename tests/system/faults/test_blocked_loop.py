"""A loop that is blocked across the end of a window looks late: what had come by then counts, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Outcome, Scenario
from choreo_bdd.loop import LoopThread
from choreo_bdd.matchers import anything
from choreo_bdd.scenario import Cause, Occurs
from tests.support.fault_sites import Site
from tests.support.subscribers import PATIENCE_S, new_topic
from tests.support.transport_kinds import make_transport

WINDOW_S, BEHIND_S = 0.3, 0.5
THREE = Occurs(3, 3)


class Service:
    """Somebody on a thread of its own, whom a blocked loop does not keep from sending."""

    def __init__(self, site: Site) -> None:
        self._thread = LoopThread()
        self._thread.start()
        self._transport = make_transport(site.kind, site.broker.url)
        self._thread.run(self._transport.connect(), timeout_s=PATIENCE_S)

    def send_three(self, topic: str, correlation_id: str) -> None:
        """Return once the broker has three messages."""
        payload = json.dumps({"correlation_id": correlation_id}).encode()

        async def send() -> None:
            await asyncio.gather(*(self._transport.publish(topic, payload) for _ in range(3)))

        self._thread.run(send(), timeout_s=PATIENCE_S)

    def stop(self) -> None:
        """Disconnect."""
        self._thread.run(self._transport.disconnect(), timeout_s=PATIENCE_S)
        self._thread.stop()


@pytest.fixture
def service(site: Site) -> Iterator[Service]:
    service = Service(site)
    yield service
    service.stop()


@pytest.fixture
async def harness(site: Site) -> AsyncIterator[Harness]:
    harness = Harness(make_transport(site.kind, site.broker.url), correlation=DictFieldPolicy("correlation_id"))
    await harness.connect()
    yield harness
    await harness.disconnect()


def block_until(s: Scenario, moment: float) -> None:
    time.sleep(max(0.0, moment - s.scope.clock()))


@pytest.mark.parametrize("waits_before", [True, False], ids=["its step is reached before", "its step is reached after"])
async def test_what_came_in_time_counts(harness: Harness, service: Service, *, waits_before: bool) -> None:
    topic = new_topic()
    async with harness.scenario("blocked") as s:
        handle = s.scope.expect(topic, anything(), occurs=THREE)
        await s.ready()
        ends = s.scope.clock() + WINDOW_S
        s.scope.close_at(handle, ends)
        if waits_before:
            s.scope.awaited([handle])
        service.send_three(topic, str(s.correlation_id))
        block_until(s, ends + BEHIND_S)
        if not waits_before:
            await asyncio.sleep(BEHIND_S)
        await s.scope.decide([s.scope.expectation_of(handle)])
    assert (handle.outcome, s.scope.expectation_of(handle).count) == (Outcome.PASS, 3)


async def test_a_latency_is_what_it_was(site: Site, harness: Harness, service: Service) -> None:
    topic = new_topic()
    async with harness.scenario("blocked, in time") as s:
        handle = s.expect(topic, anything()).within_ms(WINDOW_S * 1000)
        await s.ready()
        began = s.scope.clock()
        service.send_three(topic, str(s.correlation_id))
        block_until(s, began + WINDOW_S + BEHIND_S)
        await s.scope.wait([handle], began + PATIENCE_S)
    assert handle.diagnosis is not None
    if site.kind in ("kafka", "nats") and handle.outcome is Outcome.SLOW:  # it was not fetched; a PING came behind it
        assert handle.diagnosis.cause is Cause.LATENCY_UNKNOWN, handle.reason
        assert "the event loop was blocked" in handle.diagnosis.sentence
    else:
        assert handle.outcome is Outcome.PASS, handle.reason


async def test_what_came_late_does_not_count(harness: Harness, service: Service) -> None:
    topic = new_topic()
    async with harness.scenario("blocked, and late") as s:
        handle = s.scope.expect(topic, anything(), occurs=THREE)
        await s.ready()
        ends = s.scope.clock() + WINDOW_S
        s.scope.close_at(handle, ends)
        block_until(s, ends + BEHIND_S)
        await asyncio.sleep(BEHIND_S)
        service.send_three(topic, str(s.correlation_id))
        await asyncio.sleep(BEHIND_S)
        await s.scope.decide([s.scope.expectation_of(handle)])
    assert (handle.outcome, s.scope.expectation_of(handle).count) == (Outcome.TIMEOUT, 0)

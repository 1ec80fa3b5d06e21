"""A connection that breaks and is mended while a window is open: nobody takes what went by for what did not come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from choreo_bdd import Outcome, Scenario
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, Handle, Occurs
from tests.support.brokers import start_or_skip
from tests.support.fault_sites import ABSENT, PATIENCE_MS, Site, disconnect_in_time
from tests.support.leftovers import nothing_left
from tests.support.proxy import proxy_to
from tests.support.subscribers import new_topic
from tests.support.transport_kinds import make_transport

pytestmark = pytest.mark.broker

ONE = field_equals("n", 1)
WINDOW_MS = 1500
PROGRAMS: dict[str, Any] = {
    "nats": lambda: start_or_skip("nats"),
    "kafka": lambda: start_or_skip("kafka", implementation="tansu"),
    "rabbitmq": lambda: start_or_skip("rabbitmq"),
    "redis": lambda: start_or_skip("redis"),
    "redis-streams": lambda: start_or_skip("redis"),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def own_site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A broker of this module's own, which a test may restart."""
    with PROGRAMS[request.param]() as broker:
        yield Site(request.param, broker)


class Checks:
    """One of each kind, on one topic: that none comes, that one comes, and a wait that begins with it."""

    def __init__(self, s: Scenario) -> None:
        self.topic = new_topic()
        self.absence = s.scope.expect(self.topic, ONE, occurs=ABSENT)
        self.exactly = s.scope.expect(self.topic, ONE, occurs=Occurs(1, 1))
        self.wait = s.expect(self.topic, ONE)

    def assert_right(self, *, came_before: bool) -> None:
        """Right, or nobody's to know: never by not having looked."""
        assert self.absence.outcome is not Outcome.PASS
        for handle in (self.exactly, self.wait):
            assert handle.outcome is Outcome.PASS or _cause(handle) is Cause.TRANSPORT_FAILED, str(handle.diagnosis)
        assert not came_before or self.wait.outcome is Outcome.PASS


def _cause(handle: Handle) -> Cause | None:
    return None if handle.diagnosis is None else handle.diagnosis.cause


async def say(broker: Broker, kind: str, checks: Checks, s: Scenario) -> None:
    """Have somebody else send the message, past the broken wire."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        other = make_transport(kind, broker.url)
        await other.connect()
        await other.publish(checks.topic, json.dumps({"n": 1, "correlation_id": s.correlation_id}).encode())
        await other.disconnect()


@asynccontextmanager
async def checked_at(site: Site, port: int) -> AsyncIterator[tuple[Scenario, Checks]]:
    """A scenario whose checks listen and that has published; what it connected is disconnected in time."""
    harness = site.harness_at(port)
    await harness.connect()
    async with harness.scenario("reconnects") as s:
        checks = Checks(s)
        s.publish(new_topic(), {"n": 0})
        await s.ready()
        yield s, checks
    await disconnect_in_time(harness)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_a_wire_that_is_cut_and_mended_within_a_window_hides_nothing(site: Site, *, before: bool) -> None:
    async with nothing_left(), proxy_to(site.broker.port) as proxy:
        async with checked_at(site, proxy.port) as (s, checks):
            if before:
                await say(site.broker, site.kind, checks, s)
                await s.scope.wait([checks.wait], s.scope.clock() + PATIENCE_MS / 1000)
            judging = asyncio.create_task(s.await_all(timeout_ms=WINDOW_MS))
            await asyncio.sleep(0.05)
            proxy.cut()
            await asyncio.sleep(0.2)
            proxy.mend()
            if not before:
                await say(site.broker, site.kind, checks, s)
            await judging
        checks.assert_right(came_before=before)


async def test_a_server_restarted_within_a_window_hides_nothing(own_site: Site) -> None:
    broker = own_site.broker
    async with nothing_left():
        async with checked_at(own_site, broker.port) as (s, checks):
            judging = asyncio.create_task(s.await_all(timeout_ms=4 * WINDOW_MS))
            await asyncio.to_thread(broker.restart)
            await say(broker, own_site.kind, checks, s)
            await judging
        checks.assert_right(came_before=False)

"""A link that takes its time: what the broker had in time counts, however long it is under way."""

from __future__ import annotations

import asyncio
import json

import pytest

from choreo_bdd import Outcome
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, Occurs
from tests.support.fault_sites import ABSENT, PATIENCE_MS, Site
from tests.support.proxy import proxy_to
from tests.support.subscribers import new_topic
from tests.support.transport_kinds import make_transport

WINDOW_MS = 50
UNDER_WAY_S = 0.2
ONE = field_equals("n", 1)


@pytest.mark.parametrize("way", ["there_s", "back_s"])
async def test_what_the_broker_had_in_time_counts(way: str, site: Site) -> None:
    topic, quiet, start = new_topic(), new_topic(), new_topic()
    other = make_transport(site.kind, site.broker.url)
    await other.connect()
    async with proxy_to(site.broker.port) as proxy:
        harness = site.harness_at(proxy.port)
        await harness.connect()
        made = harness.transport.publish(start, b"{}")  # a topic that is new takes its time
        assert made is not None
        await made
        async with harness.scenario("behind a slow link") as s:
            s.expect(topic, ONE)
            absence = s.scope.expect(topic, ONE, occurs=ABSENT)
            exactly = s.scope.expect(topic, ONE, occurs=Occurs(1, 1))
            sound = s.scope.expect(topic, ONE, occurs=Occurs(2, 2))
            silence = s.scope.expect(quiet, ONE, occurs=ABSENT)
            await s.scope.ready()
            setattr(proxy, way, UNDER_WAY_S)
            s.publish(start, {})
            for _ in range(2):
                await other.publish(topic, json.dumps({"n": 1, "correlation_id": s.correlation_id}).encode())
            async with asyncio.timeout(PATIENCE_MS / 1000):
                await s.await_all(timeout_ms=WINDOW_MS)
        await harness.disconnect()
    await other.disconnect()
    for handle in (absence, exactly):
        assert handle.diagnosis is not None
        assert handle.diagnosis.cause is Cause.UNEXPECTED, str(handle.diagnosis)
    for handle in (sound, silence):
        assert handle.outcome is Outcome.PASS, str(handle.diagnosis)

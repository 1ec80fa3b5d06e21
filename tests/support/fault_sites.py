"""The broker transports, as the fault tests reach them: directly, or through a proxy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness, Outcome, Scenario
from choreo_bdd.brokers import Broker
from choreo_bdd.matchers import field_equals
from choreo_bdd.scenario import Cause, Occurs
from tests.support.subscribers import new_topic
from tests.support.transport_kinds import BROKER_KINDS, make_transport

PATIENCE_MS = 8000
TEARDOWN_S = 2.0
SLACK_S = 2.0
"""What a busy machine may add to a bound; without the bound it would be tens of seconds, or for ever."""

ABSENT = Occurs(0, 0)
SITES = [pytest.param(kind, marks=pytest.mark.broker) for kind in BROKER_KINDS]


@dataclass(frozen=True, slots=True)
class Site:
    """A kind of transport and the broker it talks to."""

    kind: str
    broker: Broker

    def harness_at(self, port: int, **options: Any) -> Harness:
        """A harness, not connected yet, that looks for its broker on this port."""
        url = self.broker.url.replace(f":{self.broker.port}", f":{port}")
        policy = DictFieldPolicy("correlation_id", strict=True)
        return Harness(make_transport(self.kind, url, **options), correlation=policy)


async def assert_works(harness: Harness) -> None:
    """A whole scenario goes through."""
    topic = new_topic()
    async with harness.scenario("the next one") as s:
        handle = s.expect(topic, field_equals("n", 1))
        s.publish(topic, {"n": 1})
        (await s.await_all(timeout_ms=PATIENCE_MS)).assert_passed()
        assert handle.message["n"] == 1


class Watched:
    """A scenario that waits for a message and for the absence of another, on a transport in trouble."""

    def __init__(self, s: Scenario) -> None:
        self.topic = new_topic()
        self.wanted = s.expect(self.topic, field_equals("n", 1))
        self.unwanted = s.scope.expect(self.topic, field_equals("n", 2), occurs=ABSENT)
        self._s = s

    def assert_told(self, result: Any) -> None:
        """Neither says that nothing came: nobody knows."""
        assert not result.passed
        for handle in (self.wanted, self.unwanted):
            assert handle.outcome is Outcome.TIMEOUT
            assert handle.diagnosis is not None
            assert handle.diagnosis.cause is Cause.TRANSPORT_FAILED, handle.diagnosis.text
            assert self.topic in handle.diagnosis.sentence


async def disconnect_in_time(harness: Harness) -> None:
    began = time.monotonic()
    await harness.disconnect()
    assert time.monotonic() - began < TEARDOWN_S + SLACK_S

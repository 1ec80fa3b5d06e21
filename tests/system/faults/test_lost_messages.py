"""Readiness is a promise: what another process publishes right after arming is never lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from choreo_bdd import Harness, NoCorrelationPolicy
from choreo_bdd.matchers import field_equals
from tests.support.fault_sites import Site
from tests.support.subscribers import new_topic
from tests.support.transport_kinds import make_transport

ROUNDS = 1000
TOPICS = 25
"""Topics are used again and again, as in a real suite; a new one each time would mostly test making topics."""


@asynccontextmanager
async def outside_publisher(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    program = Path(__file__).parents[3] / "tests/support/outside_publisher.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        site.kind,
        site.broker.url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert await process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        process.stdin.close()
        await process.wait()


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # asyncio's own, of the pipes
async def test_nothing_of_a_thousand_messages_published_right_after_arming_is_lost(site: Site) -> None:
    harness = Harness(make_transport(site.kind, site.broker.url), correlation=NoCorrelationPolicy())
    await harness.connect()
    topics = [new_topic() for _ in range(TOPICS)]
    lost = 0
    async with outside_publisher(site) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(ROUNDS):
            topic = topics[number % TOPICS]
            async with harness.scenario("armed") as s:
                handle = s.expect(topic, field_equals("n", 1))
                await s.ready()
                process.stdin.write(f"{topic}\n".encode())
                assert await process.stdout.readline() == b"sent\n"
                await s.scope.wait([handle], s.scope.clock() + 5)
                lost += not handle.was_fulfilled()
                s.scope.close()
    assert lost == 0
    await harness.disconnect()

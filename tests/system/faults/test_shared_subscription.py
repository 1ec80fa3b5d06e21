"""A scenario that joins a subscription others have takes nothing that was on its way before it began."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from choreo_bdd import Harness, NoCorrelationPolicy, Outcome
from choreo_bdd.matchers import anything, field_equals
from tests.support.fault_sites import Site
from tests.support.subscribers import new_topic
from tests.support.transport_kinds import make_transport

PUBLISHER = Path(__file__).parents[2] / "support/outside_publisher.py"
ROUNDS = 5


@contextmanager
def blocking_publisher(site: Site) -> Iterator[Callable[[str], None]]:
    """Another process publishes and the broker has it; our loop stands still meanwhile, and has read none of it."""
    command = [sys.executable, str(PUBLISHER), site.kind, site.broker.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pipe_in, pipe_out = process.stdin, process.stdout

        def publish(topic: str) -> None:
            pipe_in.write(f"{topic}\n".encode())
            pipe_in.flush()
            assert pipe_out.readline() == b"sent\n"

        assert pipe_out.readline() == b"ready\n"
        yield publish
        pipe_in.close()


async def test_a_message_from_before_is_none_of_a_scenario_that_joins(site: Site) -> None:
    harness = Harness(make_transport(site.kind, site.broker.url), correlation=NoCorrelationPolicy())
    await harness.connect()
    topic, go, taken = new_topic(), new_topic(), []
    with blocking_publisher(site) as publish:
        async with harness.scenario("a long one that listens there, too") as long:
            every = long.expect_count(topic, anything(), at_least=2 * ROUNDS)
            long.expect(go, anything())
            await long.ready()
            for _ in range(ROUNDS):
                publish(topic)
                async with harness.scenario("begins now") as s:
                    before = s.expect_none(topic)
                    s.expect(go, anything())
                    await s.ready()
                    s.publish(go, {})
                    await s.await_all(timeout_ms=200)
                    taken.append(before.outcome)
                async with harness.scenario("hears what comes from now on") as s:
                    s.expect(topic, field_equals("n", 1))
                    await s.ready()
                    publish(topic)
                    s.publish(go, {})
                    (await s.await_all(timeout_ms=5000)).assert_passed()
            long.publish(go, {})
            await long.await_all(timeout_ms=5000)
        assert every.outcome is Outcome.PASS, "who was there first hears it all"
    assert taken == [Outcome.PASS] * ROUNDS
    await harness.disconnect()

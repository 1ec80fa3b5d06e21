"""Order across two topics of one broker: what was sent first came first, and nothing else passes.

    python -m bench.truth.order [--trials 200] [nats kafka rabbitmq redis redis-streams]

A service in a process of its own sends two messages on two topics, each taken by the broker before the next. Half of
the trials send them as the scenario expects and have to pass; the other half send them the other way round and have to
fail. Prints a table; exits 1 when any verdict was wrong. A right order that "cannot be told" is no guess, and has a
column of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.truth.outside import KINDS, Publisher, publisher, served
from choreo_bdd import Harness
from choreo_bdd.correlation import NoCorrelationPolicy
from choreo_bdd.matchers import field_equals

RIGHT_S, WRONG_S = 3.0, 0.25
"""How long what has to pass may take, and how long is waited for what must not come."""
ONE = field_equals("n", 1)


@dataclass(frozen=True, slots=True)
class Row:
    """The verdicts over one broker."""

    kind: str
    false_fails: int
    false_passes: int
    untold: int


async def trial(harness: Harness, outside: Publisher, *, right: bool) -> tuple[bool, str]:
    """Whether a scenario passed that expects orders, then payments; and what it said if not."""
    orders, payments = "order.orders", "order.payments"
    async with harness.scenario("orders, then payments") as scenario:
        if right:
            scenario.expect(payments, ONE)  # so that payments is listened to first
        scenario.expect_in_order([(orders, ONE), (payments, ONE)])
        await scenario.ready()
        for topic in (orders, payments) if right else (payments, orders):
            await outside.publish(topic)
        scenario.publish("order.go", {})
        result = await scenario.await_all(timeout_ms=1000 * (RIGHT_S if right else WRONG_S))
    return result.passed, str(result)


@asynccontextmanager
async def bus_and_service(kind: str) -> AsyncIterator[tuple[Harness, Publisher]]:
    """A connected harness and a service, on a broker of their own."""
    async with served(kind) as (url, transport), publisher(kind, url) as outside:
        harness = Harness(transport, correlation=NoCorrelationPolicy(is_meant=True))
        await harness.connect()
        try:
            yield harness, outside
        finally:
            await harness.disconnect()


async def row(kind: str, trials: int) -> Row:
    """Half of the trials right, half of them wrong, in turn."""
    false_fails = false_passes = untold = 0
    async with bus_and_service(kind) as (harness, outside):
        for _ in range(trials // 2):
            passed, said = await trial(harness, outside, right=True)
            is_told = "cannot be told" not in said
            false_fails += not passed and is_told
            untold += not passed and not is_told
            passed, _ = await trial(harness, outside, right=False)
            false_passes += passed
    return Row(kind, false_fails, false_passes, untold)


async def main(kinds: list[str], trials: int) -> int:
    """Measure kind after kind."""
    print(f"{'broker':<14} {'false fails':>11} {'false passes':>12} {'cannot be told':>14}  of {trials}")
    is_right = True
    for kind in kinds:
        each = await row(kind, trials)
        print(f"{each.kind:<14} {each.false_fails:>11} {each.false_passes:>12} {each.untold:>14}", flush=True)
        is_right &= each.false_fails == each.false_passes == 0
    return 0 if is_right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.kinds, given.trials)))

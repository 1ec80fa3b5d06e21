"""A soak: mixed scenarios on all transports at once, with faults, and nothing may be left behind.

    python -m bench.soak [--minutes 30] [memory nats kafka rabbitmq redis redis-streams]

Each transport goes through a proxy to a broker of its own, and has a dozen scenarios running at any time: passing,
near-misses, absences, counts, bytes that are no JSON, large payloads, cancelled and raising ones; one round in ten its
wire is cut or falls silent in the middle of one. Whenever all are quiet, the process (tasks, threads, sockets,
descriptors, child processes) and the brokers (connections, subscriptions, consumers, queues, exchanges, keys, topics,
groups) hold what they held once each fault was met, and in the end what they held before. Exit code 1 when a verdict
was wrong, something was left, or memory grew: by the medians of the second and the last quarter, more than ``GROWTH``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.soak import census
from bench.soak.census import Census
from bench.soak.scenarios import FAULTS, PLAYS
from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.brokers import Broker, NatsOptions, start
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.transports import MockTransport
from tests.support.proxy import Proxy, proxy_to
from tests.support.transport_kinds import BROKER_KINDS, make_transport

KINDS = ("memory", *BROKER_KINDS)
GROWTH = 1.05
TOPICS = 4
FAULT_EVERY = 10
_SETTLE_S = 15.0


@dataclass(slots=True)
class Site:
    """One transport under soak."""

    kind: str
    harness: Harness
    proxy: Proxy | None = None
    played: int = 0
    wrong: list[str] = field(default_factory=list)

    async def round(self, number: int) -> None:
        """A fault, when it is its turn; then every play, on all topics at once."""
        if self.proxy is not None and number % FAULT_EVERY == 0:
            name = list(FAULTS)[number // FAULT_EVERY % len(FAULTS)]
            await self._play(name, FAULTS[name](self.harness, f"soak.{self.kind}.0", self.proxy))
        await asyncio.gather(*(self._plays(f"soak.{self.kind}.{topic}") for topic in range(TOPICS)))

    async def _plays(self, topic: str) -> None:
        for play in PLAYS:
            await self._play(play.__name__, play(self.harness, topic))

    async def _play(self, name: str, scenario: Coroutine[Any, Any, str | None]) -> None:
        try:
            wrong = await scenario
        except Exception as error:  # noqa: BLE001 - one scenario's end is not that of the soak
            wrong = f"{type(error).__name__}: {error}"
        self.played += 1
        if wrong is not None:
            self.wrong.append(f"{self.kind}, {name}: {wrong}")
            print(self.wrong[-1], flush=True)


@dataclass(slots=True)
class Soak:
    """The run, and what it has seen."""

    sites: Sequence[Site]
    brokers: Sequence[Broker]
    monitoring_port: int
    memory_mb: list[float] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    async def run(self, until: float) -> None:
        """Blocks of rounds until this moment of the monotonic clock; what is held is compared once each fault was."""
        began, block, held = time.monotonic(), 0, None
        while time.monotonic() < until or block <= len(FAULTS):
            for number in range(FAULT_EVERY):
                await asyncio.gather(*(site.round(block * FAULT_EVERY + number) for site in self.sites))
            block += 1
            if held is not None:
                await self.compare(f"block {block}", held, self._census)
            elif block == len(FAULTS):
                held = await self._census()
            self.memory_mb.append(census.memory_mb())
            played = sum(site.played for site in self.sites)
            print(f"{time.monotonic() - began:7.0f} s {played:8} scenarios {self.memory_mb[-1]:8.1f} MB", flush=True)

    async def _census(self) -> Census:
        found = dict(census.of_process())
        for each in self.brokers:
            found |= await census.of_broker(each, self.monitoring_port)
        return found

    async def compare(self, when: str, held: Census, count: Callable[[], Awaitable[Census]]) -> None:
        """Keep what there is more of; what is about to end gets the time to do so."""
        deadline = time.monotonic() + _SETTLE_S
        while True:
            now = await count()
            more = {name: f"{held.get(name, 0)} -> {now[name]}" for name in now if now[name] > held.get(name, 0)}
            if not more or time.monotonic() > deadline:
                break
            await asyncio.sleep(1)
        self.left |= {f"{when}: {name}": counts for name, counts in more.items()}

    def growth(self) -> float:
        """Memory in the last quarter over memory in the second, by medians."""
        quarter = max(1, len(self.memory_mb) // 4)
        return statistics.median(self.memory_mb[-quarter:]) / statistics.median(self.memory_mb[quarter : 2 * quarter])


@contextlib.asynccontextmanager
async def site_of(kind: str, broker: Broker | None) -> AsyncIterator[Site]:
    """A connected harness of this kind behind a proxy."""
    policy = DictFieldPolicy("correlation_id", strict=True)
    async with contextlib.AsyncExitStack() as ending:
        proxy: Proxy | None = None
        transport: Any = MockTransport()
        if broker is not None:
            proxy = await ending.enter_async_context(proxy_to(broker.port))
            transport = make_transport(kind, broker.url.replace(f":{broker.port}", f":{proxy.port}"))
        harness = Harness(transport, correlation=policy)
        await harness.connect()
        ending.push_async_callback(harness.disconnect)
        yield Site(kind, harness, proxy)


@contextlib.contextmanager
def brokers_for(kinds: Sequence[str], monitoring_port: int) -> Any:
    """A broker for each kind that wants one, by its name."""
    wanted = {BROKER_KINDS[kind].broker for kind in kinds if kind in BROKER_KINDS}
    with contextlib.ExitStack() as ending:
        nats = {"config": NatsOptions(config=f"http: 127.0.0.1:{monitoring_port}").config}
        yield {name: ending.enter_context(start(name, **(nats if name == "nats" else {}))) for name in wanted}


async def soak(kinds: Sequence[str], minutes: float) -> int:
    """The whole; the exit code."""
    port = free_port()
    with brokers_for(kinds, port) as brokers:
        before = census.of_process()
        async with contextlib.AsyncExitStack() as ending:
            sites = [
                await ending.enter_async_context(
                    site_of(kind, brokers[BROKER_KINDS[kind].broker] if kind in BROKER_KINDS else None)
                )
                for kind in kinds
            ]
            run = Soak(sites, tuple(brokers.values()), port)
            await run.run(time.monotonic() + minutes * 60)
        await run.compare("the end", before, _of_process)
    return _told(run)


async def _of_process() -> Census:
    return census.of_process()


def _told(run: Soak) -> int:
    for site in run.sites:
        print(f"{site.kind:<14} {site.played:7} scenarios, {len(site.wrong)} with a wrong verdict")
    for name, more in run.left.items():
        print(f"left behind: {name} {more}")
    growth = run.growth()
    from_to = f"{run.memory_mb[0]:.1f} -> {run.memory_mb[-1]:.1f} MB"
    print(f"memory {from_to}; last quarter over second {growth:.3f}, bar {GROWTH}")
    return int(growth > GROWTH or bool(run.left) or any(site.wrong for site in run.sites))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", default=KINDS, choices=KINDS, metavar="KIND")
    parser.add_argument("--minutes", type=float, default=30)
    asked = parser.parse_args(arguments)
    return asyncio.run(soak(asked.kinds, asked.minutes))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

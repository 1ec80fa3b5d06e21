"""A soak: mixed scenarios on all transports at once, with faults, and nothing may be left behind.

    python -m bench.soak [--minutes 30 | --scenarios 10000] [memory nats kafka rabbitmq redis redis-streams]

Each transport goes through a proxy to a broker of its own, and has a few scenarios running at any time: passing,
near-misses, absences, counts, bytes that are no JSON, large payloads, cancelled and raising ones; one round in ten its
wire is cut or falls silent in the middle of one. Whenever all are quiet, the process (tasks, threads, sockets,
descriptors, child processes) and the brokers (connections, subscriptions, consumers, queues, exchanges, keys, topics,
groups) hold what they held once each fault was met, and in the end what they held before. Exit code 1 when a verdict
was wrong, something was left, too many scenarios were not looked at in time (``UNSERVED``), or memory grew: by the
medians of the second and the last quarter, more than ``GROWTH`` (told of runs long enough to have quarters).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from bench.soak import census
from bench.soak.census import Census
from bench.soak.scenarios import FAULTS, PLAYS, Unserved
from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.brokers import Broker, start
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.transports import MockTransport
from tests.support.proxy import Proxy, proxy_to
from tests.support.transport_kinds import BROKER_KINDS, make_transport

KINDS = ("memory", *BROKER_KINDS)
GROWTH = 1.05
UNSERVED = 0.05
"""Of all scenarios, so many may say that the machine was too slow to look in time."""

_QUARTERS_FROM = 8
_SETTLE_S = 15.0
_DATA = frozenset({"kafka topics", "redis keys"})
"""What messages are kept in: it stays, and is no more than there are topics."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a soak lasts, at the least; on how many topics at once; how many rounds there are to one fault."""

    minutes: float = 0
    scenarios: int = 0
    topics: int = 4
    fault_every: int = 10


@dataclass(slots=True)
class Site:
    """One transport under soak."""

    kind: str
    harness: Harness
    proxy: Proxy | None = None
    played: int = 0
    unserved: int = 0
    wrong: list[str] = field(default_factory=list)

    async def round(self, topics: int, fault: str | None = None) -> None:
        """A fault, when it is its turn; then every play, on all topics at once."""
        if self.proxy is not None and fault is not None:
            await self._play(fault, FAULTS[fault](self.harness, f"soak.{self.kind}.0", self.proxy))
        await asyncio.gather(*(self._plays(f"soak.{self.kind}.{topic}") for topic in range(topics)))

    async def _plays(self, topic: str) -> None:
        for play in PLAYS:
            await self._play(play.__name__, play(self.harness, topic))

    async def _play(self, name: str, scenario: Awaitable[str | None]) -> None:
        wrong: str | None = None
        try:
            wrong = await scenario
        except Unserved:
            self.unserved += 1
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
    held: Census = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)

    async def run(self, length: Length) -> None:
        """Blocks of rounds, each with one fault; what is held is compared with what was once each fault was met."""
        began, block, held = time.monotonic(), 0, None
        while block <= len(FAULTS) or not self._is_enough(length, time.monotonic() - began):
            fault = list(FAULTS)[block % len(FAULTS)]
            for each in (fault, *[None] * (length.fault_every - 1)):
                await asyncio.gather(*(site.round(length.topics, each) for site in self.sites))
            block += 1
            if held is not None:
                await self.compare(f"block {block}", held)
            elif block == len(FAULTS):
                self.held = held = await self.census()
            self.memory_mb.append(census.memory_mb())
            print(
                f"{time.monotonic() - began:7.0f} s {self.played:8} scenarios {self.memory_mb[-1]:8.1f} MB", flush=True
            )

    def _is_enough(self, length: Length, passed_s: float) -> bool:
        return passed_s >= length.minutes * 60 and self.played >= length.scenarios

    @property
    def played(self) -> int:
        """Scenarios so far."""
        return sum(site.played for site in self.sites)

    async def census(self) -> Census:
        """What the process and the brokers hold now."""
        found = dict(census.of_process())
        for each in self.brokers:
            found |= await census.of_broker(each, self.monitoring_port)
        return found

    async def compare(self, when: str, held: Census) -> None:
        """Keep what there is more of; what is about to end gets the time to do so.

        A busy broker may take that long to say what it holds: what counts is a census that has begun afterwards.
        """
        deadline = time.monotonic() + _SETTLE_S
        while True:
            began = time.monotonic()
            now = await self.census()
            allowed = {**held, **census.POOLS}
            more = {name: f"{held.get(name, 0)} -> {now[name]}" for name in now if now[name] > allowed.get(name, 0)}
            if not more or began > deadline:
                break
            await asyncio.sleep(1)
        self.left |= {f"{when}: {name}": counts for name, counts in more.items()}

    def growth(self) -> float | None:
        """Memory in the last quarter over memory in the second, by medians; ``None`` where a run was too short."""
        quarter = len(self.memory_mb) // 4
        if len(self.memory_mb) < _QUARTERS_FROM:
            return None
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
def brokers_for(kinds: Sequence[str], monitoring_port: int) -> Iterator[Mapping[str, Broker]]:
    """A broker for each kind that wants one, by its name."""
    wanted = {BROKER_KINDS[kind].broker for kind in kinds if kind in BROKER_KINDS}
    with contextlib.ExitStack() as ending:
        yield {kind: ending.enter_context(_started(kind, monitoring_port)) for kind in wanted}


def _started(kind: Any, monitoring_port: int) -> AbstractContextManager[Broker]:
    return start(kind, config=f"http: 127.0.0.1:{monitoring_port}") if kind == "nats" else start(kind)


async def soak(kinds: Sequence[str], length: Length) -> int:
    """The whole; the exit code."""
    port = free_port()
    with brokers_for(kinds, port) as brokers:
        sites: list[Site] = []
        run = Soak(sites, tuple(brokers.values()), port)
        before = await run.census()
        async with contextlib.AsyncExitStack() as ending:
            for kind in kinds:
                broker = brokers[BROKER_KINDS[kind].broker] if kind in BROKER_KINDS else None
                sites.append(await ending.enter_async_context(site_of(kind, broker)))
            await run.run(length)
        data = {name: count for name, count in run.held.items() if name in _DATA}
        await run.compare("the end", {**before, **data})
    return _told(run)


def _told(run: Soak) -> int:
    for site in run.sites:
        wrong, unserved = f"{len(site.wrong)} with a wrong verdict", f"{site.unserved} not served in time"
        print(f"{site.kind:<14} {site.played:7} scenarios, {wrong}, {unserved}")
    for name, more in run.left.items():
        print(f"left behind: {name} {more}")
    growth = run.growth()
    told = "too short to tell growth" if growth is None else f"last quarter over second {growth:.3f}, bar {GROWTH}"
    print(f"memory {run.memory_mb[0]:.1f} -> {run.memory_mb[-1]:.1f} MB; {told}")
    has_grown = growth is not None and growth > GROWTH
    is_slow = any(site.unserved > UNSERVED * site.played for site in run.sites)
    return int(has_grown or is_slow or bool(run.left) or any(site.wrong for site in run.sites))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all, unless named")
    parser.add_argument("--minutes", type=float, help="at the least; 30 unless --scenarios is given")
    parser.add_argument("--scenarios", type=int, default=0, help="so many in this process, at the least")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.kinds) - set(KINDS):
        parser.error(f"there is no {', '.join(sorted(unknown))} to soak, known are {', '.join(KINDS)}")
    minutes = asked.minutes if asked.minutes is not None else 0 if asked.scenarios else 30
    return asyncio.run(soak(asked.kinds or KINDS, Length(minutes, asked.scenarios)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

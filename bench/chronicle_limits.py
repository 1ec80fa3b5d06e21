"""How far one server goes: 1,000 listeners, and 2,000 reports that are broken somewhere, as a table.

    python bench/chronicle_limits.py [--listeners 1000] [--rounds 2000] [--only sqlite|postgresql]

Both on a server in a process of its own. Wanted (9.9): all listeners are told within 500 ms while the server still
answers for its health within 50 ms and holds no connection to its database for them; no broken report is answered
5xx, and none is kept by half.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from httpx2 import AsyncClient, Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.chronicle import BASE, Row, memory_mb, served, show
from tests.chronicle import postgres
from tests.chronicle.reports import body, report
from tests.chronicle.test_robustness import counts, mutated

TENANT = {"X-Chronicle-Tenant": "alpha"}
EVENTS = 10
ASKING = """
import http.client, json, select, sys, time
connection, took = http.client.HTTPConnection(sys.argv[1]), []
while not select.select([sys.stdin], [], [], 0.005)[0]:
    begun = time.perf_counter()
    connection.request("GET", sys.argv[2])
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    took.append(time.perf_counter() - begun)
print(json.dumps(took))
"""
WRITERS: list[asyncio.StreamWriter] = []
"""A connection is closed when nobody holds it any more."""


async def connected(address: str) -> asyncio.StreamReader:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {BASE}/stream?tenant=alpha HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    await reader.readuntil(b"still here")
    WRITERS.append(writer)
    return reader


async def told(readers: Sequence[asyncio.StreamReader]) -> list[float]:
    """When each listener was told of the next run."""

    async def one(reader: asyncio.StreamReader) -> float:
        await reader.readuntil(b"run.completed")
        return time.perf_counter()

    return await asyncio.gather(*map(one, readers))


@contextmanager
def asking(url: str) -> Iterator[list[float]]:
    """Ask for the server's health over and over, from a process of its own; the seconds are there in the end."""
    command = [sys.executable, "-c", ASKING, urlsplit(url).netloc, f"{BASE}/health"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    took: list[float] = []
    yield took
    found, _ = process.communicate("")
    took += json.loads(found)


async def heard(url: str, count: int) -> tuple[list[float], list[float], int | None]:
    """For each of some runs: seconds from its answer until the last listener knew; the health's; connections held."""
    address = urlsplit(url).netloc
    async with AsyncClient(base_url=url, timeout=60) as http:
        await http.post(f"{BASE}/runs", content=body(report()), headers=TENANT)
        readers = []
        for begin in range(0, count, 50):
            readers += await asyncio.gather(*(connected(address) for _ in range(min(50, count - begin))))
        held, delays = connections_held(), list[float]()
        with asking(url) as took:
            await asyncio.sleep(0.5)
            for _ in range(EVENTS):
                listening = asyncio.create_task(told(readers))
                answer = await http.post(f"{BASE}/runs", content=body(report()), headers=TENANT)
                begun = time.perf_counter()
                if answer.status_code != 201:
                    raise RuntimeError(answer.text)
                delays.append(max(await listening) - begun)
    return delays, took, held


DATABASE: list[str] = []


def connections_held() -> int | None:
    """Transactions that PostgreSQL has open; ``None`` on SQLite."""
    if not DATABASE:
        return None
    with psycopg.connect(DATABASE[0], autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' OR wait_event_type = 'Lock'"
        (found,) = connection.execute(query).fetchone() or (0,)
    return int(found)


def listeners(folder: Path, options: Sequence[str], count: int) -> Iterator[Row]:
    with served(folder, options) as (process, url, _):
        before = memory_mb(process, "VmRSS")
        delays, took, held = asyncio.run(heard(url, count))
        took.sort()
        yield Row(f"{count:,} listeners, the last told after", f"{max(delays) * 1000:.0f} ms at most", "< 500 ms")
        p95 = took[int(len(took) * 0.95)] * 1000
        yield Row("  health meanwhile, p95 and at most", f"{p95:.0f} and {took[-1] * 1000:.0f} ms", "< 50 ms")
        yield Row("  resident before and after", f"{before:.0f} and {memory_mb(process, 'VmRSS'):.0f} MB", "< 250 MB")
        if held is not None:
            yield Row("  transactions held", str(held), "0")


def fuzzed(folder: Path, options: Sequence[str], database: str, rounds: int) -> Iterator[Row]:
    draw, answers, before = random.Random(17), Counter[int](), counts(database)
    scenarios = 0
    with served(folder, options) as (_, url, _), Client(base_url=url, timeout=60) as http:
        for number in range(rounds):
            sent = mutated(draw)
            answer = http.post(f"{BASE}/runs", content=sent, headers=TENANT)
            answers[answer.status_code] += 1
            if answer.status_code >= 500:
                print(f"round {number}: {answer.text}\n{sent!r}")
            if answer.status_code == 201:
                scenarios += answer.json()["scenarios_ingested"]
                run = answer.json()["run_id"]
                for path in ("/raw", "", "/timeline"):
                    back = http.get(f"{BASE}/runs/{run}{path}")
                    answers[back.status_code] += back.status_code != 200
                    if path == "/raw" and back.content != sent:
                        raise RuntimeError(f"round {number}: the report came back otherwise")
    found = counts(database)
    taken = answers[201]
    whole = all(found[name] - before[name] == taken for name in ("runs", "raw_reports", "told"))
    whole = whole and found["scenarios"] - before["scenarios"] == scenarios
    yield Row(
        f"{rounds:,} mutated reports",
        f"{taken} kept, {answers[422]} refused, {sum(answers[each] for each in answers if each >= 500)} 5xx",
        "no 5xx",
    )
    yield Row("  kept by half", "none" if whole else f"{before} {found} {taken}", "none")


def main() -> None:
    asks = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asks.add_argument("--listeners", type=int, default=1000)
    asks.add_argument("--rounds", type=int, default=2000)
    asks.add_argument("--only", choices=("sqlite", "postgresql"))
    asked_for = asks.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))

    def measured(folder: Path, options: Sequence[str], database: str) -> Iterator[Row]:
        yield from listeners(folder, options, asked_for.listeners)
        yield from fuzzed(folder, options, database, asked_for.rounds)

    if asked_for.only != "postgresql":
        with tempfile.TemporaryDirectory() as made:
            show("SQLite", measured(Path(made), (), f"sqlite:///{Path(made) / 'chronicle.db'}"))
    if asked_for.only != "sqlite" and (Path("/usr/lib/postgresql").is_dir() or shutil.which("initdb")):
        with postgres.running() as server, tempfile.TemporaryDirectory() as made:
            DATABASE.append(server.url)
            show("PostgreSQL", measured(Path(made), ("--database", server.url), server.url))


if __name__ == "__main__":
    main()

"""How far one server goes: 1,000 listeners, 2,000 reports that are broken somewhere, and being killed in between.

All on a server in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from httpx2 import AsyncClient, Client

from bench.chronicle_rows import BASE, Row, at_most, exactly, memory_mb, served
from tests.chronicle.killing import kept_whole, killed
from tests.chronicle.reports import body, handle, report
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


async def heard(url: str, database: str, count: int) -> tuple[list[float], list[float], int | None]:
    """For each of some runs: seconds from its answer until the last listener knew; the health's; connections held."""
    address = urlsplit(url).netloc
    async with AsyncClient(base_url=url, timeout=60) as http:
        await http.post(f"{BASE}/runs", content=body(report()), headers=TENANT)
        readers = []
        for begin in range(0, count, 50):
            readers += await asyncio.gather(*(connected(address) for _ in range(min(50, count - begin))))
        held, delays = connections_held(database), list[float]()
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


def connections_held(database: str) -> int | None:
    """Transactions that PostgreSQL has open; ``None`` on SQLite."""
    if not database.startswith("postgresql"):
        return None
    with psycopg.connect(database, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' OR wait_event_type = 'Lock'"
        (found,) = connection.execute(query).fetchone() or (0,)
    return int(found)


def listeners(folder: Path, options: Sequence[str], database: str, count: int) -> Iterator[Row]:
    """Many listen while reports come in and somebody asks for the server's health."""
    with served(folder, options) as (process, url, _):
        before = memory_mb(process, "VmRSS")
        delays, took, held = asyncio.run(heard(url, database, count))
        took.sort()
        yield at_most(f"{count:,} listeners, the last told after", max(delays) * 1000, 500, " ms", "the worst of ten")
        p95 = took[int(len(took) * 0.95)] * 1000
        yield at_most("health meanwhile, p95", p95, 50, " ms", f"at most {took[-1] * 1000:.0f}")
        now = memory_mb(process, "VmRSS")
        yield at_most(f"resident with {count:,} listeners", now, 250, " MB", f"{before:.0f} before")
        if held is not None:
            yield exactly("transactions held for them", held, 0)


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
    failed = sum(answers[each] for each in answers if each >= 500)
    yield exactly(f"{rounds:,} mutated reports, 5xx", failed, 0, f"{taken} kept, {answers[422]} refused")
    yield exactly("kept by half", "none" if whole else f"{before} {found} {taken}", "none")


def ended(folder: Path, options: Sequence[str], rounds: int) -> Iterator[Row]:
    """Killed over and over while four clients send."""
    content = body(report([handle(f"topic.{number}") for number in range(30)]))
    acknowledged: list[str] = []
    for _ in range(rounds):
        acknowledged += killed(folder, options, content)
    with served(folder, options) as (_, url, _):
        try:
            kept = kept_whole(url, content, acknowledged)
        except AssertionError as problem:
            yield exactly(f"kill -9, {rounds} rounds", f"lost or half: {problem}", "all there and whole")
            return
    note = f"{len(acknowledged)} acknowledged, {kept} kept"
    yield exactly(f"kill -9, {rounds} rounds", "all there and whole", "all there and whole", note)

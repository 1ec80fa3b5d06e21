"""Ingest beside a raw insert of the same rows, and what lists and series take over a year of runs.

The raw insert is a bare driver that is given rows made ahead: the run, its gzipped report, its scenarios and a row a
handle, with one commit a report that is on disk (sqlite3 in WAL mode with synchronous=FULL; psycopg with as many
connections as there are clients). Only ratios of one run count: of three rounds, in which both take turns, the median
is told.
"""

from __future__ import annotations

import gzip
import http.client
import queue
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from bench.chronicle_rows import BASE, Row, at_least, at_most
from choreo_bdd_chronicle.check import check_report
from choreo_bdd_chronicle.store import open_store
from choreo_bdd_chronicle.store.ingesting import Submission
from tests.chronicle.reports import body, handle, late, one_test, report, scenario

HANDLES_A_SCENARIO = 5
TOPICS = 200
ASKED_TIMES = 30
ROUNDS = 3
START = datetime.now(UTC) - timedelta(days=364)
Rows = tuple[tuple[Any, ...], bytes, list[tuple[Any, ...]], list[tuple[Any, ...]]]
RAW_TABLES = (
    "CREATE TABLE run (id INTEGER PRIMARY KEY, started_at BIGINT, branch TEXT, git_sha TEXT)",
    "CREATE TABLE raw (run_id INTEGER PRIMARY KEY, gzipped {blob})",
    """CREATE TABLE scenario (run_id INTEGER, position INTEGER, nodeid TEXT, name TEXT, outcome TEXT, duration REAL,
    PRIMARY KEY (run_id, position))""",
    """CREATE TABLE handle (run_id INTEGER, number INTEGER, topic TEXT, transport TEXT, outcome TEXT, latency REAL,
    budget REAL, PRIMARY KEY (run_id, number))""",
)


@dataclass(frozen=True, slots=True)
class Load:
    """How many reports of so many handles are sent by so many clients, and the ratios to reach on both databases."""

    handles: int
    reports: int
    clients: int
    sqlite: float
    postgresql: float


LOADS = (Load(100, 320, 8, 0.40, 0.30), Load(1_000, 48, 4, 0.45, 0.45), Load(10_000, 12, 1, 0.5, 0.5))
P95_OF, P95_MS = 10_000, 500


def document(chance: random.Random, number: int, handles: int, topics: int, begun: datetime) -> dict[str, Any]:
    """A report with so many handles, one in forty of them late."""
    tests = []
    for position in range(-(-handles // HANDLES_A_SCENARIO)):
        found = []
        for index in range(min(HANDLES_A_SCENARIO, handles - position * HANDLES_A_SCENARIO)):
            topic = f"shop.topic_{(position * HANDLES_A_SCENARIO + index) % topics}"
            latency = round(chance.lognormvariate(3, 0.4), 3)
            is_late = chance.random() < 1 / 40
            found.append(late(topic, latency + 200) if is_late else handle(topic, latency, budget_ms=200.0))
        name = f"Order {position}"
        tests.append(one_test([scenario(found, name)], f"features/orders.feature::{name}"))
    return report(tests=tests, begun=begun, git_sha=f"{number:040x}")


def rows_of(number: int, found: dict[str, Any], gzipped: bytes) -> Rows:
    """What a raw insert is given of a report."""
    run, transport = found["run"], found["run"]["transport"]
    scenarios = [(test, each) for test in found["tests"] for each in test["scenarios"]]
    handles = [each for _, one in scenarios for each in one["handles"]]
    begun = int(datetime.fromisoformat(run["started_at"]).timestamp() * 1e6)
    return (
        (number, begun, run["git_branch"], run["git_sha"]),
        gzipped,
        [(number, place, test["nodeid"], each["name"], each["outcome"], each["duration_ms"])
         for place, (test, each) in enumerate(scenarios)],
        [(number, place, each["topic"], each.get("transport", transport), each["outcome"], each["latency_ms"],
          each["budget_ms"]) for place, each in enumerate(handles)],
    )  # fmt: skip


def raw_sqlite(folder: Path, reports: Sequence[Rows], _clients: int) -> float:
    """Seconds for a bare sqlite3; one connection, as more would only wait for each other."""
    with closing(sqlite3.connect(folder / f"raw-{time.monotonic_ns()}.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for statement in RAW_TABLES:
            connection.execute(statement.format(blob="BLOB"))
        begun = time.perf_counter()
        for run, gzipped, scenarios, handles in reports:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO run VALUES (?, ?, ?, ?)", run)
            connection.execute("INSERT INTO raw VALUES (?, ?)", (run[0], gzipped))
            connection.executemany("INSERT INTO scenario VALUES (?, ?, ?, ?, ?, ?)", scenarios)
            connection.executemany("INSERT INTO handle VALUES (?, ?, ?, ?, ?, ?, ?)", handles)
            connection.execute("COMMIT")
        return time.perf_counter() - begun


def raw_postgres(url: str, reports: Sequence[Rows], clients: int) -> float:
    """Seconds for a bare psycopg with a connection a client; handles and scenarios by COPY."""
    names = ("run", "raw", "scenario", "handle")
    with psycopg.connect(url, autocommit=True) as connection:
        for name, statement in zip(names, RAW_TABLES, strict=True):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(statement.format(blob="BYTEA"))

    def insert(connection: Any, rows: Rows) -> None:
        run, gzipped, scenarios, handles = rows
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO run VALUES (%s, %s, %s, %s)", run)
            cursor.execute("INSERT INTO raw VALUES (%s, %s)", (run[0], gzipped))
            for name, many in (("scenario", scenarios), ("handle", handles)):
                with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                    for row in many:
                        copy.write_row(row)

    took, _ = shared_out(reports, clients, lambda: psycopg.connect(url, autocommit=True), insert)
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP TABLE {name}")
    return took


def shared_out(
    work: Sequence[Any], clients: int, connect: Callable[[], Any], do: Callable[[Any, Any], None]
) -> tuple[float, list[float]]:
    """Seconds in which so many clients get work done, and how long each piece took."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for each in work:
        waiting.put(each)
    gate, took = threading.Barrier(clients + 1), list[float]()

    def client() -> None:
        with closing(connect()) as connection:
            gate.wait()
            while True:
                try:
                    each = waiting.get_nowait()
                except queue.Empty:
                    return
                begun = time.perf_counter()
                do(connection, each)
                took.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client) for _ in range(clients)]
        gate.wait()
        begun = time.perf_counter()
        for each in running:
            each.result()
        return time.perf_counter() - begun, took


def posted(url: str, bodies: Sequence[bytes], clients: int) -> tuple[float, list[float]]:
    """The same for reports sent to a server, each on a connection that is kept open."""

    def post(connection: http.client.HTTPConnection, content: bytes) -> None:
        connection.request("POST", f"{BASE}/runs", content, {"X-Chronicle-Tenant": "bench"})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != http.client.CREATED:
            raise RuntimeError(f"{answer.status} {told.decode()}")

    return shared_out(bodies, clients, lambda: http.client.HTTPConnection(urlsplit(url).netloc), post)


def ingest(url: str, name: str, raw: Callable[[Sequence[Rows], int], float]) -> Iterator[Row]:
    """Each load through the server, then the same rows through the bare driver."""
    chance = random.Random(1)
    for load in LOADS:
        found = [
            document(chance, number, load.handles, min(20, load.handles), START + timedelta(hours=number))
            for number in range(load.reports)
        ]
        bodies = [body(each) for each in found]
        rows = [rows_of(number, each, gzip.compress(content, 1))
                for number, (each, content) in enumerate(zip(found, bodies, strict=True))]  # fmt: skip
        posted(url, bodies[:1], 1)
        rounds, took = list[tuple[float, float]](), list[float]()
        for _ in range(ROUNDS):
            ours, each = posted(url, bodies, load.clients)
            rounds.append((raw(rows, load.clients) / ours, ours))
            took += each
        ratio, ours = sorted(rounds)[ROUNDS // 2]
        rates = f"{load.reports / ours:.1f} and {load.reports / ours / ratio:.1f} reports/s"
        told = f"{', '.join(f'{each:.2f}' for each, _ in rounds)}; {rates}"
        what = f"ingest / raw, {load.handles:,} handles, {load.clients} clients"
        yield at_least(what, ratio, load.sqlite if name == "sqlite" else load.postgresql, note=told)
        what, p95 = f"p95 of one answer, {load.handles:,} handles", sorted(took)[int(len(took) * 0.95)] * 1000
        yield at_most(what, p95, P95_MS, " ms") if load.handles == P95_OF else Row(what, f"{p95:.0f} ms")


def fill(database: str, handles: int, until: float) -> Row:
    """A year of runs of 1,000 handles over 200 topics, the latest first; no more are made after ``until``."""
    chance, runs = random.Random(2), max(handles // 1000, 1)
    store = open_store(database)
    begun, made = time.perf_counter(), 0
    while made < runs and time.monotonic() < until:
        days = 363 * (runs - made) / runs
        content = body(document(chance, made, 1000, TOPICS, START + timedelta(days=days)))
        checked = check_report(content)
        store.keep(
            Submission(tenant="year", key=None, content_hash="", gzipped=gzip.compress(content, 1), report=checked)
        ).result()
        made += 1
    store.close()
    note = "" if made == runs else f"; time was up, {runs:,} were wanted"
    return Row(f"a store of {made * 1000:,} handles", f"{made:,} runs in {time.perf_counter() - begun:.0f} s{note}")


def asked(url: str) -> Iterator[Row]:
    """Lists and series, each asked some dozens of times on one connection."""
    now = datetime.now(UTC)
    questions: list[tuple[str, str, dict[str, Any], int]] = [
        ("run list (50)", "/runs", {"limit": 50}, 20),
        ("topic list (200)", "/topics", {"limit": 200}, 100),
    ]
    for days, most in ((7, 20), (30, 30), (90, 50), (365, 120)):
        since = (now - timedelta(days=days)).isoformat()
        until = {"from": since, "to": now.isoformat()}
        questions.append((f"series of {days} days", "/topics/shop.topic_7/latency", until, most))
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        for what, path, query, most in questions:
            took = []
            for _ in range(ASKED_TIMES):
                begun = time.perf_counter()
                connection.request("GET", f"{BASE}{path}?{urlencode({'tenant': 'year', **query})}")
                answer = connection.getresponse()
                told = answer.read()
                took.append((time.perf_counter() - begun) * 1000)
                if answer.status != http.client.OK:
                    raise RuntimeError(f"{path}: {answer.status} {told.decode()}")
            took.sort()
            median, slow = statistics.median(took), took[int(len(took) * 0.95)]
            yield at_most(what, median, most, " ms", f"median; p95 {slow:.1f}")

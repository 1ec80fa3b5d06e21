"""What no input and no crash can do: fail the server, or leave half a report behind."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy import event as listening

from choreo_bdd_chronicle.check import check_report
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import open_store, tables
from choreo_bdd_chronicle.store.ingesting import Submission
from tests.chronicle import postgres as postgresql
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.killing import kept_whole, killed
from tests.chronicle.reports import body, event, handle, late, one_test, report, scenario, timed_out
from tests.chronicle.servers import start

ODD: list[Any] = [
    None, True, -1, 0, 2**63, -(2**63) - 1, 10**400, 1e308, 0.1, "", "x", "\x00", "\ud800", "é" * 300, [], {}, [[]],
    {"a": []}, "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1.3", "NaN",
]  # fmt: skip
BYTES = [b"", b"\x00", b"\xff", b"NaN", b"{", b"]", b'"', b"\\", b"1e999", b"\\ud800", b",", b"[" * 300]
ROUNDS = 250


def mutated(draw: random.Random, document: Any = None) -> bytes:
    """A report with something wrong, somewhere; some stay sound."""
    if document is None:
        document = report(tests=[one_test([scenario([handle(), late(), timed_out()], timeline=[event(), event(2.0)])])])
    for _ in range(draw.randint(1, 2)):
        place: Any = document
        while True:
            key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or not place[key] or draw.random() < 0.15:
                break
            place = place[key]
        match draw.randint(0, 5):
            case 0:
                del place[key]
            case 1 if isinstance(place, dict):
                place["odd key"] = draw.choice(ODD)
            case 2:
                place[key] = draw.choice(ODD)
            case _:
                place[key] = draw.choice([each for each in ODD if type(each) is type(place[key])] or ODD)
        if not document:
            break
    sent = json.dumps(document).encode()
    if draw.random() < 0.2:
        begin = draw.randrange(len(sent))
        sent = sent[:begin] + draw.choice(BYTES) + sent[begin + draw.randint(0, 3) :]
    return sent


def counts(database: str) -> dict[str, int]:
    """How many rows each table has that a report goes into."""
    store = open_store(database)
    with store.reading() as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.runs, tables.raw_reports, tables.scenarios, tables.unsummed)
        }
        told = select(func.count()).where(tables.events.c.kind == "run.completed")
        found["told"] = connection.execute(told).scalar_one()
    store.close()
    return found


@pytest.mark.thorough
def test_no_mutated_report_fails_the_server_or_is_kept_by_half(chronicle: Chronicle) -> None:
    draw = random.Random(11)
    taken = 0
    scenarios = handles = 0
    for number in range(ROUNDS):
        sent = mutated(draw)
        answer = chronicle.post(sent)
        assert answer.status_code in (201, 422), f"round {number}: {answer.status_code} {answer.text}"
        if answer.status_code == 422:
            assert answer.json()["faults"], f"round {number}"
            continue
        taken += 1
        run = answer.json()["run_id"]
        scenarios += answer.json()["scenarios_ingested"]
        handles += answer.json()["handles_ingested"]
        assert chronicle.ask(f"/runs/{run}/raw").content == sent
        for path in (f"/runs/{run}", f"/runs/{run}/timeline"):
            assert chronicle.ask(path).status_code == 200, f"round {number}: {path}"
    assert 10 < taken < ROUNDS
    found = counts(chronicle.settings.database)
    assert (found["runs"], found["raw_reports"], found["told"]) == (taken, taken, taken)
    assert found["scenarios"] == scenarios
    listed = chronicle.get("/topics", tenant="alpha", limit=500)["items"]
    assert sum(each["sample_count"] for each in listed) == handles
    assert chronicle.get("/runs", tenant="alpha", limit=500)["total"] == taken


@pytest.fixture(params=postgresql.STORES)
def options(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """What a server in a process of its own is told about its database."""
    if request.param == "sqlite":
        yield ()
        return
    server: postgresql.Server = request.getfixturevalue("postgres")
    yield ("--database", server.empty())


@pytest.mark.thorough
def test_what_was_acknowledged_outlives_a_kill(options: tuple[str, ...], tmp_path: Path) -> None:
    content = body(report([handle(f"topic.{number}") for number in range(30)]))
    acknowledged = killed(tmp_path, options, content) + killed(tmp_path, options, content)
    process, url = start(tmp_path, *options)
    try:
        kept_whole(url, content, acknowledged)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_what_an_ended_server_left_unsummed_is_summed_up_by_the_next(database: str) -> None:
    store, sent = open_store(database), body(report())
    left = Submission(tenant="alpha", key=None, content_hash="", gzipped=gzip.compress(sent), report=check_report(sent))
    for kept in [store.keep(left) for _ in range(3)]:
        kept.result()
    store.close()
    assert counts(database)["unsummed"] == 3
    with started(Settings(database=database)) as chronicle:
        (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
        assert topic["sample_count"] == 3
    assert counts(database)["unsummed"] == 0
    with started(Settings(database=database)) as chronicle:
        (topic,) = chronicle.get("/topics", tenant="alpha")["items"]
        assert topic["sample_count"] == 3


def test_a_report_that_cannot_be_written_does_not_cost_its_neighbours_theirs(database: str) -> None:
    store, sent = open_store(database), body(report())
    good = Submission(tenant="alpha", key="1", content_hash="", gzipped=sent, report=check_report(sent))
    bad = replace(good, key="2", gzipped=cast("bytes", None))
    blocked = threading.Event()
    store.change(lambda _connection, _dialect: blocked.wait(30))  # so that the others wait together
    futures = [store.keep(each) for each in (good, bad, replace(good, key="3"), replace(good, key="1"))]
    blocked.set()
    assert futures[1].exception() is not None
    assert [futures[place].result().is_duplicate for place in (0, 2, 3)] == [False, False, True]
    assert futures[3].result().run_id == futures[0].result().run_id
    store.close()
    assert counts(database)["runs"] == 2


@pytest.mark.thorough
def test_a_database_that_was_restarted_is_found_again(postgres: postgresql.Server) -> None:
    with started(Settings(database=postgres.empty())) as chronicle:
        first = chronicle.keep(report())
        postgres.stop()
        assert chronicle.post(report()).status_code == 503
        health = chronicle.ask("/health")
        assert (health.status_code, health.json()["database"]) == (503, "unreachable")
        postgres.start()
        second = chronicle.keep(report())
        assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == {first, second}
        assert chronicle.ask("/health").status_code == 200


@contextmanager
def heard(event: str, listener: Callable[..., None]) -> Iterator[None]:
    """Around a whole server: events must not get or lose a listener while threads make some."""
    listening.listen(Engine, event, listener)
    try:
        yield
    finally:
        listening.remove(Engine, event, listener)


class Lost:
    """PostgreSQL ends the connection that carried out a statement with these words, before the next one."""

    after: str | None = None

    def end(self, connection: Connection, _cursor: object, told: str, *_others: object) -> None:
        driver: Any = connection.connection.driver_connection
        if self.after is not None and self.after in told:
            with psycopg.connect(driver.info.dsn, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [driver.info.backend_pid])


@pytest.mark.parametrize("statement", ["nextval", "FROM topics"])
def test_a_connection_lost_while_a_report_is_written_is_told_as_such(
    postgres: postgresql.Server, statement: str
) -> None:
    lost = Lost()
    with heard("after_cursor_execute", lost.end), started(Settings(database=postgres.empty())) as chronicle:
        first = chronicle.keep(report())
        lost.after = statement
        answer = chronicle.post(report())
        lost.after = None
        assert (answer.status_code, answer.json()["error"]) == (503, "http_error")
        second = chronicle.keep(report())
        assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == {first, second}


class Disk:
    """How many pages SQLite's files may grow to; more is a disk that is full."""

    pages = 1_000_000

    def limit(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self.pages}")


@pytest.mark.thorough
def test_a_full_disk_refuses_what_it_cannot_keep_and_takes_it_later(tmp_path: Path) -> None:
    disk, settings = Disk(), Settings(database=f"sqlite:///{tmp_path / 'chronicle.db'}")
    with heard("begin", disk.limit), started(settings) as chronicle:
        first = chronicle.keep(report())
        large = report()
        large["tests"][0]["stdout"] = "".join(random.Random(1).choices("0123456789abcdef", k=1_000_000))
        disk.pages = 100
        answer = chronicle.post(large)
        assert (answer.status_code, answer.json()["error"]) == (503, "http_error")
        assert "Retry-After" in answer.headers
        assert chronicle.get("/runs", tenant="alpha")["total"] == 1
        disk.pages = 1_000_000
        second = chronicle.keep(large)
        assert {run["id"] for run in chronicle.get("/runs", tenant="alpha")["items"]} == {first, second}

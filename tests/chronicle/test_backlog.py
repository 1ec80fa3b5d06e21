"""Reports that come faster than they are looked at: what changed amid them is found as if each had been looked at."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from choreo_bdd_chronicle import watcher
from choreo_bdd_chronicle.check import check_report
from choreo_bdd_chronicle.detect import Finding, TopicSeries, detecting
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import Store, findings, open_store, removing, tables
from choreo_bdd_chronicle.store.ingesting import Line, Submission
from choreo_bdd_chronicle.store.writer import BusyError
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import BEGUN, body, handle, report, timed_out
from tests.chronicle.test_changes import Runs, until

PATIENCE_S = 60.0


class Gate:
    """Holds every look until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._is_open = threading.Event()
        self._detect = detecting.detect
        monkeypatch.setattr(detecting, "detect", self._held)
        monkeypatch.setattr(watcher, "_RESTS", 0)  # the time at the gate is no work that is to be rested after

    def open(self) -> None:
        """Let all looks go on."""
        self._is_open.set()

    def _held(self, series: Sequence[TopicSeries]) -> list[Finding]:
        assert self._is_open.wait(PATIENCE_S)
        return self._detect(series)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Closed until the test opens it; open at its end, so that the server can be closed."""
    made = Gate(monkeypatch)
    yield made
    made.open()


@pytest.fixture
def chronicle(database: str, gate: Gate) -> Iterator[Chronicle]:
    """A server that rests between looks for no longer than these take."""
    with started(Settings(database=database, pause=0)) as found:
        yield found
        gate.open()


@pytest.mark.thorough
def test_a_change_amid_two_hundred_runs_between_two_looks_is_found(chronicle: Chronicle, gate: Gate) -> None:
    runs = Runs(chronicle)
    runs.add(100)
    runs.add(100, factor=2.0)
    gate.open()

    def shifts() -> list[Any]:
        found = runs.anomalies(topic="t0", resolved="false")
        return [each for each in found if each["detection_method"] == "change_point"]

    (found,) = until(shifts)
    assert (found["commit_from"], found["commit_to"]) == ("commit99", "commit100")
    assert found["change_pct"] == pytest.approx(100, abs=25)


class Kept:
    """A tenant's runs in a store without a server, an hour apart, each with a commit of its own."""

    def __init__(self, store: Store, tenant: str) -> None:
        self.store, self.tenant, self.count, self.draw = store, tenant, 0, random.Random(5)
        self.line = Line(0, "ci", "main")
        self.sizes: list[int] = []

    def add(self, count: int, *, factor: float = 1.0, answered: bool = True) -> None:
        """Keep runs of two topics: the first is slower by a factor, the second is answered or not."""
        for _ in range(count):
            handles = [
                handle(f"t{topic}", 20.0 * (factor if topic == 0 else 1.0) * self.draw.lognormvariate(0, 0.05))
                for topic in range(2)
                for _ in range(6)
            ]
            if not answered:
                handles[6:12] = [timed_out("t1")] * 6
            begun = BEGUN + timedelta(hours=self.count)
            document = report(handles, begun=begun, git_sha=f"commit{self.count}")
            sent = Submission(
                tenant=self.tenant, key=None, content_hash="", gzipped=b"", report=check_report(body(document))
            )
            self.line = self.store.keep(sent).result().line
            self.count += 1

    def look(self) -> bool:
        """One look at what waits; whether anything did."""
        return watcher.look(self.store, self.line, self._detect)

    def look_at_all(self) -> None:
        """Look until nothing waits."""
        while self.look():
            pass

    def found(self) -> list[tuple[Any, ...]]:
        """What is known of changes: the topic, how, since which commit, and whether it is over."""
        table = tables.anomalies.c
        wanted = select(table.topic, table.detection_method, table.commit_from, table.commit_to, table.state)
        with self.store.reading() as connection:
            rows = connection.execute(wanted.where(table.tenant_id == self.line.tenant_id)).all()
        return sorted(map(tuple, rows))

    def told(self) -> int:
        """How many changes were announced."""
        events = tables.events.c
        mine = select(func.count()).where(events.tenant_id == self.line.tenant_id, events.kind == "anomaly.detected")
        with self.store.reading() as connection:
            return int(connection.execute(mine).scalar_one())

    def _detect(self, series: Sequence[TopicSeries]) -> list[Finding]:
        self.sizes.append(max(len(each.runs) for each in series))
        return detecting.detect(series)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store that nobody looks at by himself."""
    made = open_store(database)
    yield made
    made.close()


def eventful(runs: Kept, after_each: Callable[[], None] = lambda: None) -> Kept:
    """Runs amid which a topic becomes slower and quicker again, and another is not answered for a while."""
    parts = ((15, 1.0, True), (15, 2.0, True), (34, 1.0, True), (6, 1.0, False), (10, 1.0, True))
    for count, factor, answered in parts:
        for _ in range(count):
            runs.add(1, factor=factor, answered=answered)
            after_each()
    return runs


@pytest.mark.thorough
def test_a_backlog_shows_what_looking_at_each_run_shows(store: Store) -> None:
    one_by_one = Kept(store, "one by one")
    eventful(one_by_one, one_by_one.look_at_all)
    backlog = eventful(Kept(store, "backlog"))
    backlog.look_at_all()
    lasting = [each for each in one_by_one.found() if each[1] != "rolling_baseline"]  # a spike may be over in one step
    assert ("t0", "change_point", "commit14", "commit15", "resolved") in lasting
    assert ("t1", "outcome", "commit63", "commit64", "resolved") in lasting
    assert backlog.found() == lasting
    assert len(one_by_one.sizes) == one_by_one.count
    assert len(backlog.sizes) < backlog.count / 2
    assert max(backlog.sizes) == findings.RUNS


@pytest.mark.thorough
def test_an_end_between_or_amid_looks_loses_and_doubles_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(database)
    through, ended = eventful(Kept(store, "through")), eventful(Kept(store, "ended"))
    through.look_at_all()
    expected = through.found(), through.told()
    is_more = True
    while is_more:
        ended.store = store
        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):  # found, and not yet kept
            patched.setattr(store, "change", _interrupted)
            ended.look()
        is_more = ended.look()
        store.close()
        store = open_store(database)
    ended.store = store
    assert (ended.found(), ended.told()) == expected
    assert len(ended.sizes) == 2 * len(through.sizes)
    store.close()


def _interrupted(_work: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.thorough
def test_what_two_servers_look_at_is_settled_once(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(20)
    runs.look_at_all()
    runs.add(8, factor=2.0)
    with store.reading() as connection:  # as another server does, which then is slow to settle it
        look = findings.next_look(connection, runs.line)
        assert look is not None
        shown = detecting.detect(findings.series_of(connection, look.runs))
    runs.look_at_all()
    before = runs.found(), runs.told()
    assert ("t0", "change_point", "commit19", "commit20", "open") in before[0]
    assert store.change(lambda connection, dialect: findings.settle(connection, dialect, look, shown)).result() == []
    assert (runs.found(), runs.told()) == before


@pytest.mark.thorough
def test_runs_that_cannot_be_judged_hold_up_none_after_them(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(20)
    runs.add(8, factor=2.0)

    def fail(_series: Sequence[TopicSeries]) -> list[Finding]:
        raise ZeroDivisionError

    assert watcher.look(store, runs.line, fail)
    runs.look_at_all()
    assert ("t0", "change_point", "commit19", "commit20", "open") in runs.found()


def test_runs_wait_on_while_the_database_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Kept(store, "alpha")
    runs.add(3)

    def refuse(_work: object) -> None:
        raise BusyError("256 reports wait to be written")

    with monkeypatch.context() as patched, pytest.raises(BusyError):
        patched.setattr(store, "change", refuse)
        runs.look()
    runs.look_at_all()
    assert runs.sizes == [1, 1, 2, 3]


@pytest.mark.thorough
def test_what_an_ended_server_did_not_look_at_is_looked_at_by_the_next(database: str, gate: Gate) -> None:
    gate.open()
    store = open_store(database)
    runs = Kept(store, "alpha")
    runs.add(20)
    runs.add(8, factor=2.0)
    store.close()
    with started(Settings(database=database, pause=0)) as server:
        (found,) = until(lambda: server.get("/anomalies", tenant="alpha", topic="t0", resolved="false")["items"])
    assert found["commit_to"] == "commit20"


def test_a_removed_run_waits_for_no_look(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(3)
    store.change(lambda connection, dialect: removing.remove(connection, dialect, 2)).result()
    runs.look_at_all()
    assert runs.sizes == [1, 2]

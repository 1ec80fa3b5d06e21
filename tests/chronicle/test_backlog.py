"""Reports that come faster than they are looked at: what changed amid them is found as if each had been looked at."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from choreo_bdd_chronicle import watcher
from choreo_bdd_chronicle.check import check_report
from choreo_bdd_chronicle.detect import Finding, TopicSeries, detecting
from choreo_bdd_chronicle.settings import Settings
from choreo_bdd_chronicle.store import Store, open_store, removing, tables
from choreo_bdd_chronicle.store.ingesting import Line, Submission
from choreo_bdd_chronicle.store.looks import findings, watched
from choreo_bdd_chronicle.store.writer import BusyError
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import BEGUN, body, handle, report
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
        self.store, self.tenant, self.draw = store, tenant, random.Random(5)
        self.line = Line(0, "ci", "main")
        self.looks: list[tuple[int, int]] = []

    def add(self, runs: Iterable[int], factor: float = 1.0, *, begun: datetime | None = None) -> None:
        """Keep runs of two topics, in that order of which the first is slower by a factor."""
        for number in runs:
            handles = [
                handle(f"t{topic}", 20.0 * (factor if topic == 0 else 1.0) * self.draw.lognormvariate(0, 0.05))
                for topic in range(2)
                for _ in range(6)
            ]
            moment = begun or BEGUN + timedelta(hours=number)
            checked = check_report(body(report(handles, begun=moment, git_sha=f"commit{number}")))
            sent = Submission(tenant=self.tenant, key=None, content_hash="", gzipped=b"", report=checked)
            self.line = self.store.keep(sent).result().line

    def look(self) -> bool:
        """One look; whether another one is to follow."""
        return watcher.look(self.store, self.line, self._detect)

    def look_at_all(self) -> None:
        """Look until nothing is left."""
        while self.look():
            pass

    def shifts(self) -> list[tuple[str, str, str]]:
        """The changes of the level that are known: the topic, the first commit after it, and whether it is over."""
        table = tables.anomalies.c
        wanted = select(table.topic, table.commit_to, table.state).where(
            table.tenant_id == self.line.tenant_id, table.metric == "mean_ms", table.detection_method == "change_point"
        )
        with self.store.reading() as connection:
            return sorted(map(tuple, connection.execute(wanted).all()))

    def told(self) -> int:
        """How many changes were announced."""
        events = tables.events.c
        mine = select(func.count()).where(events.tenant_id == self.line.tenant_id, events.kind == "anomaly.detected")
        with self.store.reading() as connection:
            return int(connection.execute(mine).scalar_one())

    def _detect(self, series: Sequence[TopicSeries]) -> list[Finding]:
        hours = [(run.run.started_at - BEGUN) // timedelta(hours=1) for each in series for run in each.runs]
        self.looks.append((min(hours), max(hours)))
        return detecting.detect(series)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store that nobody looks at by himself."""
    made = open_store(database)
    yield made
    made.close()


EVENTS = ((range(45), 1.0), (range(45, 65), 2.0), (range(65, 110), 1.0), (range(110, 190), 1.6), (range(190, 260), 4.0))
"""A topic becomes slower and quicker again, and then slower twice, for good."""
SHIFTS = [
    ("t0", "commit110", "open"),
    ("t0", "commit190", "open"),
    ("t0", "commit45", "resolved"),
    ("t0", "commit65", "resolved"),
]


def eventful(runs: Kept) -> Kept:
    """All of that, kept run by run."""
    for numbers, factor in EVENTS:
        runs.add(numbers, factor)
    return runs


@pytest.mark.thorough
def test_what_changed_amid_a_backlog_is_found(store: Store) -> None:
    runs = eventful(Kept(store, "alpha"))
    runs.look_at_all()
    assert runs.shifts() == SHIFTS


@pytest.mark.thorough
def test_the_latest_runs_are_looked_at_first_and_the_others_in_bounded_steps(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(200))
    runs.look_at_all()
    assert runs.looks == [(140, 199), (110, 169), (80, 139), (50, 109), (20, 79), (0, 49)]
    runs.add(range(200, 245))
    runs.look_at_all()
    assert runs.looks[6:] == [(185, 244)]
    runs.add(range(245, 295))
    runs.look_at_all()
    assert runs.looks[7:] == [(235, 294), (205, 264)]  # without the second look few runs would say what was usual


@pytest.mark.thorough
def test_runs_that_come_amid_a_backlog_are_looked_at_first(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(130))
    assert runs.look()
    runs.add([130])
    runs.look_at_all()
    assert runs.looks == [(70, 129), (71, 130), (40, 99), (10, 69), (0, 39)]


@pytest.mark.thorough
def test_the_past_is_looked_at_also_while_new_runs_come_all_the_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(100))
    is_reached, numbers = threading.Event(), itertools.count(100)

    def detect(series: Sequence[TopicSeries]) -> list[Finding]:
        if any(each.runs[0].run.started_at == BEGUN for each in series):
            is_reached.set()
        runs.add([next(numbers)])
        watching.look_at(runs.line)
        return []

    monkeypatch.setattr(detecting, "detect", detect)
    monkeypatch.setattr(watcher, "_RESTS", 0)
    watching = watcher.Watcher(store, 0)
    is_found = is_reached.wait(PATIENCE_S)
    watching.close()
    assert is_found


@pytest.mark.thorough
def test_what_is_kept_late_is_looked_at_where_it_belongs(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(300, 400))
    runs.look_at_all()
    looked = len(runs.looks)
    runs.add(range(100, 130))
    runs.add(range(130, 160), 2.0)
    runs.look_at_all()
    assert runs.looks[looked] == (340, 399)
    assert runs.looks[looked + 1 :] == [(115, 314), (100, 144)]
    assert runs.shifts() == [("t0", "commit130", "resolved")]


@pytest.mark.thorough
def test_runs_that_all_began_at_once_have_an_end(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(150), begun=BEGUN)
    runs.look_at_all()
    assert not runs.look()


@pytest.mark.thorough
def test_an_end_between_or_amid_looks_loses_and_doubles_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(database)
    runs, is_more = eventful(Kept(store, "alpha")), True
    while is_more:
        runs.store = store
        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):  # found, and not yet kept
            patched.setattr(store, "change", _interrupted)
            runs.look()
        is_more = runs.look()
        store.close()
        store = open_store(database)
    runs.store = store
    assert (runs.shifts(), runs.looks[::2]) == (SHIFTS, runs.looks[1::2])
    assert runs.told() == len([each for each in SHIFTS if each[2] == "open"])
    store.close()


def _interrupted(_work: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.thorough
@pytest.mark.parametrize("looks_before", [0, 2], ids=["the latest runs", "the past"])
def test_what_two_servers_look_at_is_settled_once(store: Store, looks_before: int) -> None:
    runs = eventful(Kept(store, "alpha"))
    for _ in range(looks_before):
        runs.look()
    with store.reading() as connection:  # as another server does, which then is slow to settle it
        taken = watched.next_look(connection, runs.line)
        assert taken is not None
        found = detecting.detect(findings.series_of(connection, taken.runs))
    runs.look_at_all()
    told = runs.told()
    assert not store.change(lambda connection, dialect: findings.settle(connection, dialect, taken, found)).result()
    assert (runs.shifts(), runs.told()) == (SHIFTS, told)


def test_a_server_that_was_overtaken_looks_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(3))

    def detect(_series: Sequence[TopicSeries]) -> list[Finding]:
        monkeypatch.undo()  # only once: another server looks, and then the next run comes
        runs.look_at_all()
        runs.add([3])
        return []

    assert watcher.look(store, runs.line, detect)
    assert not runs.look()
    assert runs.looks == [(0, 2), (0, 3)]


@pytest.mark.thorough
def test_runs_that_cannot_be_judged_hold_up_no_others(store: Store) -> None:
    runs = eventful(Kept(store, "alpha"))

    def fail(_series: Sequence[TopicSeries]) -> list[Finding]:
        raise ZeroDivisionError

    assert watcher.look(store, runs.line, fail)
    runs.look_at_all()
    assert len(runs.looks) > 1
    assert runs.shifts() == SHIFTS


def test_runs_are_still_to_be_looked_at_when_the_database_is_busy(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(3))

    def refuse(_work: object) -> None:
        raise BusyError("256 reports wait to be written")

    with monkeypatch.context() as patched, pytest.raises(BusyError):
        patched.setattr(store, "change", refuse)
        runs.look()
    runs.look_at_all()
    assert runs.looks == [(0, 2), (0, 2)]


@pytest.mark.thorough
@pytest.mark.parametrize("looks_before", [0, 2], ids=["not begun", "not ended"])
def test_what_an_ended_server_left_is_looked_at_by_the_next(database: str, gate: Gate, looks_before: int) -> None:
    gate.open()
    store = open_store(database)
    runs = eventful(Kept(store, "alpha"))
    for _ in range(looks_before):
        runs.look()
    store.close()
    with started(Settings(database=database, pause=0)) as server:

        def shifts() -> set[Any]:
            found = server.get("/anomalies", tenant="alpha", topic="t0")["items"]
            return {each["commit_to"] for each in found if each["detection_method"] == "change_point"}

        assert until(lambda: len(shifts()) == len(SHIFTS) and shifts()) == {each[1] for each in SHIFTS}


@pytest.mark.thorough
def test_runs_that_are_removed_before_their_look_leave_nothing_to_look_at(store: Store) -> None:
    runs = Kept(store, "alpha")
    runs.add(range(100))
    runs.look()
    everything = removing.Expiry(-10_000, None, ())
    assert store.change(lambda connection, dialect: removing.remove_expired(connection, dialect, everything)).result()
    assert not runs.look()
    assert runs.shifts() == []

"""Reports that come faster than they are looked at: what changed amid them is found as if each had been looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from choreo_bdd_chronicle import watcher
from choreo_bdd_chronicle.detect import Finding, TopicSeries, detecting
from choreo_bdd_chronicle.settings import Settings
from tests.chronicle.conftest import Chronicle, started
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

"""The observer: takes scenario results from the engine and keeps them by test until the test is reported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from choreo_bdd import observers
from choreo_bdd.observers import RunFact
from choreo_bdd.observers.observed import ObservedResult
from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.tests import SESSION_NODEID, RecordedScenario
from choreo_bdd_reporter.record.serialise import serialise, unreadable_scenario


@dataclass(frozen=True, slots=True)
class TestRecord:
    """Scenarios of one test since the last look, and what was masked in them.

    The redactor is the test's own: it knows the secrets that any of its scenarios showed.
    """

    __test__ = False

    scenarios: tuple[RecordedScenario, ...]
    redactor: Redactor
    redacted_fields: int
    redacted_text: int


@dataclass(slots=True)
class _Open:
    scenarios: list[RecordedScenario] = field(default_factory=list)
    redactor: Redactor = field(default_factory=Redactor)
    redacted_fields: int = 0
    redacted_text: int = 0

    def add(self, result: ObservedResult, completed_normally: bool) -> None:
        redactor = self.redactor
        before = (redactor.fields, redactor.stream_matches)
        self.scenarios.append(_recorded(result, completed_normally, redactor))
        self.redacted_fields += redactor.fields - before[0]
        self.redacted_text += redactor.stream_matches - before[1]

    def take(self) -> TestRecord:
        record = TestRecord(tuple(self.scenarios), self.redactor, self.redacted_fields, self.redacted_text)
        self.scenarios, self.redacted_fields, self.redacted_text = [], 0, 0
        return record


class Recorder:
    """Collects results by node id; results may arrive from any thread.

    ``current`` names the test to which a result without a node id belongs, if there is one.
    """

    def __init__(self, current: Callable[[], str | None] = lambda: None) -> None:
        self._current = current
        self.facts: dict[str, Any] = {}
        """What was said about the run as a whole, by key."""
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin observing."""
        observers.register_observer(self)

    def stop(self) -> None:
        """Observe no more; may be called more than once."""
        observers.unregister_observer(self)

    def __call__(self, result: ObservedResult, nodeid: str | None, completed_normally: bool) -> None:
        """Take one result: the observer the engine calls."""
        with self._lock:
            self._open.setdefault(self._key(nodeid), _Open()).add(result, completed_normally)

    def run_fact(self, key: str, value: RunFact) -> None:
        """Take note of something about the run as a whole, without what anybody can see to be secret in it."""
        self.facts[key] = Redactor().value(value)

    def keep_recording(self, text: str) -> None:
        """Take the traffic of the scenario whose result has come last."""
        with self._lock:
            scenarios = self._open[self._key(observers.current_test_nodeid.get())].scenarios
            scenarios[-1] = replace(scenarios[-1], recording=text)

    def _key(self, nodeid: str | None) -> str:
        return nodeid or self._current() or SESSION_NODEID

    def take(self, nodeid: str, *, last: bool = True) -> TestRecord:
        """Hand over what was recorded for a test since the last call; ``last`` forgets its secrets, too."""
        with self._lock:
            entry = self._open.setdefault(nodeid, _Open())
            if last:
                del self._open[nodeid]
            return entry.take()

    def redactor(self, nodeid: str) -> Redactor:
        """The redactor of a test that is not over yet."""
        with self._lock:
            return self._open.setdefault(nodeid, _Open()).redactor

    def rest(self) -> dict[str, TestRecord]:
        """Hand over and forget everything that no test has taken."""
        with self._lock:
            left, self._open = self._open, {}
            return {nodeid: entry.take() for nodeid, entry in left.items() if entry.scenarios}


def _recorded(result: ObservedResult, completed_normally: bool, redactor: Redactor) -> RecordedScenario:
    try:
        return serialise(result, completed_normally=completed_normally, redactor=redactor)
    except Exception as error:  # noqa: BLE001 - one odd result must not cost the report
        name = getattr(result, "name", "?")
        notice(f"the details of scenario {name!r} could not be read ({type(error).__name__}: {error})")
        return unreadable_scenario(result, error, completed_normally=completed_normally)

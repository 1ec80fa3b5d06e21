"""The seam between the engine and whoever reports on it.

The engine knows no reporter. A reporter registers a callable and receives each scenario result once, together with
the node id of the test that was running.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from typing import Protocol, runtime_checkable

from choreo_bdd.observers.observed import ObservedResult

RunFact = None | bool | int | float | str | Sequence["RunFact"] | Mapping[str, "RunFact"]
"""Something about a run as a whole: plain JSON."""


class Observer(Protocol):
    """Whoever is told of scenarios that are over."""

    def __call__(self, result: ObservedResult, nodeid: str | None, completed_normally: bool, /) -> None:
        """Take a result, with the node id of the test that was running, if one was."""


@runtime_checkable
class RunObserver(Protocol):
    """An observer that is told of the run as a whole, too."""

    def run_fact(self, key: str, value: RunFact) -> None:
        """Take what is known under a key from now on."""


@runtime_checkable
class RecordingObserver(Protocol):
    """An observer that keeps what went over the transports while a scenario ran."""

    def keep_recording(self, text: str) -> None:
        """Take one recording, a line of JSON."""


current_test_nodeid: ContextVar[str | None] = ContextVar("choreo_bdd_current_test_nodeid", default=None)
"""Node id of the running test; set by test-framework adapters, never by the engine."""

_observers: list[Observer] = []


def register_observer(observer: Observer) -> None:
    """Call ``observer(result, nodeid, completed_normally)`` for every scenario from now on; a duplicate is ignored."""
    if observer not in _observers:
        _observers.append(observer)


def unregister_observer(observer: Observer) -> None:
    """Stop calling ``observer``; an unknown one is ignored."""
    if observer in _observers:
        _observers.remove(observer)


def emit(result: ObservedResult, completed_normally: bool) -> None:
    """Hand a result to every observer, in registration order.

    An observer that raises is turned into a ``RuntimeWarning``: a reporter never decides a test.
    """
    nodeid = current_test_nodeid.get()
    complaints = []
    for observer in tuple(_observers):
        try:
            observer(result, nodeid, completed_normally)
        except Exception as error:  # noqa: BLE001 - a reporter's fault must not reach the scenario
            complaints.append(f"a scenario observer raised {type(error).__name__}: {error}")
    for complaint in complaints:  # only now: where warnings are errors, the first one ends this loop
        warnings.warn(complaint, RuntimeWarning, stacklevel=2)


def note_run_fact(key: str, value: RunFact) -> None:
    """Tell observers something about the run as a whole, as plain JSON; what was said of a key before no longer holds.

    It reaches those that have a method ``run_fact(key, value)``; one that raises is warned about, as above.
    """
    for observer in tuple(_observers):
        if not isinstance(observer, RunObserver):
            continue
        try:
            observer.run_fact(key, value)
        except Exception as error:  # noqa: BLE001 - as above
            warnings.warn(f"a scenario observer raised {type(error).__name__}: {error}", RuntimeWarning, stacklevel=2)


def wants_recordings() -> bool:
    """Whether anybody would keep a recording."""
    return any(isinstance(observer, RecordingObserver) for observer in _observers)


def keep_recording(text: str) -> None:
    """Hand a recording, one line of JSON, to every observer that keeps them; one that raises is warned about."""
    for observer in tuple(_observers):
        if not isinstance(observer, RecordingObserver):
            continue
        try:
            observer.keep_recording(text)
        except Exception as error:  # noqa: BLE001 - as above
            warnings.warn(f"a scenario observer raised {type(error).__name__}: {error}", RuntimeWarning, stacklevel=2)


class running:  # noqa: N801 - read as a function, and one of contextlib's would cost each step three times as much
    """Say which test is running, unless its framework's adapter has said so already."""

    __slots__ = ("_nodeid", "_token")

    def __init__(self, nodeid: str) -> None:
        self._nodeid = nodeid
        self._token: Token[str | None] | None = None

    def __enter__(self) -> None:
        if current_test_nodeid.get() is None:
            self._token = current_test_nodeid.set(self._nodeid)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            current_test_nodeid.reset(self._token)

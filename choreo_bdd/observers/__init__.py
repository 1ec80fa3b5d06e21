"""The seam between the engine and whoever reports on it."""

from __future__ import annotations

from choreo_bdd.observers.announcing import (
    Observer,
    RecordingObserver,
    RunFact,
    RunObserver,
    _observers,
    current_test_nodeid,
    emit,
    keep_recording,
    note_run_fact,
    register_observer,
    running,
    unregister_observer,
    wants_recordings,
)

__all__ = [
    "Observer",
    "RecordingObserver",
    "RunFact",
    "RunObserver",
    "_observers",
    "current_test_nodeid",
    "emit",
    "keep_recording",
    "note_run_fact",
    "register_observer",
    "running",
    "unregister_observer",
    "wants_recordings",
]

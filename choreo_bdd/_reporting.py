"""Compatible name of the observer seam; the code lives in ``observers``."""

from __future__ import annotations

from choreo_bdd.observers import _observers, current_test_nodeid, register_observer, unregister_observer
from choreo_bdd.observers import emit as _emit

__all__ = ["_emit", "_observers", "current_test_nodeid", "register_observer", "unregister_observer"]

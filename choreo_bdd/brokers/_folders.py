"""The user's folders for what is worth keeping between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "choreo-bdd"


def cache() -> Path:
    """For what can be fetched again."""
    return _folder("XDG_CACHE_HOME", ".cache", "Library/Caches")


def state() -> Path:
    """For what is known about brokers left running."""
    return _folder("XDG_STATE_HOME", ".local/state", "Library/Application Support")


def _folder(variable: str, usual: str, on_mac: str) -> Path:
    given = os.environ.get(variable)
    base = Path(given) if given else Path.home() / (on_mac if sys.platform == "darwin" else usual)
    return base / _NAME

"""Tests that run whole projects as programs, as a user does: the inner loop leaves them out."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

# plugins that we test with and a user need not have; each costs every start of pytest its import
FOREIGN = tuple(f"-pno:{name}" for name in ("anyio", "asyncio", "hypothesispytest", "timeout", "valkey"))
# fixtures with which tests start behave or pytest; what starts them without is marked by hand
_FIXTURES = frozenset(
    {"project", "short_project", "guessed", "both", "deliberate", "on_memory", "both_on_memory", "files_of"}
)
_TIMEOUT_S = 120  # the first of a session waits for the imports of all


def as_in_the_foreground() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and so would be the run of a whole suite there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def mark_process_tests(items: Sequence[pytest.Item]) -> None:
    """Mark what uses one of the fixtures that start a framework, and give it time."""
    for item in items:
        if _FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.process)
        if item.get_closest_marker("process") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_TIMEOUT_S))

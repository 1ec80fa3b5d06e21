"""Starts the pipeline for a test run, where its profile says: on the run's own memory bus, or as a process on NATS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

from orders import pipeline
from orders.bus import MemoryBus

_EXAMPLES = Path(__file__).parents[1]
_STOP_S = 5.0
_T = TypeVar("_T")


class Run(Protocol):
    """The session of a test run, as far as it concerns the pipeline."""

    @property
    def profile(self) -> str:
        """Name of the profile in choreo.yaml."""
        ...

    def transport(self, name: str) -> Any:
        """A transport of the profile."""
        ...

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the session's event loop."""
        ...

    def add_cleanup(self, action: Callable[[], object]) -> None:
        """Call ``action`` when the run ends."""
        ...


def start_orders(run: Run) -> None:
    """Have all services listening when this returns, and stopped when the run ends; nowhere but on these two buses."""
    if run.profile == "memory":
        _start_in_process(run)
    elif run.profile == "nats":
        _start_process(run)


def _start_in_process(run: Run) -> None:
    bus = MemoryBus(run.transport("bus"))
    run.run(pipeline.start(bus))
    run.add_cleanup(lambda: run.run(bus.close()))


def _start_process(run: Run) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "orders.run", "all"], cwd=_EXAMPLES, stdout=subprocess.PIPE, text=True
    )
    run.add_cleanup(lambda: _stop(process))
    assert process.stdout is not None  # it is a pipe
    # the process says "ready" or ends within its connect timeout, so this does not hang
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError(
            f"the order pipeline did not start (exit code {process.wait(_STOP_S)}): its message stands above. "
            f"Is a NATS server running at $NATS_URL?"
        )


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()

"""Runs that end otherwise than by their last scenario, while services run: nothing of these is left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from choreo_bdd.brokers.processes import wait_until
from tests.support.processes import FOREIGN, as_in_the_foreground
from tests.support.project import LOADER, Project
from tests.support.running_processes import alive

pytestmark = pytest.mark.process

SERVICE = """
    import os, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    print("up")
    with open("pids", "a") as file:
        file.write(f"{os.getpid()} {child.pid}\\n")
    time.sleep(120)
"""
FEATURE = """
    Feature: long
      Scenario: good
        When I publish "a"
        Then I expect "a"

      Scenario: begun and never done
        When I publish "b"
        And I wait 60s
        Then I expect "b"
"""
PYTEST = ("pytest", "features", "-q", *FOREIGN, "-pno:cacheprovider")
BEHAVE = ("behave", "-f", "plain")
BEHAVEX = ("behavex", "features", "--parallel-processes", "2", "--parallel-scheme", "feature", "-o", "bx")
BOUND_S = 40.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its code (``None``: not within ``BOUND_S``), how long that took, what was left of services."""

    code: int | None
    took_s: float
    left: frozenset[int]
    of: int


def signalled(number: signal.Signals, *, times: int = 1) -> Callable[[subprocess.Popen[bytes]], None]:
    """Tell a run to end, more than once if need be."""

    def send(run: subprocess.Popen[bytes]) -> None:
        for _ in range(times):
            run.send_signal(number)
            time.sleep(0.15 * (times > 1))

    return send


def ended(
    folder: Path,
    command: Sequence[str],
    end: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
    *,
    conftest: str = "",
    per: str = "worker",
    sets: int = 1,
) -> Ended:
    """Run two features until their services are up, end the run, and look what is left of the services."""
    project = Project(folder).file("service.py", SERVICE).file("features/steps/choreo.py", LOADER)
    project.feature(FEATURE, "a").feature(FEATURE, "b").file("conftest.py", conftest)
    project.file("features/environment.py", conftest)
    project.file(
        "choreo.yaml",
        f"""
        services_per: {per}
        services:
          a: {{command: python service.py, ready: {{log: up}}, stop_within: 500ms}}
        profiles:
          local: {{bus: {{type: memory, correlation: none}}}}
        """,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CHOREO"))}
    pids = folder / "pids"
    with (folder / "said").open("wb") as said:
        run = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=kept,
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=as_in_the_foreground,  # noqa: PLW1509 - one call, before any thread of ours
        )
    with run:
        is_up = wait_until(lambda: pids.exists() and len(pids.read_text().splitlines()) >= sets, BOUND_S)
        assert is_up, (folder / "said").read_text()
        time.sleep(0.5)  # into a scenario: where exactly is nothing that is promised
        begun = time.monotonic()
        end(run)
        try:
            code = run.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            code = None
            run.kill()
        took_s = time.monotonic() - begun
    started = {int(each) for each in pids.read_text().split()}
    wait_until(lambda: not started & alive(), 5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)  # behavex leaves a process of its own where it is killed
    return Ended(code, took_s, frozenset(started & alive()), len(started))


@pytest.mark.parametrize(
    ("command", "end"),
    [
        (BEHAVE, signalled(signal.SIGINT)),
        (BEHAVEX, signalled(signal.SIGKILL)),
        ((*PYTEST, "-p", "timeout", "--timeout=1", "--timeout-method=thread"), lambda _: None),
    ],
    ids=["Ctrl-C", "behavex-killed", "pytest-timeout"],
)
def test_no_service_outlives_its_run(command: Sequence[str], end: Callable[[subprocess.Popen[bytes]], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="bx") as folder:  # a short path: behavex puts a socket below it
        found = ended(Path(folder), command, end)
    assert found.code is not None, "the run hangs"
    assert not found.left

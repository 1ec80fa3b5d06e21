"""A service that is a program: started without a shell, heard, and ended with everything it has started."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from choreo_bdd.brokers import processes
from choreo_bdd_steps.services.output import Output

_PYTHON = ("python", "python3")
_MARK = "CHOREO_BDD_SERVICE"
"""By this in its environment a process is known to be a service's, whatever group it is in."""
_FLUSH_S = 1.0
_REST_S = 0.5


class Program:
    """A running program. It leads a process group of its own, which ends with this process at the latest.

    Raises ``OSError`` when it cannot be started.
    """

    def __init__(self, command: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], output: Output) -> None:
        self.output = output
        self.ended_at: float | None = None
        """When it ended, in ``time.monotonic()``."""
        self._mark = secrets.token_hex(16)
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                _with_this_python(command),
                cwd=cwd,
                # what is written into a pipe would otherwise come in blocks, long after it was written
                env={"PYTHONUNBUFFERED": "1", **os.environ, **env, _MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._leash = processes.leash([self._process.pid], mark=self._mark)
        self._is_stopped = False
        output.read(reading, then=lambda: None)
        threading.Thread(target=self._watch, name=f"choreo-watch-{self._process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group, too."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; ``None`` while it runs."""
        return self._process.poll()

    @property
    def has_died(self) -> bool:
        """Whether it has ended without being asked to."""
        return not self._is_stopped and self.code is not None

    def last_lines(self, count: int) -> list[str]:
        """The last it wrote; of a program that has ended, everything counts."""
        if self.code is not None:
            self.output.wait(_FLUSH_S)
        return self.output.last(count)

    def stop(self, patience_s: float) -> None:
        """Ask its group to end, and whatever else it has started; insist after ``patience_s``."""
        if self.code is None:
            self._is_stopped = True
        self._signal(signal.SIGTERM)
        processes.wait_until(lambda: self.code is not None, patience_s)
        processes.wait_until(lambda: not processes.group_lives(self.pid) and not processes.strays(self._mark), _REST_S)
        self._signal(signal.SIGKILL)
        self._process.wait()
        processes.unleash(self._leash)
        self.output.wait(_FLUSH_S)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
        for stray in processes.strays(self._mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stray, number)

    def _watch(self) -> None:
        self._process.wait()
        self.ended_at = time.monotonic()


def _with_this_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """``python`` is the one that runs the tests, whether or not its environment is activated."""
    return (sys.executable, *command[1:]) if command[0] in _PYTHON else command


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

"""One running broker program."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from choreo_bdd.brokers import processes
from choreo_bdd.brokers.errors import BrokerFailed
from choreo_bdd.brokers.plan import BrokerPlan, Placement, Probe, Program

_TAIL_LINES = 25
_PROBE_S = 1.0
_PREPARE_S = 60.0
_COMPANION_S = 1.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Broker:
    """A broker program of this process's own, on loopback. Made by ``choreo_bdd.brokers.start``; a context manager.

    Not for use by several threads at once. Ended, and what it wrote removed, when this process ends in whatever way.
    """

    def __init__(self, kind: str, program: Program, placement: Placement, plan: BrokerPlan) -> None:
        self.kind = kind
        self.program = program.title
        self._placement = placement
        self._plan = plan
        self._server: subprocess.Popen[bytes] | None = None
        self._companion: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        self._prepared = False
        atexit.register(self.stop)

    # --- facts ----------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """The loopback address it listens on."""
        return self._placement.host

    @property
    def port(self) -> int:
        """The port clients connect to; the same after a restart."""
        return self._placement.port

    @property
    def url(self) -> str:
        """What clients are given: a URL, for Kafka ``host:port``. No secrets, but for RabbitMQ's well-known guest."""
        return self._plan.url

    @property
    def folder(self) -> Path:
        """Where it keeps its data, its configuration and its log, until it stops."""
        return self._placement.folder

    @property
    def log(self) -> Path:
        """The file with all its output."""
        return self._placement.folder / "broker.log"

    @property
    def pid(self) -> int:
        """Process id of the server, which leads a process group of its own; ``RuntimeError`` after its end."""
        if self._server is None:
            raise RuntimeError(f"the {self.kind} broker was stopped or killed and has no process")
        return self._server.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the server and of what runs beside it (RabbitMQ's port mapper), each a group leader."""
        return tuple(each.pid for each in (self._server, self._companion) if each is not None)

    @property
    def is_running(self) -> bool:
        """Whether the server process lives."""
        return self._server is not None and self._server.poll() is None

    def profile(self) -> dict[str, Any]:
        """This broker as a transport of choreo.yaml, credentials included where it was started with some."""
        return dict(self._plan.profile)

    # --- life -----------------------------------------------------------------------------------------------------

    def restart(self, *, timeout_s: float | None = None) -> None:
        """End it if it runs and start it on the same port with the same data; ``BrokerFailed`` if that fails."""
        if not self.folder.exists():
            raise RuntimeError(f"the {self.kind} broker was stopped and its data is gone: start a new one")
        self._end_server(self._plan.stop_timeout_s)
        self.launch(timeout_s=timeout_s)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would. Its data stays as a crash leaves it, for ``restart``."""
        self._end_server(0)

    def stop(self) -> None:
        """End it and remove its folder; harmless when called again."""
        atexit.unregister(self.stop)
        self._unleash()
        self._end_server(self._plan.stop_timeout_s)
        companion, self._companion = self._companion, None
        if companion is not None:
            processes.end(companion, patience_s=_COMPANION_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave_running(self) -> None:
        """Let it outlive this process. Who does this must end ``pids`` and remove ``folder``."""
        atexit.unregister(self.stop)
        self._unleash()

    def launch(self, *, timeout_s: float | None = None) -> None:
        """Start the program and wait until it answers; ``BrokerFailed`` after ``timeout_s`` (default: by kind)."""
        self._prepare()
        patience_s = self._plan.start_timeout_s if timeout_s is None else timeout_s
        self._launch_companion(patience_s)
        self._server = self._spawn(self._plan.command)
        self._unleash()
        self._leash = processes.leash(self.pids, self.folder)
        self._wait_for_answer(self._server, self._plan.probe, patience_s)

    def _launch_companion(self, patience_s: float) -> None:
        plan = self._plan.companion
        if plan is not None and (self._companion is None or self._companion.poll() is not None):
            self._companion = self._spawn(plan.command)
            self._wait_for_answer(self._companion, plan.probe, patience_s)

    def _prepare(self) -> None:
        if self._prepared:
            return
        for command in self._plan.prepare:
            process = self._spawn(command)
            try:
                code = process.wait(_PREPARE_S)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                processes.end(process, patience_s=0)
            if code != 0:
                ended = f"ended with code {code}" if code is not None else f"did not end within {_PREPARE_S:g} s"
                raise self._failure(f"could not be prepared: its set-up command {ended}")
        self._prepared = True

    def _spawn(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self._plan.environment}
        try:
            return processes.spawn(command, folder=self.folder, environment=environment, log=self.log)
        except OSError as error:
            raise self._failure(f"could not be started: {error}") from error

    def _wait_for_answer(self, process: subprocess.Popen[bytes], probe: Probe, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                probe(_PROBE_S)
            except (OSError, ValueError) as error:
                last = error
            else:
                if process.poll() is None:
                    return
            if process.poll() is not None:
                raise self._failure(f"ended before it answered on port {self.port}")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer on port {self.port} within {patience_s:g} s ({last})")
            time.sleep(processes.POLL_S)

    def _unleash(self) -> None:
        if self._leash is not None:
            processes.unleash(self._leash)
            self._leash = None

    def _end_server(self, patience_s: float) -> None:
        server, self._server = self._server, None  # once ended its id may become another process's
        if server is not None:
            processes.end(server, patience_s=patience_s)

    def _failure(self, reason: str) -> BrokerFailed:
        return BrokerFailed(self.kind, self.program, reason, self.log_tail())

    def log_tail(self) -> str:
        """The last lines of its output."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return _COLOURS.sub("", "\n".join(lines[-_TAIL_LINES:]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{self.kind} broker on {self.host}:{self.port}: {self.program}>"

"""The process that keeps the services which the workers of a run share: it ends with the run.

    python -m choreo_bdd_steps.services.supervisor FOLDER SOURCE PROFILE [CONTROLLER]

The first worker starts it. It is no child of any worker, so that none takes it along; that one is gone, however it
ended, shows by its connection. A run is over when its controller says so, or has gone together with the last worker;
one without a controller, when no worker is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import structs

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config, load_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.plan.settings import at_addresses
from choreo_bdd_steps.services import meeting
from choreo_bdd_steps.services.running import Services, receiver_of_spans

LISTENS = "listening"
_OF_ONE_WORKER = "PYTEST_XDIST_WORKER"
_LOOK_S = 0.5


class Supervisor:
    """Services, and the workers that are told of them; ``controller`` is the process that tells these what to do."""

    def __init__(self, config: Config, folder: Path, controller: int | None) -> None:
        self._config = config
        self._folder = folder
        self._controller = controller
        """``None`` once it has gone, too."""
        self._listener = Listener(str(meeting.socket_in(folder)), family="AF_UNIX", backlog=64)
        self._receiver = receiver_of_spans() if config.traces else None
        self._services = Services({} if self._receiver is None else self._receiver.environment)
        self._joined = 0
        self._count = threading.Lock()
        self._is_begun = threading.Event()
        """Whether all have started, or one has failed to."""
        self._is_over = threading.Event()
        self._failure: str | None = None

    def keep(self) -> None:
        """Start the services, and return once they are stopped because the run is over."""
        threading.Thread(target=self._accept, name="choreo-supervisor", daemon=True).start()
        threading.Thread(target=self._watch_controller, name="choreo-controller", daemon=True).start()
        try:
            self._services.start(self._config.services, self._config, at_addresses)
        except ChoreoError as error:
            self._failure = str(error)
        self._is_begun.set()
        self._is_over.wait()
        self._services.stop()

    def _accept(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection = self._listener.accept()
                threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: Connection) -> None:
        has_joined = False
        try:
            while True:
                name, *arguments = json.loads(connection.recv_bytes())
                if name == meeting.LEAVE:
                    break
                if name == meeting.END:
                    connection.send_bytes(json.dumps({"is": self._stop_within_s}).encode())
                    self._end(lambda: True)
                if name == meeting.JOIN:
                    has_joined = True
                    self._join()
                connection.send_bytes(json.dumps(self._answer(name, arguments)).encode())
        except (EOFError, OSError):
            pass  # it has ended without a word
        if has_joined:
            self._leave()
        connection.close()  # this is what one that leaves waits for

    def _join(self) -> None:
        with self._count:
            self._joined += 1

    def _leave(self) -> None:
        with self._count:
            self._joined -= 1
        self._end(self._is_left_alone)

    def _watch_controller(self) -> None:
        if self._controller is not None:
            _wait_for_end_of(self._controller)
            self._controller = None
            self._end(self._is_left_alone)

    def _is_left_alone(self) -> bool:
        """Whether no worker is there, and none will come; asked while nobody can join, the answer holds."""
        return not self._joined and self._controller is None

    def _end(self, is_over: Callable[[], bool]) -> None:
        """End everything where the run is over; does not return then."""
        if not is_over():
            return
        with meeting.alone_in(self._folder):
            if not is_over():
                return
            if not self._is_begun.is_set():
                shutil.rmtree(self._folder, ignore_errors=True)
                os._exit(1)  # what has begun to start is on a leash of this process
            self._is_over.set()
            threading.Event().wait()  # who comes now waits for the folder, until this process has ended

    @property
    def _stop_within_s(self) -> float:
        return sum(each.stop_within_s for each in self._config.services)

    def _answer(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        match name:
            case meeting.STARTED:
                self._is_begun.wait()
                return self._told() if self._failure is None else {"failed": self._failure}
            case meeting.DEATHS:
                return {"is": [structs.astuple(each) for each in self._services.deaths()]}
            case meeting.LINES:
                return {"is": [structs.astuple(each) for each in self._services.lines(*arguments)]}
            case meeting.EXPECT if self._receiver is not None:
                self._receiver.spans.expect(*arguments)
            case meeting.SPANS if self._receiver is not None:
                spans = self._receiver.spans
                return {"is": [spans.heard, [structs.astuple(each) for each in spans.of(*arguments)]]}
        return {"is": None}

    def _told(self) -> dict[str, Any]:
        addresses: Mapping[str, Any] = MappingProxyType(self._services.addresses)
        return {
            "is": [
                {name: structs.astuple(address) for name, address in addresses.items()},
                [structs.astuple(each) for each in self._services.started],
            ]
        }


def _wait_for_end_of(pid: int) -> None:
    """Of a process that is no child of this one; what has ended and was not collected by its parent has ended."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it has gone, or the kernel is too old
            descriptor = os.pidfd_open(pid)
            select.select([descriptor], [], [])
            return
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(_LOOK_S)  # no system but Linux tells of the end of a process that is no child


def main() -> None:
    """Keep the services of a configuration; ``listening`` is printed when workers may come."""
    folder, source, profile = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    if os.fork():
        os._exit(0)
    os.setsid()
    os.environ.pop(_OF_ONE_WORKER, None)
    controller = int(sys.argv[4]) if len(sys.argv) > 4 else None
    supervisor = Supervisor(load_config(source, schema=config_schema(), profile=profile), folder, controller)
    print(LISTENS, flush=True)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (1, 2):
        os.dup2(nowhere, standard)
    supervisor.keep()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

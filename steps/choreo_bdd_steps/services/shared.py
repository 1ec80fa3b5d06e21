"""Services that the workers of a run share, as one of these workers sees them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.traces.spans import Span, SpanSource
from choreo_bdd_project.config import Config
from choreo_bdd_project.placeholders import Address
from choreo_bdd_steps.services import meeting
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.services.facts import Death, Line, Started

_SUPERVISOR = "choreo_bdd_steps.services.supervisor"
_LEAVE_S = 10.0
"""How long the others are given to stop, above what each may take."""


class SharedServices:
    """Services kept by another process for all workers of a run, until this is over: until ``controller``, a process
    id, has gone or told so by ``end_shared``; until the last worker has left where there is none.

    Raises what starting them raised, and ``ServiceFailed`` where the supervisor cannot be started.
    """

    def __init__(self, config: Config, run: str, controller: int | None = None) -> None:
        self._lock = threading.Lock()
        self._stop_within_s = _LEAVE_S + sum(each.stop_within_s for each in config.services)
        self._is_traced = config.traces
        self._gone_at: float | None = None
        self._last_deaths: Sequence[Death] = ()
        self.addresses: Mapping[str, Address] = {}
        self.started: Sequence[Started] = ()
        folder = meeting.meeting_folder(run, config.source, config.profile)
        with meeting.alone_in(folder):
            self._connection: Connection | None = _reached(folder) or _kept(folder, config, controller)
            self._ask(meeting.JOIN)
        try:
            addresses, started = self._ask(meeting.STARTED)
        except BaseException:
            self.stop()
            raise
        self.addresses = {name: Address(*address) for name, address in addresses.items()}
        self.started = [Started(*each) for each in started]

    def deaths(self) -> Sequence[Death]:
        """Those that have ended by themselves; all of them where their supervisor has."""
        with contextlib.suppress(EOFError, OSError):
            self._last_deaths = [Death(*each) for each in self._ask(meeting.DEATHS) or ()]
        if self._gone_at is None:
            return self._last_deaths
        dead = {each.service for each in self._last_deaths}
        how, at = "went down with the process that kept it for all workers", self._gone_at
        lost = (Death(each.name, how, at) for each in self.started if each.is_ours and each.name not in dead)
        return (*self._last_deaths, *lost)

    def lines(self, since: float) -> Sequence[Line]:
        """What they wrote since a moment, for whichever worker."""
        with contextlib.suppress(EOFError, OSError):
            return [Line(*each) for each in self._ask(meeting.LINES, since) or ()]
        return ()

    def stop(self) -> None:
        """Leave them to the others; the last one of a run without a controller waits until they are stopped."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is None:
            return
        with connection, contextlib.suppress(EOFError, OSError):
            connection.send_bytes(json.dumps([meeting.LEAVE]).encode())
            if connection.poll(self._stop_within_s):
                connection.recv_bytes()  # ends, as nothing is said any more

    # --- what services tell of their work -------------------------------------------------------------------------

    @property
    def spans(self) -> SpanSource | None:
        """Itself, where the run is traced."""
        return self if self._is_traced else None

    @property
    def heard(self) -> bool:
        """Whether any service has told anything yet."""
        return bool(self._spans("")[0])

    def expect(self, trace_id: str) -> None:
        """Keep the spans of a trace from now on."""
        with contextlib.suppress(EOFError, OSError):
            self._ask(meeting.EXPECT, trace_id)

    def of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace so far."""
        return tuple(Span(*each) for each in self._spans(trace_id)[1])

    def _spans(self, trace_id: str) -> Sequence[Any]:
        with contextlib.suppress(EOFError, OSError):
            return self._ask(meeting.SPANS, trace_id) or (False, ())
        return False, ()

    def _ask(self, *question: object) -> Any:
        """Raises ``ChoreoError`` as the supervisor tells it, ``EOFError`` or ``OSError`` where that has gone."""
        with self._lock:
            if self._connection is None:
                return None
            try:
                self._connection.send_bytes(json.dumps(question).encode())
                answer = json.loads(self._connection.recv_bytes())
            except (EOFError, OSError):
                self._gone_at = self._gone_at or time.monotonic()
                raise
        if "failed" in answer:
            raise ChoreoError(answer["failed"])
        return answer["is"]


def end_shared(folder: Path) -> None:
    """Have what the workers who meet there share stopped, as their controller, and wait for that; never raises."""
    connection = _reached(folder)
    if connection is None:
        return
    with connection, contextlib.suppress(EOFError, OSError):
        connection.send_bytes(json.dumps([meeting.END]).encode())
        stop_within_s = json.loads(connection.recv_bytes())["is"]
        if connection.poll(_LEAVE_S + stop_within_s):
            connection.recv_bytes()  # ends, as nothing is said any more


def _reached(folder: Path) -> Connection | None:
    """The supervisor that an earlier worker has started."""
    with contextlib.suppress(OSError):
        return Client(str(meeting.socket_in(folder)), family="AF_UNIX")
    return None


def _kept(folder: Path, config: Config, controller: int | None) -> Connection:
    """A supervisor of our own making; what a killed one has left is in its way."""
    meeting.socket_in(folder).unlink(missing_ok=True)
    of_controller = [] if controller is None else [str(controller)]
    with subprocess.Popen(
        [sys.executable, "-m", _SUPERVISOR, str(folder), str(config.source), config.profile, *of_controller],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as begun:
        assert begun.stdout is not None
        said = begun.stdout.readline()
        is_there = said.strip() == "listening"
        rest = "" if is_there else begun.stdout.read()
    if not is_there:
        reason = "the process that keeps them for all workers could not be started"
        raise ServiceFailed(f"{config.source}: services", reason, (said + rest).splitlines()[-5:])
    return Client(str(meeting.socket_in(folder)), family="AF_UNIX")

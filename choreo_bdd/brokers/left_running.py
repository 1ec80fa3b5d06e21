"""Brokers that outlive the command that started them: one small file each in the user's state folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from choreo_bdd.brokers import _folders, processes
from choreo_bdd.brokers.broker import Broker
from choreo_bdd.brokers.starting import KINDS

_HEALTH_S = 2.0
_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRunning:
    """A broker left running. ``births`` tells its processes from later ones with the same ids."""

    kind: str
    program: str
    url: str
    host: str
    port: int
    pid: int
    births: Mapping[int, str]
    folder: str
    log: str
    profile: Mapping[str, Any]

    @property
    def is_running(self) -> bool:
        """Whether its server process lives."""
        return _lives(self.pid, self.births[self.pid])

    @property
    def is_healthy(self) -> bool:
        """Whether it answers in its own protocol."""
        if not self.is_running:
            return False
        try:
            KINDS[self.kind].handshake(self.host, self.port, _HEALTH_S)
        except (OSError, ValueError):
            return False
        return True


def leave(broker: Broker) -> LeftRunning:
    """Let a broker outlive this process and remember it."""
    left = LeftRunning(
        kind=broker.kind,
        program=broker.program,
        url=broker.url,
        host=broker.host,
        port=broker.port,
        pid=broker.pid,
        births={pid: _birth(pid) for pid in broker.pids},
        folder=str(broker.folder),
        log=str(broker.log),
        profile=broker.profile(),
    )
    path = _path(broker.kind)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(asdict(left), indent=2), encoding="utf-8")
    broker.leave_running()
    return left


def remembered(kind: str) -> LeftRunning | None:
    """The broker of this kind that was left running, whether or not it still runs."""
    try:
        record = json.loads(_path(kind).read_text(encoding="utf-8"))
        births = {int(pid): birth for pid, birth in record.pop("births").items()}
        return LeftRunning(births=births, **record)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        _path(kind).unlink()  # written by another version: nothing in it can be relied upon
        return None


def end(left: LeftRunning) -> None:
    """End its processes, remove its folder and forget it."""
    for pid, birth in left.births.items():
        if _lives(pid, birth):
            processes.end_group(pid, partial(_is_gone, pid, birth), patience_s=_PATIENCE_S)
    shutil.rmtree(left.folder, ignore_errors=True)
    _path(left.kind).unlink(missing_ok=True)


def _path(kind: str) -> Path:
    return _folders.state() / "brokers" / f"{kind}.json"


def _lives(pid: int, birth: str) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return _birth(pid) == birth


def _is_gone(pid: int, birth: str) -> bool:
    return not _lives(pid, birth)


def _birth(pid: int) -> str:
    """When a process began, as the system writes it; empty for one that is gone or only waits to be forgotten."""
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    state, _, began = asked.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else began.strip()

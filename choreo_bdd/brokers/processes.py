"""Server processes: each leads a process group of its own and is ended with all its children, by id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_S = 0.02
_REAP_S = 2.0
_ORPHANS_S = 0.3  # their sockets close with them; only a slow init process keeps their names longer


def spawn(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, so that no Ctrl-C and no closing terminal reaches it."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


_LEASH = """folder=$1; mark=$2; shift 2; read -r _; kill -KILL "$@"
[ -z "$folder" ] || rm -rf "$folder"
[ -z "$mark" ] || for each in $(grep -ls "$mark" /proc/[0-9]*/environ); do
  each=${each#/proc/}; kill -KILL "${each%/environ}"
done"""


def leash(groups: Sequence[int], folder: Path | None = None, *, mark: str = "") -> subprocess.Popen[bytes]:
    """A watcher that ends these process groups and removes the folder when this process dies without doing so.

    With a ``mark`` it ends the ``strays`` of it, too. Nobody else holds the other end of its input, which closes
    however this process ends, SIGKILL included.
    """
    return subprocess.Popen(
        ["sh", "-c", _LEASH, "sh", str(folder or ""), mark, *(f"-{group}" for group in groups)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def unleash(watcher: subprocess.Popen[bytes]) -> None:
    """End a watcher before it acts."""
    end(watcher, patience_s=0)
    if watcher.stdin is not None:
        watcher.stdin.close()


def end(process: subprocess.Popen[bytes], *, patience_s: float) -> None:
    """Ask a process to end, insist after ``patience_s``, and leave neither a zombie nor a child of it."""
    end_group(process.pid, lambda: process.poll() is not None, patience_s=patience_s)


def end_group(pid: int, has_ended: Callable[[], bool], *, patience_s: float) -> None:
    """Like ``end``, for a group leader known by its id only."""
    if patience_s > 0 and not has_ended():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(has_ended, patience_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    wait_until(has_ended, _REAP_S)
    wait_until(lambda: not group_lives(pid), _ORPHANS_S)


def wait_until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Whether a condition came true in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def group_lives(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def strays(mark: str) -> list[int]:
    """Process ids of all with this text in their environment, such as daemons that have left their group; on Linux."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or it has gone meanwhile
            if mark.encode() in environment.read_bytes():
                found.append(int(environment.parent.name))
    return found

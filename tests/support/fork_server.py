"""Runs of one module, each in a fork of a process that has imported what every run of it imports.

Started as a script by ``started.py``, for which half of a small run's time would go into the same imports every time. A
fork comes out of the loop below and runs the module at the end of an ordinary program: signals, exit code and what is
done at exit are those of ``python -m``. What an interpreter reads when it starts is told by the environment; a run
with another one is refused, and its client starts an interpreter.
"""

from __future__ import annotations

import gc
import importlib
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "OPENSSL_", "SSL_")
_REFUSED = b"no"


@dataclass(frozen=True, slots=True)
class _Request:
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]


def read_at_start(environment: dict[str, str]) -> dict[str, str]:
    """What a running interpreter has looked at already."""
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


class _Server:
    """The runs that go on, each watched for its end and for the end of whoever waits for it."""

    def __init__(self, listener: int) -> None:
        self._listener = socket.socket(fileno=listener)
        self._running: dict[int, tuple[int, socket.socket]] = {}  # by what watches a process: its id, its client
        self._ready = selectors.DefaultSelector()
        self._ready.register(0, selectors.EVENT_READ, lambda _: sys.exit())  # closed: the starter has ended
        self._ready.register(self._listener, selectors.EVENT_READ, self._start)

    def serve(self) -> _Request:
        """Answer until the starter is gone; comes back in forks only, without any descriptor of the server's."""
        while True:
            key, _ = self._ready.select()[0]  # one, as what is done for it may end the next
            answer: Callable[[int], _Request | None] = key.data
            if (request := answer(key.fd)) is not None:
                return request

    def _start(self, _: int) -> _Request | None:
        client = self._listener.accept()[0]
        request = _received(client)
        if read_at_start(request.environment) != read_at_start(dict(os.environ)):
            with client:
                client.sendall(_REFUSED)
        elif pid := os.fork():
            watched = os.pidfd_open(pid)
            self._running[watched] = pid, client
            self._ready.register(watched, selectors.EVENT_READ, self._tell_end)
            self._ready.register(client, selectors.EVENT_READ, lambda _: self._kill(pid, client))
        else:
            self._close(client)
            return request
        _close(request.streams)
        return None

    def _tell_end(self, watched: int) -> None:
        pid, client = self._running.pop(watched)
        _, status = os.waitpid(pid, 0)
        self._ready.unregister(watched)
        os.close(watched)
        with suppress(KeyError):  # it was killed
            self._ready.unregister(client)
        with suppress(OSError), client:
            client.sendall(b"%d" % os.waitstatus_to_exitcode(status))

    def _kill(self, pid: int, client: socket.socket) -> None:
        """Nobody waits for this run any longer."""
        self._ready.unregister(client)
        os.kill(pid, signal.SIGKILL)

    def _close(self, client: socket.socket) -> None:
        _close(list(self._running))
        for each in (client, self._listener, *(other for _, other in self._running.values())):
            each.close()
        self._ready.close()


def _received(client: socket.socket) -> _Request:
    length, streams, _, _ = socket.recv_fds(client, 8, 3)
    text, wanted = b"", int.from_bytes(length, "big")
    while len(text) < wanted:
        text += client.recv(wanted - len(text))
    arguments, folder, environment = marshal.loads(text)
    return _Request(arguments, folder, environment, streams)


def _close(descriptors: list[int]) -> None:
    for each in descriptors:
        os.close(each)


def _become(request: _Request) -> None:
    for target, stream in enumerate(request.streams):
        os.dup2(stream, target)
        os.close(stream)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    sys.path[0] = os.getcwd()
    sys.argv[1:] = request.arguments
    importlib.invalidate_caches()
    gc.enable()


def main(listener: str, module: str, *imported: str) -> None:
    """Import, wait for requests, and in a fork run the module as its request says."""
    gc.disable()
    for each in imported:
        importlib.import_module(each)
    sys.modules.pop(f"{module}.__main__", None)  # to be run, and only what it imports to be imported
    gc.freeze()  # a run's own garbage is not looked for here
    assert threading.active_count() == 1, "a fork would be without the other threads"
    _become(_Server(int(listener)).serve())
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

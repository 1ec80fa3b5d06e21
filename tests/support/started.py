"""How tests start behave, pytest and the command line as processes of their own, as a user starts them.

Most of a small run's time goes into imports, and there are a thousand of them: where a fork can be watched, they are
forks of a process that has done those imports (``fork_server.py``). What a test kills, or sends a signal, it starts
with ``sys.executable -m``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# what runs with choreo import sooner or later, whole
_EITHER = (
    "choreo_bdd_steps.run.session", "choreo_bdd_steps.recording", "choreo_bdd.transports.memory",
    "choreo_bdd_reporter.record.recorder", "choreo_bdd_reporter.writer", "choreo_bdd_reporter.page",
    "choreo_bdd_reporter.outputs.terminal", "choreo_bdd_reporter.frameworks.gherkin",
    "choreo_bdd_schemas", "email.parser", "jsonschema", "jsonschema_rs", "msgspec", "yaml",
)  # fmt: skip
_IMPORTED = {
    "behave": (
        "behave.__main__", "behave.reporter.summary", "choreo_bdd_steps.adapters.behave",
        "choreo_bdd_reporter.behave_formatter", *_EITHER,
    ),
    # no plugin of pytest's: it would warn that it came too late to rewrite their assertions
    "pytest": (
        "pytest", "_pytest.helpconfig", "unittest", "xml.etree.ElementTree", "pdb", "execnet", "mako.lookup",
        "gherkin.parser", "parse_type.cfparse", "packaging.version",
        "choreo_bdd_reporter.frameworks.pytest.phases", *_EITHER,
    ),
    "choreo_bdd": ("choreo_bdd.cli", "choreo_bdd_steps.commands", *_EITHER),
}  # fmt: skip
_CLIENT = Path(__file__).with_name("fork_client.py")
_SERVER = Path(__file__).with_name("fork_server.py")


@dataclass(frozen=True, slots=True)
class _Server:
    process: subprocess.Popen[bytes]
    socket: Path

    def end(self) -> None:
        self.process.communicate()  # closes its standard input
        shutil.rmtree(self.socket.parent)


_servers: dict[str, _Server] = {}


def python_m(module: str, *arguments: str) -> list[str]:
    """The command that runs a module as ``python -m`` does."""
    if module not in _IMPORTED or not hasattr(os, "pidfd_open"):
        return [sys.executable, "-m", module, *arguments]
    if module not in _servers:
        _servers[module] = _started(module)
    return [sys.executable, "-I", "-S", str(_CLIENT), str(_servers[module].socket), module, *arguments]


def end_servers() -> None:
    """At the end of a session of tests."""
    while _servers:
        _servers.popitem()[1].end()


def _started(module: str) -> _Server:
    path = Path(tempfile.mkdtemp(prefix="choreo-bdd-")) / "runs"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()  # from here on a client can connect, and waits
        descriptor = listener.fileno()
        command = [sys.executable, str(_SERVER), str(descriptor), module, *_IMPORTED[module]]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(descriptor,), cwd=_SERVER.parent
        )
    return _Server(process, path)

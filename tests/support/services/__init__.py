"""Services as people write them, each run in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READY_S = 45.0
_STOP_S = 1.0


@contextmanager
def running_service(name: str, *arguments: str) -> Iterator[None]:
    """A service of this folder, from the moment it says that it is ready."""
    program = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *arguments]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        overdue = threading.Timer(_READY_S, process.kill)
        overdue.start()
        try:
            is_ready = any(line.strip() == "ready" for line in process.stdout)
            overdue.cancel()
            if not is_ready:
                process.kill()
                raise AssertionError(f"the service {name} did not get ready:\n{process.stderr.read()}")
            yield
        finally:
            overdue.cancel()
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()

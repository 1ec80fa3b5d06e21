"""A server in a process of its own, as its user starts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-c", "from choreo_bdd.cli import main; main()", "chronicle")


def start(data: Path, *options: str, stderr: int | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start a server; its process, and its address once it can be reached."""
    command = [*COMMAND, "serve", "--port", "0", "--data", str(data), *options]
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    return process, found[0]


@contextmanager
def serving(data: Path, *options: str) -> Iterator[str]:
    """The address of a server that runs within the block."""
    process, url = start(data, *options)
    try:
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)

"""The tools of npm's that reporter/page-tools pins: `python3 dev.py check` installs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "reporter" / "page-tools"
MODULES = FOLDER / "node_modules"


def module_file(name: str) -> Path:
    """A file of an installed package; without it the test is skipped, in CI it fails."""
    file = MODULES / name
    if not file.exists():
        _report_missing(f"{file} is not there: `python3 dev.py check` installs what {FOLDER.name} pins")
    return file


def run_node(script: str, *arguments: str | Path) -> str:
    """What a script of the folder prints; without node or the packages the test is skipped, in CI it fails."""
    module_file("@cucumber/query")
    node = shutil.which("node")
    if node is None:
        _report_missing("node is not installed")
    done = subprocess.run(
        [str(node), str(FOLDER / script), *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _report_missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)

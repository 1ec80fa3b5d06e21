"""Looking for server programs: on the machine, then in installed wheels."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

# Debian puts servers where an ordinary user's PATH does not look, Homebrew where a service's does not.
_ALSO = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin")
_VERSION_S = 20.0
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


def on_path(*names: str) -> Path | None:
    """The first of these programs found on the machine."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO))
    for name in names:
        found = shutil.which(name, path=path)
        if found is not None:
            return Path(found)
    return None


def in_environment(name: str) -> Path | None:
    """A program that a wheel put beside this Python."""
    program = Path(sysconfig.get_path("scripts")) / name
    return program if program.is_file() else None


def in_package(package: str, pattern: str) -> Path | None:
    """The first file of an installed package that matches a pattern; the package is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob(pattern))), None)


def version_of(*command: str | Path) -> str:
    """The first version number in what a command prints, or an empty text."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(ran.stdout + ran.stderr)
    return found[0] if found else ""


def title(name: str, version: str, place: str | Path) -> str:
    """How a program is shown to people."""
    return f"{name} {version} ({place})" if version else f"{name} ({place})"

"""Places in feature files, named the same way by every adapter."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path


def relative(filename: str | Path) -> str:
    """A file as seen from the current directory, in POSIX form; as it is where no path leads there."""
    return _relative(str(filename), os.getcwd())


@lru_cache(maxsize=1024)  # asked for every step
def _relative(filename: str, folder: str) -> str:
    try:
        return Path(os.path.relpath(Path(filename).resolve(), folder)).as_posix()
    except ValueError:  # another drive
        return Path(filename).as_posix()

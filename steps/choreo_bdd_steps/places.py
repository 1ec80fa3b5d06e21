"""Places in feature files, named the same way by every adapter."""

from __future__ import annotations

from pathlib import Path


def relative(filename: str | Path) -> str:
    """A file as seen from the current directory, in POSIX form; as it is when it lies elsewhere."""
    try:
        return Path(filename).resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return Path(filename).as_posix()

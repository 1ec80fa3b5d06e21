"""Where feature files lie: named the same way by every adapter, the project around them, and all that are in one."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

CONFIG_NAMES = ("choreo.yaml", "choreo.yml")
_SIGNS = (*CONFIG_NAMES, "conftest.py")
_TABLE_OF_OURS = re.compile(rb"^\s*\[tool\.choreo[\].]", re.MULTILINE)
_FOREIGN_FOLDERS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})


def relative(filename: str | Path) -> str:
    """A file as seen from the current directory, in POSIX form; as it is where no path leads there."""
    return _relative(str(filename), os.getcwd())


@lru_cache(maxsize=1024)  # asked for every step
def _relative(filename: str, folder: str) -> str:
    try:
        return Path(os.path.relpath(Path(filename).resolve(), folder)).as_posix()
    except ValueError:  # another drive
        return Path(filename).as_posix()


def project_of(file: Path) -> Path:
    """Where step definitions may lie: the folder of the features, or one above it that looks like a project."""
    folder = file.resolve().parent
    for each in (folder, *folder.parents):
        if (each / "steps").is_dir() or any((each / sign).is_file() for sign in _SIGNS) or _is_configured(each):
            return each
    return folder


def _is_configured(folder: Path) -> bool:
    """Whether its pyproject.toml has settings of ours."""
    try:
        return _TABLE_OF_OURS.search((folder / "pyproject.toml").read_bytes()) is not None
    except OSError:
        return False


def files_below(folder: Path, *endings: str) -> list[Path]:
    """The files in a folder and those below it that end so, in order; installed packages and hidden folders are left.

    A folder that cannot be read, or has gone meanwhile, has none.
    """
    found = []
    for top, folders, names in os.walk(folder):
        folders[:] = [
            each
            for each in folders
            if each not in _FOREIGN_FOLDERS
            and not each.startswith(".")
            and not os.path.exists(os.path.join(top, each, "pyvenv.cfg"))
        ]
        found += [Path(top, each) for each in names if each.endswith(endings)]
    return sorted(found)

"""A project that runs at once: which files ``choreo-bdd init`` and ``choreo-bdd demo`` write, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from choreo_bdd.exceptions import ChoreoError

LOADER = "features/steps/choreo.py"
PROJECT: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "readme.md",
        "choreo.yaml": "choreo.yaml",
        "config/allowlist.yaml": "allowlist.yaml",
        "features/first.feature": "first.feature",
        LOADER: "loader.py",
        "behave.ini": "behave.ini",
        "pytest.ini": "pytest.ini",
        "requirements.txt": "requirements.txt",
        ".gitignore": "gitignore",
        ".github/workflows/features.yml": "github.yml",
        ".gitlab-ci.yml": "gitlab.yml",
    }
)
"""Where each file of a new project goes, and the template it is made from."""
_CONFIGURATION: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "behave.ini": MappingProxyType(
            {
                ".behaverc": r"^\[behave",
                "setup.cfg": r"^\[behave",
                "tox.ini": r"^\[behave",
                "pyproject.toml": r"^\[tool\.behave",
            }
        ),
        "pytest.ini": MappingProxyType(
            {
                ".pytest.ini": "",
                "pytest.toml": "",
                ".pytest.toml": "",
                "setup.cfg": r"^\[tool:pytest\]",
                "tox.ini": r"^\[pytest\]",
                "pyproject.toml": r"^\[tool\.pytest\b",
            }
        ),
    }
)
"""Files that a framework reads beside, or in place of, one of ours, and the sections by which they configure it."""


class ScaffoldError(ChoreoError):
    """A project cannot be written where it was asked for."""


def template(name: str) -> str:
    """The text of a template."""
    return (files("choreo_bdd_steps.starting") / "templates" / name).read_text(encoding="utf-8")


def configured_elsewhere(folder: Path) -> Mapping[str, str]:
    """Files of a new project that would hide what another file of the folder says to a framework, and that file."""
    return {
        path: other
        for path, others in _CONFIGURATION.items()
        for other, section in others.items()
        if (folder / other).is_file()
        and re.search(section, (folder / other).read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    }


def write_project(folder: Path, *, keep_existing: bool = False) -> list[str]:
    """Write a new project and return the paths written, relative to the folder.

    Nothing that exists is changed, and nothing is hidden that is ``configured_elsewhere``: raises ``ScaffoldError``
    before writing anything, or with ``keep_existing`` leaves such files as they are.
    """
    there = [path for path in PROJECT if (folder / path).exists()]
    if there and not keep_existing:
        raise ScaffoldError(
            f"{folder} has {', '.join(there)} already, and nothing was written. Name another folder, or keep "
            f"{'it' if len(there) == 1 else 'them'} and add the rest: choreo-bdd init {folder} --keep-existing"
        )
    wanted = PROJECT.keys() - configured_elsewhere(folder).keys()
    return write_missing(folder, {path: template(name) for path, name in PROJECT.items() if path in wanted})


def write_missing(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write those files that are not there yet; returns their paths. Raises ``ScaffoldError``."""
    written = [path for path in texts if not (folder / path).exists()]
    try:
        for path in written:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(texts[path], encoding="utf-8", newline="\n")
    except OSError as error:
        raise ScaffoldError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return written

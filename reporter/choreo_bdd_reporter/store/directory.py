"""Where a report may be written: a directory of its own, marked by a sentinel file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from choreo_bdd_reporter.documents.file_names import HISTORY, MESSAGES, PAGE, PARTIAL, RECORDINGS, RESULTS

SENTINEL = ".harness-report"

_FILES = (RESULTS, PAGE, MESSAGES, HISTORY, RECORDINGS, PARTIAL, SENTINEL)
_LEFTOVERS = tuple(f".{name}.tmp" for name in _FILES)
_DIRECTORIES = ("_partial", "index_files", ".index_files.new", ".index_files.old")
_PAGE_FILE = re.compile(r"app\.js|style\.css|c[0-9]+\.js")
_VCS = (".git", ".svn", ".hg")
_SENTINEL_TEXT = "This directory belongs to a test report and is overwritten by the next run.\n"


class ReportDirectoryError(ValueError):
    """The directory named for the report must not be written to; the message says why and what to do."""


def resolve(path: str, base: Path) -> Path:
    """The directory meant by ``path`` (relative to ``base``, ``~`` taken literally), if a report may go there.

    Raises ``ReportDirectoryError`` for places where files of others could be overwritten.
    """
    directory = (base / path).resolve()
    _refuse_precious(directory)
    _check_parent(directory)
    if directory.exists():
        _check_contents(directory)
    return directory


def page_files(page: Path) -> Path:
    """The folder beside a page that holds its parts when they are not in it."""
    return page.with_name(f"{page.stem}_files")


def new_page_files(page: Path) -> Path:
    """That folder while it is being written."""
    return page.with_name(f".{page.stem}_files.new")


def old_page_files(page: Path) -> Path:
    """The folder of an older page until the new one is in its place."""
    return page.with_name(f".{page.stem}_files.old")


def foreign_page_folder(page: Path) -> Path | None:
    """Where the folder of a page's parts would go, something that may be somebody else's; ``None`` if nothing is.

    Browsers and publishing tools make folders of the same name, and what is replaced here is gone.
    """
    places = (page_files(page), new_page_files(page), old_page_files(page))
    return next((place for place in places if os.path.lexists(place) and not _holds_parts_only(place)), None)


def _holds_parts_only(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    entries = list(folder.iterdir())
    names = {entry.name for entry in entries}
    return (not names or "app.js" in names) and all(
        _PAGE_FILE.fullmatch(entry.name) and entry.is_file() and not entry.is_symlink() for entry in entries
    )


def file_to_open(directory: Path) -> Path:
    """The page of a written report; its results where the page could not be written."""
    page = directory / PAGE
    return page if page.is_file() else directory / RESULTS


def prepare(directory: Path) -> None:
    """Create the directory and its sentinel; what an earlier report left stays until the new one replaces it."""
    directory.mkdir(exist_ok=True)
    (directory / SENTINEL).write_text(_SENTINEL_TEXT, "utf-8")


def _refuse_precious(directory: Path) -> None:
    if directory == Path(directory.anchor):
        raise ReportDirectoryError(f"the report cannot go into the filesystem root {directory}; name a directory")
    if directory == Path.home().resolve():
        raise ReportDirectoryError(f"the report cannot go into the user home {directory}; name a directory in it")
    if any((directory / name).exists() for name in _VCS):
        raise ReportDirectoryError(f"the report cannot go into the VCS root {directory}; name a directory in it")


def _check_parent(directory: Path) -> None:
    if not directory.parent.is_dir():
        raise ReportDirectoryError(f"the report cannot go to {directory}: {directory.parent} does not exist")
    if not directory.exists() and not os.access(directory.parent, os.W_OK | os.X_OK):
        raise ReportDirectoryError(f"the report cannot go to {directory}: {directory.parent} is not writable")


def _check_contents(directory: Path) -> None:
    if not directory.is_dir():
        raise ReportDirectoryError(f"the report cannot go to {directory}: it is a file, not a directory")
    entries = list(directory.iterdir())
    # a history alone was put there by somebody who wants to go on with it
    if any(entry.name != HISTORY for entry in entries) and not (directory / SENTINEL).is_file():
        raise ReportDirectoryError(
            f"{directory} is not empty and has no sentinel file {SENTINEL}, so it may hold files of yours; "
            "name an empty or new directory"
        )
    foreign = sorted(entry.name for entry in entries if not _is_ours(entry))
    if foreign:
        raise ReportDirectoryError(
            f"{directory} holds more than the known set of report files ({', '.join(foreign[:5])}); "
            "move them away or name another directory"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ReportDirectoryError(f"the report cannot go to {directory}: it is not writable")


def _is_ours(entry: Path) -> bool:
    if entry.is_symlink():
        return False
    if entry.is_dir():
        return entry.name in _DIRECTORIES and (entry.name == "_partial" or _holds_parts_only(entry))
    return entry.name in _FILES or entry.name in _LEFTOVERS

"""Copies of a SQLite store while it is in use, and back. PostgreSQL has its own tools, and the refusal names them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from choreo_bdd_chronicle.store.store import StoreError, shown

_PAGES = 1000
"""So many pages are copied at a time; between two, whoever writes may."""
_PATIENCE_S = 30.0


def backup(url: str, file: Path) -> None:
    """Copy a store's state of one moment into a file, which is replaced once the copy is whole and on disk.

    Writing to the store may go on. Raises ``StoreError`` when it cannot be copied, or is not SQLite's.
    """
    source = _file_of(url, "pg_dump --format=custom --file={file} {url}", file)
    if not source.is_file():
        raise StoreError(f"{source}: there is no database to copy; --data FOLDER names another")
    if file.exists() and file.samefile(source):
        raise StoreError(f"{file}: is the database itself; name another file for the copy")
    part = file.with_name(f"{file.name}.part")
    try:
        with _opened(source) as original, _opened(part, is_new=True) as copy:
            original.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            _check(copy, source)
        _to_disk(part)
        os.replace(part, file)
    except (sqlite3.Error, OSError) as problem:
        raise StoreError(f"{file}: the copy of {source} cannot be written: {problem}") from problem
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, file: Path, *, replaces: bool) -> None:
    """Make a store of a copy, whole or not at all; one with something in it is replaced only when ``replaces``.

    Raises ``StoreError`` when the file is no copy, or the store is there already or not SQLite's.
    """
    target = _file_of(url, "into an empty database, pg_restore --single-transaction --dbname={url} {file}", file)
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file")
    if target.exists() and not replaces:
        raise StoreError(f"{target}: is there already; --replace puts the copy in its place, and loses what it holds")
    is_new = not target.exists()
    try:
        with _opened(file) as copy, _opened(target, is_new=is_new) as store:
            _check(copy, file)
            copy.backup(store)  # one transaction of the target
    except (sqlite3.Error, StoreError) as problem:
        if is_new:
            target.unlink(missing_ok=True)
        if isinstance(problem, StoreError):
            raise
        raise StoreError(f"{target}: {file} cannot be restored to it: {problem}") from problem


def _file_of(url: str, command: str, file: Path) -> Path:
    try:
        address = make_url(url)
    except ArgumentError as problem:
        raise StoreError(f"{shown(url)}: no address of a database") from problem
    name = address.get_backend_name()
    if name in ("postgresql", "postgres"):
        told = command.format(file=file, url=shown(url))
        raise StoreError(f"PostgreSQL copies its databases with its own tools, from and to any version: {told}")
    if name != "sqlite" or not address.database:
        raise StoreError(f"{shown(url)}: only a SQLite file can be copied")
    return Path(address.database)


@contextmanager
def _opened(file: Path, *, is_new: bool = False) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if is_new else "rw"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_S)) as found:
        yield found


def _check(connection: sqlite3.Connection, file: Path) -> None:
    """That it is whole, and Chronicle's. Raises ``StoreError``."""
    try:
        (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as problem:
        raise StoreError(f"{file}: no copy of a Chronicle database: {problem}") from problem
    if told != "ok":
        raise StoreError(f"{file}: is damaged: {told}")
    if not names >= {"alembic_version", "runs", "raw_reports"}:
        raise StoreError(f"{file}: no copy of a Chronicle database: its tables are others")


def _to_disk(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())

"""Where the workers of one run meet the process that keeps their services: a folder of this user's, and what is said.

A question is a JSON array, name first; its answer an object with ``is`` or ``failed``. Nobody else can open the socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from choreo_bdd_steps.services.errors import ServiceFailed

JOIN: Final = "join"
LEAVE: Final = "leave"
END: Final = "end"
STARTED: Final = "started"
DEATHS: Final = "deaths"
LINES: Final = "lines"
EXPECT: Final = "expect"
SPANS: Final = "spans"

_LONGEST_PATH = 100
"""Bytes; addresses of sockets may have 104 on some systems."""


def meeting_folder(run: str, source: Path | None, profile: str) -> Path:
    """The folder in which the workers of a run meet, for one profile of one configuration."""
    name = f"{_prefix(run)}{_digest(str(source), profile)[:8]}"
    folder = Path(tempfile.gettempdir()) / name
    return folder if len(os.fsencode(socket_in(folder))) <= _LONGEST_PATH else Path("/tmp") / name


def meeting_folders(run: str) -> Sequence[Path]:
    """All folders in which workers of a run meet."""
    roots = {Path(tempfile.gettempdir()), Path("/tmp")}
    return [folder for root in roots for folder in root.glob(f"{_prefix(run)}*")]


def _prefix(run: str) -> str:
    return f"choreo-bdd-workers-{_digest(run, str(os.getuid()))[:16]}-"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def socket_in(folder: Path) -> Path:
    """Where the supervisor listens."""
    return folder / "services"


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be the only process that joins, or ends, the services that are kept at this folder; it is made if need be.

    Raises ``ServiceFailed`` where it belongs to somebody else.
    """
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # the supervisor of a moment ago has removed it
        except OSError as error:
            raise ServiceFailed(str(folder), f"cannot be used to share services: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_still(folder, descriptor):
                continue
            _require_own(folder, os.fstat(descriptor))
            yield
            return
        finally:
            os.close(descriptor)


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether what was waited for is the folder that stands there now."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.stat(folder, follow_symlinks=False), os.fstat(descriptor))
    return False


def _require_own(folder: Path, found: os.stat_result) -> None:
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ServiceFailed(str(folder), "cannot be used to share services: it is not this user's alone; remove it")

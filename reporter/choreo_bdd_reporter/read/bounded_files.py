"""Files of somebody else's report, opened only when they are files, and of a size that can be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TextIO

BYTES_MAX = 200_000_000
"""Of a file that is read whole; in memory it takes several times as much."""


class UnreadableFileError(OSError):
    """Something stands there that is no file, or one that is too large; ``strerror`` says which."""


def open_text(path: Path, *, at_most: int = BYTES_MAX, errors: str = "strict") -> TextIO:
    """The file as UTF-8 text, open. Raises ``OSError``, ``UnreadableFileError`` among them."""
    # not blocking: a pipe without a writer would be waited for while it is opened
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_size <= at_most:
        return open(descriptor, encoding="utf-8", errors=errors)
    os.close(descriptor)
    is_file = stat.S_ISREG(found.st_mode)
    raise UnreadableFileError(0, f"{found.st_size} bytes, more than {at_most}" if is_file else "not a file")

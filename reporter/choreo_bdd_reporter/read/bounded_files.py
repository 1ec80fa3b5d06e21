"""Files of somebody else's report, opened only when they are files, and of a size that can be read."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

BYTES_MAX = 200_000_000
"""Of a file that is read whole; in memory it takes several times as much."""
MEMORY_MAX = 1_400_000_000
"""Bytes that a document and its text may take in memory, by a rough count, which is rather too high."""
_SMALL = MEMORY_MAX // 400
"""Characters that take less than that, whatever they are."""
_COSTS = {"[": 64, "{": 200, ",": 36}
"""What each of these in a JSON text adds: a list, an object with its first member, one more of either."""
_STRING = 50


class UnreadableFileError(OSError):
    """Something stands there that is no file, or one that is too large; ``strerror`` says which."""


def open_text(path: Path, *, errors: str = "strict") -> TextIO:
    """The file as UTF-8 text, open. Raises ``OSError``, ``UnreadableFileError`` among them."""
    # not blocking: a pipe without a writer would be waited for while it is opened
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_size <= BYTES_MAX:
        return open(descriptor, encoding="utf-8", errors=errors)
    os.close(descriptor)
    is_file = stat.S_ISREG(found.st_mode)
    raise UnreadableFileError(0, f"{found.st_size} bytes, more than {BYTES_MAX}" if is_file else "not a file")


def memory_for(text: str) -> int:
    """About how many bytes reading a JSON text takes, the text included: few characters can stand for many objects."""
    keys = text.count('":') - text.count('\\":')  # they are kept once, however often they are written
    strings = max(0, text.count('"') // 2 - keys)
    objects = sum(cost * text.count(character) for character, cost in _COSTS.items())
    return 2 * sys.getsizeof(text) + _STRING * strings + objects


def parse(text: str, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """What a JSON text says. Raises ``ValueError`` for what is none, ``UnreadableFileError`` for what is too much."""
    if len(text) > _SMALL and (needed := memory_for(text)) > MEMORY_MAX:
        raise UnreadableFileError(
            0, f"it would take {needed // 1_000_000:,} MB of memory, more than {MEMORY_MAX // 1_000_000:,}"
        )
    return json.loads(text, parse_constant=parse_constant)

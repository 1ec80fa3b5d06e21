"""Files that are replaced by whole ones only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(target: Path) -> Iterator[TextIO]:
    """A file to write that takes the place of ``target`` when it is complete; else ``target`` stays as it was."""
    temporary = target.with_name(f".{target.name}.tmp")
    temporary.unlink(missing_ok=True)  # left by a run that was killed; or a link, which is not to be written through
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

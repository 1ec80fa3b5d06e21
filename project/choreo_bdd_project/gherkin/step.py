"""One step as its author wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct


class Step(Struct, frozen=True):
    """Sentence, body and place of a step; ``media_type`` is what stands behind the opening quotes of its doc string.

    ``is_act`` says that its author has declared it, in Python, to make messages come.
    """

    text: str
    file: str
    line: int
    keyword: str = ""
    docstring: str | None = None
    media_type: str | None = None
    table: Sequence[Sequence[str]] | None = None
    background: bool = False
    is_act: bool = False

    @property
    def folder(self) -> Path:
        """Where relative files are looked for."""
        return _folder(self.file)

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}"


@lru_cache(maxsize=256)  # asked for every step
def _folder(file: str) -> Path:
    return Path(file).parent

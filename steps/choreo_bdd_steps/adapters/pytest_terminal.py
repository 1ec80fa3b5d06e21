"""What pytest prints by itself, such as a message in a failed ``assert``: it steers no terminal and no log."""

from __future__ import annotations

import re
from typing import Any, TextIO

import pytest

from choreo_bdd.redaction.printable import printable

_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")
_HIDING = re.compile(r"\x1b\[(?:[0-9;]*;)?8(?:;[0-9;]*)?m")


class _Cleaned:
    """A stream that spells out what would steer; colours stay where the terminal has any, but none that hides."""

    def __init__(self, stream: TextIO, *, has_colours: bool) -> None:
        self._stream = stream
        self._has_colours = has_colours

    def write(self, text: str) -> int:
        """Write a text; a carriage return at its beginning is pytest's own progress."""
        begun = text[: len(text) - len(text.lstrip("\r"))]
        self._stream.write(begun + self._cleaned(text[len(begun) :]))
        return len(text)

    def _cleaned(self, text: str) -> str:
        if text.isascii() and text.isprintable() and "::" not in text and "##" not in text:  # nearly always
            return text
        if not self._has_colours:
            return printable(text)
        parts = _COLOURS.split(text)
        return "".join(
            part if index % 2 and not _HIDING.fullmatch(part) else printable(part) for index, part in enumerate(parts)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def clean_terminal(config: pytest.Config) -> None:
    """Have everything that pytest prints pass through a ``_Cleaned``."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    writer = getattr(reporter, "_tw", None)
    if writer is not None and not isinstance(writer._file, _Cleaned):
        writer._file = _Cleaned(writer._file, has_colours=bool(writer.hasmarkup))

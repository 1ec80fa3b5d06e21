"""Printing text that tests made up: it must neither steer the terminal nor break the printing."""

from __future__ import annotations

import re
import sys
from typing import TextIO

# control characters but tab and line feed, marks that turn the direction of text, and halves of surrogate pairs
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def say(text: object) -> None:
    """Print to standard output."""
    _print(text, sys.stdout)


def complain(text: object) -> None:
    """Print to standard error."""
    _print(text, sys.stderr)


def _print(text: object, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    shown = _UNPRINTABLE.sub("\ufffd", str(text))
    print(shown.encode(encoding, "replace").decode(encoding), file=stream)

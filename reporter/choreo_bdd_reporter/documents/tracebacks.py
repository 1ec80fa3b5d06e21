"""What a traceback says was wrong, in one line."""

from __future__ import annotations

import re
from itertools import groupby

_BEGIN = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most recent call last\):$")
_IN_GROUP = "  | "


def line_of_exception(traceback: str | None) -> str:
    """The exception with its type or the assertion; of several that led to one another, the last; else empty.

    pytest marks such lines with ``E``; in a traceback of Python's own it follows the frames, which stand further in.
    """
    lines = (traceback or "").strip("\n").splitlines()
    marked = [list(group) for is_marked, group in groupby(lines, lambda line: line[:2] in ("E", "E ")) if is_marked]
    if marked:
        return next((text for line in marked[-1] if (text := line[1:].strip())), "")
    begin = max((place for place, line in enumerate(lines, 1) if _BEGIN.match(line)), default=None)
    if begin is not None:
        told = (line.removeprefix(_IN_GROUP) for line in lines[begin:])
        lines = [line for line in told if line and not line[0].isspace()][:1] or lines
    return lines[-1].strip() if lines else ""


def has_traceback(text: str) -> bool:
    """Whether what was wrong stands behind frames of Python's."""
    return any(map(_BEGIN.match, text.splitlines()))

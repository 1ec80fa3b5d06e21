"""What a traceback says was wrong, in one line."""

from __future__ import annotations

from itertools import groupby


def line_of_exception(traceback: str | None) -> str:
    """The exception with its type or the assertion; of several that led to one another, the last; else empty.

    pytest marks such lines with ``E``; a traceback of Python's own ends with them.
    """
    lines = (traceback or "").strip().splitlines()
    marked = [list(group) for is_marked, group in groupby(lines, lambda line: line[:2] in ("E", "E ")) if is_marked]
    if marked:
        return next((text for line in marked[-1] if (text := line[1:].strip())), "")
    return lines[-1].strip() if lines else ""

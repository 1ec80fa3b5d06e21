"""What a project's own patterns of secrets have to be able to, however they are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Findable(Protocol):
    """What finds something in a text of any length within bounded time."""

    def is_in(self, text: str) -> bool:
        """Whether there is anything to find."""
        ...

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where: begin and end of each, in order; none is empty, none overlaps another."""
        ...


def found_masked(pattern: Findable, shown: str, text: str, _found: set[str] | None) -> tuple[str, int]:
    """A text with ``shown`` in the place of what is found, and how often that was."""
    pieces: list[str] = []
    done = 0
    for begin, end in pattern.spans(text):
        pieces += (text[done:begin], shown)
        done = end
    return "".join((*pieces, text[done:])), len(pieces) // 2

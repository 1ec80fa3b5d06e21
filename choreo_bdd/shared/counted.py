"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Such as ``1 test`` and ``2 tests``; ``many`` is the word for several, unless an s makes it."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"

"""How often something happens, and which of several is meant, in words."""

from __future__ import annotations

LAST = -1
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def number_of(times: str) -> int:
    """``once``, ``twice`` or ``3 times`` as a number."""
    return {"once": 1, "twice": 2}.get(times) or int(times.partition(" ")[0])


def position_of(ordinal: str) -> int:
    """``first`` or ``1st`` as 1, and so on; ``last`` as ``LAST``."""
    if ordinal == "last":
        return LAST
    return _ORDINALS.index(ordinal) + 1 if ordinal in _ORDINALS else int(ordinal[:-2])

"""How often something happens, in words."""

from __future__ import annotations


def number_of(times: str) -> int:
    """``once``, ``twice`` or ``3 times`` as a number."""
    return {"once": 1, "twice": 2}.get(times) or int(times.partition(" ")[0])

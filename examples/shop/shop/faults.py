"""Faults that a run can plant: ``SHOP_FAULTS=stock-silent,till-topic``, or ``all``."""

from __future__ import annotations

import os

_PLANTED = frozenset(os.environ.get("SHOP_FAULTS", "").split(","))


def planted(name: str, concerns: bool = True) -> bool:
    """Whether this fault shows now; ``concerns`` says whether it is about what is at work."""
    return concerns and (name in _PLANTED or "all" in _PLANTED)

"""Shares of a whole as people read them; the page's ``percent`` says the same."""

from __future__ import annotations

import math

_BOUNDS = {0: ("> −1 %", "< 1 %"), 100: ("> 99 %", "> 100 %")}  # noqa: RUF001 - the sign that the page writes
"""What is said just below and just above."""


def percent(part: float, whole: float) -> str:
    """What is nearly all is not all, what is nearly nothing not nothing, and a little more than all is more."""
    if not whole > 0:
        return "–"  # noqa: RUF001
    share = part / whole * 100
    rounded = math.floor(share + 0.5)
    if rounded in _BOUNDS and share != rounded:
        return _BOUNDS[rounded][share > rounded]
    return f"{rounded} %".replace("-", "\N{MINUS SIGN}")

"""JSON numbers to the last digit: a float where it loses none, else a decimal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal


def exact_number(text: str) -> float | Decimal:
    """The number that a JSON text with a point or an exponent says."""
    value = float(text)
    if repr(value) == text:
        return value
    from decimal import Decimal  # noqa: PLC0415 - slow to load, and few numbers need it

    exact = Decimal(text)
    return value if Decimal(repr(value)) == exact else exact


def encode_exactly(
    value: Any, encode: Callable[..., str], *, otherwise: Callable[[object], object] | None = None, **options: Any
) -> str:
    """JSON text of a value in which decimals stand, each written with all its digits. Raises what ``encode`` does.

    What is neither JSON nor a decimal is written as what ``otherwise`` makes of it, or raises ``TypeError``.
    """
    token = os.urandom(16).hex()  # json writes no number but its own, so decimals go in as texts nobody else has
    written: dict[str, str] = {}

    def aside(other: object) -> object:
        from decimal import Decimal  # noqa: PLC0415 - as above

        if not isinstance(other, Decimal) or not other.is_finite():
            if otherwise is not None:
                return otherwise(other)
            raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")
        mark = f"{token}-{len(written)}"
        written[json.dumps(mark)] = str(other).replace("E+", "E")
        return mark

    text = encode(value, default=aside, **options)
    for mark, digits in written.items():
        text = text.replace(mark, digits)
    return text

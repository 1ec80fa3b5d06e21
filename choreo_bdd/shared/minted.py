"""Random ids that are known for what they are: those of scenarios here, and of scenarios in other processes."""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict

_BYTES = 16
_CHECK_BYTES = 2
_KEPT = 1000

_made_here: OrderedDict[str, None] = OrderedDict()


def minted(size: int = _BYTES) -> str:
    """So many bytes as hexadecimal digits: random ones, and behind them what is reckoned from these."""
    drawn = os.urandom(size - _CHECK_BYTES)
    made = (drawn + _check(drawn)).hex()
    claim(made)
    return made


def claim(made: str) -> None:
    """Take an id for one that was made here, as the last 1,000 are."""
    _made_here[made] = None
    if len(_made_here) > _KEPT:
        _made_here.popitem(last=False)


def is_minted_here(correlation_id: str) -> bool:
    """Whether an id, or what stands behind its prefix, is of a scenario of this process, in whatever letters."""
    return correlation_id[-2 * _BYTES :].lower() in _made_here


def is_minted_elsewhere(correlation_id: str) -> bool:
    """Whether it is of a scenario of another process; one id in 65,536 of somebody else's looks so."""
    try:
        read = bytes.fromhex(correlation_id[-2 * _BYTES :])
    except ValueError:
        return False
    is_minted = len(read) == _BYTES and read[-_CHECK_BYTES:] == _check(read[:-_CHECK_BYTES])
    return is_minted and not is_minted_here(correlation_id)


def _check(drawn: bytes) -> bytes:
    return zlib.crc32(drawn).to_bytes(4, "big")[-_CHECK_BYTES:]

"""Random ids that another process can tell for what they are: a scenario's, and nobody else's."""

from __future__ import annotations

import os
import zlib

_BYTES = 16
_CHECK_BYTES = 2


def minted(size: int = _BYTES) -> str:
    """So many bytes as hexadecimal digits: random ones, and behind them what is reckoned from these."""
    drawn = os.urandom(size - _CHECK_BYTES)
    return (drawn + _check(drawn)).hex()


def is_minted(correlation_id: str) -> bool:
    """Whether an id, or what stands behind its prefix, was made here; one id in 65,536 of somebody else's looks so."""
    try:
        read = bytes.fromhex(correlation_id[-2 * _BYTES :])
    except ValueError:
        return False
    return len(read) == _BYTES and read[-_CHECK_BYTES:] == _check(read[:-_CHECK_BYTES])


def _check(drawn: bytes) -> bytes:
    return zlib.crc32(drawn).to_bytes(4, "big")[-_CHECK_BYTES:]

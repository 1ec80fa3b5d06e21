"""A report's bytes as they are kept, made in the server while its content is checked beside it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass

_AT_ONCE = 64 * 1024
"""A report of so many bytes is packed in less time than a thread takes to be woken."""
_LEVEL = 1  # a report shrinks to a tenth even so, at a third of the time


@dataclass(frozen=True, slots=True)
class Packed:
    """The SHA-256 of a report's bytes, and the bytes as they are kept."""

    content_hash: str
    gzipped: bytes


def packing(body: bytes) -> Awaitable[Packed]:
    """Begin to pack a report: a large one in a thread, as neither hashing nor zlib needs the interpreter."""
    loop = asyncio.get_running_loop()
    if len(body) > _AT_ONCE:
        return loop.run_in_executor(None, _packed, body)
    done: asyncio.Future[Packed] = loop.create_future()
    done.set_result(_packed(body))
    return done


def _packed(body: bytes) -> Packed:
    return Packed(hashlib.sha256(body).hexdigest(), gzip.compress(body, _LEVEL, mtime=0))

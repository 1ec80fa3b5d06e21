"""What a report's bytes become before they are kept, and a process that does nothing else.

As a program it reads bodies from its standard input and writes what became of each, in order, until the input ends.
"""

from __future__ import annotations

import gc
import gzip
import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from struct import Struct as Layout
from typing import BinaryIO

import msgspec
from msgspec import Struct

from choreo_bdd_chronicle.check import Fault, RefusedReportError, Report, check_report

HEAD = Layout("<Q")
"""How many bytes follow."""
GARBAGE = 20_000
"""So many objects more than before are looked through: a report is thousands, none of which is garbage."""
_AT_ONCE = 64 * 1024
"""A report of so many bytes is packed in less time than a thread takes to be woken."""
_LEVEL = 1  # a report shrinks to a tenth even so, at a third of the time


class Understood(Struct, frozen=True, array_like=True, tag=True):
    """A report that can be kept: what it says, the hash of its bytes, and the bytes as they are kept."""

    report: Report
    content_hash: str
    gzipped: bytes


class Refused(Struct, frozen=True, array_like=True, tag=True):
    """A report that cannot; ``is_shape`` tells a broken schema from broken JSON."""

    faults: Sequence[Fault]
    is_shape: bool


def understand(body: bytes) -> Understood | Refused:
    """Check a report, sum it up and pack it."""
    try:
        if len(body) <= _AT_ONCE:
            return Understood(check_report(body), *_packed(body))
        with ThreadPoolExecutor(1) as pool:  # zlib lets go of the interpreter, so that both go on at once
            packing = pool.submit(_packed, body)
            return Understood(check_report(body), *packing.result())
    except RefusedReportError as problem:
        return Refused(problem.faults, problem.is_shape)


def _packed(body: bytes) -> tuple[str, bytes]:
    return hashlib.sha256(body).hexdigest(), gzip.compress(body, _LEVEL, mtime=0)


def serve(bodies: BinaryIO, answers: BinaryIO) -> None:
    """Understand bodies until there are no more."""
    encode = msgspec.msgpack.Encoder().encode
    while head := bodies.read(HEAD.size):
        answer = encode(understand(bodies.read(*HEAD.unpack(head))))
        answers.write(HEAD.pack(len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    gc.freeze()  # as in the server: what is loaded stays, and a report is no garbage before its end
    gc.set_threshold(GARBAGE)
    serve(sys.stdin.buffer, sys.stdout.buffer)

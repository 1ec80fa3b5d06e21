"""What a report's bytes become before they are kept, and a process that does nothing else.

As a program it reads bodies from its standard input and writes what became of each, in order, until the input ends.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from struct import Struct as Layout
from typing import BinaryIO

import msgspec
from msgspec import Struct

from choreo_bdd_chronicle.check import Fault, RefusedReportError, Report, check_report

HEAD = Layout("<Q")
"""How many bytes follow."""
GARBAGE = 20_000
"""So many objects more than before are looked through: a report is thousands, none of which is garbage."""


class Understood(Struct, frozen=True, array_like=True, tag=True):
    """A report that can be kept."""

    report: Report


class Refused(Struct, frozen=True, array_like=True, tag=True):
    """A report that cannot; ``is_shape`` tells a broken schema from broken JSON."""

    faults: Sequence[Fault]
    is_shape: bool


def understand(body: bytes) -> Understood | Refused:
    """Check a report and sum it up."""
    try:
        return Understood(check_report(body))
    except RefusedReportError as problem:
        return Refused(problem.faults, problem.is_shape)


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
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # the server was killed: what is left to be written has nobody to read it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

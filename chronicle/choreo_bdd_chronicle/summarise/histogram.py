"""How latencies are spread, in few bytes: a histogram of logarithmic buckets that merges exactly.

Every bucket is 2 % wide, so each latency is known to 1 %, whatever its size. As bytes a histogram
is a head of 4 bytes, then the numbers of its buckets in rising order, then how many latencies are in each.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import floor, log

FORMAT = 1
"""The first byte of a stored histogram."""

_WIDTH = math.log(1.02)
_ZERO = -32_768
"""The bucket of a latency of exactly 0, below the buckets of all others."""
_LOWEST, _HIGHEST = -32_767, 32_767
_LEAST_MS, _MOST_MS = math.exp((_LOWEST + 1) * _WIDTH), math.exp(_HIGHEST * _WIDTH)
_HEAD = struct.Struct("<BcH")
_COUNT_TYPES = {"B": 2**8, "H": 2**16, "I": 2**32, "Q": 2**64}
"""The narrowest type that holds the largest count is the one that is stored, by its letter in ``struct``."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many latencies fell into each bucket; two are equal when they were made of equal buckets.

    ``buckets`` are pairs of a bucket's number and its count (1 or more), in rising order. Latencies beyond
    1e-280 and 1e280 ms are counted in the outermost buckets.
    """

    buckets: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, latencies_ms: Iterable[float]) -> Histogram:
        """The histogram of these latencies, in milliseconds. Raises ``ValueError`` for one that is no latency."""
        counts: dict[int, int] = {}
        for latency in latencies_ms:
            # nearly every latency there is; the others are looked at one by one
            usual = _LEAST_MS < latency < _MOST_MS
            bucket = floor(log(latency) / _WIDTH) if usual else _unusual(latency)
            counts[bucket] = counts.get(bucket, 0) + 1
        return cls(tuple(sorted(counts.items())))

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Histogram:
        """All latencies of these histograms in one."""
        counts: dict[int, int] = {}
        for histogram in histograms:
            if not counts:
                counts.update(histogram.buckets)
                continue
            for bucket, count in histogram.buckets:
                counts[bucket] = counts.get(bucket, 0) + count
        return cls(tuple(sorted(counts.items())))

    @classmethod
    def merged_bytes(cls, stored: Iterable[bytes]) -> Histogram:
        """All latencies of histograms that ``to_bytes`` stored. Raises ``ValueError`` for other bytes."""
        counts: dict[int, int] = {}
        for data in stored:
            for bucket, count in zip(*_numbers(data), strict=True):
                counts[bucket] = counts.get(bucket, 0) + count
        return cls(tuple(sorted(counts.items())))

    @classmethod
    def from_bytes(cls, data: bytes) -> Histogram:
        """The histogram that ``to_bytes`` stored. Raises ``ValueError``, which says what is wrong with other bytes."""
        buckets, counts = _numbers(data)
        if 0 in counts or list(buckets) != sorted(set(buckets)):
            raise ValueError("a damaged histogram: its buckets are empty or not in rising order")
        return cls(tuple(zip(buckets, counts, strict=True)))

    def to_bytes(self) -> bytes:
        """As it is stored: 19 bytes for 5 different latencies, about 146 for 50."""
        buckets, counts = zip(*self.buckets, strict=True) if self.buckets else ((), ())
        largest = max(counts, default=0)
        letter = "B" if largest < _COUNT_TYPES["B"] else next(k for k, most in _COUNT_TYPES.items() if largest < most)
        size = len(buckets)
        return _layout(size, letter).pack(FORMAT, letter.encode(), size, *buckets, *counts)

    @property
    def count(self) -> int:
        """How many latencies it holds."""
        return sum([count for _, count in self.buckets])

    def percentile(self, q: float) -> float | None:
        """The latency in milliseconds that the share ``q`` (0 to 1) stays below, to 1 %; ``None`` of no latencies.

        Between two latencies it is interpolated, as PostgreSQL's ``percentile_cont`` does. Raises ``ValueError`` for
        a ``q`` that is no share.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a percentile is asked for as a share from 0 to 1, and not as {q}")
        if not self.buckets:
            return None
        rank = q * (self.count - 1)
        before = floor(rank)
        passed, lower = 0, None
        for bucket, count in self.buckets:
            passed += count
            if lower is None and before < passed:
                lower = bucket
            if rank <= passed - 1:
                break
        low = _middle(bucket if lower is None else lower)
        return low + (_middle(bucket) - low) * (rank - before)


def _unusual(latency_ms: float) -> int:
    """The bucket of a latency that is 0, or beyond the buckets there are."""
    if not 0 <= latency_ms < math.inf:
        raise ValueError(f"{latency_ms} is no latency: it must be a number of milliseconds, 0 or more")
    if latency_ms == 0:
        return _ZERO
    return _LOWEST if latency_ms <= _LEAST_MS else _HIGHEST


def _middle(bucket: int) -> float:
    """The latency that is equally far, as a factor, from both ends of the bucket."""
    return 0.0 if bucket == _ZERO else math.exp((bucket + 0.5) * _WIDTH)


@lru_cache(256)
def _layout(size: int, letter: str) -> struct.Struct:
    return struct.Struct(f"{_HEAD.format}{size}h{size}{letter}")


def _numbers(data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The buckets of a stored histogram, and how many latencies each has."""
    if len(data) < _HEAD.size:
        raise ValueError(f"no histogram: {len(data)} bytes, and its head alone has {_HEAD.size}")
    stored_format, letter, size = _HEAD.unpack_from(data)
    if stored_format != FORMAT:
        raise ValueError(f"no histogram of format {FORMAT}: its first byte is {stored_format}")
    count_type = letter.decode("latin-1")
    if count_type not in _COUNT_TYPES:
        raise ValueError(f"no histogram: its counts have the unknown type {count_type!r}")
    content = f"<{size}h{size}{count_type}"
    if len(data) != _HEAD.size + struct.calcsize(content):
        wanted = _HEAD.size + struct.calcsize(content)
        raise ValueError(f"a damaged histogram: {size} buckets take {wanted} bytes, and there are {len(data)}")
    numbers = struct.unpack_from(content, data, _HEAD.size)
    return numbers[:size], numbers[size:]

"""Whether two samples differ by more than chance (Mann-Whitney), for latencies follow no normal distribution."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

FEWEST = 5
"""With fewer values on a side not even two samples that lie apart are told from chance."""
_SURE = 2.576
"""Standard deviations that chance goes beyond once in a hundred times."""


def differ(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the values of ``one`` are so clearly above or below those of ``other`` that chance is ruled out.

    Never with fewer than ``FEWEST`` values on a side.
    """
    if min(len(one), len(other)) < FEWEST:
        return False
    counts = Counter([*one, *other])
    values = sorted(counts)
    ends = accumulate(counts[value] for value in values)
    # equal values share the mean of their places
    rank = {value: end - (counts[value] - 1) / 2 for value, end in zip(values, ends, strict=True)}
    total, pairs = len(one) + len(other), len(one) * len(other)
    surplus = sum(rank[value] for value in one) - len(one) * (len(one) + 1) / 2 - pairs / 2
    ties = sum(count**3 - count for count in counts.values())
    variance = pairs / 12 * (total + 1 - ties / (total * (total - 1)))
    return variance > 0 and abs(surplus) >= _SURE * math.sqrt(variance)

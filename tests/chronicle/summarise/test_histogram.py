"""Histograms of latencies: exact to merge, near to the latencies, small, strict about their bytes."""

from __future__ import annotations

import random
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd_chronicle.summarise.histogram import Histogram

latencies = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e9)), max_size=60)
shares = st.floats(0, 1)


def exact_percentile(values: list[float], q: float) -> float:
    """Interpolated between the two nearest ranks, by its definition."""
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    lower, upper = ordered[int(rank)], ordered[min(int(rank) + 1, len(ordered) - 1)]
    return lower + (upper - lower) * (rank - int(rank))


@given(latencies.filter(bool), shares)
def test_every_percentile_is_within_one_percent(values: list[float], q: float) -> None:
    assert Histogram.of(values).percentile(q) == pytest.approx(exact_percentile(values, q), rel=0.01, abs=1e-12)


@given(latencies, latencies)
def test_merging_is_the_same_as_counting_together(some: list[float], others: list[float]) -> None:
    together = Histogram.of(some + others)
    assert Histogram.merged((Histogram.of(some), Histogram.of(others))) == together
    assert Histogram.merged((Histogram.of(others), Histogram.of(some))) == together
    assert together.count == len(some) + len(others)


@given(st.lists(latencies, max_size=5))
def test_many_merge_as_one_by_one(many: list[list[float]]) -> None:
    assert Histogram.merged(map(Histogram.of, many)) == Histogram.of(chain.from_iterable(many))


@given(latencies)
def test_bytes_bring_back_the_same_histogram(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram


@given(st.binary(max_size=80))
def test_any_bytes_are_a_histogram_or_are_refused(data: bytes) -> None:
    try:
        histogram = Histogram.from_bytes(data)
    except ValueError:
        return
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "0 bytes, and its head alone has 4"),
        (b"\x09B\x00\x00", "its first byte is 9"),
        (b"\x01d\x00\x00", "unknown type 'd'"),
        (Histogram.of([1, 2]).to_bytes()[:-1], "2 buckets take 10 bytes, and there are 9"),
        (Histogram.of([1]).to_bytes() + b"\x00", "1 buckets take 7 bytes, and there are 8"),
        (b"\x01B\x02\x00\x05\x00\x04\x00\x01\x01", "not in rising order"),
        (b"\x01B\x01\x00\x05\x00\x00", "empty or not in rising order"),
    ],
)
def test_damaged_bytes_are_refused_with_what_is_wrong(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Histogram.from_bytes(data)


@pytest.mark.parametrize("count", [255, 256, 65_535, 65_536, 2**32])
def test_counts_of_any_size_come_back(count: int) -> None:
    histogram = Histogram(((7, count), (9, 1)))
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram


def test_it_is_as_small_as_promised() -> None:
    some = random.Random(4)
    assert len(Histogram.of([1.0, 2.0, 3.0, 5.0, 8.0]).to_bytes()) == 19
    assert len(Histogram.of([some.lognormvariate(3, 1.2) for _ in range(50)]).to_bytes()) <= 154


@pytest.mark.parametrize("latency", [-1.0, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_latency_is_refused(latency: float) -> None:
    with pytest.raises(ValueError, match="is no latency"):
        Histogram.of([1.0, latency])


@pytest.mark.parametrize("latency", [5e-324, 1e-300, 1e300, 1.7e308])
def test_a_latency_of_any_size_is_counted(latency: float) -> None:
    assert Histogram.of([latency]).count == 1


def test_zero_is_known_exactly() -> None:
    assert Histogram.of([0, 0, 0, 12.5]).percentile(0.5) == 0
    assert Histogram.of([0, 0, 0, 12.5]).percentile(1) == pytest.approx(12.5, rel=0.01)


def test_no_latencies_have_no_percentile() -> None:
    assert Histogram().percentile(0.5) is None
    assert Histogram().count == 0


@pytest.mark.parametrize("q", [-0.1, 1.1, 50, float("nan")])
def test_a_percentile_is_asked_for_as_a_share(q: float) -> None:
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        Histogram.of([1.0]).percentile(q)

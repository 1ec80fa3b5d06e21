"""Topic patterns (spec/steps.md 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.topic_patterns import matches, overlap

NAMES = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(".".join)
PATTERNS = st.tuples(st.lists(st.sampled_from("ab*"), min_size=1, max_size=3), st.booleans()).map(
    lambda made: ".".join([*made[0], ">"] if made[1] else made[0])
)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("orders.*", "*.placed", True),
        ("orders.*", "orders.placed", True),
        ("orders.>", "*.placed.eu", True),
        ("orders.*", "payments.*", False),
        ("orders.*", "orders", False),
        ("orders.>", "orders", False),
        (">", "orders", True),
    ],
)
def test_patterns_overlap_where_a_name_may_fall_under_both(one: str, other: str, share: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is share


@given(PATTERNS, PATTERNS, NAMES)
def test_what_falls_under_both_is_in_their_overlap(one: str, other: str, name: str) -> None:
    assert overlap(one, other) or not (matches(one, name) and matches(other, name))

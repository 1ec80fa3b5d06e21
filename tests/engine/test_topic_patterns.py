"""Topic patterns."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.topic_patterns import ByTopic, covers, matches, overlap
from choreo_bdd.transports.rabbitmq.messages import is_meant
from choreo_bdd.transports.redis.pubsub import glob_of

NAMES = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=3).map(".".join).filter(bool)
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


ODD = st.lists(st.text("ab?[]\\\\^!-:{}", min_size=1, max_size=3), min_size=1, max_size=3).map(".".join)


@given(PATTERNS | ODD, NAMES | ODD)
def test_brokers_are_asked_for_all_that_falls_under_a_pattern(pattern: str, name: str) -> None:
    """RabbitMQ for just that, Redis for no less: its globs know more signs, which stand for themselves."""
    assert is_meant(pattern, [name]) is matches(pattern, name)
    glob = re.sub(r"\\(.)", lambda sign: f"[{sign[1]}]" if sign[1] in "*?[" else sign[1], glob_of(pattern))
    assert fnmatch.fnmatchcase(name, glob) or not matches(pattern, name)


@pytest.mark.parametrize(
    ("one", "other", "does"),
    [
        ("a.>", "a.*", True),
        ("a.>", "a.b.>", True),
        ("a.*", "a.b", True),
        ("*.b", "*.b", True),
        (">", "a", True),
        ("a.*", "a.>", False),
        ("a.*", "*.a", False),
        ("a.>", "a", False),
        ("a.b", "a.*", False),
        ("a.*", "a.b.c", False),
    ],
)
def test_a_pattern_covers_another_where_all_its_names_fall_under_it(one: str, other: str, does: bool) -> None:
    assert covers(one, other) is does


def test_what_holds_under_a_pattern_ends_with_what_covers_it() -> None:
    by_topic = ByTopic("usual", (("a.b", "single"), ("a.*", "level"), ("z.>", "elsewhere")))
    assert [setting for _, setting in by_topic.under("a.*")] == ["single", "level"]
    assert [setting for _, setting in by_topic.under("a.>")] == ["single", "level", "usual"]
    assert [setting for _, setting in by_topic.under("a.b")] == ["single"]
    assert [setting for _, setting in by_topic.under("b.*")] == ["usual"]

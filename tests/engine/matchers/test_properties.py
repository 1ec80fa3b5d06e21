"""What holds for every JSON payload."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import choreo_bdd.matchers as m
from choreo_bdd.matchers import Matcher
from tests.support.examples import examples

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
# json.loads also yields these
ANY_PAYLOAD = JSON | st.sampled_from([float("nan"), float("inf"), 10**400, "2024-01-01", "0001-01-01T00:00:00+14:00"])

MATCHERS: list[Matcher] = [
    *(build(0) for build in (m.eq, m.ne, m.gt, m.ge, m.lt, m.le, m.contains)),
    *(build(0, strict=True) for build in (m.eq, m.ne, m.gt, m.ge, m.lt, m.le, m.contains)),
    m.in_([0, "a", [1]]),
    m.in_([0, "a", [1]], strict=True),
    m.between(0, 5),
    m.approx(1.5, 0.5),
    m.matches(".*a"),
    m.starts_with("a"),
    m.ends_with("a"),
    m.length(1),
    m.length(m.gt(2)),
    m.of_type("integer"),
    m.is_uuid(),
    m.is_iso8601(),
    m.before("0001-01-01"),
    m.after("9999-12-31T23:59:59-14:00"),
    m.exists(),
    m.absent(),
    m.anything(),
    m.null(),
    m.not_null(),
    m.field_equals("a.0", 1),
    m.field_gt("a", 1),
    m.at("[*].a", m.gt(1)),
    m.at("a[?]", m.eq(1)),
    m.contains_fields({"a": [m.gt(1), {"b": 1}]}),
    m.exactly({"a": 1}),
    m.unordered([m.gt(0), {"a": 1}, 1]),
    m.json_schema({"type": "object", "required": ["a"], "properties": {"a": {"pattern": "x", "minimum": 1}}}),
    m.json_schema({"items": {"$ref": "#"}, "uniqueItems": True}),
]
COMPOSED: list[Matcher] = [
    m.all_of(*MATCHERS),
    m.any_of(*MATCHERS[:4]),
    m.not_(MATCHERS[0]),
    *(m.every(each) for each in MATCHERS),
    *(m.any_element(each) for each in MATCHERS),
]


@given(ANY_PAYLOAD)
@examples(60)
def test_no_matcher_raises_and_failures_are_consistent(payload: object) -> None:
    for matcher in MATCHERS + COMPOSED:
        result = matcher.match(payload)
        assert (result.failure is None) == result.matched
        near = m.closeness(matcher, payload)
        assert (not near.differences) == result.matched, matcher
        assert (near.score == 1.0) == result.matched, matcher


@given(JSON)
@pytest.mark.parametrize("strict", [False, True])
def test_a_payload_contains_itself(strict: bool, payload: object) -> None:
    assert m.contains_fields(payload, strict=strict).match(payload).matched
    assert m.exactly(payload, strict=strict).match(payload).matched
    assert m.contains_fields(payload).expected_shape() == payload


def _leaf_places(node: object, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries: list[tuple[Any, object]] = []
    if isinstance(node, dict):
        entries = list(node.items())
    elif isinstance(node, list):
        entries = list(enumerate(node))
    else:
        yield trail
    for key, child in entries:
        yield from _leaf_places(child, (*trail, key))


@given(JSON, st.data(), st.booleans())
def test_changing_any_leaf_flips_the_verdict_and_is_named(payload: Any, data: st.DataObject, strict: bool) -> None:
    places = list(_leaf_places(payload))
    if not places or places == [()]:
        return
    place = data.draw(st.sampled_from(places))
    changed = copy.deepcopy(payload)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = "changed beyond doubt"
    matcher = m.contains_fields(payload, strict=strict)
    path = ".".join(map(str, place))
    failure = matcher.match(changed).failure
    assert failure is not None
    assert failure.path == path
    assert [each.path for each in m.differences(matcher, changed)] == [path]


@given(st.lists(JSON, max_size=6), st.randoms(use_true_random=False))
def test_a_list_in_any_order_is_unordered_itself(elements: list[object], random: Any) -> None:
    shuffled = list(elements)
    random.shuffle(shuffled)
    assert m.unordered(elements, strict=True).match(shuffled).matched


@pytest.mark.parametrize("matcher", MATCHERS + COMPOSED, ids=lambda each: each.description[:40])
def test_every_shape_is_json(matcher: Matcher) -> None:
    assert json.loads(json.dumps(m._expected_shape(matcher))) is not ...
    assert matcher.description == repr(matcher)


@given(st.text(max_size=20))
def test_any_text_is_a_path_or_a_clear_refusal(text: str) -> None:
    try:
        m.parse_path(text)
    except ValueError as error:
        assert "path" in str(error)  # noqa: PT017 - both outcomes are fine, the message is not

"""Nested shapes: subset, exact, any order, by path, by schema; and how near a payload came."""

from __future__ import annotations

from itertools import permutations

import pytest

import choreo_bdd.matchers as m
from choreo_bdd.matchers import Matcher, MatchFailure, MatchResult


def failure(matcher: Matcher, payload: object) -> MatchFailure:
    result = matcher.match(payload)
    assert not result.matched
    assert result.failure is not None
    return result.failure


def test_a_subset_ignores_further_keys_and_elements() -> None:
    spec = {"order": {"items": [{"sku": "x"}, {"qty": m.gt(1)}]}}
    payload = {"order": {"items": [{"sku": "x", "qty": 1}, {"qty": 2}, {"sku": "z"}], "id": 1}, "more": True}
    assert m.contains_fields(spec).match(payload).matched
    assert m.contains_fields(5).match(5).matched
    assert m.contains_fields(m.gt(5)).match(6).matched


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, MatchFailure("missing", "order", {"items": [{"qty": {"gt": 1}}]})),
        ({"order": 5}, MatchFailure("type_mismatch", "order", {"type": "dict"}, "int")),
        ({"order": {"items": "x"}}, MatchFailure("type_mismatch", "order.items", {"type": "list"}, "str")),
        ({"order": {"items": []}}, MatchFailure("predicate", "order.items", {"min_length": 1}, 0)),
        ({"order": {"items": [{}]}}, MatchFailure("missing", "order.items.0.qty", {"gt": 1})),
        ({"order": {"items": [{"qty": 1}]}}, MatchFailure("predicate", "order.items.0.qty", {"gt": 1}, 1)),
    ],
)
def test_the_first_difference_is_named_with_its_full_path(payload: object, expected: MatchFailure) -> None:
    matcher = m.contains_fields({"order": {"items": [{"qty": m.gt(1)}]}})
    assert failure(matcher, payload) == expected
    assert expected.path in matcher.match(payload).reason


def test_null_is_expected_by_value_and_not_by_words() -> None:
    matcher = m.contains_fields({"a": m.eq(None), "b": [m.eq(None)]})
    assert failure(matcher, {"b": []}) == MatchFailure("missing", "a", None)
    assert matcher.expected_shape() == {"a": None, "b": [None]}


def test_a_literal_difference_is_a_mismatch() -> None:
    assert failure(m.contains_fields({"a": {"b": 1}}), {"a": {"b": 2}}) == MatchFailure("mismatch", "a.b", 1, 2)


def test_embedded_compositions_are_rerooted_and_field_matchers_keep_their_own_path() -> None:
    spec = {"order": m.any_of(m.all_of(m.eq(1)), m.field_equals("id", "A"))}
    found = failure(m.contains_fields(spec), {"order": {"id": "B"}})
    assert found.path == "order"
    assert [child.path for child in found.children] == ["order", "id"]
    assert found.children[0].children[0].path == "order"


def test_the_shape_of_literals_is_an_equal_spec_and_matchers_are_rendered() -> None:
    class Even:
        description = "an even number"

        def match(self, payload: object) -> MatchResult:
            return MatchResult(payload == 2, "")

    spec = {"a": [1, {"b": None}], "c": {}}
    assert m.contains_fields(spec).expected_shape() == spec
    mixed = m.contains_fields({"a": m.in_({1}), "b": [m.not_(m.eq(1))], "c": Even()})
    assert mixed.expected_shape() == {"a": {"in": [1]}, "b": [{"not": 1}], "c": "an even number"}


def test_a_spec_changed_later_changes_nothing() -> None:
    spec = {"a": {"b": 1}}
    matcher = m.contains_fields(spec)
    spec["a"]["b"] = 2
    assert matcher.match({"a": {"b": 1}}).matched


def test_long_specs_are_described_by_their_first_three_keys() -> None:
    text = m.contains_fields({"a": 1, "b": m.gt(2), "c": "x", "d": 4}).description
    assert text == "contains_fields({'a': 1, 'b': > 2, 'c': 'x', …})"


def test_absent_fields_satisfy_absent_and_what_is_built_on_it() -> None:
    for optional in (m.absent(), m.any_of(m.absent(), m.eq(1)), m.not_(m.exists()), m.all_of(m.absent())):
        assert m.contains_fields({"a": optional}).match({}).matched
        assert m.at("a.b", optional).match({"a": {}}).matched
        assert m.at("a.b", optional).match({}).matched
    assert failure(m.contains_fields({"a": m.absent()}), {"a": None}).path == "a"
    assert m.contains_fields({"a": {"b": m.absent()}}).match({}).matched  # as at("a.b") does
    assert failure(m.contains_fields({"a": {"b": m.absent(), "c": 1}}), {}).path == "a"
    assert failure(m.contains_fields({"a": {}}), {}).path == "a"
    assert failure(m.exactly({"a": {"b": m.absent()}}), {}).path == "a"
    assert failure(m.contains_fields({"a": m.not_(m.eq(1))}), {}).kind == "missing"
    assert m.contains_fields({"a": m.any_of(m.absent(), m.eq(1))}).match({"a": 1}).matched


def test_exactly_refuses_further_keys_and_elements_at_every_level() -> None:
    exact = m.exactly({"a": {"b": [1]}})
    assert exact.match({"a": {"b": [1]}}).matched
    assert failure(exact, {"a": {"b": [1], "x": 9}}) == MatchFailure("predicate", "a.x", {"absent": True}, 9)
    assert failure(exact, {"a": {"b": [1, 2]}}) == MatchFailure("predicate", "a.b", {"length": 1}, 2)
    assert failure(exact, {"a": {"b": []}}).expected == {"length": 1}
    assert exact.expected_shape() == {"exactly": {"a": {"b": [1]}}}


def test_unordered_finds_an_assignment_a_greedy_reading_would_miss() -> None:
    # the first spec element could take either payload element, the second only one of them
    spec = [m.gt(0), m.eq(1), m.in_([1, 2, 3])]
    for payload in permutations([1, 2, 3]):
        assert m.unordered(spec).match(list(payload)).matched
    assert m.unordered([{"k": 1}, {"k": 2}]).match([{"k": 2, "x": 0}, {"k": 9}, {"k": 1}]).matched


def test_unordered_needs_a_partner_for_each_and_names_the_one_without() -> None:
    found = failure(m.unordered([1, 1, 2]), [2, 1, 3])
    assert found.kind == "composed"
    assert [child.expected for child in found.children] == [1]
    assert failure(m.unordered([1, 2]), [1]).children[0].expected == 2


@pytest.mark.thorough
def test_a_long_chain_of_reassignments_is_found() -> None:
    size = 300
    # element i fits specs i and i+1 only, so the last spec element moves all others
    spec = [m.in_([index, index - 1]) for index in range(1, size)] + [m.eq(size - 1)]
    assert m.unordered(spec).match(list(range(size))).matched


@pytest.mark.parametrize(
    ("path", "payload"),
    [
        ("order.items[0].sku", {"order": {"items": [{"sku": 1}]}}),
        ("order.items[-1].sku", {"order": {"items": [{"sku": 0}, {"sku": 1}]}}),
        ("[0]", [1]),
        ("'key.with.dots'.x", {"key.with.dots": {"x": 1}}),
        ("""a['it''s'].b["c.d"]""", {"a": {"it's": {"b": {"c.d": 1}}}}),
        ("a[*].b", {"a": [{"b": 1}, {"b": 1}]}),
        ("a[*]", {"a": []}),
        ("a[?].b[?]", {"a": [{"b": []}, {"b": [2, 1]}]}),
        ("a.0", {"a": [1]}),
        ("a.'0'", {"a": {"0": 1}}),
    ],
)
def test_at_reaches_by_written_paths(path: str, payload: object) -> None:
    assert m.at(path, m.eq(1)).match(payload).matched


def test_at_says_no_when_the_value_there_differs() -> None:
    assert not m.at("a[*].b", m.eq(1)).match({"a": [{"b": 1}, {"b": 2}]}).matched
    assert not m.at("a[?].b", m.eq(3)).match({"a": [{"b": 1}, {"b": 2}]}).matched
    assert not m.at("a[?]", m.eq(3)).match({"a": []}).matched


@pytest.mark.parametrize(
    ("path", "payload", "expected"),
    [
        ("a[*].b", {"a": [{"b": 1}, {"b": 2}]}, MatchFailure("mismatch", "a.1.b", 1, 2)),
        ("a[*].b", {"a": [{}]}, MatchFailure("missing", "a.0.b", 1)),
        ("a[*].b", {}, MatchFailure("missing", "a.[*].b", 1)),
        ("a[*]", {"a": 5}, MatchFailure("type_mismatch", "a", {"type": "list"}, "int")),
        ("a[0].b", {"a": []}, MatchFailure("missing", "a.0.b", 1)),
    ],
)
def test_at_names_the_full_path_of_what_failed(path: str, payload: object, expected: MatchFailure) -> None:
    assert failure(m.at(path, m.eq(1)), payload) == expected
    assert expected.path in m.at(path, m.eq(1)).match(payload).reason


def test_some_element_lists_what_every_element_lacks() -> None:
    found = failure(m.at("a[?].b", m.eq(1)), {"a": [{"b": 2}, {}]})
    assert (found.kind, found.path) == ("composed", "a")
    assert [(child.kind, child.path) for child in found.children] == [
        ("mismatch", "a.0.b"),
        ("missing", "a.1.b"),
    ]


@pytest.mark.parametrize("path", ["", "a..b", "a.", ".a", "a[", "a[x]", "a]b", "'open", "a['b'", "a 'b'"])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        m.at(path, m.eq(1))


SCHEMA = {"title": "Order", "type": "object", "required": ["id"], "properties": {"qty": {"minimum": 1}}}


def test_a_schema_reports_every_complaint() -> None:
    matcher = m.json_schema(SCHEMA)
    assert matcher.match({"id": 1, "qty": 2}).matched
    assert "Order" in matcher.description
    assert {found.path for found in m.differences(matcher, {"qty": 0})} == {m.ROOT_PATH, "qty"}
    assert "and 1 more" in matcher.match({"qty": 0}).reason
    assert m._expected_shape(matcher) == {"schema": SCHEMA}


def test_the_schema_names_its_own_draft() -> None:
    tuple_form = {"items": [{"type": "string"}]}
    old = m.json_schema({"$schema": "http://json-schema.org/draft-07/schema#", **tuple_form})
    assert not old.match([1]).matched
    with pytest.raises(ValueError, match="broken at"):
        m.json_schema(tuple_form)


def test_schema_references_stay_local_or_come_from_the_caller() -> None:
    nowhere = m.json_schema({"$ref": "https://schemas.invalid/order.json"})
    assert "cannot be found" in nowhere.match({}).reason
    documents = {"order.json": {"type": "object"}}
    local = m.json_schema({"$ref": "order.json"}, retrieve=lambda uri: documents[uri])
    assert local.match({}).matched
    assert not local.match([]).matched


def test_differences_name_every_field_and_closeness_counts_the_right_ones() -> None:
    matcher = m.contains_fields({"id": "A", "qty": m.gt(1), "to": {"city": "X", "zip": "1"}, "tags": [1, 2]})
    payload = {"id": "A", "qty": 0, "to": {"city": "Y"}, "tags": [1]}
    found = m.closeness(matcher, payload)
    assert (found.matched, found.total) == (2, 6)
    assert {(each.kind, each.path) for each in found.differences} == {
        ("predicate", "qty"),
        ("mismatch", "to.city"),
        ("missing", "to.zip"),
        ("predicate", "tags"),
    }
    assert m.score(matcher, payload) == pytest.approx(2 / 6)
    assert m.score(matcher, {"id": "A", "qty": 2, "to": {"city": "X", "zip": "1"}, "tags": [1, 2]}) == 1.0


def test_a_missing_branch_weighs_as_much_as_its_fields() -> None:
    matcher = m.contains_fields({"id": 1, "to": {"a": 1, "b": 2, "c": 3}})
    assert m.score(matcher, {"id": 1}) < m.score(matcher, {"id": 0, "to": {"a": 1, "b": 2, "c": 3}})


def test_differences_carry_full_paths_through_every_composition() -> None:
    matcher = m.contains_fields(
        {
            "a": m.all_of(m.field_equals("x", 1), m.field_equals("y", 2)),
            "b": m.every(m.contains_fields({"k": 1, "l": 2})),
            "c": m.any_element(m.contains_fields({"k": 1, "l": 2})),
            "d": m.unordered([{"k": 1}, {"k": 2, "l": 3}]),
            "e": m.at("f[*]", m.gt(1)),
            "g": m.exactly({"h": 1}),
            "i": m.any_of(m.eq(5), m.contains_fields({"j": 1, "k": 2})),
        }
    )
    payload = {
        "a": {"x": 0, "y": 0},
        "b": [{"k": 1, "l": 2}, {"k": 0}],
        "c": [{"k": 0, "l": 0}, {"k": 1, "l": 0}],
        "d": [{"k": 2, "l": 4}, {"k": 1}],
        "e": {"f": [2, 1, 0]},
        "g": {"h": 1, "z": 0},
        "i": {"j": 1},
    }
    paths = {each.path for each in m.differences(matcher, payload)}
    assert paths == {"a.x", "a.y", "b.1.k", "b.1.l", "c.1.l", "d.0.l", "e.f.1", "e.f.2", "g.z", "i.k"}


def test_a_foreign_matcher_counts_as_one_field() -> None:
    class Never:
        description = "never"

        def match(self, payload: object) -> MatchResult:
            return MatchResult(False, "no")

    found = m.closeness(m.contains_fields({"a": 1, "b": Never()}), {"a": 1, "b": 2})
    assert (found.matched, found.total) == (1, 2)
    assert found.differences == (MatchFailure("predicate", "b", "never", 2),)


def test_long_values_are_cut_in_reasons_but_not_in_failures() -> None:
    text = "x" * 5000
    assert len(m.eq("y").match(text).reason) < 400
    assert failure(m.eq("y"), text).actual == text


def test_of_ways_that_are_as_near_the_one_for_such_a_payload_is_told() -> None:
    ways = m.any_of(m.contains_fields({"sku": "z"}), m.any_element(m.contains_fields({"sku": "z"})))
    (wrong,) = m.closeness(ways, [{"sku": "a"}]).differences
    assert (wrong.path, wrong.expected, wrong.actual) == ("0.sku", "z", "a")
    (wrong,) = m.closeness(ways, {"sku": "b"}).differences
    assert (wrong.path, wrong.expected, wrong.actual) == ("sku", "z", "b")

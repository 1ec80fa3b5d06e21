"""The pinned behaviour of the Python API: conditions, kinds, paths, shapes."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

import choreo_bdd.matchers as m
from choreo_bdd.matchers import Matcher, MatchFailure, MatchResult


class Even:
    """A matcher a user wrote, without a structured failure or a shape."""

    description = "an even number"

    def match(self, payload: object) -> MatchResult:
        return MatchResult(isinstance(payload, int) and payload % 2 == 0, "parity checked")


def failure(matcher: Matcher, payload: object) -> MatchFailure:
    result = matcher.match(payload)
    assert not result.matched
    assert result.failure is not None
    return result.failure


ORDER = {
    "order": {"id": "A1", "qty": 3, "note": None, "items": [{"sku": "x"}, {"sku": "y"}]},
    "a.b": 1,
    7: "n",
}


@pytest.mark.parametrize(
    "matcher",
    [
        m.field_equals("order.id", "A1"),
        m.field_equals("order.note", None),
        m.field_equals("order.items.1.sku", "y"),
        m.field_equals("order.items.-1.sku", "y"),
        m.field_equals(("a.b",), 1),
        m.field_equals(7, "n"),
        m.field_ne("order.id", "B"),
        m.field_in("order.qty", [1, 2, 3]),
        m.field_in("order.items", [[], [{"sku": "x"}, {"sku": "y"}]]),
        m.field_gt("order.qty", 2),
        m.field_lt("order.qty", 4),
        m.field_exists("order.note"),
        m.field_matches("order.id", "[A-Z][0-9]"),
        m.field_matches("order.id", re.compile("a1", re.IGNORECASE)),
    ],
    ids=repr,
)
def test_field_conditions_hold(matcher: Matcher) -> None:
    result = matcher.match(ORDER)
    assert result.matched
    assert result.failure is None
    assert matcher.description in result.reason


@pytest.mark.parametrize(
    ("matcher", "kind", "path", "expected", "actual"),
    [
        (m.field_equals("order.id", "B"), "mismatch", "order.id", {"order.id": "B"}, "A1"),
        (m.field_ne("order.id", "A1"), "predicate", "order.id", {"order.id": {"ne": "A1"}}, "A1"),
        (m.field_in("order.qty", (1, 2)), "predicate", "order.qty", {"order.qty": {"in": [1, 2]}}, 3),
        (m.field_gt("order.qty", 3), "predicate", "order.qty", {"order.qty": {"gt": 3}}, 3),
        (m.field_lt("order.qty", 3), "predicate", "order.qty", {"order.qty": {"lt": 3}}, 3),
        (m.field_gt("order.id", 3), "type_mismatch", "order.id", {"order.id": {"gt": 3}}, "A1"),
        (m.field_lt("order.note", 3), "type_mismatch", "order.note", {"order.note": {"lt": 3}}, None),
        (m.field_matches("order.id", "A"), "predicate", "order.id", {"order.id": {"matches": "A"}}, "A1"),
        (m.field_matches("order.qty", "3"), "predicate", "order.qty", {"order.qty": {"matches": "3"}}, 3),
        (m.field_exists("order.x"), "missing", "order.x", {"order.x": {"exists": True}}, None),
        (m.field_ne("order.x", 1), "missing", "order.x", {"order.x": {"ne": 1}}, None),
        (m.field_equals("order.items.2.sku", 1), "missing", "order.items.2.sku", None, None),
        (m.field_equals(("order", "items", "0"), 1), "missing", "order.items.0", None, None),
        (m.field_equals("a.b", 1), "missing", "a.b", {"a.b": 1}, None),
        (m.field_equals("order.id.deep", 1), "missing", "order.id.deep", None, None),
    ],
    ids=repr,
)
def test_field_failures_say_kind_place_and_values(
    matcher: Matcher, kind: str, path: str, expected: dict[str, object] | None, actual: object
) -> None:
    found = failure(matcher, ORDER)
    assert (found.kind, found.path, found.actual) == (kind, path, actual)
    if expected is not None:
        assert m._expected_shape(matcher) == expected
        assert found.expected == expected[path]
    reason = matcher.match(ORDER).reason
    assert path in reason
    assert ("missing" in reason) == (kind == "missing")


@pytest.mark.parametrize(
    ("matcher", "shape", "good", "bad"),
    [
        (m.eq("x"), "x", "x", "y"),
        (m.ne(1), {"ne": 1}, 2, 1),
        (m.in_([1, [2]]), {"in": [1, [2]]}, [2], 2),
        (m.gt(1), {"gt": 1}, 2, 1),
        (m.ge(1), {"ge": 1}, 1, 0),
        (m.lt(1), {"lt": 1}, 0, 1),
        (m.le(1), {"le": 1}, 1, 2),
        (m.between(1, 3), {"between": [1, 3]}, 3, 4),
        (m.approx(3.14, 0.01), {"approx": [3.14, 0.01]}, 3.145, 3.2),
        (m.matches("a+"), {"matches": "a+"}, "aa", "aab"),
        (m.contains("b"), {"contains": "b"}, "abc", "ac"),
        (m.contains("b"), {"contains": "b"}, ["b"], ["bb"]),
        (m.contains("b"), {"contains": "b"}, {"b": 0}, {"a": "b"}),
        (m.starts_with("a"), {"starts_with": "a"}, "ab", "ba"),
        (m.ends_with("a"), {"ends_with": "a"}, "ba", "ab"),
        (m.length(2), {"length": 2}, [1, 2], [1]),
        (m.length(m.gt(1)), {"length": {"gt": 1}}, "ab", "a"),
        (m.of_type("number"), {"type": "number"}, 1.5, True),
        (m.of_type("integer"), {"type": "integer"}, 1, 1.0),
        (m.of_type("null"), {"type": "null"}, None, 0),
        (m.of_type("array"), {"type": "array"}, [], {}),
        (
            m.is_uuid(),
            {"uuid": True},
            "0B0C9A5E-77b9-4dc2-8d4e-3f8b1c8a1234",
            "0b0c9a5e77b94dc28d4e3f8b1c8a1234",
        ),
        (m.is_iso8601(), {"iso8601": True}, "2024-05-31T12:00:00.123Z", "20240531"),
        (m.before("2024-05-31T12:00:00Z"), None, "2024-05-31T13:30:00+02:00", "2024-05-31T12:00:00Z"),
        (m.after("2024-05-31"), None, "2024-05-31T00:00:01", "2024-05-30"),
        (m.exists(), {"exists": True}, None, ...),
        (m.anything(), {"any": True}, None, ...),
        (m.absent(), {"absent": True}, ..., None),
        (m.null(), {"null": True}, None, 0),
        (m.not_null(), {"not_null": True}, 0, None),
    ],
    ids=repr,
)
def test_pathless_conditions(matcher: Matcher, shape: object, good: object, bad: object) -> None:
    if good is not ...:
        assert matcher.match(good).matched
    if bad is not ...:
        found = failure(matcher, bad)
        assert (found.path, found.actual) == (m.ROOT_PATH, bad)
        assert repr(bad) in matcher.match(bad).reason
    if shape is not None:
        assert m._expected_shape(matcher) == shape


def test_what_cannot_be_compared_is_a_type_mismatch_that_gives_the_reason() -> None:
    assert failure(m.gt(1), "x").kind == "type_mismatch"
    assert "not supported" in m.gt(1).match("x").reason
    assert failure(m.approx(1, 1), "x").kind == "type_mismatch"
    assert failure(m.length(1), 5).kind == "type_mismatch"
    assert failure(m.before("2024-01-01"), "soon").kind == "type_mismatch"
    assert "ISO 8601" in m.before("2024-01-01").match("soon").reason


def test_plain_python_equality_is_the_default_and_json_equality_an_option() -> None:
    assert m.eq(1).match(True).matched
    assert m.eq(1).match(1.0).matched
    assert m.gt(0).match(True).matched
    assert m.field_equals("a", [1]).match({"a": [True]}).matched
    assert not m.eq(1, strict=True).match(True).matched
    assert m.eq(1, strict=True).match(1.0).matched
    assert not m.eq([{"a": 0}], strict=True).match([{"a": False}]).matched
    assert m.ne(1, strict=True).match(True).matched
    assert not m.in_([0, 1], strict=True).match(True).matched
    assert not m.contains(1, strict=True).match([True]).matched
    assert failure(m.gt(0, strict=True), True).kind == "type_mismatch"
    assert failure(m.between(0, 5, strict=True), True).kind == "type_mismatch"
    assert not m.field_equals("a", [1], strict=True).match({"a": [True]}).matched
    assert m.contains_fields({"a": [1]}).match({"a": [True]}).matched
    assert not m.contains_fields({"a": [1]}, strict=True).match({"a": [True]}).matched


def test_a_string_or_bytes_of_choices_is_refused_with_advice() -> None:
    with pytest.raises(TypeError, match=r"list of choices.*\['abc'\]"):
        m.field_in("a", "abc")
    assert m.in_({"x", "y"}).match("x").matched
    assert m.in_(n for n in (1, 2)).match(2).matched


@pytest.mark.parametrize("path", [b"a", bytearray(b"a"), None, 1.5, ("a", 1.5), ("a", None)])
def test_a_path_of_the_wrong_type_is_refused(path: object) -> None:
    with pytest.raises(TypeError, match="path"):
        m.field_equals(path, 1)  # type: ignore[arg-type]  # the point of the test


def test_an_empty_path_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        m.field_equals((), 1)
    assert m.field_equals("", 1).match({"": 1}).matched


def test_sequence_paths_are_labelled_by_dots() -> None:
    assert m._expected_shape(m.field_equals(("a", 0, "b"), 1)) == {"a.0.b": 1}


def test_descriptions_name_path_sign_and_value() -> None:
    assert m.field_equals("a.b", "x").description == "a.b = 'x'"
    assert m.field_ne("a", 1).description == "a != 1"
    assert m.field_gt("a", 1).description == "a > 1"
    assert m.field_in("a", [1, 2]).description == "a in (1, 2)"
    assert m.field_matches("a", "x+").description == "a matches 'x+'"
    assert m.field_exists("a").description == "exists(a)"
    assert m.eq(1).description == "== 1"
    assert m.exists().description == "exists()"


def test_all_of_reports_the_first_failing_child_only() -> None:
    both = m.all_of(m.field_equals("a", 1), m.field_equals("b", 2), m.field_equals("c", 3))
    found = failure(both, {"a": 1, "b": 0, "c": 0})
    assert (found.kind, found.path) == ("composed", m.COMPOSED_ALL)
    assert [child.path for child in found.children] == ["b"]
    assert found.expected == {"all_of": [{"a": 1}, {"b": 2}, {"c": 3}]}
    assert "b = 2" in both.match({"a": 1}).reason
    assert m.all_of().match("anything").matched


def test_any_of_reports_every_child() -> None:
    either = m.any_of(m.field_equals("a", 1), m.gt(2))
    found = failure(either, {"a": 0})
    assert (found.kind, found.path) == ("composed", m.COMPOSED_ANY)
    assert [child.kind for child in found.children] == ["mismatch", "type_mismatch"]
    assert either.match({"a": 1}).matched
    assert not m.any_of().match(1).matched


def test_not_is_true_for_missing_fields_and_shows_the_whole_payload() -> None:
    other = m.not_(m.field_equals("a", 1))
    assert other.match({}).matched
    assert other.match("text").matched
    found = failure(other, {"a": 1})
    assert found == MatchFailure("predicate", m.ROOT_PATH, {"not": {"a": 1}}, {"a": 1})


def test_every_names_the_first_bad_element() -> None:
    positive = m.every(m.gt(0))
    assert positive.match([]).matched
    found = failure(positive, [1, 0, -1])
    assert (found.kind, found.path) == ("composed", "1")
    assert found.children == (MatchFailure("predicate", "1", {"gt": 0}, 0),)
    assert m._expected_shape(positive) == {"every": {"gt": 0}}


def test_any_element_gives_one_child_per_element() -> None:
    some = m.any_element(m.eq(5))
    found = failure(some, [1, 2])
    assert (found.kind, found.path) == ("composed", m.ROOT_PATH)
    assert [child.path for child in found.children] == ["0", "1"]
    assert some.match([1, 5]).matched
    assert not some.match([]).matched


@pytest.mark.parametrize("quantified", [m.every(m.eq(1)), m.any_element(m.eq(1)), m.unordered([1])], ids=repr)
def test_a_quantified_non_list_is_a_type_mismatch(quantified: Matcher) -> None:
    assert failure(quantified, {"a": 1}) == MatchFailure("type_mismatch", m.ROOT_PATH, {"type": "list"}, "dict")


def test_a_child_without_structure_is_told_by_its_description() -> None:
    found = failure(m.all_of(Even()), 3)
    assert found.children == (MatchFailure("predicate", m.ROOT_PATH, "an even number", 3),)


@pytest.mark.parametrize(
    "build",
    [
        m.all_of,
        lambda inner: m.any_of(m.any_of(inner)),
        m.not_,
        m.every,
        lambda inner: m.contains_fields({"a": [{"b": inner}]}),
        lambda inner: m.exactly([inner]),
        lambda inner: m.unordered([{"x": inner}]),
        lambda inner: m.at("a[*].b", inner),
        m.length,
        lambda inner: m.eq({"a": inner}),
    ],
)
@pytest.mark.parametrize("inner", [m.gt(5), m.field_in("q", [1]), Even()], ids=lambda each: each.description)
def test_nested_descriptions_show_the_inner_description_and_no_private_repr(
    build: Callable[[Matcher], Matcher], inner: Matcher
) -> None:
    outer = build(inner)
    assert inner.description in outer.description
    assert not any(word in repr(outer) for word in ("object at", "ValueMatcher", "Operator"))


def test_payload_contains_searches_bytes_and_refuses_decoded_payloads() -> None:
    raw = m.payload_contains(b"\x01ab")
    assert raw.match(b"..\x01ab..").matched
    assert raw.match(bytearray(b"\x01ab")).matched
    assert failure(raw, b"nope") == MatchFailure("predicate", m.RAW_PATH, {"payload_contains_hex": "016162"}, b"nope")
    refused: list[object] = [{}, "text", None]
    for decoded in refused:
        with pytest.raises(TypeError, match="raw bytes"):
            raw.match(decoded)


def test_the_safe_accessor_survives_absence_and_errors(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Even):
        def expected_shape(self) -> object:
            raise RuntimeError("no shape today")

    caplog.set_level(logging.DEBUG, logger="choreo_bdd.matchers")
    assert m._expected_shape(Even()) is None
    assert not caplog.records
    assert m._expected_shape(Broken()) is None
    [record] = caplog.records
    assert record.name == "choreo_bdd.matchers"
    assert "expected_shape" in record.getMessage()
    assert "no shape today" in record.getMessage()


def test_protocols_recognise_matchers_by_shape() -> None:
    assert isinstance(Even(), m.Matcher)
    assert not isinstance(Even(), m.Reportable)
    assert isinstance(m.eq(1), m.Reportable)
    assert not isinstance(re.compile("x"), m.Matcher)


def test_built_in_matchers_are_values() -> None:
    assert m.field_equals("a", 1) == m.field_equals("a", 1)
    assert hash(m.contains_fields({"a": m.gt(1)})) == hash(m.contains_fields({"a": m.gt(1)}))
    assert m.all_of(m.eq(1)) != m.all_of(m.eq(2))
    with pytest.raises(TypeError, match="unhashable"):
        hash(m.eq([]))
    with pytest.raises(AttributeError):
        m.eq(1).operand = 2  # type: ignore[misc]  # the point of the test


def test_the_exported_names_are_sorted_and_there() -> None:
    assert m.__all__ == sorted(m.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert all(hasattr(m, name) for name in m.__all__)


@pytest.mark.parametrize(
    ("build", "advice"),
    [
        (lambda: m.length(-1), "at least 0"),
        (lambda: m.length(True), "at least 0"),
        (lambda: m.of_type("text"), "string, number"),  # type: ignore[arg-type]
        (lambda: m.approx(1, -1), "tolerance"),
        (lambda: m.approx("1", 1), "two numbers"),  # type: ignore[arg-type]
        (lambda: m.starts_with(1), "needs text"),  # type: ignore[arg-type]
        (lambda: m.before("soon"), "ISO 8601"),
        (lambda: m.unordered("abc"), "list of elements"),
        (lambda: m.payload_contains("abc"), "needs bytes"),  # type: ignore[arg-type]
        (lambda: m.matches(re.compile(b"a")), "text pattern"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_argument_is_refused_at_construction(build: Callable[[], Matcher], advice: str) -> None:
    with pytest.raises((TypeError, ValueError), match=advice):
        build()


def test_importing_the_matchers_loads_no_schema_library() -> None:
    code = "import sys, choreo_bdd.matchers; sys.exit('jsonschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

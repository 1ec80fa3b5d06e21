"""Data tables and conditions, as a feature's author writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.matchers import differences
from choreo_bdd.message import Message
from choreo_bdd_steps.language import (
    BodyError,
    BodyMatcher,
    OutgoingMessage,
    Variables,
    parse_expectation,
    parse_payload,
)

HERE = Path(__file__).parent
VARIABLES = Variables({"order_id": "O-1", "n": 5, "flag": True, "order": {"items": [{"sku": "x"}]}})


def expecting_rows(*rows: list[str]) -> list[BodyMatcher]:
    return parse_expectation(None, rows, None, base_dir=HERE).build(VARIABLES)


def expecting_cell(cell: str) -> BodyMatcher:
    [built] = expecting_rows(["field", "value"], ["v", cell])
    return built


def where(condition: str) -> BodyMatcher:
    [built] = parse_expectation(None, None, condition, base_dir=HERE).build(VARIABLES)
    return built


def publishing_rows(*rows: list[str]) -> list[OutgoingMessage]:
    return parse_payload(None, rows, base_dir=HERE).build(VARIABLES)


def accepts(built: BodyMatcher, payload: object) -> bool:
    return built.match(payload).matched


@pytest.mark.parametrize(
    ("cell", "good", "bad"),
    [
        ("42", 42, "42"),
        ('"42"', "42", 42),
        ("true", True, 1),
        ("null", None, 0),
        ("plain words", "plain words", "plain"),
        ("[1, 2]", [1, 2], [2, 1]),
        ('{"a": 1}', {"a": 1}, {"a": 1, "b": 2}),
        ("{{ n }}", 5, "5"),
        ("id-{{ n }}", "id-5", 5),
        ("[{{ n }}, 1]", [5, 1], [1, 5]),
        ("> 0", 1, 0),
        (">= {{ n }}", 5, 4),
        ("< 5", 4, 5),
        ("<= 5", 5, 6),
        ("!= x", "y", "x"),
        ("one of A, B", "B", "C"),
        ('one of "A, B", 2', "A, B", "2"),
        ("matches /a.c/", "abc", "abcd"),
        ("matches /a.c/i", "ABC", "x"),
        (r"matches /a\/b/", "a/b", "a"),
        ("between 1 and 5", 5, 6),
        ("approx 3.14 ± 0.01", 3.15, 3.2),
        ("approx 3.14 +- 0.01", 3.15, 3.2),
        ("exists", None, ...),
        ("absent", ..., None),
        ("any", 1, ...),
        ("not null", 0, None),
        ("contains x", "axb", "ab"),
        ("starts with x", "xb", "bx"),
        ("length 2", "ab", "a"),
        ("length >= 2", "abc", "a"),
        ("a uuid", "0b0c9a5e-77b9-4dc2-8d4e-3f8b1c8a1234", "x"),
        ("a number", 1.5, "1"),
        ("a string", "1", 1),
        ("a timestamp", "2024-05-31T12:00:00Z", "x"),
        ("a boolean", False, 0),
        ("an object", {}, []),
        ("!gt 3", 4, 3),
        ("a widget", "a widget", "widget"),
    ],
)
def test_cells(cell: str, good: object, bad: object) -> None:
    built = expecting_cell(cell)
    assert accepts(built, {} if good is ... else {"v": good})
    assert not accepts(built, {} if bad is ... else {"v": bad})


def test_a_field_table_reaches_by_path() -> None:
    [built] = expecting_rows(
        ["field", "value"],
        ["order.items[0].sku", "x"],
        ["order.items[*].qty", "> 0"],
        ["order.items[?].qty", "2"],
        ["'a.b'.c", "true"],
        ["@headers.trace", "exists"],
        ["qty", "> 0"],
        ["qty", "< 10"],
    )
    order = {"items": [{"sku": "x", "qty": 1}, {"sku": "y", "qty": 2}]}
    assert accepts(built, {"order": order, "a.b": {"c": True}, "qty": 5})
    assert not accepts(built, {"order": order, "a.b": {"c": True}, "qty": 10})
    wrong = {"order": {"items": [{"sku": "z", "qty": 0}, {"qty": 2}]}, "a.b": {}, "qty": 5}
    assert [each.path for each in differences(built, wrong)] == ["order.items.0.sku", "order.items.0.qty", "a.b.c"]
    assert built.description.startswith("order.items[0].sku == 'x', order.items[*].qty > 0")


def test_any_other_heading_is_one_message_per_row() -> None:
    first, second = expecting_rows(["id", "order.qty"], ["A", "> 1"], ["B", ""])
    assert accepts(first, {"id": "A", "order": {"qty": 2}})
    assert not accepts(first, {"id": "B", "order": {"qty": 2}})
    assert accepts(second, {"id": "B"})
    body = parse_expectation(None, [["id"], ["A"], ["B"]], "x is 1", base_dir=HERE)
    assert body.count == 2
    assert all(not accepts(built, {"id": name}) for built, name in zip(body.build(VARIABLES), "AB", strict=True))


def test_a_published_table_becomes_nested_data() -> None:
    rows = [
        ["field", "value"],
        ["a.b[0].c", "1"],
        ["a.b[1]", "{{ n }}"],
        ["'d.e'", ""],
        ["@key", "7"],
        ["@headers.h", "x"],
    ]
    assert publishing_rows(*rows) == [OutgoingMessage({"a": {"b": [{"c": 1}, 5]}, "d.e": ""}, "7", {"h": "x"})]
    assert [each.payload for each in publishing_rows(["id", "n"], ["A", "1"], ["B", ""])] == [
        {"id": "A", "n": 1},
        {"id": "B"},
    ]
    assert publishing_rows(["field", "value"], ["[0]", "x"])[0].payload == ["x"]


@pytest.mark.parametrize(
    ("rows", "fragment"),
    [
        ([["field", "value"], ["a", "> 1"]], "operators cannot be published"),
        ([["field", "value"], ["a", "a uuid"]], "operators cannot be published"),
        ([["field", "value"], ["a", "1"], ["a", "2"]], "set twice; keep one row (line 3"),
        ([["field", "value"], ["a", "1"], ["a.b", "2"]], "inside a value"),
        ([["field", "value"], ["a.b", "2"], ["a", "1"]], "set twice"),
        ([["field", "value"], ["a[1]", "1"]], "gaps"),
        ([["field", "value"], ["a[0]", "1"], ["a.b", "1"]], "both a list and an object"),
        ([["field", "value"], ["a[*]", "1"]], "no single place"),
        ([["field", "value"], ["a[-1]", "1"]], "no single place"),
        ([["field", "value"], ["a..b", "1"]], "cannot be read at character 2"),
        ([["field", "value"], ["@id", "1"]], "quote a payload field"),
        ([["field", "value"], ["a", "[1, 2"], ["a", '[1, "2]']], "cannot be read"),
        ([["field", "value"], ["a", "NaN"]], "not a JSON number"),
        ([["field", "value"]], "heading only"),
        ([["id", "7"], ["qty", "3"]], "field | value"),
        ([["a", "b"], ["1"]], "1 cells, the heading 2"),
        ([], "empty"),
    ],
)
def test_tables_that_cannot_be_published_are_explained(rows: list[list[str]], fragment: str) -> None:
    with pytest.raises(BodyError) as caught:
        publishing_rows(*rows)
    assert fragment in str(caught.value)


def test_quoting_publishes_what_looks_like_an_operator() -> None:
    assert publishing_rows(["field", "value"], ["a", '"> 1"'])[0].payload == {"a": "> 1"}


def test_an_operator_without_its_value_is_refused() -> None:
    with pytest.raises(BodyError, match="needs a value"):
        expecting_cell(">")


def test_doc_string_and_table_together_are_refused() -> None:
    with pytest.raises(BodyError, match="not both"):
        parse_payload("a: 1", [["a"], ["1"]], base_dir=HERE)


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ("a is 1", {"a": 1}, {"a": True}),
        ('a is "x and y" and b is z', {"a": "x and y", "b": "z"}, {"a": "x and y"}),
        ("a is 'it''s and so' and b is 2", {"a": "it's and so", "b": 2}, {"a": "it's and so", "b": 3}),
        ("a is O'Brien and b is 2", {"a": "O'Brien", "b": 2}, {"a": "O'Brien"}),
        ("a is not x", {"a": "y"}, {}),
        ("a is not null", {"a": 1}, {"a": None}),
        ("a is null", {"a": None}, {}),
        ("a is not one of 1, 2", {"a": 3}, {"a": 2}),
        ("a > 1 and a <= 3", {"a": 3}, {"a": 4}),
        ("a >= 1 and a < 3 and a != 2", {"a": 1}, {"a": 2}),
        ("a is one of x, 'y, z'", {"a": "y, z"}, {"a": "y"}),
        ("a matches /x and .*/ and b exists", {"a": "x and y", "b": None}, {"a": "x and y"}),
        ("a is between 1 and 5 and b is 1", {"a": 5, "b": 1}, {"a": 6, "b": 1}),
        ("a is absent", {}, {"a": 1}),
        ("a is not absent", {"a": 1}, {}),
        ("a contains 'x y'", {"a": ["x y"]}, {"a": ["x"]}),
        ("a is a uuid", {"a": "0b0c9a5e-77b9-4dc2-8d4e-3f8b1c8a1234"}, {"a": "x"}),
        ("items[?].sku is {{ order_id }}", {"items": [{}, {"sku": "O-1"}]}, {"items": [{}]}),
        ("'a.b' is {{ n }}", {"a.b": 5}, {"a.b": "5"}),
        ("a is [1, 2]", {"a": [1, 2]}, {"a": [1]}),
    ],
)
def test_conditions(condition: str, good: object, bad: object) -> None:
    assert accepts(where(condition), good)
    assert not accepts(where(condition), bad)


@pytest.mark.parametrize("condition", ["a", "a is", "a equals 1", "a is 1 and", "and", "a..b is 1", "@x is 1", "is 1"])
def test_conditions_that_cannot_be_read_are_explained(condition: str) -> None:
    with pytest.raises(BodyError, match=r"condition|path|there is no"):
        where(condition)


def test_conditions_join_the_body_and_reach_the_envelope() -> None:
    [built] = parse_expectation("id: 1", None, "qty > 0 and @key is x", base_dir=HERE).build(VARIABLES)
    assert accepts(built, {"id": 1, "qty": 1})
    assert not accepts(built, {"id": 1, "qty": 0})
    assert built.match_message({"id": 1, "qty": 1}, Message("t", b"", key="x")).matched
    assert not built.match_message({"id": 1, "qty": 1}, Message("t", b"", key="y")).matched


def test_a_line_break_in_a_cells_quoted_text_stays_one() -> None:
    """Under pytest-bdd Gherkin has made a break of the cell's ``\\n`` already, under behave the text still has it."""
    for cell in ('"line1\nline2"', '"line1\\nline2"'):
        assert expecting_cell(cell).match({"v": "line1\nline2"}).matched
        (sent,) = parse_payload(None, [["field", "value"], ["v", cell]], base_dir=HERE).build(VARIABLES)
        assert sent.payload == {"v": "line1\nline2"}

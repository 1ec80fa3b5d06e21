"""Doc strings, tables, conditions and files, as a feature's author writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.matchers import differences
from choreo_bdd.message import Message, MessageRecord
from choreo_bdd_steps.language import (
    BodyError,
    BodyMatcher,
    OutgoingMessage,
    Variables,
    extensions,
    function,
    load_file,
    matcher,
    parse_envelope,
    parse_expectation,
    parse_payload,
    parse_raw,
)
from choreo_bdd_steps.language.capture import lookup

HERE = Path(__file__).parent
VARIABLES = Variables({"order_id": "O-1", "n": 5, "flag": True, "order": {"items": [{"sku": "x"}]}})


@pytest.fixture(autouse=True)
def _no_leftover_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "_matchers", {})
    monkeypatch.setattr(extensions, "_functions", {})


def expecting(doc: str, **options: Any) -> BodyMatcher:
    [built] = parse_expectation(doc, None, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def expecting_rows(*rows: list[str]) -> list[BodyMatcher]:
    return parse_expectation(None, rows, None, base_dir=HERE).build(VARIABLES)


def expecting_cell(cell: str) -> BodyMatcher:
    [built] = expecting_rows(["field", "value"], ["v", cell])
    return built


def where(condition: str) -> BodyMatcher:
    [built] = parse_expectation(None, None, condition, base_dir=HERE).build(VARIABLES)
    return built


def publishing(doc: str | None, **options: Any) -> OutgoingMessage:
    [built] = parse_payload(doc, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def publishing_rows(*rows: list[str]) -> list[OutgoingMessage]:
    return parse_payload(None, rows, base_dir=HERE).build(VARIABLES)


def accepts(built: BodyMatcher, payload: object) -> bool:
    return built.match(payload).matched


# --- doc strings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "good", "bad"),
    [
        ("!any", None, ...),
        ("!exists", None, ...),
        ("!absent", ..., None),
        ("!null", None, 0),
        ("!not_null", 0, None),
        ("!ne 1", True, 1),
        ("!gt 1", 2, True),
        ("!ge 1", 1, 0),
        ("!lt 1", 0, 1),
        ("!le 1", 1, 2),
        ("!between [1, 3]", 3, 4),
        ("!approx [3.14, 0.01]", 3.145, 3.2),
        ("!matches 'a+'", "aa", "ab"),
        ("!one_of [1, two]", "two", "1"),
        ("!one_of [1, !gt 5]", 6, 2),
        ("!contains x", ["x"], ["y"]),
        ("!starts_with x", "xy", "yx"),
        ("!ends_with x", "yx", "xy"),
        ("!length 2", [1, 2], [1]),
        ("!length !ge 1", "a", ""),
        ("!type string", "1", 1),
        ("!uuid", "0b0c9a5e-77b9-4dc2-8d4e-3f8b1c8a1234", "x"),
        ("!iso8601", "2024-05-31T12:00:00Z", "yesterday"),
        ("!before 2024-05-31", "2024-05-30", "2024-06-01"),
        ("!after 2024-05-31", "2024-06-01", "2024-05-30"),
        ("!every {sku: !exists}", [{"sku": 1}], [{}]),
        ("!every !gt 0", [1], [0]),
        ("!some {sku: x}", [{}, {"sku": "x"}], [{}]),
        ("!all_of [!gt 1, !lt 5]", 3, 5),
        ("!any_of [!absent, 5]", ..., 4),
        ("!not !gt 5", 5, 6),
        ("!not 5", 6, 5),
        ("!exactly {a: {b: !any}}", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ("!unordered [1, !gt 5]", [9, 1], [9, 2]),
        ("!gt {{ n }}", 6, 5),
        ("!between [1, {{ n }}]", 5, 6),
    ],
)
def test_matcher_tags(tag: str, good: object, bad: object) -> None:
    built = expecting(f"id: 1\nv: {tag}\n")
    for value, verdict in ((good, True), (bad, False)):
        payload = {"id": 1} if value is ... else {"id": 1, "v": value}
        assert accepts(built, payload) is verdict, payload
        assert accepts(expecting(f"{{id: 1, v: {tag}}}"), payload) is verdict  # the same in flow style


def test_a_doc_string_is_a_strict_subset() -> None:
    built = expecting("order: {qty: 1, items: [{sku: x}]}")
    assert accepts(built, {"order": {"qty": 1, "items": [{"sku": "x", "more": 1}, 2]}, "more": 1})
    assert not accepts(built, {"order": {"qty": True, "items": [{"sku": "x"}]}})
    assert built.expected_shape() == {"order": {"qty": 1, "items": [{"sku": "x"}]}}


def test_only_json_scalars_are_more_than_text() -> None:
    doc = """
    bool: [true, false, True, yes, no, on]
    num: [1, -1.5, 1e3, 007, 0x1F, 1_000, 1:30, +1, .5]
    date: 2024-05-31
    none: [null, ~, ]
    text: ["1", '2', !!str 3]
    1: key
    emoji: "\\ud83d\\ude00"
    """
    assert publishing(doc).payload == {
        "bool": [True, False, "True", "yes", "no", "on"],
        "num": [1, -1.5, 1000.0, "007", "0x1F", "1_000", "1:30", "+1", ".5"],
        "date": "2024-05-31",
        "none": [None, None],
        "text": ["1", "2", "3"],
        "1": "key",
        "emoji": "\N{GRINNING FACE}",
    }


def test_json_reads_as_json() -> None:
    assert publishing('{"a": "\\ud83d\\ude00\\u000a", "b": [1.0, {{ n }}]}').payload == {
        "a": "\N{GRINNING FACE}\n",
        "b": [1.0, 5],
    }


@pytest.mark.parametrize(
    ("doc", "fragment"),
    [
        ("a: .nan", "not a JSON number"),
        ('{"a": NaN}', "not a JSON number"),
        ("a: -.inf", "quote it"),
        ("a: 1e999", "too large"),
        ("a: 1\nb: 2\na: 3", "'a' is written twice"),
        ('{"a": 1, "a": 2}', "'a' is written twice"),
        ("O-1: 1\n{{ order_id }}: 2", "'O-1' is there twice"),
        ("a: [1", "cannot be read as YAML"),
        ("a: b: c", "line 1"),
        ("x: 1\ny: &a [*a]", "100 levels"),
        ("[" * 5000, "nested"),
        ('{"a":' * 5000, "nested"),
        ("<<: {a: 1}", "merge key"),
        ("? [a]\n: 1", "field name is text"),
        ("a: !!int 1", "!!int is not supported"),
        ("--- 1\n--- 2", "cannot be read as YAML"),
        ('a: "\\UFFFFFFFF"', "cannot be read as YAML"),
        ('a: "\\ud800"', "surrogate"),
        ("a: !gt 1", "cannot be published"),
        ("a: \ue000", "U+E000"),
        ("a: {{ nope }}", "'nope' is undefined"),
        ("a: {{ order.nope }}", "check the name against the data"),
        ("a: {{ n", "cannot be read"),
        ("a: '{{ n'", "template '{{ n' cannot be read"),
        ("a: {{ now }}", "call it with ()"),
        ("a: {{ ''.__class__ }}", "unsafe"),
        ("a: {{ 1 / 0 }}", "division by zero"),
        ("{% for x in order.items %}\n- {{ x }}\n{% endfor %}", "within one line"),
        ("'@keys': 1", "did you mean @key?"),
        ("@topic: other", "cannot be set in a publish"),
        ("@headers: 5", "object of header names"),
        ("@key: [1]", "single value"),
    ],
)
def test_what_cannot_be_published_is_explained(doc: str, fragment: str) -> None:
    with pytest.raises(BodyError) as caught:
        publishing(doc)
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("doc", "fragment"),
    [
        ("a: 1\nb: !gtt 1", "did you mean !gt? (line 2"),
        ("a: !uuid 5", "takes no value"),
        ("a: !gt", "needs a value"),
        ("a: !between [1]", "list of two values"),
        ("a: !between 1", "takes a list"),
        ("a: !matches '('", "!matches"),
        ("a: !matches 5", "takes text"),
        ("a: !type text", "no JSON type"),
        ("a: !length -1", "at least 0"),
        ("a: !approx [a, b]", "two numbers"),
        ("a: !before soon", "ISO 8601"),
        ("a: !gt !uuid", "plain value"),
        ("a: !any_of []", "at least one"),
        ("a: !unordered 5", "takes a list"),
        ("a: !gt:5", "a tag is !"),
        ("a: ! 5", "a tag is !"),
        ("a: !schema nope.json", "nope.json"),
        ("a: !python 'os.path:exists'", "switched off"),
    ],
)
def test_what_cannot_be_expected_is_explained(doc: str, fragment: str) -> None:
    with pytest.raises(BodyError) as caught:
        expecting(doc)
    assert fragment in str(caught.value)


def test_infinity_does_not_come_in_by_a_variable() -> None:
    body = parse_payload("a: [{{ big }}]", None, base_dir=HERE)
    with pytest.raises(BodyError, match="inf is not a JSON number"):
        body.build(Variables({"big": float("inf")}))


def test_errors_know_their_line() -> None:
    with pytest.raises(BodyError) as caught:
        expecting("a: 1\nb:\n  c: {{ nope }}")
    assert caught.value.line == 3


def test_templates_need_no_quotes_and_keep_their_type_when_alone() -> None:
    doc = """
    id: {{ order_id }}
    n: {{ n }}
    quoted: "{{ n }}"
    inside: "{{ order_id }}-{{ n }}-{{ flag }}"
    items: {{ order.items }}
    sku: {{ order.items[0].sku }}
    "{{ order_id }}": [ {{ n + 1 }}, {{ {'a': 1}['a'] }}, {{ "}}" }} ]
    block: |
      {% if flag %}yes{% endif %}
    """
    assert publishing(doc).payload == {
        "id": "O-1",
        "n": 5,
        "quoted": 5,
        "inside": "O-1-5-true",
        "items": [{"sku": "x"}],
        "sku": "x",
        "O-1": [6, 1, "}}"],
        "block": "yes\n",
    }


def test_needs_are_the_variables_without_functions() -> None:
    body = parse_payload("a: {{ uuid() }}\nb: '{{ x }}-{{ y.z | tojson }}'\n{{ k }}: {{ index }}", None, base_dir=HERE)
    assert body.needs == {"x", "y", "k", "index"}
    expectation = parse_expectation("a: !gt {{ low }}", None, "b is {{ c }}", base_dir=HERE)
    assert expectation.needs == {"low", "c"}


def test_a_burst_builds_with_its_index_and_a_stand_in_with_its_trigger() -> None:
    body = parse_payload("n: {{ index }}\nid: {{ trigger.items[0].sku }}", None, base_dir=HERE)
    built = [body.build(VARIABLES, index=index, trigger={"items": [{"sku": "s"}]})[0].payload for index in (0, 1)]
    assert built == [{"n": 0, "id": "s"}, {"n": 1, "id": "s"}]


def test_no_body_publishes_an_empty_object_and_expects_anything() -> None:
    assert publishing(None).payload == {}
    assert publishing("  \n").payload == {}
    [anything] = parse_expectation(None, None, None, base_dir=HERE).build(VARIABLES)
    assert accepts(anything, [1])
    assert anything.description == "any message"


def test_envelope_names_at_the_top_of_a_doc_string() -> None:
    message = publishing("@key: {{ order_id }}\n@headers: {n: 1, t: true}\n@headers.x-y: z\n'@id': kept")
    assert message == OutgoingMessage({"@id": "kept"}, "O-1", {"n": "1", "t": "true", "x-y": "z"})
    built = expecting("@key: !starts_with O\n@headers.x: !exists\n@headers: {gone: !absent}\nid: 1")
    assert set(built.envelope) == {"key", "headers.x", "headers.gone"}
    good = Message("t", b"", headers={"x": "1"}, key="O-1")
    assert built.match_message({"id": 1}, good).matched
    assert built.message_closeness({"id": 1}, good).score == 1.0
    keyless = built.match_message({"id": 1}, Message("t", b"", headers={"x": "1"}))
    assert keyless.failure is not None
    assert (keyless.failure.kind, keyless.failure.path) == ("missing", "@key")
    assert not built.match_message({"id": 2}, good).matched
    assert built.expected_shape() == {
        "id": 1,
        "@key": {"starts_with": "O"},
        "@headers.x": {"exists": True},
        "@headers.gone": {"absent": True},
    }


def test_media_types_select_the_reader() -> None:
    assert publishing("a: {{ n }}", media_type="text").payload == "a: 5"
    assert publishing("<a>{{ flag }}</a>", media_type="application/xml").payload == "<a>true</a>"
    assert publishing("de ad\nbeef", media_type="hex").payload == b"\xde\xad\xbe\xef"
    assert publishing("3q0=", media_type="base64").payload == b"\xde\xad"
    assert publishing('{"a": 1}', media_type="json").payload == {"a": 1}
    assert accepts(expecting("a: 1", media_type="text"), "a: 1")
    assert accepts(expecting("dead", media_type="hex"), b"\xde\xad")
    for doc, kind in (("a: 1", "json"), ("zz", "hex"), ("!", "base64"), ("x", "csv")):
        with pytest.raises(BodyError, match=r"JSON|hexadecimal|base64|media type"):
            publishing(doc, media_type=kind)


# --- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "good", "bad"),
    [
        ("42", 42, "42"),
        ('"42"', "42", 42),
        ("true", True, 1),
        ("null", None, 0),
        ("plain words", "plain words", "plain"),
        ("[1, 2]", [1, 2], [2, 1]),
        ('{"a": 1}', {"a": 1, "b": 2}, {"a": 2}),
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
        ["Field", "Value"],
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


# --- conditions -------------------------------------------------------------------------------------


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


# --- envelopes, files, bytes, captures --------------------------------------------------------------


def test_an_envelope_has_key_headers_and_payload() -> None:
    [message] = parse_envelope("key: {{ order_id }}\nheaders: {h: 1}\npayload: {id: {{ n }}}").build(VARIABLES)
    assert message == OutgoingMessage({"id": 5}, "O-1", {"h": "1"})
    assert parse_envelope("key: null").build(VARIABLES) == [OutgoingMessage({}, None, {})]
    for doc, fragment in (
        ("keys: 1", "no field 'keys'"),
        ("[1]", "an envelope is an object"),
        ("headers: 1", "object"),
    ):
        with pytest.raises(BodyError, match=fragment):
            parse_envelope(doc).build(VARIABLES)


def test_files_are_read_by_their_extension(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('\ufeff{"id": "{{ order_id }}", "n": {{ n }}}', encoding="utf-8")
    (tmp_path / "order.yaml").write_text("id: {{ order_id }}\n@key: k\n")
    (tmp_path / "order.bin").write_bytes(b"\x00{{ n }}")
    assert load_file("order.json", tmp_path).build(VARIABLES)[0].payload == {"id": "O-1", "n": 5}
    assert load_file("order.yaml", tmp_path).build(VARIABLES) == [OutgoingMessage({"id": "O-1"}, "k", {})]
    assert load_file("order.bin", tmp_path).build(VARIABLES)[0].payload == b"\x00{{ n }}"


def test_file_errors_name_the_path_and_line(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"a": 1,\n"b": }')
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(BodyError, match=r"bad\.json', line 2"):
        load_file("bad.json", tmp_path)
    with pytest.raises(BodyError, match=r"latin\.yaml' is not UTF-8"):
        load_file("latin.yaml", tmp_path)
    with pytest.raises(BodyError, match=r"'none\.json': No such file"):
        load_file("none.json", tmp_path)


def test_a_schema_is_found_beside_the_feature_with_its_siblings(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "order.json").write_text('{"properties": {"id": {"$ref": "id.yaml"}}, "required": ["id"]}')
    (tmp_path / "schemas" / "id.yaml").write_text("type: string\n")
    [built] = parse_expectation("!schema schemas/order.json", None, None, base_dir=tmp_path).build(VARIABLES)
    assert accepts(built, {"id": "x"})
    assert [each.path for each in differences(built, {"id": 1})] == ["id"]
    assert not accepts(built, {})


def test_raw_bodies_are_bytes() -> None:
    cases = {"plain {{ n }}": b"plain 5", "hex: DE ad": b"\xde\xad", "base64:3q0=": b"\xde\xad"}
    for text, expected in cases.items():
        assert parse_raw(text).build(VARIABLES)[0].payload == expected
    with pytest.raises(BodyError, match="hexadecimal"):
        parse_raw("hex: xyz").build(VARIABLES)


def test_values_are_captured_by_path() -> None:
    message = MessageRecord("t", None, {"items": [{"sku": "a"}, {"sku": "b"}]}, headers={"h.x": "1"}, key="k")
    assert lookup("items[-1].sku", message) == "b"
    assert lookup("items[*].sku", message) == ["a", "b"]
    assert lookup("@key", message) == "k"
    assert lookup("@headers.h.x", message) == "1"
    for path, fragment in (
        ("items[5]", "no field"),
        ("@partition", "has no @partition"),
        ("items[?]", "no single value"),
        ("x[*]", "no field"),
    ):
        with pytest.raises(BodyError, match=fragment):
            lookup(path, message)


# --- users' extensions ------------------------------------------------------------------------------


def test_a_registered_matcher_is_a_tag_and_a_cell_word() -> None:
    @matcher("even_number")
    def even(value: object) -> bool:
        assert isinstance(value, int), "not an integer"
        return value % 2 == 0

    @matcher("divisible")
    def divisible(value: Any, by: int) -> bool:
        return bool(value % by == 0)

    assert accepts(expecting("v: !even_number"), {"v": 2})
    assert accepts(expecting_cell("an even number"), {"v": 2})
    assert accepts(expecting("v: !divisible 3"), {"v": 9})
    refused = expecting("v: !even_number").match({"v": "x"})
    assert "not an integer" in refused.reason
    assert not expecting("v: !divisible 3").match({"v": 8}).matched
    with pytest.raises(BodyError, match="takes no value"):
        expecting("v: !even_number 3")


def test_a_registered_function_is_called_in_templates() -> None:
    @function
    def greeting(name: str) -> str:
        return f"hello {name}"

    @function("boom")
    def failing() -> None:
        raise KeyError("inside")

    assert publishing("a: {{ greeting('you') }}").payload == {"a": "hello you"}
    assert parse_payload("a: {{ greeting('you') }}", None, base_dir=HERE).needs == frozenset()
    with pytest.raises(BodyError, match=r"boom\(\).*inside"):
        publishing("a: {{ boom() }}")


def test_names_are_registered_once() -> None:
    def register() -> object:
        @matcher("iban")
        def iban(value: object) -> bool:
            return True

        return iban

    register()
    register()  # a step file that is loaded twice
    with pytest.raises(ValueError, match="registered already"):
        matcher("iban")(len)
    with pytest.raises(ValueError, match="built in"):
        matcher("gt")
    with pytest.raises(ValueError, match="built in"):
        function("uuid")
    with pytest.raises(ValueError, match="lower-case"):
        matcher("Not a name")


def test_python_predicates_work_when_allowed() -> None:
    built = expecting("v: !python 'builtins:callable'", allow_python=True)
    assert not accepts(built, {"v": 1})
    for reference in ("nowhere:fn", "math:nope", "math:pi", "math"):
        with pytest.raises(BodyError, match="!python"):
            expecting(f"v: !python '{reference}'", allow_python=True)


def test_functions_of_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED", "value")
    variables = Variables({}, frozenset({"ALLOWED", "UNSET"}), _counting())
    body = parse_payload(
        "[{{ seq() }}, {{ seq() }}, {{ env('ALLOWED') }}, {{ random_int(3, 3) }}, "
        "{{ 'x' | b64 }}, {{ 'x' | hex }}, '{{ {\"a\": none} | tojson }}']",
        None,
        base_dir=HERE,
    )
    assert body.build(variables)[0].payload == [1, 2, "value", 3, "eA==", "78", '{"a": null}']
    for name in ("SECRET", "UNSET"):
        with pytest.raises(BodyError, match=name):
            parse_payload(f"{{{{ env('{name}') }}}}", None, base_dir=HERE).build(variables)
    assert accepts(expecting("!uuid"), publishing("{{ uuid() }}").payload)
    assert accepts(expecting("!iso8601"), publishing("{{ now() }}").payload)
    assert isinstance(publishing("{{ now_ms() }}").payload, int)


def test_values_of_variables_never_show() -> None:
    assert "s3cret" not in repr(Variables({"password": "s3cret"}))
    with pytest.raises(BodyError) as caught:
        parse_payload("{{ nope }}", None, base_dir=HERE).build(Variables({"password": "s3cret"}))
    assert "password" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def _counting() -> Iterator[int]:
    yield from range(1, 100)

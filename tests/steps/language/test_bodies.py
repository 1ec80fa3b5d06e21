"""Doc strings, as a feature's author writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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


def expecting(doc: str, **options: Any) -> BodyMatcher:
    [built] = parse_expectation(doc, None, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def expecting_rows(*rows: list[str]) -> list[BodyMatcher]:
    return parse_expectation(None, rows, None, base_dir=HERE).build(VARIABLES)


def publishing(doc: str | None, **options: Any) -> OutgoingMessage:
    [built] = parse_payload(doc, None, base_dir=HERE, **options).build(VARIABLES)
    return built


def publishing_rows(*rows: list[str]) -> list[OutgoingMessage]:
    return parse_payload(None, rows, base_dir=HERE).build(VARIABLES)


def accepts(built: BodyMatcher, payload: object) -> bool:
    return built.match(payload).matched


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
        ("a:\n  - 1\n b: 2", "this line is indented otherwise than those before it"),
        ("a: b: c", "line 1"),
        ("x: 1\ny: &a [*a]", "an alias stands inside what it repeats"),
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


def test_numbers_in_keys_and_headers_are_text_on_both_sides() -> None:
    rows = [["field", "value"], ["@key", "7"], ["@headers.h", "true"]]
    [sent] = publishing_rows(*rows)
    [built] = expecting_rows(*rows, ["@partition", "3"])
    message = Message("t", b"", key=sent.key, headers=sent.headers, partition=3)
    assert built.match_message({}, message).matched


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


@pytest.mark.parametrize("said", ["", "  \n\t", "# status: PAID", "\n  # a\n# b\n"])
def test_a_doc_string_that_says_nothing_is_no_expectation(said: str) -> None:
    for media_type in (None, "yaml", "json"):
        with pytest.raises(BodyError, match="the doc string is empty"):
            expecting(said, media_type=media_type)
        assert publishing(said, media_type=media_type).payload == {}


@pytest.mark.parametrize(("media_type", "nothing"), [("text", ""), ("xml", ""), ("hex", b""), ("base64", b"")])
def test_an_empty_text_is_a_text(media_type: str, nothing: object) -> None:
    assert publishing("", media_type=media_type).payload == nothing
    assert accepts(expecting("", media_type=media_type), nothing)
    assert not accepts(expecting("", media_type=media_type), {"a": 1})

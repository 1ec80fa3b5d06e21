"""Whatever is written into a body, the answer is a result or a BodyError."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd_steps.language import (
    BodyError,
    Variables,
    parse_duration,
    parse_envelope,
    parse_expectation,
    parse_payload,
    parse_raw,
)
from tests.support.examples import examples

HERE = Path(__file__).parent
VARIABLES = Variables({"x": 1, "d": {"items": [1]}})
PIECES = st.sampled_from(
    [
        *("a", "id", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "&a ", "*a ", "| ", "> ", "? ", "# "),
        *(
            "!gt ",
            "!not ",
            "!any",
            "!between ",
            "!!str ",
            "!",
            "!exactly ",
            "!length ",
            "!every ",
            "!matches ",
            "!before ",
        ),
        *(
            "!unordered ",
            "!one_of ",
            "!schema ",
            "!contains ",
            "!approx ",
            "!type ",
            "!any_of ",
            "<<",
            "@key",
            "@headers",
        ),
        *("{{ x }}", "{{", "}}", "{% if x %}", "{% endif %}", "{{ d.items }}", "{{ nope }}", "{{ x | hex }}", "{# #}"),
        *("1", "-1.5", "1e999", ".nan", "null", "~", "true", "2024-05-31", "\ue000", "\ud83d", "\\ud83d", "\x00", "\t"),
        *(
            "> ",
            ">= 1",
            "one of ",
            "matches /a(/",
            "between 1 and 2",
            "approx 1 ± 2",
            "exists",
            "a uuid",
            "contains ",
            "(*)",
        ),
        *(" is ", " and ", "is not ", "[*]", "[?]", "[0]", ".", "field", "value", "%YAML 9", "---", "..."),
    ]
)
PAYLOADS: list[object] = [None, 1, "a", [], {"a": [1, {"id": True}]}]
TEXT = st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=30)


@given(TEXT, st.sampled_from([None, "json", "yaml", "text", "hex", "base64"]))
@examples(400)
def test_a_doc_string_is_a_body_or_a_body_error(text: str, kind: str | None) -> None:
    with suppress(BodyError):
        parse_payload(text, None, media_type=kind, base_dir=HERE).build(VARIABLES)
    with suppress(BodyError):
        [built] = parse_expectation(text, None, None, media_type=kind, base_dir=HERE).build(VARIABLES)
        for payload in PAYLOADS:
            built.match(payload)
    with suppress(BodyError):
        parse_envelope(text).build(VARIABLES)
    with suppress(BodyError):
        parse_raw(text).build(VARIABLES)


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=4), st.booleans())
@examples(300)
def test_a_table_is_a_body_or_a_body_error(rows: list[list[str]], by_field: bool) -> None:
    table = [["field", "value"], *rows] if by_field else rows
    with suppress(BodyError):
        parse_payload(None, table, base_dir=HERE).build(VARIABLES)
    with suppress(BodyError):
        for built in parse_expectation(None, table, None, base_dir=HERE).build(VARIABLES):
            built.match({"a": [1, {"id": True}]})


@given(TEXT)
@examples(300)
def test_a_condition_or_duration_is_read_or_a_body_error(text: str) -> None:
    with suppress(BodyError):
        parse_expectation(None, None, f"a is {text}", base_dir=HERE).build(VARIABLES)[0].match({"a": 1})
    with suppress(BodyError):
        parse_expectation(None, None, text, base_dir=HERE).build(VARIABLES)
    with suppress(BodyError):
        parse_duration(text)


def _plain(value: object) -> bool:
    """Whether no text in the value means more than itself in a body."""
    text = json.dumps(value, ensure_ascii=False)
    return not any(mark in text for mark in ("{{", "{%", "\ue000", "\ue001"))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
).filter(_plain)


@given(st.fixed_dictionaries({"v": JSON}), st.booleans())
def test_json_text_publishes_and_expects_what_it_says(payload: Any, ascii_only: bool) -> None:
    text = json.dumps(payload, ensure_ascii=ascii_only)
    assert parse_payload(text, None, base_dir=HERE).build(VARIABLES)[0].payload == payload
    assert parse_expectation(text, None, None, base_dir=HERE).build(VARIABLES)[0].match(payload).matched
    cell = json.dumps(payload["v"], ensure_ascii=ascii_only)
    table = [["field", "value"], ["v", cell]]
    assert parse_payload(None, table, base_dir=HERE).build(VARIABLES)[0].payload == payload

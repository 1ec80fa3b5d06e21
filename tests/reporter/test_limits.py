from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from choreo_bdd_reporter.model.limits import (
    BODY_MAX_CHARS,
    both_ends,
    cap_body,
    cap_detail,
    cap_stream,
    cap_value,
    clean_text,
    json_safe,
    keep_worst,
)


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no")


class Positive:
    def expected_shape(self) -> object:
        return {"gt": 0}


class Broken:
    def expected_shape(self) -> object:
        raise KeyError("x")


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ({"a": (1, 2.5, None, True)}, {"a": [1, 2.5, None, True]}),
        ({1: "x"}, {"1": "x"}),
        (float("nan"), {"_unserialisable": True, "_repr": "nan"}),
        (float("-inf"), {"_unserialisable": True, "_repr": "-inf"}),
        (Decimal("12345678901234567.99"), {"_unserialisable": True, "_repr": "12345678901234567.99"}),
        (b"\x00a", {"_unserialisable": True, "_repr": "b'\\x00a'"}),
        (2**2000, {"_unserialisable": True, "_repr": str(2**2000)}),
        pytest.param(1 << 20_000, {"_unserialisable": True, "_repr": "<int of 20001 bits>"}, id="unwritable"),
        (Unprintable(), {"_unserialisable": True, "_repr": "<Unprintable whose repr raised ValueError>"}),
        ({"net": Positive()}, {"net": {"gt": 0}}),
        (Broken(), {"_unserialisable": True, "_repr": "<expected_shape() raised KeyError>"}),
        ("half \ud800 pair", "half \ufffd pair"),
        ("whole \ud83d\ude00 pair", "whole \U0001f600 pair"),
        ("nul\0", "nul\u2400"),
    ],
)
def test_any_value_gets_a_json_form(value: object, safe: object) -> None:
    assert json_safe(value) == safe
    json.dumps(json_safe(value), allow_nan=False).encode("utf-8")


def test_a_value_nested_ten_thousand_deep_is_cut_with_a_marker() -> None:
    value: Any = "bottom"
    for _ in range(10_000):
        value = [value]
    text = json.dumps(json_safe(value))
    assert "nested deeper than 64 levels" in text
    assert "bottom" not in text


def test_a_value_that_contains_itself_is_cut_with_a_marker() -> None:
    value: dict[str, Any] = {"a": 1}
    value["self"] = value
    assert json_safe(value) == {"a": 1, "self": {"_truncated": True, "_head": "<contains itself>"}}


def test_a_small_value_that_doubles_itself_at_every_level_does_not_explode() -> None:
    value: Any = "x"
    for _ in range(60):
        value = [value, value]
    assert "more than 100000 values" in json.dumps(json_safe(value))


def test_a_long_string_is_replaced_by_a_marker_with_its_true_size() -> None:
    capped, whole = cap_value({"short": "s", "long": "é" * 3000})
    assert whole is False
    assert capped["short"] == "s"
    assert capped["long"] == {"_truncated": True, "_original_bytes": 6000, "_head": "é" * 1024}


def test_a_string_of_exactly_the_limit_stays() -> None:
    assert cap_value(["x" * 2048, "y" * 2048]) == (["x" * 2048, "y" * 2048], False)


def test_a_large_value_is_replaced_as_a_whole() -> None:
    value = list(range(5000))
    capped, whole = cap_value(value)
    text = json.dumps(value)
    assert whole is True
    assert capped == {"_truncated": True, "_original_bytes": len(text), "_head": text[:8192]}


def test_the_size_given_is_that_before_any_shortening() -> None:
    value = ["x" * 10_000] * 50
    capped, whole = cap_value(value)
    assert whole is True
    assert capped["_original_bytes"] == len(json.dumps(value))


def test_of_captured_text_the_end_is_kept() -> None:
    text = "a" * 100 + "ß" * 32_768
    assert cap_stream("short") == "short"
    assert cap_stream(text) == "[100 bytes truncated]\n" + "ß" * 32_768


def test_a_cut_through_a_character_leaves_no_broken_text() -> None:
    assert cap_stream("ß" * 40_000 + "x").endswith("ßx")


def test_text_before_the_one_that_is_kept_counts_as_missing() -> None:
    assert cap_stream("short", left_out=7) == "[7 bytes truncated]\nshort"


def test_a_detail_is_cut_at_120_characters() -> None:
    assert cap_detail("x" * 120) == "x" * 120
    assert cap_detail("x" * 121) == "x" * 117 + "..."


def test_plain_text_is_not_changed() -> None:
    assert clean_text("grüße \U0001f600") == "grüße \U0001f600"


def test_bad_items_are_kept_before_good_ones_and_stay_in_order() -> None:
    assert keep_worst("abcde", 3, [False, False, True, False, True]) == ([0, 2, 4], 2)
    assert keep_worst("ab", 3, []) == ([0, 1], 0)


def test_cut_bytes_tell_how_many_they_were() -> None:
    value = json_safe(bytes(range(256)) * 12)
    assert cap_value(value)[0]["_repr"] == {
        "_truncated": True,
        "_original_bytes": 3072,
        "_head": repr(bytes(range(256)) * 12)[:2048],
    }
    body = cap_body(json_safe(b"\\'\n\xff" * 20_000))
    assert (body["_unserialisable"], body["_repr"]["_original_bytes"]) == (True, 80_000)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_written_alike_whatever_holds_them(kind: Callable[[bytes], Any]) -> None:
    assert json_safe(kind(b"\x00a")) == {"_unserialisable": True, "_repr": "b'\\x00a'"}


def test_a_body_of_exactly_the_limit_stays_whole() -> None:
    assert cap_body("x" * BODY_MAX_CHARS) == "x" * BODY_MAX_CHARS
    value = {"blob": "x" * (BODY_MAX_CHARS - len('{"blob": ""}'))}
    assert cap_body(value) is value


@pytest.mark.parametrize(
    "value", ["a" * 50_000 + "ß" * 50_000, {"first": "a" * 70_000, "last": 1}, list(range(50_000))]
)
def test_of_a_larger_body_both_ends_and_the_size_are_kept(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    assert cap_body(value) == {
        "_truncated": True,
        "_original_bytes": len(text.encode()),
        "_head": text[: 48 * 1024],
        "_tail": text[-16 * 1024 :],
    }


@pytest.mark.parametrize(
    ("count", "kept"), [(8, [*range(8)]), (9, [0, 1, 3, 4, 5, 6, 7, 8]), (20, [0, 1, *range(14, 20)])]
)
def test_of_too_many_events_those_in_the_middle_are_left_out(count: int, kept: list[int]) -> None:
    assert list(both_ends(range(count), 8)) == kept
